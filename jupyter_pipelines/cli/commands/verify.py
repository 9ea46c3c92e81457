"""Prove that the pipeline gives what Restart & Run All gives.

Runs the notebook as a pipeline, then as a whole in one fresh kernel, and compares the outputs of every cell (text,
data, errors, figures pixel by pixel) and every variable that steps hand over. Where something differs the notebook is
run as a whole again, to tell what differs each time (unseeded randomness, times) from what the pipeline gets wrong.
Where the first run shows that steps need not wait for each other, the pipeline runs a second time without waiting, and
is compared again. Each run has a copy of the notebook's folder. Nothing is taken from, or left in, the history of runs.

Verdicts and exit codes:
  equivalent        0  also when both fail in the same cell with the same error
  different         1  with every cell and variable that differs
  reference-failed  1  the notebook itself fails, and the pipeline fails differently
  refused           2  by `check`: nothing was run
  refused           1  while it ran, because going on could have given another result

--format json: {"notebook", "verdict", "reason", "fix", "cells": [{"number", "first_line", "step", "status",
"differences": [{"what", "expected", "got"}]}], "values": [{"step", "name", "type", "status", "detail"}], "references",
"reference_seconds", "pipeline_seconds": [one or two times], "steps", "kept", "codes", "counts"}; a status is "same",
"nondeterministic", "different", "not-run" or (values) "not-compared".
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format, add_notebook, add_parameters

    add_notebook(parser)
    add_parameters(parser)
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    import sys

    from jupyter_pipelines.cli.arguments import load_pipeline, notebook_path, read_parameters
    from jupyter_pipelines.cli.output import clean, print_json
    from jupyter_pipelines.cli.progress import progress_on
    from jupyter_pipelines.verification import verify

    path = notebook_path(arguments.notebook)
    pipeline = load_pipeline(arguments.notebook)
    parameters: dict[str, object] = {}
    if not pipeline.errors:
        parameters = read_parameters(pipeline.document, arguments.parameters, arguments.parameters_file)
    with progress_on(sys.stderr, pipeline, parameters, grid={}) as progress:
        report = verify(path, parameters, on_event=progress)
    if arguments.format == "json":
        print_json(report.to_dict())
    else:
        print(clean(report.render()))
    return report.exit_code
