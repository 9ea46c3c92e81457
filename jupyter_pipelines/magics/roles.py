"""``%%step``, ``%%setup``, ``%%skip``: what a cell is to the pipeline, said in its first line.

To the kernel that line is a comment. It is made one before IPython looks at the cell, instead of running the body
from within a magic: so the cell is executed once, as itself, and its last expression, its line numbers, its
tracebacks, ``await`` and further magics are what they would be without the line.
"""

from __future__ import annotations

import re

from IPython.core.magic import Magics, cell_magic, magics_class

_ROLE_LINE = re.compile(r"%%(step|setup|skip)(\s(?!.*\?\s*$)|$)")  # `%%step?` asks for help


def without_role_magic(lines: list[str]) -> list[str]:
    """An IPython input transformer: the role line of a cell becomes a comment, the number of lines stays.

    Before another cell magic it becomes an empty line, since IPython looks for those in the first line with text.
    """
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is None or not _ROLE_LINE.match(lines[first]):
        return lines
    following = next((line for line in lines[first + 1 :] if line.strip()), "")
    if following.startswith("%%"):
        return without_role_magic([*lines[:first], "\n", *lines[first + 1 :]])
    return [*lines[:first], f"# {lines[first]}", *lines[first + 1 :]]


@magics_class
class RoleMagics(Magics):
    """Help and completion for the role magics, and their meaning where code calls them as functions."""

    @cell_magic
    def step(self, _line: str, cell: str) -> None:
        """This cell starts, or continues, the step NAME of the pipeline.

        %%step NAME [--after OTHER] [--retries N] [--timeout 10m] [--no-cache]
        """
        self._run(cell)

    @cell_magic
    def setup(self, _line: str, cell: str) -> None:
        """This cell (imports, functions, connections) runs at the start of every step of the pipeline."""
        self._run(cell)

    @cell_magic
    def skip(self, _line: str, cell: str) -> None:
        """This cell is never part of the pipeline; here it runs as usual."""
        self._run(cell)

    def _run(self, cell: str) -> None:
        if self.shell is not None:
            self.shell.run_cell(cell).raise_error()  # type: ignore[no-untyped-call]  # IPython is typed in parts
