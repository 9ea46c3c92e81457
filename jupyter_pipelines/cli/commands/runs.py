"""List earlier runs, the newest first.

--format json: {"runs": [...]}, each as `jupyter pipelines run` reports it.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format, positive_int

    parser.add_argument("--limit", type=positive_int, default=20, metavar="N", help="at most N runs (default: 20)")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.orchestration import list_runs

    records = list_runs(limit=arguments.limit)
    if arguments.format == "json":
        from dataclasses import asdict

        from jupyter_pipelines.cli.output import print_json

        print_json({"runs": [asdict(record) for record in records]})
    elif not records:
        print("no runs are kept; make one with: jupyter pipelines run NB")
    else:
        from jupyter_pipelines.cli.report import print_runs

        print_runs(records)
    return 0
