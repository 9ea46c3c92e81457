"""A copy of a warehouse as one transaction sees it: whole, or with the rows of some tables only.

What it is called says whether the copy is a DuckDB file or a lake. Of a lake an earlier version can be copied, too.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.notebook.table_names import TableName, quoted, read_table_name, text_literal
from jupyter_pipelines.warehouse.databases.declared import CATALOG, Description, is_lake
from jupyter_pipelines.warehouse.databases.lake import NAME, attach
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
    remove_database(Path(path))
    _attach(connection, path, name)
    try:
        connection.execute(f"COPY FROM DATABASE {quoted(own)} TO {name}")
    finally:
        connection.execute(f"DETACH {name}")


def copy_version(connection: Any, path: str, version: int, only: Collection[str] | None = None) -> None:
    """Write a copy of the connection's lake as it was at ``version``: its tables and views, or ``only`` those named
    and what they are made of. Raises :class:`RequestError` when that version is not there (any more)."""
    name = f"copy_{secrets.token_hex(8)}"
    known = connection.execute(f"SELECT 1 FROM {_KEPT}.ducklake_snapshot WHERE snapshot_id = $v", {"v": version})
    if known.fetchone() is None:
        raise RequestError(f"The lake has no version {version} (any more).", "`jupyter pipelines warehouse versions`")
    tables = {TableName(*row) for row in connection.execute(_TABLES_AT, {"v": version}).fetchall()}
    views = {
        TableName(schema, view): sql for schema, view, sql in connection.execute(_VIEWS_AT, {"v": version}).fetchall()
    }
    chosen = None if only is None else _made_of({table: table for table in tables}, views, only)
    _attach(connection, path, name)
    try:
        for schema in sorted({table.schema for table in (*tables, *views)}):
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {name}.{quoted(schema)}")
        for table in sorted(tables if chosen is None else chosen):
            connection.execute(f"CREATE TABLE {name}.{table.sql} AS FROM {NAME}.{table.sql} AT (VERSION => {version})")
        connection.execute(f"USE {name}")
        _make_views(connection, views)
    finally:
        connection.execute(f"USE {NAME}")
        connection.execute(f"DETACH {name}")


def _make_views(connection: Any, views: Mapping[TableName, str]) -> None:
    """Those that can be: the ones that others are made of before them, and none of what was not copied."""
    import duckdb

    left = dict(views)
    while left:
        made = []
        for view, sql in left.items():
            try:
                connection.execute(f"CREATE VIEW {view.sql} AS {sql}")
            except duckdb.Error:
                continue
            made.append(view)
        if not made:
            return
        for view in made:
            del left[view]


def remove_database(path: Path) -> None:
    """Remove a DuckDB file or a lake that nobody has open, if there is one."""
    path.unlink(missing_ok=True)
    if path.suffix == CATALOG:
        shutil.rmtree(f"{path}.files", ignore_errors=True)


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
    if is_lake(path):
        attach(connection, name, Description.read(Path(path)))
    else:
        connection.execute(f"ATTACH {text_literal(path)} AS {name}")


def _with_rows(connection: Any, only: Collection[str]) -> frozenset[TableName] | None:
    """The tables that are copied with their rows; ``None`` for all, where one may depend on any other."""
    if connection.execute(_TIES).fetchone() != (False,):
        return None
    tables = {TableName(*row): TableName(*row) for row in connection.execute(_TABLES).fetchall()}
    views = {TableName(schema, view): sql for schema, view, sql in connection.execute(_VIEWS).fetchall()}
    return _made_of(tables, views, only)


def _made_of(
    tables: Mapping[TableName, TableName], views: Mapping[TableName, str], only: Collection[str]
) -> frozenset[TableName] | None:
    """Of ``tables`` those named, those that named views are made of, and our own; ``None`` when it cannot be said."""
    from jupyter_pipelines.graph.sql import read_statements

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


_KEPT: Final = f"__ducklake_metadata_{NAME}"  # the tables of a lake's catalog
_THERE: Final = "$v >= {0}.begin_snapshot AND ($v < {0}.end_snapshot OR {0}.end_snapshot IS NULL)"
_TABLES_AT: Final = f"""SELECT schema_name, table_name FROM {_KEPT}.ducklake_table AS t
JOIN {_KEPT}.ducklake_schema AS s USING (schema_id) WHERE {_THERE.format("t")} AND {_THERE.format("s")}"""
_VIEWS_AT: Final = f"""SELECT schema_name, view_name, sql FROM {_KEPT}.ducklake_view AS w
JOIN {_KEPT}.ducklake_schema AS s USING (schema_id) WHERE {_THERE.format("w")} AND {_THERE.format("s")}"""
