"""The tables of the warehouse, to be browsed."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import jupyter_pipelines as jp
from jupyter_pipelines.notebook.table_names import TableName
from jupyter_pipelines.server.refusals import looking_for
from jupyter_pipelines.server.route import Call, Route
from jupyter_pipelines.server.schemas import Schema, objects, reference, text, whole

if TYPE_CHECKING:
    from jupyter_pipelines.warehouse.catalog import Table

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
)
