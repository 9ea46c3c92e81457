"""Which tables of the warehouse a notebook can touch at all: more than an edge needs to know, and surer.

An edge may leave out what is only possible. Here it counts: where some cell could reach a table that no cell names,
through Python, a catalog, a macro or a changed search path, nothing is said.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from jupyter_pipelines.graph.effects import analyse_cell
from jupyter_pipelines.graph.events import TableUse
from jupyter_pipelines.graph.sql.model import WHOLE_SCHEMA
from jupyter_pipelines.notebook.model import Cell, NotebookDocument, Role
from jupyter_pipelines.notebook.parsing import parse_python
from jupyter_pipelines.notebook.sql_cells import magic_body
from jupyter_pipelines.notebook.table_names import TableName

_KEEP_TO_THEMSELVES: Final = frozenset(
    [
        "__future__",
        "abc",
        "array",
        "base64",
        "bisect",
        "calendar",
        "collections",
        "contextlib",
        "copy",
        "csv",
        "dataclasses",
        "datetime",
        "decimal",
        "enum",
        "fractions",
        "functools",
        "glob",
        "gzip",
        "hashlib",
        "heapq",
        "html",
        "io",
        "itertools",
        "json",
        "logging",
        "math",
        "numbers",
        "operator",
        "pathlib",
        "pprint",
        "random",
        "re",
        "statistics",
        "string",
        "textwrap",
        "time",
        "types",
        "typing",
        "unicodedata",
        "uuid",
        "warnings",
        "zoneinfo",
        "matplotlib",
        "numpy",
        "pandas",
        "polars",
        "pyarrow",
        "scipy",
        "seaborn",
        "sklearn",
    ]
)
"""What may be imported: none of it runs programs, code that is text, or SQL in our warehouse."""
_RUN_TEXTS: Final = {
    "__builtins__",
    "__import__",
    "compile",
    "eval",
    "exec",
    "get_ipython",
    "globals",
    "locals",
    "vars",
}
_HARMLESS: Final = re.compile(
    r"get_ipython\(\)\.run_line_magic\('(load_ext', 'jupyter_pipelines'|matplotlib', '\w*')\)"
)
_OF_THE_CATALOG: Final = re.compile(r"(sqlite|duckdb|pg|pragma)_", re.IGNORECASE)


def reachable_tables(document: NotebookDocument) -> frozenset[TableName] | None:
    """All tables and views that cells of ``document`` can read or write; ``None`` when there may be others."""
    if not document.is_python:
        return None
    found: set[TableName] = set()
    for cell in document.cells:
        if cell.role in {Role.TEXT, Role.SKIP}:
            continue
        if cell.sql is None and cell.check is None:
            if not _keeps_to_itself(cell):
                return None
            continue
        for name in _named(cell):
            if name is None:
                return None
            found.add(name)
    return frozenset(found)


def _named(cell: Cell) -> Iterator[TableName | None]:
    """The tables of a cell of SQL; ``None`` for what may be any."""
    if "ignore-upstream" in magic_body(cell)[1]:
        yield None
    for statement in analyse_cell(cell).statements:
        for event in statement.events:
            if not isinstance(event, TableUse):
                continue
            name = event.name
            if name is None or name.catalog or name.table.endswith("()") or _OF_THE_CATALOG.match(name.table):
                yield None
            elif name.table != WHOLE_SCHEMA:  # a schema is made, or dropped: its tables are not looked at
                yield name


def _keeps_to_itself(cell: Cell) -> bool:
    """Whether Python code cannot reach the warehouse: what it imports does not, and it runs nothing built as text."""
    if cell.python is None or cell.cell_magic is not None:
        return False
    try:
        tree = parse_python(cell.python, top_level_await=True)
    except (SyntaxError, ValueError):
        return False
    own = [statement for statement in tree.body if _HARMLESS.fullmatch(ast.unparse(statement)) is None]
    return all(_is_harmless(node) for statement in own for node in ast.walk(statement))


def _is_harmless(node: ast.AST) -> bool:
    match node:
        case ast.Import():
            return all(alias.name.partition(".")[0] in _KEEP_TO_THEMSELVES for alias in node.names)
        case ast.ImportFrom():
            return node.level == 0 and (node.module or "").partition(".")[0] in _KEEP_TO_THEMSELVES
        case ast.Name():
            return node.id not in _RUN_TEXTS
        case _:
            return True
