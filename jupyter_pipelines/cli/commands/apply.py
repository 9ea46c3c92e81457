"""Put what was changed in a notebook of `jupyter pipelines debug` into the notebook that it is from.

Cells that were changed there since the run are not overwritten: then nothing is written. Nothing is run; `resume` goes
on from the step that failed.

--format json: {"notebook", "cells": [numbers], "run"}
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    parser.add_argument("notebook", metavar="DEBUG.ipynb", help="the notebook that `debug` has made")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.arguments import notebook_path
    from jupyter_pipelines.cli.output import clean, print_json
    from jupyter_pipelines.results.debugging import apply_fix

    applied = apply_fix(notebook_path(arguments.notebook))
    if arguments.format == "json":
        print_json({"notebook": str(applied.notebook), "cells": applied.cells, "run": applied.run})
    else:
        print(clean(str(applied)))
        print(f"go on with: jupyter pipelines resume {applied.run[:8]}")
    return 0
