"""Stop the pipeline service. What it knows is kept, runs that go on are left alone, the next run starts it again.

How many runs go on is told; `jupyter pipelines cancel RUN` ends one. Schedules rest until the service is up again.
The warehouse's file is closed, too, unless somebody is at work with it.

--format json: {"stopped": true|false, "runs": [ID, ...], "warehouse": "closed"|"open"}; stopped is false when it was
not running, "runs" are those that go on.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    import jupyter_pipelines as jp
    from jupyter_pipelines.cli.output import clean, count
    from jupyter_pipelines.errors import WarehouseError
    from jupyter_pipelines.orchestration.history import list_runs
    from jupyter_pipelines.orchestration.service import stop_service
    from jupyter_pipelines.settings import Settings

    settings = Settings.load()
    stopped = stop_service(settings)
    going_on = [run.id for run in list_runs(state="running")]
    in_use = ""
    try:
        jp.warehouse().release()
    except WarehouseError as error:
        in_use = error.message
    if arguments.format == "json":
        from jupyter_pipelines.cli.output import print_json

        print_json({"stopped": stopped, "runs": going_on, "warehouse": "open" if in_use else "closed"})
    else:
        print("stopped" if stopped else "It was not running.")
        if going_on:
            verb = "goes" if len(going_on) == 1 else "go"
            print(f"{count(len(going_on), 'run')} {verb} on: {', '.join(run[:8] for run in going_on)}")
        if in_use:
            print(clean(f"It stays open: {in_use}"))
    return 0
