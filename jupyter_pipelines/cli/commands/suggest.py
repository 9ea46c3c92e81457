"""Propose steps for a notebook that has no tags: names from its headings, order from its data.

Prints the proposal as a diff. --write puts the tags into the notebook's cells; the source text is never touched.
--format json: {"notebook", "diff", "reasons": [...], "written": true|false}
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbformat import NotebookNode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format, add_notebook

    add_notebook(parser)
    parser.add_argument("--write", action="store_true", help="accept: write the tags into the notebook")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.arguments import notebook_path
    from jupyter_pipelines.cli.output import clean, print_json, short_path
    from jupyter_pipelines.errors import NotebookError
    from jupyter_pipelines.graph import suggest
    from jupyter_pipelines.notebook import read_notebook

    path = notebook_path(arguments.notebook)
    source = path.read_bytes()
    unreadable = [finding for finding in read_notebook(source, path.name).diagnostics if finding.is_error]
    if unreadable:
        raise NotebookError(arguments.notebook, unreadable)
    suggestion = suggest(source, path.name)
    diff = suggestion.diff()
    if arguments.write and diff and suggestion.notebook is not None:
        _write(path, suggestion.notebook)
    if arguments.format == "json":
        print_json(
            {
                "notebook": arguments.notebook,
                "diff": diff,
                "reasons": list(suggestion.reasons),
                "written": bool(arguments.write and diff),
            }
        )
        return 0
    if not diff:
        print(f"{arguments.notebook}: nothing to suggest")
    print(clean(diff), end="\n" if diff else "")
    print("\n".join(clean(f"- {reason}") for reason in suggestion.reasons))
    if not diff:
        return 0
    if arguments.write:
        print(f"\nwritten to {short_path(path)}", file=sys.stderr)
    else:
        print(f"\naccept it with: jupyter pipelines suggest {arguments.notebook} --write", file=sys.stderr)
    return 0


def _write(path: Path, notebook: NotebookNode) -> None:
    from jupyter_pipelines.cli.output import write_file

    if path.suffix == ".ipynb":
        import nbformat

        text = nbformat.writes(notebook)
        write_file(path, text if text.endswith("\n") else text + "\n")
        return
    import jupytext

    write_file(path, jupytext.writes(notebook, fmt=path.suffix.removeprefix(".")))
