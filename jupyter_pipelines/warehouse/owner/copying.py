"""A copy of a warehouse as one transaction sees it: whole, or with the rows of some tables only.

What it is called says whether the copy is a DuckDB file or a lake. Of a lake an earlier version can be copied, too. A
lake that is copied to a lake brings its earlier versions, which queries name by their numbers; where it cannot, because
its data lie elsewhere, the copy has none by these numbers, so that a query finds what it names or nothing.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
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

_NOT_IN_LAKES: Final = """SELECT what, schema_name || '.' || name FROM (
  SELECT 'sequence' AS what, schema_name, sequence_name AS name, database_name FROM duckdb_sequences()
  UNION ALL SELECT 'index', schema_name, index_name, database_name FROM duckdb_indexes()
  UNION ALL SELECT 'type', schema_name, type_name, database_name FROM duckdb_types() WHERE NOT internal
  UNION ALL SELECT lower(constraint_type), schema_name, table_name, database_name FROM duckdb_constraints()
    WHERE constraint_type <> 'NOT NULL'
  UNION ALL SELECT data_type, schema_name, table_name || '.' || column_name, database_name FROM duckdb_columns()
    WHERE NOT internal AND regexp_matches(data_type, '\\b(ENUM|UNION|BIT|BIGNUM|VARIANT)\\b|\\[\\d+\\]')
) WHERE database_name = current_database() ORDER BY ALL"""
MOST_NAMED: Final = 8


def copy_database(connection: Any, path: str, only: Collection[str] | None = None, storage: str = "") -> None:
    """Write a copy of the connection's database to a file that is not there yet.

    With ``only``, names of tables and views, all tables are there, and those have their rows that these are made of;
    where that would leave something behind all have them. ``storage``: the version of DuckDB that is to be able to read
    the file, such as "v1.5.0". Raises :class:`RequestError` when a lake cannot have what is in the database.
    """
    (own,) = connection.execute("SELECT current_database()").fetchone()
    is_of_lake = is_lake(path) and own == NAME
    if is_of_lake and _copy_with_versions(connection, path, only):
        return
    if is_lake(path) and not is_of_lake:
        connection.execute(f"DROP SEQUENCE IF EXISTS {SCHEMA}.backup_numbers")  # of our own, once
        _refuse_what_no_lake_has(connection)
    tables = None if only is None else _with_rows(connection, only)
    if tables is None or not _copy(connection, path, own, tables):
        remove_database(Path(path))
        with _attached(connection, path, storage) as name:
            connection.execute(f"COPY FROM DATABASE {quoted(own)} TO {name}")
    if is_of_lake:
        _number_on(connection, path)


def _refuse_what_no_lake_has(connection: Any) -> None:
    found = [" ".join(row) for row in connection.execute(_NOT_IN_LAKES).fetchall()]
    if found:
        more = f", and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        raise RequestError(
            f"The warehouse has what no lake can have: {', '.join(found[:MOST_NAMED])}{more}.",
            "Make those tables anew without it, such as CREATE OR REPLACE TABLE t AS FROM t; drop what is no table.",
        )


def copy_version(connection: Any, path: str, version: int, only: Collection[str] | None = None) -> None:
    """Write a copy of the connection's lake as it was at ``version``: its tables and views, or ``only`` those named
    and what they are made of. Raises :class:`RequestError` when that version is not there (any more)."""
    known = connection.execute(f"SELECT 1 FROM {_KEPT}.ducklake_snapshot WHERE snapshot_id = $v", {"v": version})
    if known.fetchone() is None:
        raise RequestError(f"The lake has no version {version} (any more).", "`jupyter pipelines warehouse versions`")
    tables = {TableName(*row) for row in connection.execute(_TABLES_AT, {"v": version}).fetchall()}
    views = {
        TableName(schema, view): sql for schema, view, sql in connection.execute(_VIEWS_AT, {"v": version}).fetchall()
    }
    chosen = None if only is None else _made_of({table: table for table in tables}, views, only)
    has_versions = is_lake(path) and _copy_with_versions(connection, path, only)
    with _attached(connection, path) as name:
        if has_versions:
            _remove_content(connection, name)
        for schema in sorted({table.schema for table in (*tables, *views)}):
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {name}.{quoted(schema)}")
        for table in sorted(tables if chosen is None else chosen):
            connection.execute(f"CREATE TABLE {name}.{table.sql} AS FROM {NAME}.{table.sql} AT (VERSION => {version})")
        try:
            connection.execute(f"USE {name}")
            _make_views(connection, views)
        finally:
            connection.execute(f"USE {NAME}")
    if is_lake(path) and not has_versions:
        _number_on(connection, path)


def _copy_with_versions(connection: Any, path: str, only: Collection[str] | None) -> bool:
    """Copy a lake with all its versions, if its data are in a folder here; says whether that could be done.

    Files are shared where the disk is: none is ever written again. With ``only`` none is copied to another disk.
    """
    (place,) = connection.execute(f"SELECT value FROM {_KEPT}.ducklake_metadata WHERE key = 'data_path'").fetchone()
    folder = Path(place)
    if "://" in place or not (folder.is_dir() and os.path.isabs(place)):
        return False
    if only is not None and folder.stat().st_dev != Path(path).parent.stat().st_dev:
        return False
    data = Description.read(Path(path)).data
    with _catalog(connection, path) as catalog:
        connection.execute(f"COPY FROM DATABASE {_KEPT} TO {catalog}")
        set_place = f"UPDATE {catalog}.ducklake_metadata SET value = $place WHERE key = 'data_path'"
        connection.execute(set_place, {"place": os.path.join(data, "")})
    shutil.copytree(folder, data, copy_function=_link_or_copy)
    return True


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _remove_content(connection: Any, name: str) -> None:
    """Remove all tables and views that a lake has now; its earlier versions stay."""
    for kind, asked in (("VIEW", "view_name FROM duckdb_views()"), ("TABLE", "table_name FROM duckdb_tables()")):
        found = connection.execute(f"SELECT schema_name, {asked} WHERE NOT internal AND database_name = '{name}'")
        for schema, one in found.fetchall():
            connection.execute(f"DROP {kind} {name}.{TableName(schema, one).sql}")


def _number_on(connection: Any, path: str) -> None:
    """Have the only version of a copied lake come after all that the lake has, so that no number means two of them."""
    (last,) = connection.execute(f"SELECT max(snapshot_id) FROM {_KEPT}.ducklake_snapshot").fetchone()
    with _catalog(connection, path) as catalog:
        for table in ("ducklake_snapshot", "ducklake_snapshot_changes"):
            its_last = f"(SELECT max(snapshot_id) FROM {catalog}.ducklake_snapshot)"
            connection.execute(f"DELETE FROM {catalog}.{table} WHERE snapshot_id < {its_last}")
        for table in ("ducklake_snapshot", "ducklake_snapshot_changes"):
            connection.execute(f"UPDATE {catalog}.{table} SET snapshot_id = snapshot_id + {last} + 1")


@contextmanager
def _catalog(connection: Any, path: str) -> Iterator[str]:
    """What the catalog of the lake at ``path``, a DuckDB file, is called in SQL while inside."""
    name = f"catalog_{secrets.token_hex(8)}"
    connection.execute(f"ATTACH {text_literal(path)} AS {name}")
    try:
        yield name
    finally:
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
    for file in (path, path.with_name(f"{path.name}.wal")):
        file.unlink(missing_ok=True)
    if path.suffix == CATALOG:
        shutil.rmtree(f"{path}.files", ignore_errors=True)


def _copy(connection: Any, path: str, own: str, tables: Collection[TableName]) -> bool:
    """Copy all there is, and the rows of ``tables``; says whether that could be done."""
    import duckdb

    try:
        with _attached(connection, path) as name:
            connection.execute("BEGIN")
            connection.execute(f"COPY FROM DATABASE {quoted(own)} TO {name} (SCHEMA)")
            for table in sorted(tables):
                connection.execute(f"INSERT INTO {name}.{table.sql} FROM {quoted(own)}.{table.sql}")
            connection.execute("COMMIT")
    except duckdb.Error:  # generated columns, and whatever else cannot be put in as it comes out
        return False
    return True


@contextmanager
def _attached(connection: Any, path: str, storage: str = "") -> Iterator[str]:
    """What the database at ``path``, which is made where there is none, is called in SQL while inside."""
    import duckdb

    name = f"copy_{secrets.token_hex(8)}"
    if is_lake(path):
        attach(connection, name, Description.read(Path(path)))
    else:
        options = f" (STORAGE_VERSION {text_literal(storage)})" if storage else ""
        connection.execute(f"ATTACH {text_literal(path)} AS {name}{options}")
    try:
        yield name
    except BaseException:
        with suppress(duckdb.Error):  # what has failed may have left a transaction open
            connection.execute("ROLLBACK")
        raise
    finally:
        connection.execute(f"DETACH {name}")


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
