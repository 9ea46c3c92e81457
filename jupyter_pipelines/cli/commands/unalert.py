"""Remove an alert. What it has not sent yet is not sent.

ID is the id of an alert, or its beginning (see `jupyter pipelines alerts`).

--format json: the alert, as `jupyter pipelines alerts` reports it.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    parser.add_argument("alert", metavar="ID", help="the alert")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.output import clean, print_json
    from jupyter_pipelines.orchestration.alerts import describe, get_alert, unalert

    described = describe(get_alert(arguments.alert))
    record = unalert(arguments.alert)
    if arguments.format == "json":
        print_json(described)
    else:
        print(clean(f"{record.id}: removed"))
    return 0
