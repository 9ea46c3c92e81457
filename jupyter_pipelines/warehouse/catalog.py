"""What is in a warehouse: schemas, tables, columns, how many rows, and when each was last changed.

Cheap enough to be asked whenever a browser is opened: counts are those that DuckDB keeps, nothing is scanned.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, Literal

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.notebook.table_names import TableName
from jupyter_pipelines.warehouse.owner.outcomes import changed_tables

if TYPE_CHECKING:
    from jupyter_pipelines.warehouse.session import Session

LONGEST: Final = 200  # characters of a value in a preview
_TABLES: Final = """
    SELECT schema_name, table_name AS name, 'table' AS kind, column_count, estimated_size AS row_count
    FROM duckdb_tables() WHERE NOT internal AND NOT temporary AND database_name = current_database()
    UNION ALL
    SELECT schema_name, view_name, 'view', column_count, NULL
    FROM duckdb_views() WHERE NOT internal AND NOT temporary AND database_name = current_database()
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
    """A table or a view. ``rows`` is about right, and ``None`` for a view, which nobody has counted.

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
    changed = changed_tables(session)
    return tuple(
        _table(row, changed) for row in session.query(_TABLES).to_pylist() if not row["schema_name"].startswith("_")
    )


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


def _table(row: dict[str, Any], changed: dict[TableName, float]) -> Table:
    schema, name = row["schema_name"], row["name"]
    return Table(schema, name, row["kind"], row["column_count"], row["row_count"], changed.get(TableName(schema, name)))
