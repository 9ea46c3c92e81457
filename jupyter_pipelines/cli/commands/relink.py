"""Have what is known of a notebook follow it to where it was moved.

Its runs and versions are listed for the new path, its schedules, triggers, backfills and alerts are about it.
The pipeline goes on being called what it was, so that other notebooks' triggers still see its runs.

--format json: {"before", "notebook", "pipeline", "schedules", "triggers", "alerts", "backfills", "versions"}, the last
five as numbers.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    parser.add_argument("old", metavar="OLD", help="where the notebook was")
    parser.add_argument("new", metavar="NEW", help="where it is now")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    from jupyter_pipelines.cli.output import clean, count, print_json
    from jupyter_pipelines.orchestration.relinking import relink

    made = relink(arguments.old, arguments.new)
    if arguments.format == "json":
        print_json(asdict(made))
        return 0
    kinds = ("version", "schedule", "trigger", "backfill", "alert")
    numbers = {kind: int(getattr(made, f"{kind}s")) for kind in kinds}
    followed = [count(number, kind) for kind, number in numbers.items() if number]
    print(clean(f"{arguments.new} goes on with the runs of {arguments.old}{''.join(f', {one}' for one in followed)}"))
    return 0
