"""Cancel a run, wherever it goes on, and wait for its end: its kernels and all that they have started are killed.

RUN is the id of a run, or its beginning (see `jupyter pipelines runs`); or of a backfill (`backfills`), which then
starts no more windows, while those that go on are cancelled in the background. Exit codes: 0 cancelled, 1 it ended
otherwise in the meantime, 2 there is no such run, or it has ended.

--format json: the record, as `jupyter pipelines run` reports it, or as `backfill` does.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_pipelines.errors import RequestError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    parser.add_argument("id", metavar="RUN", help="the run, or the backfill")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.errors import RequestError
    from jupyter_pipelines.orchestration import cancel, get_run

    try:
        get_run(arguments.id)
    except RequestError as unknown:
        return _cancel_backfill(arguments, unknown)
    record = cancel(arguments.id)
    if arguments.format == "json":
        from dataclasses import asdict

        from jupyter_pipelines.cli.output import print_json

        print_json(asdict(record))
    else:
        print(f"{record.id[:8]}: {record.state}")
    return 0 if record.state == "cancelled" else 1


def _cancel_backfill(arguments: argparse.Namespace, unknown: RequestError) -> int:
    """Cancel the backfill that is meant, as there is no such run; ``unknown`` says so."""
    from jupyter_pipelines.cli.scheduling import change
    from jupyter_pipelines.errors import RequestError
    from jupyter_pipelines.orchestration.backfills import get_backfill

    try:
        get_backfill(arguments.id)
    except RequestError:
        raise unknown from None
    return change(arguments, "cancel", "cancelled; its runs that go on are being ended")
