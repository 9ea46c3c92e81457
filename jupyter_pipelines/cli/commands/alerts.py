"""List alerts: of one notebook, or all; where they go, and what became of the last one.

--format json: {"alerts": [{"id", "notebook", "on", "to", "repeat", "slow", "since", "sent", "last_sent", "waiting",
"dropped", "problem"}]}. "notebook" is null for an alert about all pipelines, "to" is without its secrets, "problem"
says why the last message was not taken ("" when it was), "waiting" how many are sent again. Times are seconds since
1970.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    parser.add_argument("notebook", metavar="NB", nargs="?", help="only those that concern this notebook")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.output import print_json
    from jupyter_pipelines.orchestration.alerts import alerts, describe

    found = [describe(record) for record in alerts(arguments.notebook)]
    if arguments.format == "json":
        print_json({"alerts": found})
    elif not found:
        print("there are no alerts; make one with: jupyter pipelines alert NB --to DESTINATION")
    else:
        _print(found)
    return 0


def _print(found: Sequence[Mapping[str, object]]) -> None:
    from rich.table import Table
    from rich.text import Text

    from jupyter_pipelines.cli.output import clean, short_path
    from jupyter_pipelines.cli.report import moment, print_table

    table = Table(box=None, pad_edge=False, show_header=False)
    for one in found:
        on = one["on"]
        sent = one["last_sent"]
        how = f"last sent {moment(float(str(sent)))}" if sent else "nothing sent yet"
        if one["problem"]:
            how = f"{one['waiting']} waiting: {one['problem']}"
        table.add_row(
            str(one["id"]),
            Text(clean(short_path(str(one["notebook"])) if one["notebook"] else "all pipelines")),
            ", ".join(on) if isinstance(on, list) else "",
            Text(clean(str(one["to"]))),
            Text(clean(how)),
        )
    print_table(table)
