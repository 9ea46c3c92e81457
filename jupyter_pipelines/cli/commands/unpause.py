"""Have a paused schedule or trigger run again, from now on, or a backfill that was paused, or stopped at a failure, go
on.

What a schedule was due to do meanwhile, or would have set off a trigger, is not made up for. The windows of a backfill
that failed are tried once more, from the step that failed; with --skip they are given up, and those after them run.

ID is the id of a schedule (see `jupyter pipelines schedules`), of a trigger (`triggers`) or of a backfill
(`backfills`), its beginning, or the name of a schedule or trigger.

--format json: what goes on, as `jupyter pipelines schedules`, `triggers` or `backfills` reports it.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.scheduling import add_id

    add_id(parser, "the schedule, trigger or backfill")
    parser.add_argument("--skip", action="store_true", help="give up the windows of a backfill that failed")


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.scheduling import change

    return change(arguments, "unpause", "active again", **({"skip_failed": True} if arguments.skip else {}))
