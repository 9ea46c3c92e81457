"""Have a schedule start no more runs, until `unpause`. Runs that go on are left alone.

ID is the id of a schedule, its beginning, or its name (see `jupyter pipelines schedules`).

--format json: the schedule, as `jupyter pipelines schedules` reports it.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    parser.add_argument("schedule", metavar="ID", help="the schedule")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.output import print_json
    from jupyter_pipelines.orchestration.scheduling import describe, pause

    record = pause(arguments.schedule)
    if arguments.format == "json":
        print_json(describe(record))
    else:
        print(f"{record.id}: paused")
    return 0
