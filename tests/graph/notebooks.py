"""Notebooks made by hand: a list of ``(tags, source)`` becomes a document, without a file."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from IPython.core.inputtransformer2 import TransformerManager

from jupyter_pipelines.notebook.model import Cell, NotebookDocument, NotebookOptions, Parameter, Role, StepOptions


def notebook(
    *cells: str | tuple[str, str],
    options: Mapping[str, StepOptions] | None = None,
    language: str = "python",
) -> NotebookDocument:
    """A document from cells such as ``("setup", "import os")`` or ``("clean", "df = 1")``.

    The first word is ``setup``, ``skip``, ``parameters`` or a step's name.
    """
    made: list[Cell] = []
    steps: dict[str, StepOptions] = {}
    parameters: list[Parameter] = []
    for index, (word, source) in enumerate(_pairs(cells)):
        role = Role(word) if word in {"setup", "skip", "parameters", "text"} else Role.STEP
        step = word if role is Role.STEP else None
        if step is not None:
            steps.setdefault(step, (options or {}).get(step, StepOptions()))
        if role is Role.PARAMETERS:
            for node in ast.parse(source).body:
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                    value = ast.literal_eval(node.value)
                    parameters.append(Parameter(node.targets[0].id, type(value).__name__, value, {}, cell=index))
        made.append(_cell(index, role, step, source))
    return NotebookDocument(
        "test.ipynb", language, "python3", tuple(made), steps, tuple(parameters), NotebookOptions(), ()
    )


def _pairs(cells: Sequence[str | tuple[str, str]]) -> list[tuple[str, str]]:
    pairs = []
    for cell in cells:
        if isinstance(cell, str):
            word, _, source = cell.partition(": ")
            if "\n" in word:
                word, _, source = cell.partition(":\n")
            pairs.append((word.strip(), source))
        else:
            pairs.append(cell)
    return pairs


def _cell(index: int, role: Role, step: str | None, source: str) -> Cell:
    python: str | None = None
    magic, magic_line = None, ""
    if role is not Role.TEXT:
        if source.startswith("%%"):
            first = source.partition("\n")[0]
            magic, _, magic_line = first[2:].partition(" ")
        python = TransformerManager().transform_cell(source)
        if magic in {"bash", "sh", "html", "script"}:
            python = None
        else:
            try:
                ast.parse(python)
            except SyntaxError:
                python = None
            if magic is not None and python is not None:
                magic = None
    return Cell(index, f"c{index}", role, source, source, python, step, (), magic, magic_line)
