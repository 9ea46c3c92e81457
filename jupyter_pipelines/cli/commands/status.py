"""Say which Prefect server runs report to, and whether it answers.

--format json: {"running": true | false, "api_url": "...", "pid": N}
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.output import print_json
    from jupyter_pipelines.orchestration.service import endpoint_of
    from jupyter_pipelines.settings import Settings

    settings = Settings.load()
    endpoint = endpoint_of(settings)
    answers = endpoint is not None and endpoint.is_healthy()
    if arguments.format == "json":
        print_json(
            {
                "running": answers,
                "api_url": endpoint.api_url if endpoint else "",
                "pid": endpoint.pid if endpoint else 0,
            }
        )
    elif endpoint is None:
        print("The pipeline service is not running; the next `jupyter pipelines run` starts it.")
    else:
        whose = f"the service of {settings.home} (process {endpoint.pid})" if endpoint.pid else "the configured server"
        print(f"{endpoint.api_url}: {whose}, {'running' if answers else 'does not answer'}")
    return 0
