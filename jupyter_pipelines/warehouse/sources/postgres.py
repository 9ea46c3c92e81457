"""Sources that are PostgreSQL databases.

With DuckDB's extension for PostgreSQL, where it is installed, tables are read where they are. Without it what a
statement names is copied first, into a temporary table: as CSV, which PostgreSQL writes and DuckDB reads faster than
any driver makes values of rows. Either way the connection is one that may change nothing.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
import threading
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.notebook.table_names import TableName, quoted, shown, text_literal
from jupyter_pipelines.warehouse.catalog import Column
from jupyter_pipelines.warehouse.sources.model import ConnectedSource
from jupyter_pipelines.warehouse.sources.secrets import make_secret, without_secrets

if TYPE_CHECKING:
    from jupyter_pipelines.graph.sql.filters import Filter

PATIENCE: Final = 10.0  # seconds for a connection
_HEARD: Final = 0.2  # seconds until an interruption is
_attached: list[ConnectedSource] = []
_Stopped = Callable[[], bool]
_Result = TypeVar("_Result")
_SETTINGS: Final = {
    "application_name": "jupyter-pipelines",
    "default_transaction_read_only": "on",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "timezone": "UTC",
}
_TABLES: Final = """
    SELECT n.nspname AS schema, c.relname AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    ORDER BY 1, 2
"""
_COLUMNS: Final = """
    SELECT attname AS name, format_type(atttypid, atttypmod) AS type, NOT attnotnull AS nullable
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = $2 AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
_TYPES: Final = {
    "smallint": "SMALLINT",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "oid": "BIGINT",
    "real": "FLOAT",
    "double precision": "DOUBLE",
    "numeric": "DOUBLE",
    "boolean": "BOOLEAN",
    "uuid": "UUID",
    "date": "DATE",
    "interval": "INTERVAL",
    "time without time zone": "TIME",
    "timestamp without time zone": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMP WITH TIME ZONE",
    "json": "JSON",
    "jsonb": "JSON",
}
_WHOLE: Final = {"smallint", "integer", "bigint"}
_UNZONED: Final = {"date", "timestamp without time zone"}
_NUMERIC: Final = re.compile(r"numeric\((\d+),(\d+)\)")
_MOST_DIGITS: Final = 38  # of DuckDB's decimals


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of ``table`` the columns whose names in lower case are ``columns`` (all, if that is ``None``), and the rows that
    meet ``conditions``: each with its value. There may be others, too."""

    table: TableName
    columns: frozenset[str] | None
    conditions: Sequence[tuple[Filter, object]] = ()


@dataclass(frozen=True, slots=True)
class _Column:
    """A column: how PostgreSQL is asked for it, the type of the text that comes, and what DuckDB makes of that: how,
    and of which type."""

    name: str
    asked: str
    read: str
    made: str
    type: str


def select_postgres(connection: Any, source: ConnectedSource, schema: str, table: str) -> str:
    """The query that reads a table where it is, through DuckDB's extension; empty where that is not installed."""
    installed = "SELECT installed FROM duckdb_extensions() WHERE extension_name = 'postgres_scanner'"
    if connection.execute(installed).fetchone() != (True,):
        return ""
    if source not in _attached:
        _attached.append(source)
    own = f"_source_{source.name}_{_attached.index(source)}"  # one that has changed since is another one
    names = ("host", "port", "database", "user", "password")
    given = {name: str(source.values[name]) for name in names if name in source.values}
    mode = source.text("sslmode")
    cursor = connection.cursor()  # apart from a transaction that may be open
    cursor.execute("LOAD postgres_scanner")
    make_secret(cursor, own, "postgres", given)
    path = f"sslmode={mode}" if mode else ""
    cursor.execute(f"ATTACH IF NOT EXISTS '{path}' AS {quoted(own)} (TYPE postgres, SECRET {quoted(own)}, READ_ONLY)")
    return f"SELECT * FROM {quoted(own)}.{quoted(schema)}.{quoted(table)}"


