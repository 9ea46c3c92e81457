"""What a statement reads of sources: found in its text, and put where the statement finds it.

``crm.public.customers`` becomes a temporary view or table of the session, of that whole name, and the statement's text
names that instead. So sources belong to one session, within a transaction or without, and nothing of them is in the
warehouse; which is why no view may be made of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from jupyter_pipelines.errors import RequestError, SqlError
from jupyter_pipelines.graph.sql import SqlStatement, read_statements
from jupyter_pipelines.graph.sql.model import WHOLE_SCHEMA
from jupyter_pipelines.notebook.table_names import TableName, is_external, quoted
from jupyter_pipelines.warehouse.sources.model import ConnectedSource

if TYPE_CHECKING:
    from jupyter_pipelines.graph.sql.filters import Filter

Connected = Mapping[str, ConnectedSource]
_KEPT: Final = frozenset({"create view", "create"})  # whose text is carried out again, in other sessions


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A table of a source that a statement reads, the names, in lower case, that columns of it have there, and what
    its rows must meet."""

    name: TableName
    columns: frozenset[str] | None  # None: all that there are
    filters: tuple[Filter, ...] = ()

    def together(self, other: SourceTable) -> SourceTable:
        """The same table, for two statements."""
        known = self.columns is not None and other.columns is not None
        columns = (self.columns or frozenset()) | (other.columns or frozenset()) if known else None
        return SourceTable(self.name, columns, self.filters if self.filters == other.filters else ())


def renamed(sql: str, connected: Connected) -> tuple[str, tuple[SourceTable, ...]]:
    """A statement with the tables of sources as they are called in its session, and those tables.

    Raises :class:`SqlError` for one that writes into a source, or would be carried out again without it.
    """
    from jupyter_pipelines.graph.sql.parsing import NotUnderstoodError

    found = [statement for statement in read_statements(sql) if _reads_or_writes(statement, connected)]
    for statement in found:
        _refuse(statement, connected)
    if not found:
        return sql, ()
    from jupyter_pipelines.graph.sql.filters import filters_of
    from jupyter_pipelines.graph.sql.places import with_names

    tables: dict[str, TableName] = {}

    def place(name: TableName) -> str | None:
        if _source_of(name, connected) is None:
            return None
        tables.setdefault(str(name), name)
        return str(name)

    try:
        text, columns = with_names(sql, place)
    except NotUnderstoodError as reason:
        raise SqlError(
            f"The statement reads a source, and is not understood: {reason}.",
            "Read the source into a table first: CREATE TABLE … AS SELECT * FROM source.table.",
        ) from None
    filters = filters_of(sql, lambda name: _source_of(name, connected) is not None)
    return text, tuple(SourceTable(name, columns, filters.get(name, ())) for name in tables.values())


def bring(
    connection: Any,
    table: SourceTable,
    connected: Connected,
    stopped: Callable[[], bool],
    values: Mapping[str, object],
) -> None:
    """Have a table of a source be there, under its whole name; ``values`` are those of the statement's parameters.

    Raises :class:`RequestError`, :class:`SqlError`.
    """
    name = table.name
    source = _source_of(name, connected)
    assert source is not None
    target = quoted(str(name))  # TEMP says where; 1.5 takes no `temp.` here
    if source.type == "files":
        from jupyter_pipelines.warehouse.sources.files import select_files

        if name.catalog:
            fix = f"Write {TableName(source.name, name.table)}."
            raise RequestError(f"The source {source.name} is made of files, and has no schemas.", fix)
        query = select_files(connection, source, name.table)
    else:
        from jupyter_pipelines.warehouse.sources.postgres import Wanted, copy_table, select_postgres

        schema = name.schema if name.catalog else "public"
        query = select_postgres(connection, source, schema, name.table)
        if not query:
            conditions = [(one, values.get(one.parameter) if one.parameter else one.value) for one in table.filters]
            wanted = Wanted(TableName(schema, name.table), table.columns, conditions)
            copy_table(connection, source, wanted, target, stopped)
            return
    connection.execute(f"CREATE OR REPLACE TEMP VIEW {target} AS {query}")


def forget(connection: Any, name: TableName) -> None:
    """Take away what :func:`bring` has brought."""
    found = connection.execute(
        "SELECT 'VIEW' FROM duckdb_views() WHERE temporary AND view_name = $name "
        "UNION ALL SELECT 'TABLE' FROM duckdb_tables() WHERE temporary AND table_name = $name",
        {"name": str(name)},
    ).fetchall()
    for (kind,) in found:
        connection.execute(f"DROP {kind} temp.main.{quoted(str(name))}")


def _source_of(name: TableName, connected: Connected) -> ConnectedSource | None:
    return next((source for source in connected.values() if is_external(name, (source.name,))), None)


def _reads_or_writes(statement: SqlStatement, connected: Connected) -> bool:
    return any(_source_of(name, connected) for name in (*statement.reads, *statement.writes, *statement.temporary))


def _refuse(statement: SqlStatement, connected: Connected) -> None:
    written = next((name for name in statement.writes if _source_of(name, connected)), None)
    if written is not None:
        what = f"{written.schema} is a source" if written.table == WHOLE_SCHEMA else f"{written} is of a source"
        raise SqlError(
            f"{what}, and sources are only read.",
            "Write into a schema of the warehouse, or call the source something else.",
            line=1,
        )
    read = next((name for name in statement.reads if _source_of(name, connected)), None)
    if read is not None and statement.kind in _KEPT:
        raise SqlError(
            f"A view cannot read {read}, which is of a source: who reads the view may not have it.",
            "Make a table: `%%sql --table NAME`, or CREATE TABLE.",
            line=1,
        )
