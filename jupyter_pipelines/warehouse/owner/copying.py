"""A copy of a warehouse as one transaction sees it: whole, or with the rows of some tables only."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from jupyter_pipelines.notebook.table_names import TableName, quoted, read_table_name
from jupyter_pipelines.warehouse.own_schemas import SCHEMA

_TABLES: Final = """SELECT schema_name, table_name FROM duckdb_tables()
WHERE NOT internal AND NOT temporary AND database_name = current_database()"""
_VIEWS: Final = """SELECT schema_name, view_name, sql FROM duckdb_views()
WHERE NOT internal AND NOT temporary AND database_name = current_database()"""
_TIES: Final = f"""SELECT EXISTS (
  FROM duckdb_sequences() WHERE database_name = current_database() AND schema_name <> '{SCHEMA}'
) OR EXISTS (
  FROM duckdb_constraints() WHERE database_name = current_database() AND constraint_type = 'FOREIGN KEY'
)"""


def copy_database(connection: Any, path: str, only: Collection[str] | None = None) -> None:
    """Write a copy of the connection's database to a file that is not there yet.

    With ``only``, names of tables and views, all tables are there, and those have their rows that these are made of;
    where that would leave something behind all have them.
    """
    name = f"copy_{secrets.token_hex(8)}"
    (own,) = connection.execute("SELECT current_database()").fetchone()
    tables = None if only is None else _with_rows(connection, only)
    if tables is not None and _copy(connection, path, name, own, tables):
        return
    Path(path).unlink(missing_ok=True)
    _attach(connection, path, name)
    try:
        connection.execute(f"COPY FROM DATABASE {quoted(own)} TO {name}")
    finally:
        connection.execute(f"DETACH {name}")


def _copy(connection: Any, path: str, name: str, own: str, tables: Collection[TableName]) -> bool:
    """Copy all there is, and the rows of ``tables``; says whether that could be done."""
    import duckdb

    _attach(connection, path, name)
    try:
        connection.execute("BEGIN")
        connection.execute(f"COPY FROM DATABASE {quoted(own)} TO {name} (SCHEMA)")
        for table in sorted(tables):
            connection.execute(f"INSERT INTO {name}.{table.sql} FROM {quoted(own)}.{table.sql}")
        connection.execute("COMMIT")
    except duckdb.Error:  # generated columns, and whatever else cannot be put in as it comes out
        connection.execute("ROLLBACK")
        return False
    finally:
        connection.execute(f"DETACH {name}")
    return True


def _attach(connection: Any, path: str, name: str) -> None:
    connection.execute(f"ATTACH '{path.replace(chr(39), chr(39) * 2)}' AS {name}")


def _with_rows(connection: Any, only: Collection[str]) -> frozenset[TableName] | None:
    """The tables that are copied with their rows; ``None`` for all, where one may depend on any other."""
    from jupyter_pipelines.graph.sql import read_statements

    if connection.execute(_TIES).fetchone() != (False,):
        return None
    tables = {TableName(*row): TableName(*row) for row in connection.execute(_TABLES).fetchall()}
    views = {TableName(schema, view): sql for schema, view, sql in connection.execute(_VIEWS).fetchall()}
    found = {name for name in tables.values() if name.schema == SCHEMA}
    pending, seen = [read_table_name(name) for name in only], set[TableName]()
    while pending:
        name = pending.pop()
        if name is None:
            return None
        if name in seen:
            continue
        seen.add(name)
        if name in tables:
            found.add(tables[name])
        for statement in read_statements(views[name]) if name in views else ():
            if statement.problem or statement.anything or any(one.table.endswith("()") for one in statement.reads):
                return None
            for read in statement.reads:  # without a schema it may be one of the view's own
                pending += [read] if read.schema else [read, TableName(name.schema, read.table)]
    return frozenset(found)
