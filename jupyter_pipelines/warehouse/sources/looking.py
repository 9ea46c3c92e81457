"""What is in a source, for whoever browses it: asked for a while and no longer, and no rows are brought.

What does not answer is left behind in its thread: some file systems wait for minutes, and none can be told not to.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, TypeVar

from jupyter_pipelines.errors import RequestError, SqlError
from jupyter_pipelines.notebook.table_names import TableName, read_table_name
from jupyter_pipelines.warehouse.catalog import Column
from jupyter_pipelines.warehouse.sources.model import ConnectedSource

PATIENCE: Final = 20.0  # seconds for a source to answer
_Result = TypeVar("_Result")


def list_tables(source: ConnectedSource, patience: float = PATIENCE) -> tuple[str, ...]:
    """What can be read of ``source``, as SQL names it. Raises :class:`RequestError` when it does not answer."""
    if source.type == "files":
        from jupyter_pipelines.warehouse.sources.files import list_tables as listed
    else:
        from jupyter_pipelines.warehouse.sources.postgres import list_tables as listed
    return tuple(f"{source.name}.{table}" for table in _within(patience, source, lambda: listed(source)))


def list_columns(source: ConnectedSource, table: str, patience: float = PATIENCE) -> tuple[Column, ...]:
    """The columns of ``table``, which may be named with the source or without. Raises :class:`RequestError`."""
    name = read_table_name(table)
    if name is None:
        raise RequestError(f"{table!r} is no name of a table.", f"Write {source.name}.table.")
    above = [part for part in (name.catalog, name.schema) if part]
    if above and above[0].casefold() == source.name.casefold():
        above = above[1:]
    if len(above) > 1 or (above and source.type == "files"):
        raise RequestError(f"The source {source.name} has no table {table}.")
    schema = above[0] if above else ""
    return _within(patience, source, lambda: _columns(source, schema, name.table))


def _columns(source: ConnectedSource, schema: str, table: str) -> tuple[Column, ...]:
    if source.type == "postgres":
        from jupyter_pipelines.warehouse.sources.postgres import list_columns as listed

        return listed(source, TableName(schema or "public", table))
    from jupyter_pipelines.warehouse.databases import connect
    from jupyter_pipelines.warehouse.mistakes import translated
    from jupyter_pipelines.warehouse.sources.files import select_files

    connection = connect()
    try:
        query = select_files(connection, source, table)
        with translated():
            described = connection.execute(f"DESCRIBE {query}").fetchall()
    except SqlError as error:
        raise RequestError(f"{source.name}.{table} cannot be read: {error.message}", error.fix) from None
    finally:
        connection.close()
    return tuple(Column(name, type_, nullable == "YES") for name, type_, nullable, *_ in described)


def _within(patience: float, source: ConnectedSource, ask: Callable[[], _Result]) -> _Result:
    answers: list[_Result] = []
    wrong: list[Exception] = []

    def work() -> None:
        try:
            answers.append(ask())
        except Exception as error:
            wrong.append(error)

    thread = threading.Thread(target=work, name=f"looking-at-{source.name}", daemon=True)
    thread.start()
    thread.join(patience)
    if answers:
        return answers[0]
    if wrong:
        raise wrong[0]
    fix = f"Check its address, or try again: jupyter pipelines sources test {source.name}."
    raise RequestError(f"The source {source.name} has not answered for {patience:g} seconds.", fix)
