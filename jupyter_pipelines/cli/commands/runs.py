"""List earlier runs, the newest first.

Times are a length of time ago (12h, 2d), or a date or a date and time such as 2027-03-14T08:00, in this machine's zone;
they are about when runs started.

--format json: {"runs": [...]}, each as `jupyter pipelines run` reports it.
"""

from __future__ import annotations

import argparse
from typing import get_args


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format, positive_int
    from jupyter_pipelines.cli.durations import moment
    from jupyter_pipelines.orchestration.model import RunState

    parser.add_argument("notebook", metavar="NB", nargs="?", help="only those of this notebook (or pipeline's name)")
    parser.add_argument(
        "--state", action="append", choices=get_args(RunState), help="only those in this state (may be repeated)"
    )
    parser.add_argument("--schedule", metavar="ID", help="only those that this schedule asked for")
    parser.add_argument("--backfill", metavar="ID", help="only those of this backfill")
    parser.add_argument(
        "--by",
        action="append",
        choices=("hand", "schedule", "backfill"),
        help="only those that a person, a schedule or trigger, or a backfill asked for (may be repeated)",
    )
    parser.add_argument("--since", type=moment, metavar="TIME", help="only those that started then or later: 2d")
    parser.add_argument("--until", type=moment, metavar="TIME", help="only those that started before")
    parser.add_argument("--limit", type=positive_int, default=20, metavar="N", help="at most N runs (default: 20)")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.arguments import require_known
    from jupyter_pipelines.orchestration import list_runs

    records = list_runs(
        limit=arguments.limit,
        notebook=arguments.notebook,
        state=arguments.state,
        schedule=arguments.schedule,
        backfill=arguments.backfill,
        by=arguments.by,
        since=arguments.since,
        until=arguments.until,
    )
    if not records:
        require_known(arguments.notebook)
    if arguments.format == "json":
        from dataclasses import asdict

        from jupyter_pipelines.cli.output import print_json

        print_json({"runs": [asdict(record) for record in records]})
    elif not records:
        print(_none(arguments))
    else:
        from jupyter_pipelines.cli.report import print_runs

        print_runs(records)
    return 0


def _none(arguments: argparse.Namespace) -> str:
    asked = ("notebook", "state", "schedule", "backfill", "by", "since", "until")
    if any(getattr(arguments, name) is not None for name in asked):
        return "no run on record fits"
    return "no runs are kept; make one with: jupyter pipelines run NB"
