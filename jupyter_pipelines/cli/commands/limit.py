"""Say how much goes on at once: jupyter pipelines limit flights.ipynb 1, or jupyter pipelines limit database 2

WHAT is a notebook: at most N runs of its pipeline go on at once, whatever starts them. Or it is the name of a resource:
at most N steps that need it do, of all pipelines. A step says so with `%%step load --resources database`, or by
`resources` in its metadata; a resource that nothing was set for has one slot. What has no slot waits in line.

N is `none` to take the limit away. It holds at once, also for what waits already; `jupyter pipelines limits` lists all.

--format json: the limit, as `jupyter pipelines limits` reports it.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    parser.add_argument("what", metavar="WHAT", help="a notebook, or the name of a resource")
    parser.add_argument("slots", metavar="N", type=_slots, help="how many at once, or `none`")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.output import clean, print_json
    from jupyter_pipelines.orchestration.limits import limit

    made = limit(arguments.what, arguments.slots)
    if arguments.format == "json":
        from dataclasses import asdict

        print_json(asdict(made))
    else:
        print(clean(f"{made.name}: {at_once(made.slots)}"))
    return 0


def at_once(slots: int | None) -> str:
    """How many may go on, in words."""
    return "no limit" if slots is None else f"{slots} at once"


def _slots(text: str) -> int | None:
    from jupyter_pipelines.cli.arguments import positive_int

    return None if text == "none" else positive_int(text)
