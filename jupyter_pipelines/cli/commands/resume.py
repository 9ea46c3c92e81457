"""Continue a failed run from where it failed: what has completed is kept.

The notebook may have been mended in between: changed steps, and those that depend on them, run again.
RUN is the id of a run, or its beginning (see `jupyter pipelines runs`).

Exit codes and --format json: as of `jupyter pipelines run`.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.model import OnRunEvent, RunRecord


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    parser.add_argument("run", metavar="RUN", help="the run to continue")
    parser.add_argument("--notebook", metavar="NB", help="where the notebook is now, when it has been moved")
    parser.add_argument("--output", metavar="OUT.ipynb", help="put a copy of the executed notebook here")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.arguments import load_pipeline, notebook_path
    from jupyter_pipelines.cli.running import execute
    from jupyter_pipelines.errors import NotebookError
    from jupyter_pipelines.orchestration import get_run, resume

    record = get_run(arguments.run)
    source = arguments.notebook or record.notebook
    notebook = notebook_path(source)
    pipeline = load_pipeline(source)
    if pipeline.errors:
        raise NotebookError(source, pipeline.errors)

    output = Path(os.path.expanduser(arguments.output)) if arguments.output else None

    def start(on_event: OnRunEvent) -> list[RunRecord]:
        return [resume(record.id, notebook=notebook, output=output, on_event=on_event)]

    return execute(start, pipeline, record.parameters, as_json=arguments.format == "json")
