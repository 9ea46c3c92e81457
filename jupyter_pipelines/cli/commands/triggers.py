"""List triggers: of one notebook, or all; what sets each off, and what waits.

--format json: {"triggers": [{"id", "name", "notebook", "pipeline", "version", "kind": "after"|"file"|"update"|"token"|
"event", "cause", "words", "parameters", "overlap", "paused", "active_since", "store", "runs": {OCCURRENCE: RUN},
"waiting": [OCCURRENCE], "skipped": [{"occurrence", "time", "reason"}], "problem"}]}. "problem" says why nothing can be
seen at the moment, and is "" when all is well.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    parser.add_argument("notebook", metavar="NB", nargs="?", help="only those of this notebook")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.output import print_json
    from jupyter_pipelines.orchestration.triggers import describe, triggers

    found = [describe(record) for record in triggers(arguments.notebook)]
    if arguments.format == "json":
        print_json({"triggers": found})
        return 0
    if not found:
        print("there are no triggers; make one with: jupyter pipelines trigger NB --after OTHER")
        return 0
    from rich.table import Table
    from rich.text import Text

    from jupyter_pipelines.cli.output import clean, count, short_path
    from jupyter_pipelines.cli.report import print_table

    table = Table(box=None, pad_edge=False, show_header=False)
    for each in found:
        waiting, runs = each["waiting"], each["runs"]
        assert isinstance(waiting, list)
        assert isinstance(runs, dict)
        states = ["paused"] if each["paused"] else [count(len(runs), "run")]
        states += [f"{len(waiting)} waiting"] if waiting else []
        cells = (each["name"], short_path(str(each["notebook"])), each["words"], ", ".join(states), each["problem"])
        table.add_row(str(each["id"]), *(Text(clean(str(cell))) for cell in cells))
    print_table(table)
    return 0
