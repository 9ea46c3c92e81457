"""List schedules: of one notebook, or all; when each runs next, and how its last run ended.

--format json: {"schedules": [{"id", "name", "notebook", "pipeline", "version", "schedule", "paused", "words",
"expression", "next", "active_since", "store", "runs": {OCCURRENCE: RUN}, "waiting": [OCCURRENCE], "skipped": [{"first",
"last", "count", "reason"}], "follow", "verify", "followed": {"state": "current" or "refused", "version", "since",
"problem", …}, "problem": why it is left alone, or ""}]}. OCCURRENCE is a scheduled time in UTC, such as
20270314T070000Z.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.scheduling import ScheduleRecord


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    parser.add_argument("notebook", metavar="NB", nargs="?", help="only those of this notebook")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.arguments import require_known
    from jupyter_pipelines.cli.output import print_json
    from jupyter_pipelines.orchestration.scheduling import describe, schedules

    found = schedules(arguments.notebook)
    if not found:
        require_known(arguments.notebook)
    if arguments.format == "json":
        print_json({"schedules": [describe(record) for record in found]})
    elif not found:
        of, notebook = (f" of {arguments.notebook}", arguments.notebook) if arguments.notebook else ("", "NB")
        print(f'there are no schedules{of}; make one with: jupyter pipelines schedule {notebook} "every weekday 07:00"')
    else:
        _print(found)
    return 0


def _print(found: Sequence[ScheduleRecord]) -> None:
    from rich.table import Table
    from rich.text import Text

    from jupyter_pipelines.cli.output import clean, short_path
    from jupyter_pipelines.cli.report import print_table
    from jupyter_pipelines.orchestration.schedules import when_in_words
    from jupyter_pipelines.orchestration.scheduling import describe

    table = Table(box=None, pad_edge=False, show_header=False)
    for record in found:
        table.add_row(
            record.id,
            Text(clean(record.schedule.name)),
            Text(clean(short_path(record.notebook))),
            Text(clean(when_in_words(record.schedule))),
            next_in_words(record),
            Text(f"follows {clean(what_it_follows(record))}" if record.follow else ""),
        )
    print_table(table)
    for record in found:
        described = describe(record)
        _print_problem(record, described["followed"])
        if problem := described["problem"]:
            print(clean(f"{record.id}: {problem}"))


def _print_problem(record: ScheduleRecord, followed: Any) -> None:
    """Where what a schedule follows is not good enough to be published, say so, and what runs."""
    from jupyter_pipelines.cli.output import clean
    from jupyter_pipelines.cli.report import moment

    if followed and followed["state"] == "refused":
        print(
            clean(
                f"{record.id}: version {followed['version'][:8]} runs on; {what_it_follows(record)}, as it is since "
                f"{moment(followed['since'])}, was not published:"
            )
        )
        print(clean("\n".join(f"  {line}" for line in followed["problem"].splitlines()[:20])))


def what_it_follows(record: ScheduleRecord) -> str:
    """``the file``, or ``main in git``."""
    ref = record.follow.removeprefix("ref:")
    return "the file" if record.follow == "file" else f"{ref} in git"


def next_in_words(record: ScheduleRecord) -> str:
    """``next 2027-01-31 07:00 CET``, ``paused`` or ``over``."""
    from zoneinfo import ZoneInfo

    following = record.next_time()
    if following is None:
        return "paused" if record.schedule.paused else "over"
    return f"next {following.astimezone(ZoneInfo(record.schedule.zone)):%Y-%m-%d %H:%M %Z}"
