"""Stop the pipeline service that `run` started. What it knows is kept, and the next run starts it again."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none."""


def run(_: argparse.Namespace) -> int:
    from jupyter_pipelines.orchestration.service import stop_service
    from jupyter_pipelines.settings import Settings

    print("stopped" if stop_service(Settings.load()) else "It was not running.")
    return 0
