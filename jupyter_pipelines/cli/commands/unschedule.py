"""Remove a schedule or a trigger. Its runs stay on record, and one that goes on is left alone; those that wait are
dropped.

ID is the id of a schedule (see `jupyter pipelines schedules`) or of a trigger (`triggers`), its beginning, or its name.

--format json: what was removed, as `jupyter pipelines schedules` or `triggers` reports it.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.scheduling import add_id

    add_id(parser, "the schedule, or the trigger")


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.scheduling import change

    return change(arguments, "unschedule", "removed")
