"""Which cells are ``%%sql`` and ``%%check`` of ours, and what they say.

``%%sql`` belongs to the extension that was loaded last above the cell: to us after ``%load_ext jupyter_pipelines``, to
JupySQL, Spark and others after theirs, whose cells are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from jupyter_pipelines.diagnostics import Diagnostic
from jupyter_pipelines.notebook.check_magic import read_check_magic, split_checks
from jupyter_pipelines.notebook.codes import Problem
from jupyter_pipelines.notebook.model import Cell, Role
from jupyter_pipelines.notebook.sql_magic import read_sql_magic

OWN_MAGICS = frozenset({"sql", "check"})
_LOADED = re.compile(r"load_ext(?:ension)?\W{1,8}([\w.]+)")
_OWN, _FOREIGN = "jupyter_pipelines", re.compile(r"sql|spark|duckdb", re.IGNORECASE)


def understand_sql(cells: Sequence[Cell]) -> tuple[list[Cell], list[Diagnostic]]:
    """The cells, those of ours with what they say, and what is wrong with them."""
    understood: list[Cell] = []
    findings: list[Diagnostic] = []
    loaded = ""
    for cell in cells:
        if cell.cell_magic in OWN_MAGICS and cell.python is None and cell.role is not Role.TEXT:
            ours, problems = _understand(cell, loaded)
            understood.append(ours)
            if cell.role is not Role.SKIP:
                findings += [problem.at(cell, cell.step) for problem in problems]
            continue
        understood.append(cell)
        if cell.role not in {Role.SKIP, Role.TEXT}:
            for name in _LOADED.findall(cell.code):
                loaded = name if name == _OWN or _FOREIGN.search(name) else loaded
    return understood, findings


def _understand(cell: Cell, loaded: str) -> tuple[Cell, list[Problem]]:
    if cell.cell_magic == "sql" and loaded not in {_OWN, ""}:
        return cell, []
    above, body = magic_body(cell)
    if loaded != _OWN:
        message = f"`%%{cell.cell_magic}` is known only after `%load_ext jupyter_pipelines`, in plain Jupyter, too."
        fix = "Add `%load_ext jupyter_pipelines` to a setup cell above."
        return cell, [Problem("JP152", message, fix, above)]
    if cell.cell_magic == "check":
        check = read_check_magic(cell.cell_magic_line, body)
        return replace(cell, check=check), [replace(one, line=one.line + above - 1) for one in check.problems]
    sql = read_sql_magic(cell.cell_magic_line)
    problems = [replace(one, line=above) for one in sql.problems]
    _, checks, lines = split_checks(body)
    if checks:
        if sql.table is None:
            fix = "Add `--table NAME` to the `%%sql` line, or check a table in a `%%check NAME` cell of its own."
            problems.append(Problem("JP151", "The cell builds no table that could be checked.", fix, above + lines))
        check = read_check_magic(str(sql.table) if sql.table is not None else "x", checks)
        cell = replace(cell, check=check)
        problems += [replace(one, line=one.line + above + lines - 1) for one in check.problems]
    return replace(cell, sql=sql), problems


def magic_body(cell: Cell) -> tuple[int, str]:
    """How many lines of the cell stand above the body of its magic, the magic's own included, and the body."""
    beginning = len(cell.code) - len(cell.code.lstrip())
    above = cell.code.count("\n", 0, beginning) + 1
    return above, cell.code[beginning:].partition("\n")[2]
