"""Run a notebook over a range of data windows: jupyter pipelines backfill warehouse.ipynb 2013-01-01..2013-01-31

RANGE is FIRST..LAST, both included, or one period: days (2024-01-05), weeks (2024-W05), months (2024-01), quarters
(2024-Q1), years (2024) or hours (2024-01-05T09). A period that RANGE cuts is run whole; one that is not over yet is
left out.

The notebook is given `interval_start` and `interval_end` where it declares parameters of these names; others may be
expressions over them: -p "day={{ interval_start.date() }}". With --schedule the windows, the time zone and the
parameters are those of a schedule.

The published version runs, or the notebook as it is now where none was published. Windows run one after the other;
those that a run with the same parameters has completed are done already, and run only with --again. When a window
fails the others wait: `unpause ID` tries it once more, `unpause ID --skip` gives it up. `backfills` shows the progress,
`pause ID` and `cancel ID` stop it.

The service carries it out, whatever becomes of this terminal; it is started when it is missing.

--format json: {"id", "state", "notebook", "pipeline", "version", "schedule", "window", "timezone", "parallel",
"keep_going", "created", "counts": {STATE: N}, "notes", "problem", "windows": [{"key", "start", "end", "parameters",
"state", "run", "attempt", "error", "before"}]}. The id is empty in a dry run, and where nothing is to be done.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format, add_notebook, add_parameters, positive_int

    add_notebook(parser)
    parser.add_argument("range", metavar="RANGE", help="FIRST..LAST, such as 2024-01-01..2024-01-31, or one period")
    add_parameters(parser)
    parser.add_argument("--schedule", metavar="ID", help="take windows, time zone and parameters of this schedule")
    parser.add_argument(
        "--window",
        choices=["hour", "day", "week", "month", "quarter", "year"],
        help="the calendar period that each run works on (day)",
    )
    parser.add_argument("--timezone", metavar="ZONE", help="an IANA name (default: this machine's zone)")
    parser.add_argument("--version", metavar="VERSION", help='"published", the id of a version, or "file"')
    parser.add_argument("--parallel", type=positive_int, default=1, metavar="N", help="run N windows at once")
    parser.add_argument("--newest-first", action="store_true", help="begin with the last window")
    parser.add_argument("--keep-going", action="store_true", help="run the other windows when one fails")
    parser.add_argument("--again", action="store_true", help="also run windows that are done already")
    parser.add_argument("--dry-run", action="store_true", help="only list the windows; run and keep nothing")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    import sys

    from jupyter_pipelines.cli.backfills import print_backfill
    from jupyter_pipelines.cli.output import print_json
    from jupyter_pipelines.cli.scheduling import read_expressions
    from jupyter_pipelines.orchestration.backfills import backfill
    from jupyter_pipelines.orchestration.schedules import split_range

    first, last = split_range(arguments.range)
    made = backfill(
        arguments.notebook,
        first,
        last,
        schedule=arguments.schedule,
        window=arguments.window,
        timezone=arguments.timezone,
        parameters=read_expressions(arguments, arguments.version),
        parallel=arguments.parallel,
        order="newest-first" if arguments.newest_first else "oldest-first",
        keep_going=arguments.keep_going,
        again=arguments.again,
        version=arguments.version,
        dry_run=arguments.dry_run,
        say=lambda message: print(message, file=sys.stderr),
    )
    if arguments.format == "json":
        print_json(made.to_dict())
    else:
        print_backfill(made, dry_run=arguments.dry_run)
    return 0
