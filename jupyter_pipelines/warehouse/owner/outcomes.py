"""Which transactions were committed, and which tables they wrote: each leaves that in a table, as part of itself.

Who loses the owner while it commits asks the next one whether the id is there. It is exactly if the transaction was
committed, so that the outcome is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from jupyter_pipelines.notebook.table_names import TableName, read_table_name
from jupyter_pipelines.warehouse.own_schemas import SCHEMA

if TYPE_CHECKING:
    from jupyter_pipelines.warehouse.session import Session

_TRANSACTIONS: Final = f"{SCHEMA}.transactions"
_CHANGES: Final = f"{SCHEMA}.changes"
KEPT: Final = 86_400.0  # seconds: far longer than anybody waits for an owner


def prepare(connection: Any) -> None:
    """Make the tables where they are missing."""
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {_TRANSACTIONS} (id VARCHAR NOT NULL, statement INTEGER NOT NULL,"
        " counted BIGINT NOT NULL, tables VARCHAR[] NOT NULL, noted DOUBLE NOT NULL)"
    )
    connection.execute(f"CREATE TABLE IF NOT EXISTS {_CHANGES} (name VARCHAR NOT NULL, noted DOUBLE NOT NULL)")


def note(
    connection: Any, transaction: str, tables: Iterable[TableName] = (), *, statement: int = 0, counted: int = 0
) -> None:
    """Leave a transaction's id, as part of it. ``statement``: which one of a text that was no transaction."""
    connection.execute(
        f"INSERT INTO {_TRANSACTIONS} VALUES ($id, $statement, $counted, $tables, epoch(now()))",
        {
            "id": transaction,
            "statement": statement,
            "counted": counted,
            "tables": sorted(str(TableName(*table.key[1:])) for table in tables if not table.catalog),
        },
    )


def committed(connection: Any, transaction: str) -> list[tuple[int, int]]:
    """What was committed under an id: the number of each statement, and the rows it counted."""
    found = connection.execute(
        f"SELECT statement, counted FROM {_TRANSACTIONS} WHERE id = $id ORDER BY statement", {"id": transaction}
    )
    return [(int(statement), int(counted)) for statement, counted in found.fetchall()]


def changed_tables(session: Session) -> dict[TableName, float]:
    """When each table was last written, in seconds since the epoch."""
    found = session.query(f"SELECT name, max(noted) AS noted FROM ({_ALL_CHANGES}) GROUP BY name")
    names = [(read_table_name(row["name"]), row["noted"]) for row in found.to_pylist()]
    return {name: noted for name, noted in names if name is not None}


def forget_old(connection: Any) -> None:
    """Forget ids that nobody asks for any more, and those that seem to be of a later day: the clock was set back.

    Not to be done by an owner that has just begun: somebody may be about to ask it.
    """
    old = f"FROM {_TRANSACTIONS} WHERE abs(noted - epoch(now())) > {KEPT}"
    if connection.execute(f"SELECT 1 {old} LIMIT 1").fetchone() is None:
        return
    connection.execute("BEGIN")
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE kept_changes AS SELECT name, max(noted) FROM ({_ALL_CHANGES}) GROUP BY name"
    )
    connection.execute(f"DELETE FROM {_CHANGES}")
    connection.execute(f"INSERT INTO {_CHANGES} FROM kept_changes")
    connection.execute(f"DELETE {old}")
    connection.execute("COMMIT")


_ALL_CHANGES: Final = f"FROM {_CHANGES} UNION ALL SELECT unnest(tables), noted FROM {_TRANSACTIONS}"
