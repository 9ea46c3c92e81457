"""Checks proposed for a table from what is in it now: a start for its author, who knows which of them must hold."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.notebook.check_magic import read_check_magic
from jupyter_pipelines.notebook.table_names import quoted, read_table_name, shown, text_literal
from jupyter_pipelines.typed import typed
from jupyter_pipelines.warehouse.checks.running import run_checks

if TYPE_CHECKING:
    from jupyter_pipelines.warehouse.session import Session

MOST_MEMBERS: Final = 12  # of a column whose values are listed
_NOT_ALIKE: Final = 20  # rows for each of them, at least
_AT_ONCE: Final = 100  # columns
_RECENT: Final = 7.0  # days
_INTEGERS: Final = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_NUMBERS: Final = (*_INTEGERS, "HUGEINT", "UHUGEINT", "FLOAT", "DOUBLE")


@typed
def suggest_checks(table: str, session: Session | None = None) -> str:
    """A ``%%check`` cell for ``table`` of the warehouse, all of which holds as the table is now.

    ``session`` is one with the warehouse where the caller has one. Raises :class:`RequestError` for what is no name,
    and :class:`SqlError` when there is no such table.
    """
    name = read_table_name(table)
    if name is None:
        raise RequestError(f"{table!r} is not the name of a table.", "Write schema.table, such as mart.orders.")
    if session is None:
        from jupyter_pipelines.warehouse import open_session

        session = open_session()
        try:
            return suggest_checks(table, session)
        finally:
            session.close()
    columns = _summary(session, name.sql)
    proposed = ["rows: > 0", *(line for column in columns for line in _of_column(session, name.sql, column))]
    cell = read_check_magic(table, "\n".join(proposed))
    failed = {one.name for one in run_checks(session, name, cell.checks).results if one.status != "passed"}
    held = [line for line in proposed if not any(line.startswith(one) for one in failed)]
    return "\n".join([f"%%check {name}", *held])


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of a table with ``count`` rows; its lowest and highest value, if these are numbers."""

    name: str
    kind: str
    count: int
    known: int  # that are not NULL
    different: int  # some percent off
    low: float | None
    high: float | None


def _summary(session: Session, table: str) -> list[_Column]:
    """What is in each column; ``SUMMARIZE`` of DuckDB's fails where a number that nobody needs is out of range."""
    described = session.query(f"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {table})").to_pylist()
    columns = [(str(one["column_name"]), str(one["column_type"])) for one in described]
    found = list[_Column]()
    for start in range(0, len(columns), _AT_ONCE):
        some = columns[start : start + _AT_ONCE]
        asked = ["count(*)"]
        for name, kind in some:
            value = quoted(name)
            ends = [f"{end}({value})::DOUBLE" if _is_number(kind) else "NULL" for end in ("min", "max")]
            asked += [f"count({value})", f"approx_count_distinct({value})", *ends]
        listed = ", ".join(f"{one} AS v{place}" for place, one in enumerate(asked))
        (row,) = session.query(f"SELECT {listed} FROM {table}").to_pylist()
        count, *numbers = row.values()
        each = [numbers[place : place + 4] for place in range(0, len(numbers), 4)]
        found += [_Column(*column, count, *four) for column, four in zip(some, each, strict=True)]
    return found


def _is_number(kind: str) -> bool:
    return kind in _NUMBERS or (kind.startswith("DECIMAL(") and kind.endswith(")"))


def _of_column(session: Session, table: str, column: _Column) -> Iterator[str]:
    """The lines for a column."""
    name, count, kind, different = column.name, column.count, column.kind, column.different
    subject = quoted(name) if name.lower() in {"rows", "columns"} else shown(name)
    if not count:
        return
    empty = 100 * (count - column.known) / count
    if not empty:
        # `approx_unique` is some percent off; whether it is true is seen when the check is carried out.
        unique = count > 1 and different > 0.8 * count and not kind.startswith(("FLOAT", "DOUBLE", "TIMESTAMP"))
        if unique:
            yield f"{subject}: unique"
        yield f"{subject}: not null"
    elif empty < 5:
        yield f"{subject}: not null | warn > {math.ceil(empty)}%"
    if _is_number(kind):
        yield from _of_numbers(subject, column)
    elif kind == "VARCHAR" and 0 < different <= MOST_MEMBERS * 1.2 and count >= _NOT_ALIKE * different:
        yield from _members(session, table, name, subject)
    elif kind == "DATE" or kind.startswith("TIMESTAMP"):
        yield from _recent(session, table, name, subject)


def _of_numbers(subject: str, column: _Column) -> Iterator[str]:
    kind, different, low, high = column.kind, column.different, column.low, column.high
    if low is None or high is None:  # all of it is NULL
        return
    span = high - low + 1
    if kind in _INTEGERS and 2 < different <= 60 and abs(span - different) <= 0.1 * span:
        yield f"{subject}: between {int(low)} and {int(high)}"
    elif low >= 0:
        yield f"{subject}: >= 0"


def _members(session: Session, table: str, name: str, subject: str) -> Iterator[str]:
    asked = f"SELECT DISTINCT {quoted(name)} AS member FROM {table} WHERE {quoted(name)} IS NOT NULL ORDER BY 1"
    members = session.query(f"{asked} LIMIT {MOST_MEMBERS + 1}")["member"].to_pylist()
    if len(members) <= MOST_MEMBERS and all(len(member) <= 40 and "\n" not in member for member in members):
        listed = ", ".join(map(text_literal, members))
        yield f"{subject}: in ({listed})"


def _recent(session: Session, table: str, name: str, subject: str) -> Iterator[str]:
    latest = f"SELECT max({quoted(name)})::TIMESTAMPTZ AS latest FROM {table}"
    asked = f"SELECT epoch(now() - latest) AS age FROM ({latest}) WHERE isfinite(latest)"
    for seconds in session.query(asked)["age"].to_pylist():
        age = float(seconds) / 86_400
        if 0 <= age <= _RECENT:
            yield f"{subject}: within {max(1, math.ceil(2 * age))} days"
