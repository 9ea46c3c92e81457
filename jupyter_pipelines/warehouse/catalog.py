"""What is in a warehouse: schemas, tables, columns, how many rows, and when each was last changed.

Cheap enough to be asked whenever a browser is opened: rows are counted, for which DuckDB reads no columns. The size
that it keeps of a table still has the rows that were removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, Literal

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.notebook.table_names import TableName
from jupyter_pipelines.warehouse.owner.outcomes import changed_tables

if TYPE_CHECKING:
    from jupyter_pipelines.warehouse.session import Session

LONGEST: Final = 200  # characters of a value in a preview
_TABLES: Final = """
    SELECT schema_name, table_name AS name, 'table' AS kind, column_count
    FROM duckdb_tables() WHERE NOT internal AND NOT temporary AND database_name = current_database()
    UNION ALL
    SELECT schema_name, view_name, 'view', coalesce(column_count, (  -- a lake has not looked at it yet
      SELECT count(*) FROM duckdb_columns() AS c
      WHERE c.database_name = current_database() AND c.schema_name = v.schema_name AND c.table_name = v.view_name))
    FROM duckdb_views() AS v WHERE NOT internal AND NOT temporary AND database_name = current_database()
    ORDER BY ALL
"""
_COLUMNS: Final = """
    SELECT column_name AS name, data_type AS type, is_nullable AS nullable
    FROM duckdb_columns()
    WHERE database_name = current_database() AND schema_name = $schema AND table_name = $table
    ORDER BY column_index
"""


@dataclass(frozen=True)
class Table:
    """A table or a view. ``rows`` is ``None`` for a view, which nobody has counted.

    ``changed`` is when it was last written through the warehouse, in seconds since the epoch; ``None`` where that is
    not known.
    """

    schema: str
    name: str
    kind: Literal["table", "view"]
    columns: int
    rows: int | None
    changed: float | None


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    name: str
    type: str
    nullable: bool


@dataclass(frozen=True)
class TableDetails:
    """A table with its columns and its first rows; values are texts, or ``None``, cut where they are long."""

    table: Table
    columns: tuple[Column, ...]
    preview: tuple[tuple[str | None, ...], ...]


def list_tables(session: Session) -> tuple[Table, ...]:
    """All tables and views by schema and name, but those in schemas whose names begin with `_`: they are our own."""
    with session.transaction(writes=()):  # in which nobody removes a table before it is counted
        found = [row for row in session.query(_TABLES).to_pylist() if not row["schema_name"].startswith("_")]
        names = [TableName(row["schema_name"], row["name"]) for row in found]
        counts = _counts(session, [name for name, row in zip(names, found, strict=True) if row["kind"] == "table"])
    changed = changed_tables(session)
    return tuple(
        Table(name.schema, name.table, row["kind"], row["column_count"], counts.get(name), changed.get(name))
        for name, row in zip(names, found, strict=True)
    )


def _counts(session: Session, tables: Sequence[TableName]) -> dict[TableName, int]:
    """How many rows each has, asked in one query."""
    if not tables:
        return {}
    each = (f"SELECT {number} AS number, count(*) AS rows FROM {table.sql}" for number, table in enumerate(tables))
    return {tables[row["number"]]: row["rows"] for row in session.query(" UNION ALL ".join(each)).to_pylist()}


def describe_table(session: Session, name: TableName, *, rows: int = 20) -> TableDetails:
    """One table with its first ``rows``. Raises :class:`RequestError` when there is none of that name."""
    tables = {TableName(table.schema, table.name): table for table in list_tables(session)}
    if (found := tables.get(name)) is None:
        guess = get_close_matches(str(name), [str(one) for one in tables], 1)
        fix = f"Did you mean {guess[0]}?" if guess else "`jupyter pipelines warehouse tables` lists all there are."
        raise RequestError(f"The warehouse has no table {name}.", fix)
    exact = TableName(found.schema, found.name)
    columns = session.query(_COLUMNS, {"schema": found.schema, "table": found.name}).to_pylist()
    texts = f"SELECT left(COLUMNS(*)::VARCHAR, {LONGEST}) FROM (FROM {exact.sql} LIMIT {int(rows)})"
    preview = session.query(texts)
    values = [column.to_pylist() for column in preview.columns]
    return TableDetails(
        found,
        tuple(Column(each["name"], each["type"], each["nullable"]) for each in columns),
        tuple(zip(*values, strict=True)),
    )
