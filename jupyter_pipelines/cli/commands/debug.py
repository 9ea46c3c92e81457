"""Make a notebook that brings back what a step had when it began, to see why it failed: jupyter pipelines debug last

RUN is the id of a run, its beginning, or `last` (see `jupyter pipelines runs`). The step is the one that failed; with
--step any that has begun. Open the notebook and run its cells: values, hidden state, parameters, setup and environment
are what they were. `jupyter pipelines apply` puts what you change in the step's cells into the source.

It is made beside the source, or at --output. Asked for again, it is left as it is.

--format json: {"path", "run", "step", "is_new"}
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    parser.add_argument("run", metavar="RUN", help="the run")
    parser.add_argument("--step", metavar="STEP", help="the step, where it is not the one that failed")
    parser.add_argument("--output", metavar="OUT.ipynb", help="put the notebook here")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.output import clean, print_json, short_path
    from jupyter_pipelines.results.debugging import debug

    made = debug(arguments.run, arguments.step, output=arguments.output)
    if arguments.format == "json":
        print_json({"path": str(made.path), "run": made.run, "step": made.step, "is_new": made.is_new})
    else:
        found = "" if made.is_new else ", as you left it"
        print(clean(f"{short_path(str(made.path))}: step {made.step} of run {made.run[:8]}{found}"))
        print(clean(f"apply what you change with: jupyter pipelines apply {short_path(str(made.path))}"))
    return 0
