"""List limits: of pipelines and resources, who has their slots, and who waits for one.

`jupyter pipelines limit WHAT N` sets one.

--format json: {"limits": [{"kind": "pipeline"|"resource", "name", "slots": N or null, "running": [{"run", "step",
"pid", "since"}], "waiting": [the same, in their order]}]}
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    from jupyter_pipelines.cli.output import clean, print_json, short_path
    from jupyter_pipelines.orchestration.limits import limits

    found = limits()
    if arguments.format == "json":
        print_json({"limits": [asdict(each) for each in found]})
        return 0
    if not found:
        print("there are no limits; set one with: jupyter pipelines limit NB 1")
    from jupyter_pipelines.cli.commands.limit import at_once

    for each in found:
        print(clean(f"{short_path(each.name)}: {at_once(each.slots)}"))
        for verb, tickets in (("has a slot", each.running), ("waits", each.waiting)):
            for ticket in tickets:
                print(clean(f"  run {ticket.run[:8]}{f', {ticket.step}' if ticket.step else ''} {verb}"))
    return 0
