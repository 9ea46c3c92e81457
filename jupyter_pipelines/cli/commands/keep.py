"""Have cleaning leave a run alone: by `retention` and `gc` it is never removed. --off undoes it.

RUN is the id of a run, its beginning, or `last` (see `jupyter pipelines runs`).

--format json: {"run": ID, "kept": true | false}
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    parser.add_argument("run", metavar="RUN", help="the run")
    parser.add_argument("--off", action="store_true", help="let it go like any other again")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.output import print_json
    from jupyter_pipelines.orchestration.retention import keep

    record = keep(arguments.run, not arguments.off)
    if arguments.format == "json":
        print_json({"run": record.id, "kept": not arguments.off})
    else:
        print(f"{record.id[:8]}: {'goes like any other' if arguments.off else 'kept'}")
    return 0
