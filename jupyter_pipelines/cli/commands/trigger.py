"""Have the service run a notebook when something happens: jupyter pipelines trigger report.ipynb --after load.ipynb

What happens is one of:

  --after NB          a run of that notebook has completed (--on failure, --on always); given several times, a run of
                      any of them, with --all-of one of each
  --file PATTERN      a file that matches appears or changes, and has been still for two seconds: one run for each file,
                      with --together one for all that come at once. A relative pattern is about the notebook's folder.
  --updated WHAT      a run of another pipeline has written the file WHAT (or pattern), made the output NB:NAME, or
                      built or changed the table table:NAME, such as table:mart.orders
  --updated           the same of any table or file that the notebook reads, as its source names them
  --token             somebody asks with the token that is printed, once: see below
  --event NAME        the Prefect server has an event of that name; * stands for anything

Parameters may be expressions: -p "day={{ upstream.parameters.day }}" (and upstream.id, .state, .ended, …), -p
"path={{ file }}", -p "paths={{ files }}", -p "size={{ event.payload.size }}", -p "day={{ triggered_at.date() }}".

What happens while the service is down is seen when it is back. Each occurrence runs once. `jupyter pipelines triggers`
lists them; `pause`, `unpause` and `unschedule` take their ids.

With a token: POST http://HOST/jupyter-pipelines/api/triggers/ID to a Jupyter server, with the headers `Authorization:
Bearer TOKEN` and, if you like, `Idempotency-Key: ANYTHING`; the body is {"parameters": {NAME: VALUE}}, or nothing.

--format json: {"id", "notebook", "version", "kind", "cause", "words", "parameters", "overlap", "paused", "token", …}
"""

from __future__ import annotations

import argparse
from typing import Literal

from jupyter_pipelines.errors import RequestError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format, add_notebook, add_parameters

    add_notebook(parser)
    cause = parser.add_mutually_exclusive_group(required=True)
    cause.add_argument("--after", metavar="NB", action="append", help="a run of this notebook has ended")
    cause.add_argument("--file", metavar="PATTERN", help="a file appears or changes")
    cause.add_argument(
        "--updated",
        metavar="WHAT",
        action="append",
        nargs="?",
        const=True,
        help="a file, NB:NAME or table:NAME was updated by a run; without WHAT, what the notebook reads",
    )
    cause.add_argument("--token", action="store_true", help="somebody asks with the token that is printed")
    cause.add_argument("--event", metavar="NAME", help="there is an event in Prefect")
    parser.add_argument("--on", choices=["success", "failure", "always"], default="success", help="how it has ended")
    parser.add_argument("--all-of", action="store_true", help="after a run of each that --after names")
    parser.add_argument("--together", action="store_true", help="one run for all files that come at once")
    add_parameters(parser)
    parser.add_argument("--name", default="", help="what the trigger is called")
    parser.add_argument(
        "--overlap",
        choices=["queue", "skip", "parallel", "cancel-previous"],
        default="queue",
        help="what a run does that is due before the one before it has ended (queue)",
    )
    parser.add_argument("--version", metavar="VERSION", help='"published", the id of a version, or "file"')
    parser.add_argument("--replacing", metavar="ID", help="the trigger that becomes this one, with its runs and token")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    import sys

    from jupyter_pipelines.cli.output import clean, print_json
    from jupyter_pipelines.cli.scheduling import read_expressions
    from jupyter_pipelines.orchestration.triggers import describe, trigger

    made = trigger(
        arguments.notebook,
        read_expressions(arguments, arguments.version),
        after=arguments.after,
        on=arguments.on,
        all_of=arguments.all_of,
        file=arguments.file,
        together=arguments.together,
        updated=_updated(arguments.updated),
        token=arguments.token,
        event=arguments.event,
        name=arguments.name,
        version=arguments.version,
        overlap=arguments.overlap,
        replacing=arguments.replacing,
        say=lambda message: print(message, file=sys.stderr),
    )
    if arguments.format == "json":
        print_json(describe(made) | ({"token": made.token} if made.token else {}))
        return 0
    what = f"version {made.version[:9]}" if made.version else "the file as it is then"
    there = "" if made.is_new or arguments.replacing else "there is such a "
    print(clean(f"{there}trigger {made.id}: {arguments.notebook}, {what}"))
    print(clean(f"  {describe(made)['words']}"))
    if made.token:
        print(f"  {made.token}")
        print("  Keep it: it is not shown again. It can start this pipeline, and do nothing else.")
    return 0


def _updated(given: list[str | Literal[True]] | None) -> list[str] | Literal[True] | None:
    """What is waited for: these, or what the notebook reads. Raises :class:`RequestError` for both."""
    if given is None or True not in given:
        return [one for one in given if one is not True] if given is not None else None
    if any(one is not True for one in given):
        raise RequestError("--updated is given with and without WHAT.", "Name all that is waited for, or nothing.")
    return True
