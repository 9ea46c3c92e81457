"""Checks proposed for a table from what is in it now: a start for its author, who knows which of them must hold."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.notebook.check_magic import read_check_magic
from jupyter_pipelines.notebook.table_names import quoted, read_table_name, shown, text_literal
from jupyter_pipelines.typed import typed
from jupyter_pipelines.warehouse.checks.running import run_checks

if TYPE_CHECKING:
    from jupyter_pipelines.warehouse.session import Session

MOST_MEMBERS: Final = 12  # of a column whose values are listed
_NOT_ALIKE: Final = 20  # rows for each of them, at least
_RECENT: Final = 7.0  # days
_INTEGERS: Final = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_NUMBERS: Final = (*_INTEGERS, "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")


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
    columns = session.query(f"SUMMARIZE {name.sql}").to_pylist()
    proposed = ["rows: > 0", *(line for column in columns for line in _of_column(session, name.sql, column))]
    cell = read_check_magic(table, "\n".join(proposed))
    failed = {one.name for one in run_checks(session, name, cell.checks).results if one.status != "passed"}
    held = [line for line in proposed if not any(line.startswith(one) for one in failed)]
    return "\n".join([f"%%check {name}", *held])


def _of_column(session: Session, table: str, column: Mapping[str, Any]) -> Iterator[str]:
    """The lines for a column, as ``SUMMARIZE`` tells of it."""
    name = column["column_name"]
    subject = quoted(name) if name.lower() in {"rows", "columns"} else shown(name)
    count, kind, different = int(column["count"]), str(column["column_type"]), int(column["approx_unique"] or 0)
    if not count:
        return
    empty = float(column["null_percentage"] or 0)
    if not empty:
        # `approx_unique` is some percent off; whether it is true is seen when the check is carried out.
        unique = count > 1 and different > 0.8 * count and not kind.startswith(("FLOAT", "DOUBLE", "TIMESTAMP"))
        if unique:
            yield f"{subject}: unique"
        yield f"{subject}: not null"
    elif empty < 5:
        yield f"{subject}: not null | warn > {math.ceil(empty)}%"
    if kind.startswith(_NUMBERS):
        yield from _of_numbers(subject, kind, column, different)
    elif kind == "VARCHAR" and 0 < different <= MOST_MEMBERS * 1.2 and count >= _NOT_ALIKE * different:
        yield from _members(session, table, name, subject)
    elif kind == "DATE" or kind.startswith("TIMESTAMP"):
        yield from _recent(session, table, name, subject)


def _of_numbers(subject: str, kind: str, column: Mapping[str, Any], different: int) -> Iterator[str]:
    low, high = float(column["min"]), float(column["max"])
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
    latest = session.query(f"SELECT max({quoted(name)})::TIMESTAMPTZ AS latest FROM {table}")["latest"][0].as_py()
    if isinstance(latest, date):
        moment = latest if isinstance(latest, datetime) else datetime(latest.year, latest.month, latest.day, tzinfo=UTC)
        age = (datetime.now(UTC) - moment).total_seconds() / 86_400
        if 0 <= age <= _RECENT:
            yield f"{subject}: within {max(1, math.ceil(2 * age))} days"
