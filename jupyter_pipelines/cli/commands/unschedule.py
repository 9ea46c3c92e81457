"""Remove a schedule. Its runs stay on record, and one that goes on is left alone.

ID is the id of a schedule, its beginning, or its name (see `jupyter pipelines schedules`).

--format json: the schedule, as `jupyter pipelines schedules` reports it.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.scheduling import add_schedule

    add_schedule(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.scheduling import change
    from jupyter_pipelines.orchestration.scheduling import unschedule

    return change(arguments, unschedule, "removed")
