"""Where a statement names tables: for texts that are to run as they were written, but for some names."""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import exp

from jupyter_pipelines.graph.sql.parsing import NotUnderstoodError, parse, tokenize
from jupyter_pipelines.notebook.table_names import TableName, quoted

_WRAPPED = re.compile(r"\s*explain\b(?:\s+analyze\b)?(?:\s*\([^)]*\))?", re.IGNORECASE)


def with_names(sql: str, rename: Callable[[TableName], str | None]) -> tuple[str, frozenset[str] | None]:
    """One statement in which tables are called what ``rename`` says; ``None`` leaves one as it is.

    A table that has no alias keeps its own name as that, so that its columns are found. Nothing else changes, and no
    line does. Besides, all names in lower case that a column of theirs that is read may have; ``None``: any name.
    Raises :class:`NotUnderstoodError`.
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
    return sql, _columns_read(tree, sql)


def _columns_read(tree: exp.Expr, sql: str) -> frozenset[str] | None:
    """Too many rather than too few: all names that there are, unless columns may be meant that are not named."""
    if not isinstance(tree, exp.Query | exp.Create | exp.Insert) or "#" in sql or tree.find(exp.Columns, exp.Pivot):
        return None
    if any(not isinstance(star.parent, exp.Count) for star in tree.find_all(exp.Star)):
        return None
    if any(join.method.upper() == "NATURAL" for join in tree.find_all(exp.Join)):
        return None
    if any(alias.args.get("columns") for alias in tree.find_all(exp.TableAlias)):
        return None
    tables = {table.alias_or_name.casefold() for table in tree.find_all(exp.Table, exp.Subquery, exp.CTE)}
    if any(not column.table and column.name.casefold() in tables for column in tree.find_all(exp.Column)):
        return None  # a whole row
    return frozenset(name.name.casefold() for name in tree.find_all(exp.Identifier))


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
