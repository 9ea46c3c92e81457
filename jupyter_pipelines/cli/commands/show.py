"""Draw the steps of a notebook and how they depend on each other: nothing is run.

--format json: the compiled pipeline: steps with their cells, inputs and outputs, edges with their reasons, diagnostics.
"""

from __future__ import annotations

import argparse
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format, add_notebook

    add_notebook(parser)
    add_format(parser, "mermaid", "svg")
    parser.add_argument("-o", "--output", metavar="FILE", help="write to FILE instead of standard output")


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.arguments import load_pipeline
    from jupyter_pipelines.cli.output import clean, write_file
    from jupyter_pipelines.errors import NotebookError
    from jupyter_pipelines.graph import render

    pipeline = load_pipeline(arguments.notebook)
    if pipeline.errors and not pipeline.steps:  # nothing could be understood: there is nothing to draw
        raise NotebookError(arguments.notebook, pipeline.errors)
    drawing = render(pipeline, arguments.format)
    if arguments.output:
        write_file(arguments.output, drawing)
    else:
        print(drawing if arguments.format == "json" else clean(drawing))
    if pipeline.errors:
        print(
            f"{len(pipeline.errors)} errors keep this pipeline from running; "
            f"`jupyter pipelines check {arguments.notebook}` tells them",
            file=sys.stderr,
        )
    return 0