def copy_table(connection: Any, source: ConnectedSource, wanted: Wanted, target: str, stopped: _Stopped) -> None:
    """Make ``target`` of what is ``wanted``. Raises :class:`RequestError` when it cannot be read."""
    import duckdb

    with tempfile.TemporaryDirectory(prefix="jupyter-pipelines-") as folder:
        path = Path(folder, "rows.csv")
        columns = _waited(source, lambda: _copy(source, wanted, path), stopped)
        read = ", ".join(f"{text_literal(column.name)}: '{column.read}'" for column in columns)
        made = ", ".join(f"{column.made.format(quoted(column.name))} AS {quoted(column.name)}" for column in columns)
        options = "header = false, auto_detect = false, delim = ',', quote = '\"', escape = '\"', nullstr = '\\N', "
        options += f"allow_quoted_nulls = false, parallel = false, columns = {{{read}}}"
        query = f"SELECT {made} FROM read_csv({text_literal(str(path))}, {options})"
        try:
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {target} AS {query}")
        except (duckdb.ConversionException, duckdb.InvalidInputException) as error:
            said = str(error).partition("\n\n")[0].splitlines()[-1]
            fix = "Have a view in PostgreSQL cast that column, and read the view."
            raise RequestError(f"{source.name}.{wanted.table} cannot be read: {said}.", fix) from None


def list_tables(source: ConnectedSource) -> tuple[str, ...]:
    """The tables and views of the database, as ``schema.table``. Raises :class:`RequestError`."""

    async def ask() -> tuple[str, ...]:
        connection = await _connect(source)
        try:
            return tuple(_shown(row) for row in await connection.fetch(_TABLES))
        finally:
            await connection.close()

    return _waited(source, ask, lambda: False)


def list_columns(source: ConnectedSource, table: TableName) -> tuple[Column, ...]:
    """The columns of a table, with the types that DuckDB makes of theirs. Raises :class:`RequestError`."""

    async def ask() -> tuple[Column, ...]:
        connection = await _connect(source)
        try:
            found = await connection.fetch(_COLUMNS, table.schema, table.table)
            if not found:
                raise await _no_table(connection, source, table)
            return tuple(Column(row["name"], _column(row["name"], row["type"]).type, row["nullable"]) for row in found)
        finally:
            await connection.close()

    return _waited(source, ask, lambda: False)


async def _connect(source: ConnectedSource) -> Any:
    import asyncpg

    fields = {"host": "host", "port": "port", "database": "database", "user": "user", "password": "password"}
    given = {theirs: source.values[ours] for ours, theirs in fields.items() if ours in source.values}
    if "port" in given:
        given["port"] = int(source.text("port"))
    if "sslmode" in source.values:
        given["ssl"] = source.values["sslmode"]
    return await asyncpg.connect(**given, timeout=PATIENCE, server_settings=_SETTINGS)


async def _copy(source: ConnectedSource, wanted: Wanted, path: Path) -> list[_Column]:
    table = wanted.table
    connection = await _connect(source)
    try:
        found = await connection.fetch(_COLUMNS, table.schema, table.table)
        if not found:
            raise await _no_table(connection, source, table)
        named = [row for row in found if wanted.columns is None or row["name"].casefold() in wanted.columns]
        columns = [_column(row["name"], row["type"]) for row in named or found[:1]]  # rows are counted by any of them
        listed = ", ".join(column.asked for column in columns)
        where = _where(wanted.conditions, [(row["name"], row["type"]) for row in found])
        with path.open("wb") as file:
            await connection.copy_from_query(
                f"SELECT {listed} FROM {table.sql}{where}",
                output=file, format="csv", null="\\N", force_quote=True, encoding="utf-8",
            )  # fmt: skip
        return columns
    finally:
        connection.terminate() if connection.is_in_transaction() else await connection.close()


def _where(conditions: Sequence[tuple[Filter, object]], columns: Sequence[tuple[str, str]]) -> str:
    """Those of the conditions that mean the same to PostgreSQL and to DuckDB, whatever is in the table."""
    types: dict[str, list[tuple[str, str]]] = {}
    for name, type_ in columns:
        types.setdefault(name.casefold(), []).append((name, type_))
    asked = []
    for filter_, value in conditions:
        found = types.get(filter_.column.casefold(), [])
        text = _comparable(value, found[0][1]) if len(found) == 1 else ""
        if text:
            asked.append(f"{quoted(found[0][0])} {filter_.operator} {text}")
    return f" WHERE {' AND '.join(asked)}" if asked else ""


