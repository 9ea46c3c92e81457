"""Compare a version of a notebook with another one, or with the notebook as it is now, cell by cell.

  diff NB        the published version with the file
  diff NB A      version A with the file
  diff NB A B    version A with version B

A and B are ids of versions, or their beginnings (see `jupyter pipelines versions NB`), or `published`. The exit code is
0 whether there are differences or not.

--format json: {"old", "new" ("" is the file), "cells": [{"kind": "added"|"removed"|"changed"|"moved", "before",
"after", "first_line", "moved", "lines", "marks": [{"name", "before", "after"}]}], "parameters", "options",
"environment": [{"name", "before", "after"}], "files": [{"kind", "path", "lines"}]}
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

    from jupyter_pipelines.orchestration.versions import VersionDiff
    from jupyter_pipelines.orchestration.versions.comparison import CellChange, Change

_STYLES = {"+": "green", "-": "red"}
_MOST_PACKAGES = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format, add_notebook

    add_notebook(parser)
    parser.add_argument(
        "old", metavar="A", nargs="?", default="published", help="a version (default: the published one)"
    )
    parser.add_argument("new", metavar="B", nargs="?", help="another version (default: the notebook as it is)")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.arguments import notebook_path
    from jupyter_pipelines.cli.output import console, print_json
    from jupyter_pipelines.orchestration.versions import diff

    if arguments.new is None:
        notebook_path(arguments.notebook)
    found = diff(arguments.notebook, arguments.old, arguments.new)
    if arguments.format == "json":
        print_json(found.to_dict())
    elif found.is_empty:
        print(f"{found.old[:8]} and {found.new[:8] or 'the notebook'} are the same")
    else:
        screen = console()
        for line in _lines(found, arguments.notebook):
            screen.print(line, soft_wrap=True)
    return 0


def _lines(found: VersionDiff, notebook: str) -> Iterator[Text]:
    from rich.text import Text

    from jupyter_pipelines.cli.output import clean

    yield Text(clean(f"{notebook}  {found.old[:8]} → {found.new[:8] or 'as it is now'}"), "bold")
    for cell in found.cells:
        yield Text()
        yield Text(clean(_heading(cell)), "bold cyan")
        yield from _changes(cell.marks if cell.kind == "changed" else ())
        yield from _source(cell.lines)
    for title, changes in (("parameters", found.parameters), ("options", found.options)):
        if changes:
            yield Text()
            yield Text(title, "bold cyan")
            yield from _changes(changes)
    for file in found.files:
        yield Text()
        yield Text(clean(f"file {file.path}: {file.kind}"), "bold cyan")
        yield from _source(file.lines)
    if found.environment:
        yield Text()
        yield Text("environment", "bold cyan")
        yield from _changes(found.environment[:_MOST_PACKAGES])
        if len(found.environment) > _MOST_PACKAGES:
            yield Text(f"  and {len(found.environment) - _MOST_PACKAGES} more packages")


def _heading(cell: CellChange) -> str:
    first = f" ({cell.first_line})" if cell.first_line else ""
    if cell.sql:
        first += f" [{cell.sql}]"
    if cell.kind == "moved" or cell.moved:
        also = ", changed" if cell.kind == "changed" else ""
        return f"cell {cell.before} → {cell.after}{first}: moved{also}"
    if cell.before is not None and cell.after is not None and cell.before != cell.after:
        return f"cell {cell.after}, before {cell.before}{first}: {cell.kind}"
    return f"cell {cell.after or cell.before}{first}: {cell.kind}"


def _changes(changes: Sequence[Change]) -> Iterator[Text]:
    from rich.text import Text

    from jupyter_pipelines.cli.output import clean

    for change in changes:
        if change.before is None:
            yield Text(clean(f"  + {change.name}: {change.after}"), "green")
        elif change.after is None:
            yield Text(clean(f"  - {change.name}: {change.before}"), "red")
        else:
            yield Text(clean(f"  {change.name}: {change.before} → {change.after}"), "yellow")


def _source(lines: Sequence[str]) -> Iterator[Text]:
    from rich.text import Text

    from jupyter_pipelines.cli.output import clean

    for line in lines:
        yield Text(clean(f"  {line[:1]} {line[1:]}"), _STYLES.get(line[:1], "dim"))
