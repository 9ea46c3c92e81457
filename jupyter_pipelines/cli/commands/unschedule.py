"""Remove a schedule. Its runs stay on record, and one that goes on is left alone; those that wait for it are dropped.

ID is the id of a schedule, its beginning, or its name (see `jupyter pipelines schedules`).

--format json: the schedule, as `jupyter pipelines schedules` reports it.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.scheduling import add_id

    add_id(parser, "the schedule")


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.scheduling import change

    return change(arguments, "unschedule", "removed")
