"""Cancel a run, wherever it goes on, and wait for its end: its kernels and all that they have started are killed.

RUN is the id of a run, or its beginning (see `jupyter pipelines runs`). Exit codes: 0 cancelled, 1 it ended otherwise
in the meantime, 2 there is no such run, or it has ended.

--format json: the record, as `jupyter pipelines run` reports it.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    parser.add_argument("run", metavar="RUN", help="the run")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.orchestration import cancel

    record = cancel(arguments.run)
    if arguments.format == "json":
        from dataclasses import asdict

        from jupyter_pipelines.cli.output import print_json

        print_json(asdict(record))
    else:
        print(f"{record.id[:8]}: {record.state}")
    return 0 if record.state == "cancelled" else 1
