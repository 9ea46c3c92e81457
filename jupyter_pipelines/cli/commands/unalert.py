"""Remove an alert. What it has not sent yet is not sent.

ID is the id of an alert, or its beginning (see `jupyter pipelines alerts`). For ten minutes --undo brings it back, with
its secrets; it then needs the whole id.

--format json: the alert, as `jupyter pipelines alerts` reports it.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    parser.add_argument("alert", metavar="ID", help="the alert")
    parser.add_argument("--undo", action="store_true", help="have it again, if it was removed in the last ten minutes")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.output import clean, print_json
    from jupyter_pipelines.orchestration.alerts import describe, get_alert, restore_alert, unalert

    if arguments.undo:
        record = restore_alert(arguments.alert)
        if arguments.format == "json":
            print_json(describe(record))
        else:
            print(clean(f"{record.id}: it is there again"))
        return 0
    described = describe(get_alert(arguments.alert))
    record = unalert(arguments.alert)
    if arguments.format == "json":
        print_json(described)
    else:
        print(clean(f"{record.id}: removed; `jupyter pipelines unalert {record.id} --undo` brings it back"))
    return 0
