"""List backfills and how far each has come; with the ID of one, its windows.

A backfill is running, paused, stopped (a window failed, and the others wait), completed, failed (nothing is left to
run, but some window did not complete) or cancelled.

--format json: {"backfills": [...]}, each as `jupyter pipelines backfill` reports it; with ID that one.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    parser.add_argument("which", metavar="ID|NB", nargs="?", help="one backfill, `last`, or those of this notebook")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    import os

    from jupyter_pipelines.cli.backfills import print_backfill, print_backfills
    from jupyter_pipelines.cli.output import print_json
    from jupyter_pipelines.orchestration.backfills import backfills, get_backfill

    which: str | None = arguments.which
    found = backfills(which)
    if which is not None and not found and not os.path.exists(which):
        one = get_backfill(which)
        if arguments.format == "json":
            print_json(one.to_dict())
        else:
            print_backfill(one)
    elif arguments.format == "json":
        print_json({"backfills": [one.to_dict() for one in found]})
    elif found:
        print_backfills(found)
    else:
        print("there are no backfills; make one with: jupyter pipelines backfill NB 2024-01-01..2024-01-31")
    return 0
