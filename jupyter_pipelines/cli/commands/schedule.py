"""Have the service run a notebook at certain times: jupyter pipelines schedule flights.ipynb "every weekday 07:00"

WHEN is a phrase ("daily at 06:00", "every 15 minutes", "first monday of the month 9am Europe/Paris"), a cron
expression, or a recurrence rule of RFC 5545 (RRULE:…). How it was understood, and its next times with what daylight
saving does to them, are told. The published version runs, or the notebook as it is where none was published.

With --follow the notebook is published whenever it is saved, with --ref whenever a git branch moves, as long as `check`
finds no errors; with --verify only what is proved to be equivalent. Else the last good version runs on, and `jupyter
pipelines schedules` says why.

Parameters may be expressions over the time: -p "day={{ interval_start.date() }}" with --window day.

The service is started when it is missing. Runs that were missed while it was down are made up for by --missed.

--format json: {"id", "notebook", "version", "schedule", "words", "expression", "next", "times": [{"time", "notes"}],
"clock_changes": [...]}; with --dry-run without what is not there yet.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.schedules import Understanding
    from jupyter_pipelines.orchestration.scheduling import ScheduleRecord


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format, add_notebook, add_parameters, positive_int

    add_notebook(parser)
    parser.add_argument("when", metavar="WHEN", nargs="+", help='such as "every weekday 07:00", or a cron expression')
    add_parameters(parser)
    parser.add_argument("--name", help="what the schedule is called")
    parser.add_argument("--timezone", metavar="ZONE", help="an IANA name (default: this machine's zone)")
    parser.add_argument(
        "--missed", choices=["skip", "latest", "all"], help="which missed runs are made up for (latest)"
    )
    parser.add_argument(
        "--overlap",
        choices=["queue", "skip", "parallel", "cancel-previous"],
        help="what a run does that is due before the one before it has ended (queue)",
    )
    parser.add_argument(
        "--max-parallel", type=positive_int, metavar="N", help="with --overlap parallel: so many runs at once (1)"
    )
    parser.add_argument("--start", metavar="TIME", help="not before this date, or time, of the schedule's zone")
    parser.add_argument("--end", metavar="TIME", help="not after this date, which is included, or time")
    parser.add_argument(
        "--window",
        choices=["hour", "day", "week", "month", "quarter", "year"],
        help="the calendar period that a run works on, the last complete one: interval_start and interval_end",
    )
    parser.add_argument(
        "--done-by",
        metavar="TIME",
        help="when a run should be done, in the schedule's zone: 08:00, or 2h after its time; else it is late "
        "(see `jupyter pipelines alert`)",
    )
    parser.add_argument("--timeout", metavar="TIME", help="stop a run that takes longer, such as 2h")
    parser.add_argument(
        "--retries", type=int, metavar="N", help="try a run that fails again, so many times at most and ever later"
    )
    parser.add_argument("--version", metavar="VERSION", help='"published", the id of a version, or "file"')
    parser.add_argument("--replacing", metavar="ID", help="the schedule that becomes this one, with its runs")
    parser.add_argument("--follow", action="store_true", help="publish the notebook now, and whenever it is saved")
    parser.add_argument("--ref", metavar="BRANCH", help="publish it as git has it, now and whenever this ref moves")
    parser.add_argument(
        "--verify", action="store_true", help="with --follow or --ref: publish only what `verify` finds equivalent"
    )
    parser.add_argument("--dry-run", action="store_true", help="check everything, and keep nothing")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    import sys

    from jupyter_pipelines.cli.output import print_json
    from jupyter_pipelines.cli.scheduling import read_expressions
    from jupyter_pipelines.orchestration.scheduling import POLICIES, describe, preview_schedule, schedule

    policies: dict[str, Any] = {
        name: getattr(arguments, name) for name in POLICIES if getattr(arguments, name) not in (None, "")
    }
    understood = preview_schedule(" ".join(arguments.when), **policies)
    made = schedule(
        arguments.notebook,
        understood.schedule,
        read_expressions(arguments, "file" if arguments.follow or arguments.ref else arguments.version),
        name=arguments.name,
        version=arguments.version,
        follow=arguments.follow,
        ref=arguments.ref,
        verify=arguments.verify,
        replacing=arguments.replacing,
        dry_run=arguments.dry_run,
        say=lambda message: print(message, file=sys.stderr),
    )
    if arguments.format == "json":
        print_json((describe(made) if not arguments.dry_run else {}) | _json(understood))
    else:
        _print(arguments, understood, made)
    return 0


def _json(understood: Understanding) -> dict[str, object]:
    return {
        "words": understood.words,
        "expression": understood.expression,
        "times": [{"time": one.time.isoformat(), "notes": list(one.notes)} for one in understood.next.occurrences],
        "clock_changes": list(understood.next.clock_changes),
    }


def _print(arguments: argparse.Namespace, understood: Understanding, made: ScheduleRecord) -> None:
    from jupyter_pipelines.cli.output import clean
    from jupyter_pipelines.orchestration.schedules import deadline

    done = f"scheduled {made.id}" if made.is_new or arguments.replacing else f"there is such a schedule: {made.id}"
    if arguments.dry_run:
        done = "a dry run, nothing is kept"
    what = f"version {made.version[:9]}" if made.version else "the file as it is then"
    if made.follow:
        from jupyter_pipelines.cli.commands.schedules import what_it_follows

        what = f"follows {what_it_follows(made)}"
    print(clean(f"{done}: {arguments.notebook}, {what}"))
    print(clean(f"  {understood.words}"))
    print(f"  {understood.expression}")
    for one in understood.next.occurrences:
        notes = f"  ({'; '.join(one.notes)})" if one.notes else ""
        print(f"  {one.time:%a %Y-%m-%d %H:%M:%S %Z}{notes}")
    for one in understood.next.occurrences[:1]:
        if (due := deadline(understood.schedule, one.time)) is not None:  # a time of day may be that of the next day
            print(f"  the first is to be done by {due.astimezone(one.time.tzinfo):%a %Y-%m-%d %H:%M:%S %Z}")
    for change in understood.next.clock_changes:
        print(f"  {change}")
