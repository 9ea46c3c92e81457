"""A notebook with the values of its parameters put where they are used, so that the files it names are seen.

It is for looking at only: ``pd.read_parquet(f"{folder}/x.parquet")`` becomes ``pd.read_parquet("in/x.parquet")``.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePath

from jupyter_pipelines.notebook import coerce_parameters
from jupyter_pipelines.notebook.model import Cell, NotebookDocument, Role
from jupyter_pipelines.notebook.parsing import parse_python
from jupyter_pipelines.notebook.table_names import text_literal

_UNKNOWN = "str()"  # a text of which nothing is known


def filled_in(document: NotebookDocument, given: Mapping[str, object]) -> NotebookDocument:
    """``document`` with its parameters' defaults, and in their place what is ``given``.

    What is secret, computed, or to be had only when it runs (an expression) is left as it is, or is not known; so is a
    parameter whose name the notebook gives to something else, too. Raises :class:`RequestError` for values that do not
    fit.
    """
    unknown = {name for name, value in given.items() if isinstance(value, str) and "{{" in value}
    unknown |= {one.name for one in document.parameters if one.secret}
    said = {name: value for name, value in given.items() if name not in unknown}
    values = {one.name: one.default for one in document.parameters if not (one.computed or one.required)}
    values |= coerce_parameters(document, said, partial=True)
    bound = Counter(name for cell in document.cells for name in _bound(cell))
    unknown |= {name for name in said if bound[name] > 1}
    values = {name: value for name, value in values.items() if name not in unknown and bound[name] <= 1}
    return replace(document, cells=tuple(_filled(cell, values, unknown) for cell in document.cells))


def _filled(cell: Cell, values: Mapping[str, object], unknown: set[str]) -> Cell:
    if cell.sql is not None:
        filled = _with_literals(cell.code, values)
        return cell if filled == cell.code else replace(cell, code=filled, source=filled)
    tree = _parsed(cell)
    if tree is None or cell.python is None:
        return cell
    filled = ast.unparse(_Filler(values).visit(tree))
    if cell.role is Role.PARAMETERS:
        filled += "".join(f"\n{name} = {_UNKNOWN}" for name in sorted(unknown))
    return replace(cell, python=filled)


class _Filler(ast.NodeTransformer):
    """Puts values where their names are read."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        text = _text(self._values.get(node.id)) if isinstance(node.ctx, ast.Load) else None
        return node if text is None else ast.copy_location(ast.Constant(text), node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        parts = [self._part(part) for part in node.values]
        if all(part is not None for part in parts):
            return ast.copy_location(ast.Constant("".join(str(part) for part in parts)), node)
        return node  # not all of it is known: it stays as it was written

    def _part(self, part: ast.expr) -> str | None:
        if isinstance(part, ast.Constant):
            return str(part.value)
        if not isinstance(part, ast.FormattedValue) or part.conversion not in {-1, ord("s")}:
            return None
        spec: ast.expr = ast.Constant("")
        if isinstance(part.format_spec, ast.JoinedStr):
            spec = self.visit_JoinedStr(part.format_spec)
        name = part.value.id if isinstance(part.value, ast.Name) else ""
        if name not in self._values or not isinstance(spec, ast.Constant):
            return None
        try:
            return format(self._values[name], str(spec.value))
        except (TypeError, ValueError):
            return None


def _with_literals(sql: str, values: Mapping[str, object]) -> str:
    """SQL with texts in the place of ``$name``."""

    def literal(found: re.Match[str]) -> str:
        text = _text(values.get(found[1]))
        return found[0] if text is None else text_literal(text)

    return re.sub(r"(?<!\$)\$([A-Za-z_]\w*)\b(?!\$)", literal, sql)


def _text(value: object) -> str | None:
    return str(value) if isinstance(value, str | PurePath) else None


def _bound(cell: Cell) -> Iterator[str]:
    """The names that a cell gives to something, as often as it does."""
    if cell.sql is not None:
        yield cell.sql.assign
    for node in ast.walk(_parsed(cell) or ast.Module([], [])):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.alias(name=name, asname=other):
                yield other or name.partition(".")[0]


def _parsed(cell: Cell) -> ast.Module | None:
    try:
        return parse_python(cell.python) if cell.python is not None else None
    except SyntaxError:
        return None