def _comparable(value: object, type_: str) -> str:
    """``value`` as PostgreSQL has it; empty where it might compare it with a column of that type in another way."""
    plain = re.sub(r"\(\d\)", "", type_)
    if type(value) is int:
        return str(value) if plain in _WHOLE and abs(value) < 2**63 else ""
    if isinstance(value, datetime):
        zoned = value.tzinfo is not None
        if plain == "timestamp with time zone" and zoned:
            return f"TIMESTAMPTZ '{value.isoformat()}'"
        return f"TIMESTAMP '{value.isoformat()}'" if plain in _UNZONED and not zoned else ""
    return f"DATE '{value.isoformat()}'" if isinstance(value, date) and plain in _UNZONED else ""


def _column(name: str, type_: str) -> _Column:
    plain = re.sub(r"(time(?:stamp)?|interval)\(\d\)", r"\1", type_)
    asked = quoted(name)
    if plain.endswith("[]"):
        item = _duckdb_type(plain.removesuffix("[]"))
        return _Column(name, f"array_to_json({asked})", "JSON", f"CAST({{}} AS {item}[])", f"{item}[]")
    if plain == "bytea":
        return _Column(name, f"encode({asked}, 'hex')", "VARCHAR", "unhex({})", "BLOB")
    return _Column(name, asked, _duckdb_type(plain), "{}", _duckdb_type(plain))


def _duckdb_type(plain: str) -> str:
    if (found := _NUMERIC.fullmatch(plain)) and int(found[2]) <= int(found[1]) <= _MOST_DIGITS:
        return f"DECIMAL({found[1]},{found[2]})"
    return "DOUBLE" if plain.startswith("numeric") else _TYPES.get(plain, "VARCHAR")


async def _no_table(connection: Any, source: ConnectedSource, table: TableName) -> RequestError:
    known = [_shown(row) for row in await connection.fetch(_TABLES)]
    near = get_close_matches(str(table), known, 1)
    listing = f"`jupyter pipelines sources test {source.name}` lists them."
    fix = f"Did you mean {source.name}.{near[0]}?" if near else listing
    return RequestError(f"The source {source.name} has no table {table}.", fix)


def _shown(row: Any) -> str:
    return f"{shown(row['schema'])}.{shown(row['name'])}"


def _waited(source: ConnectedSource, ask: Callable[[], Coroutine[Any, Any, _Result]], stopped: _Stopped) -> _Result:
    """What ``ask`` gives, in a thread of its own: where notebooks run a loop is going on. Heeds an interruption."""
    outcome: list[_Result] = []
    wrong: list[BaseException] = []

    async def watched() -> None:
        asking = asyncio.ensure_future(ask())
        while not (await asyncio.wait([asking], timeout=_HEARD))[0]:
            if stopped():
                asking.cancel()
        outcome.append(asking.result())

    def work() -> None:
        try:
            asyncio.run(watched())
        except BaseException as error:
            wrong.append(error)

    thread = threading.Thread(target=work, name=f"source-{source.name}", daemon=True)
    thread.start()
    thread.join()
    if outcome:
        return outcome[0]
    if stopped() or isinstance(wrong[0], asyncio.CancelledError):
        raise InterruptedError
    raise _told(source, wrong[0]) from None


def _told(source: ConnectedSource, error: BaseException) -> BaseException:
    """What went wrong, as an error of ours."""
    import asyncpg

    where = f"{source.text('host', 'localhost')}/{source.text('database')}"
    if isinstance(error, RequestError):
        return error
    if isinstance(error, TimeoutError):
        return RequestError(f"The source {source.name} does not answer at {where}.", "Check host and port, or wait.")
    if isinstance(error, OSError | asyncpg.PostgresError | asyncpg.InterfaceError | ValueError):
        said = without_secrets(str(error).strip() or type(error).__name__)
        fix = f"Check it: jupyter pipelines sources test {source.name}."
        return RequestError(f"The source {source.name} at {where} cannot be read: {said}", fix)
    return error
