"""What the commands that change one schedule have in common: its name, the change, the word for it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.scheduling import ScheduleRecord


def add_schedule(parser: argparse.ArgumentParser) -> None:
    """``ID`` and ``--format``."""
    from jupyter_pipelines.cli.arguments import add_format

    parser.add_argument("schedule", metavar="ID", help="the schedule")
    add_format(parser)


def change(arguments: argparse.Namespace, how: Callable[[str], ScheduleRecord], done: str) -> int:
    """Change the schedule that was named, and say that it is ``done``; returns the exit code."""
    from jupyter_pipelines.cli.output import print_json
    from jupyter_pipelines.orchestration.scheduling import describe

    record = how(arguments.schedule)
    if arguments.format == "json":
        print_json(describe(record))
    else:
        print(f"{record.id}: {done}")
    return 0
