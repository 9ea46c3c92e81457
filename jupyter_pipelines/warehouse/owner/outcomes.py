"""Which transactions were committed: each leaves its id in a table, in the same transaction.

Who loses the owner while it commits asks the next one whether the id is there. It is exactly if the transaction was
committed, so that the outcome is known.
"""

from __future__ import annotations

from typing import Any, Final

SCHEMA: Final = "_pipelines"
"""Of what we keep for ourselves in a warehouse: hidden from those who browse it."""
_TABLE: Final = f"{SCHEMA}.transactions"
KEPT: Final = 86_400.0  # seconds: far longer than anybody waits for an owner


def prepare(connection: Any) -> None:
    """Make the table where it is missing."""
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {_TABLE}"
        " (id VARCHAR NOT NULL, statement INTEGER NOT NULL, counted BIGINT NOT NULL, noted DOUBLE NOT NULL)"
    )


def forget_old(connection: Any) -> None:
    """Forget what nobody asks for any more, and what seems to come from a future day: the clock was set back.

    Not to be done by an owner that has just begun: somebody may be about to ask it.
    """
    connection.execute(f"DELETE FROM {_TABLE} WHERE abs(noted - epoch(now())) > {KEPT}")


def note(connection: Any, transaction: str, statement: int = 0, counted: int = 0) -> None:
    """Leave a transaction's id, as part of it. ``statement``: which one of a text that was no transaction."""
    connection.execute(
        f"INSERT INTO {_TABLE} VALUES ($id, $statement, $counted, epoch(now()))",
        {"id": transaction, "statement": statement, "counted": counted},
    )


def committed(connection: Any, transaction: str) -> list[tuple[int, int]]:
    """What was committed under an id: the number of each statement, and the rows it counted."""
    found = connection.execute(
        f"SELECT statement, counted FROM {_TABLE} WHERE id = $id ORDER BY statement", {"id": transaction}
    )
    return [(int(statement), int(counted)) for statement, counted in found.fetchall()]
