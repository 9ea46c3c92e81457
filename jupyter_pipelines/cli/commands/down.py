"""Stop the pipeline service. What it knows is kept, runs that go on are left alone, the next run starts it again.

--format json: {"stopped": true|false}; false when it was not running.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.orchestration.service import stop_service
    from jupyter_pipelines.settings import Settings

    stopped = stop_service(Settings.load())
    if arguments.format == "json":
        from jupyter_pipelines.cli.output import print_json

        print_json({"stopped": stopped})
    else:
        print("stopped" if stopped else "It was not running.")
    return 0
