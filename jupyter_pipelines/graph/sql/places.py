"""Where a statement names tables: for texts that are to run as they were written, but for some names."""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import exp

from jupyter_pipelines.graph.sql.parsing import NotUnderstoodError, parse, tokenize
from jupyter_pipelines.notebook.table_names import TableName, quoted

_WRAPPED = re.compile(r"\s*explain\b(?:\s+analyze\b)?(?:\s*\([^)]*\))?", re.IGNORECASE)


def with_names(sql: str, rename: Callable[[TableName], str | None]) -> str:
    """One statement in which tables are called what ``rename`` says; ``None`` leaves one as it is.

    A table that has no alias keeps its own name as that, so that its columns are found. Nothing else changes, and no
    line does. Raises :class:`NotUnderstoodError`.
    """
    text = sql
    if wrapped := _WRAPPED.match(sql):
        text = re.sub(r"[^\n]", " ", wrapped[0]) + sql[wrapped.end() :]
    tree = parse(text, tokenize(text))
    edits: list[tuple[int, int, str]] = []
    for table in tree.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier) or not table.db:
            continue
        new = rename(TableName(table.db, table.name, table.catalog))
        if new is not None:
            begin, end = _extent(table.parts)
            alias = f" AS {quoted(table.name)}" if _takes_alias(table) else ""
            edits.append((begin, end, quoted(new) + alias))
    for column in tree.find_all(exp.Column):
        if column.db and rename(TableName(column.db, column.table, column.catalog)) is not None:
            edits.append((_extent(column.parts)[0], _extent([column.args["table"]])[0], ""))
    for begin, end, new in sorted(edits, reverse=True):
        sql = sql[:begin] + new + sql[end:]
    return sql


def _takes_alias(table: exp.Table) -> bool:
    if table.alias:
        return False
    return isinstance(table.parent, exp.From | exp.Join | exp.Subquery) or table.arg_key == "using"


def _extent(parts: list[exp.Expr]) -> tuple[int, int]:
    """From where to where names stand."""
    places = [(part.meta["start"], part.meta["end"] + 1) for part in parts if "start" in part.meta]
    if len(places) != len(parts):
        raise NotUnderstoodError("it does not say where a table is named")
    return min(begin for begin, _ in places), max(end for _, end in places)
