"""What a statement asks of the rows of a table, as far as it can be asked where the table is.

Only conditions that a row must meet to be in the result whatever else is in the statement: those that stand between
ANDs in the WHERE of the one query that names the table, and compare a column with a number, a day or a parameter. The
statement keeps them: to leave one out here costs time, and never changes a result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from sqlglot import exp

from jupyter_pipelines.graph.sql.parsing import NotUnderstoodError, parse_text
from jupyter_pipelines.notebook.table_names import TableName

Operator = Literal["=", "<", "<=", ">", ">="]
_OPERATORS: Final[dict[type[exp.Expr], Operator]] = {
    exp.EQ: "=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_TURNED: Final[dict[Operator, Operator]] = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_OF_SELECT: Final = frozenset(  # no sample: that is taken of what there is
    ("expressions", "from_", "joins", "where", "group", "having", "qualify", "windows", "order", "limit", "offset")
    + ("distinct", "with_")
)
_OF_TABLE: Final = {"this", "db", "catalog", "alias"}


@dataclass(frozen=True, slots=True)
class Filter:
    """``column operator value``; with ``parameter`` the value is that of ``$parameter``."""

    column: str
    operator: Operator
    value: int | date | None
    parameter: str = ""


def filters_of(sql: str, is_wanted: Callable[[TableName], bool]) -> dict[TableName, tuple[Filter, ...]]:
    """The conditions on each of the tables that ``is_wanted``; none for one that is named more than once."""
    try:
        tree = parse_text(sql)
    except NotUnderstoodError:
        return {}
    if not isinstance(tree, exp.Query | exp.Create | exp.Insert):
        return {}
    named: dict[TableName, list[exp.Table]] = {}
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier) and table.db:
            named.setdefault(TableName(table.db, table.name, table.catalog), []).append(table)
    return {
        name: tuple(_conditions(tables[0])) for name, tables in named.items() if len(tables) == 1 and is_wanted(name)
    }


def _conditions(table: exp.Table) -> Iterator[Filter]:
    select = table.parent.parent if isinstance(table.parent, exp.From | exp.Join) else None
    if not isinstance(select, exp.Select) or not _is_plain(table, select):
        return
    where, alone = select.args.get("where"), not select.args.get("joins")
    for condition in _between_ands(where.this) if where is not None else ():
        yield from _condition(condition, table.alias_or_name.casefold(), alone=alone)


def _is_plain(table: exp.Table, select: exp.Select) -> bool:
    """Whether rows may be left out before the joins: those that meet no condition meet none after them, either."""
    said = {name for name, value in table.args.items() if value}
    asked = {name for name, value in select.args.items() if value}
    if said - _OF_TABLE or asked - _OF_SELECT or getattr(table.args.get("alias"), "columns", None):
        return False
    return all(
        not join.method and join.kind in {"", "INNER", "CROSS"} and join.side in {"", "LEFT"}
        for join in select.args.get("joins") or ()
    )


def _between_ands(condition: exp.Expr) -> Iterator[exp.Expr]:
    pending = [condition]
    while pending:
        one = pending.pop()
        if isinstance(one, exp.Paren):
            pending.append(one.this)
        elif isinstance(one, exp.And):
            pending += [one.left, one.right]
        else:
            yield one


def _condition(condition: exp.Expr, alias: str, *, alone: bool) -> Iterator[Filter]:
    if isinstance(condition, exp.Between) and not condition.args.get("symmetric"):
        pairs: list[tuple[exp.Expr, Operator, exp.Expr]] = [
            (condition.this, ">=", condition.args["low"]),
            (condition.this, "<=", condition.args["high"]),
        ]
    elif (operator := _OPERATORS.get(type(condition))) is not None:
        left, right = condition.this, condition.expression
        pairs = [(left, operator, right) if isinstance(left, exp.Column) else (right, _TURNED[operator], left)]
    else:
        return
    for column, operator, value in pairs:
        if not isinstance(column, exp.Column) or not isinstance(column.this, exp.Identifier) or column.db:
            continue
        if column.table.casefold() == alias if column.table else alone:
            yield from _compared(column.name, operator, value)


def _compared(column: str, operator: Operator, value: exp.Expr) -> Iterator[Filter]:
    if isinstance(value, exp.Placeholder) and isinstance(value.this, str):
        yield Filter(column, operator, None, value.this)
        return
    negative = isinstance(value, exp.Neg)
    literal = value.this if negative else value
    if isinstance(literal, exp.Literal) and literal.is_int:
        yield Filter(column, operator, -int(literal.this) if negative else int(literal.this))
    elif (day := _day(value)) is not None:
        yield Filter(column, operator, day)


def _day(value: exp.Expr) -> date | None:
    """That of ``DATE '2024-01-31'``."""
    if not isinstance(value, exp.Cast) or value.to.this != exp.DataType.Type.DATE:
        return None
    text = value.this.this if isinstance(value.this, exp.Literal) and value.this.is_string else ""
    try:
        return date.fromisoformat(text) if len(text) == len("2024-01-31") else None
    except ValueError:
        return None
