"""Say in sentences why each step needs the others: which name, read where, written where, changed where.

With STEP, only about that step. --format json: {"notebook", "edges": [{"source", "target", "kind", "name", "certain",
"written", "changed", "read", "explanation"}]}
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format, add_notebook

    add_notebook(parser)
    parser.add_argument("step", metavar="STEP", nargs="?", help="explain only this step")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.arguments import known_step, load_pipeline
    from jupyter_pipelines.cli.output import clean, print_json
    from jupyter_pipelines.errors import NotebookError
    from jupyter_pipelines.graph import explain

    pipeline = load_pipeline(arguments.notebook)
    if pipeline.errors and not pipeline.steps:
        raise NotebookError(arguments.notebook, pipeline.errors)
    step = known_step(pipeline, arguments.step) if arguments.step else None
    if arguments.format == "text":
        print(clean(explain(pipeline, step)))
        return 0
    from dataclasses import asdict

    edges = [edge for edge in pipeline.edges if step is None or step in {edge.source, edge.target}]
    print_json(
        {
            "notebook": arguments.notebook,
            "edges": [{**asdict(edge), "explanation": edge.explain()} for edge in edges],
        }
    )
    return 0
