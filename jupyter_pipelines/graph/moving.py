"""Moving what makes a value to a setup cell, with the imports and plain values that it is made of."""

from __future__ import annotations

import ast
from itertools import pairwise

from jupyter_pipelines.graph.edits import Draft
from jupyter_pipelines.notebook.literals import Names, NotConstantError, constant, names_of, tree_of
from jupyter_pipelines.notebook.model import Cell, NotebookDocument

_DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def to_setup(document: NotebookDocument, cell: Cell, name: str, line: int) -> Draft | None:
    """Have setup run what makes ``name`` in ``cell``; without a name, the statement in ``line``.

    A cell that does nothing else becomes setup; of another that statement goes to a new cell above it. ``None`` where
    it is not one statement that could stand for itself.
    """
    if cell.python is None or cell.cell_magic:
        return None
    body = tree_of(cell.python).body
    makers = [statement for statement in body if (_makes(statement, name) if name else _is_at(statement, line))]
    if len(makers) != 1 or not _stands_alone(body):
        return None
    moved = _with_what_it_needs(makers[0], body, cell.python)
    draft = Draft(document)
    if len(moved) == len(body):
        draft.make(cell.number, "setup")
        return draft
    lines = cell.source.splitlines()
    taken = {number for statement in moved for number in range(_first_line(statement), (statement.end_lineno or 0) + 1)}
    draft.insert(cell.number, ("setup",), "\n".join(text for at, text in enumerate(lines, 1) if at in taken))
    draft.write(cell.number, "\n".join(text for at, text in enumerate(lines, 1) if at not in taken).strip("\n"))
    return draft


def _makes(statement: ast.stmt, name: str) -> bool:
    if isinstance(statement, ast.Assign):
        return any(isinstance(target, ast.Name) and target.id == name for target in statement.targets)
    if isinstance(statement, ast.AnnAssign):
        return isinstance(statement.target, ast.Name) and statement.target.id == name
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return any((alias.asname or alias.name).partition(".")[0] == name for alias in statement.names)
    named = isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    return named and getattr(statement, "name", "") == name


def _is_at(statement: ast.stmt, line: int) -> bool:
    return statement.lineno <= line <= (statement.end_lineno or statement.lineno)


def _first_line(statement: ast.stmt) -> int:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return min(statement.lineno, *(one.lineno for one in statement.decorator_list), statement.lineno)
    return statement.lineno


def _stands_alone(body: list[ast.stmt]) -> bool:
    """Whether no two statements share a line."""
    return all((one.end_lineno or 0) < _first_line(other) for one, other in pairwise(body))


def _with_what_it_needs(maker: ast.stmt, body: list[ast.stmt], python: str) -> list[ast.stmt]:
    """The statement, and those above it that import, define or name plain values which it needs."""
    names = names_of((python,))
    before = body[: body.index(maker)]
    chosen = [maker]
    needed = _read(maker)
    for statement in reversed(before):
        made = {name for name in needed if _makes(statement, name)}
        if made and (isinstance(statement, _DEFINITIONS) or _is_plain(statement, names)):
            chosen.append(statement)
            needed |= _read(statement)
    only_definitions = all(one in chosen or isinstance(one, _DEFINITIONS) for one in body)
    return body if only_definitions else [one for one in body if one in chosen]


def _is_plain(statement: ast.stmt, names: Names) -> bool:
    if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
        return False
    try:
        constant(statement.value, names)
    except NotConstantError:
        return False
    return True


def _read(statement: ast.stmt) -> set[str]:
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
