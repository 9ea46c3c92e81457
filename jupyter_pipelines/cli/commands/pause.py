"""Have a schedule, a trigger or a backfill start no more runs, until `unpause`. Runs that go on are left alone.

ID is the id of a schedule (see `jupyter pipelines schedules`), of a trigger (`triggers`) or of a backfill
(`backfills`), its beginning, or the name of a schedule or trigger. Runs of a schedule or trigger that wait for an
earlier one to end are dropped, and on record as skipped.

--format json: what was paused, as `jupyter pipelines schedules`, `triggers` or `backfills` reports it.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.scheduling import add_id

    add_id(parser, "the schedule, trigger or backfill")


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.scheduling import change

    return change(arguments, "pause", "paused")
