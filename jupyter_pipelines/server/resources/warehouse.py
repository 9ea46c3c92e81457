"""The tables of the warehouse, and what external sources have, to be browsed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import jupyter_pipelines as jp
from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.notebook.table_names import TableName
from jupyter_pipelines.server.refusals import RefusedError, looking_for
from jupyter_pipelines.server.route import Call, Route
from jupyter_pipelines.server.schemas import Schema, objects, reference, text, whole

if TYPE_CHECKING:
    from jupyter_pipelines.warehouse.catalog import Table
    from jupyter_pipelines.warehouse.sources import Sources

NAME: Schema = text("The name of a schema or a table, whatever is in it.", most=1000, least=1)
MOST_ROWS = 200


def list_tables(_: Call) -> object:
    """All tables and views; none where no warehouse has been made yet."""
    found = jp.warehouse()
    tables: tuple[Table, ...] = found.tables() if found.path.exists() else ()
    return {"tables": [asdict(table) for table in tables]}


def get_table(call: Call) -> object:
    """One table or view: its columns and its first rows."""
    name = TableName(call.path["schema"], call.path["table"])
    with looking_for("table"):
        details: dict[str, Any] = asdict(jp.warehouse().table(name, rows=call.query["rows"]))
    return details


def list_sources(_: Call) -> object:
    """All external sources. None is asked: one that does not answer keeps nobody waiting."""
    return {"sources": [asdict(source) for source in jp.sources().described()]}


def list_source_tables(call: Call) -> object:
    """What can be read of one, as SQL names it."""
    with _asking(call) as sources:
        return {"tables": sources.tables(call.path["source"])}


def list_source_columns(call: Call) -> object:
    """The columns of one of its tables."""
    with _asking(call) as sources:
        columns = sources.columns(call.path["source"], call.path["table"])
        return {"columns": [asdict(column) for column in columns]}


@contextmanager
def _asking(call: Call) -> Iterator[Sources]:
    """While inside, what a source cannot give is no fault of the request's."""
    sources = jp.sources()
    with looking_for("source"):
        sources.get(call.path["source"])
    try:
        yield sources
    except RequestError as error:
        raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, error.message, error.fix) from None


ROUTES = (
    Route(
        "GET",
        "warehouse/tables",
        "All tables and views of the warehouse: columns, rows, when each was last changed",
        list_tables,
        objects({"tables": {"type": "array", "items": reference("Table")}}, "tables"),
        slow=True,  # the process that has the file may have to be started
    ),
    Route(
        "GET",
        "warehouse/tables/{schema}/{table}",
        "One table or view: its columns and its first rows, as texts",
        get_table,
        reference("TableDetails"),
        query={"rows": whole(0, MOST_ROWS, default=20)},
        named=NAME,
        slow=True,
    ),
    Route(
        "GET",
        "warehouse/sources",
        "The external sources that SQL may read, as they are declared",
        list_sources,
        objects({"sources": {"type": "array", "items": reference("Source")}}, "sources"),
    ),
    Route(
        "GET",
        "warehouse/sources/{source}/tables",
        "What can be read of a source, as SQL names it; the source is asked",
        list_source_tables,
        objects({"tables": {"type": "array", "items": {"type": "string"}}}, "tables"),
        named=NAME,
        slow=True,
    ),
    Route(
        "GET",
        "warehouse/sources/{source}/tables/{table}",
        "The columns of a table of a source; the source is asked",
        list_source_columns,
        objects({"columns": {"type": "array", "items": reference("Column")}}, "columns"),
        named=NAME,
        slow=True,
    ),
)
