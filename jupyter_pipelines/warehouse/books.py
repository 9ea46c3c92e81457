"""The warehouse's own tables are made when they are needed first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jupyter_pipelines.errors import SqlError
from jupyter_pipelines.warehouse.own_schemas import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Collection

    from jupyter_pipelines.warehouse.session import Session

_THERE: Final = f"""SELECT 1 FROM duckdb_tables()
WHERE database_name = current_database() AND schema_name = '{SCHEMA}' AND '{SCHEMA}.' || table_name = $name"""


def open_book(session: Session, name: str, columns: str, also: Collection[str] = ()) -> None:
    """Have the table ``name`` of our own schema, and the schemas ``also``.

    Before the transaction that writes it, in which runs at once would get into each other's way; each statement by
    itself, so that one whose owner is lost is carried out again.
    """
    if session.query(_THERE, {"name": name}).num_rows:
        return
    statements = [f"CREATE SCHEMA IF NOT EXISTS {schema}" for schema in (*also, SCHEMA)]
    for statement in (*statements, f"CREATE TABLE IF NOT EXISTS {name} ({columns})"):
        try:
            session.execute(statement)
        except SqlError as error:
            if error.kind not in {"Transaction", "Conflict"}:  # another run has made it just now
                raise
            session.execute(statement)
