"""What a backfill overwrites is kept beside, in the transaction that overwrites it, and can be brought back.

Of a window its rows are kept, of keys those rows that are about to change, of a table that is made anew all of it, once
for each backfill. They are in the schema ``_backup``; the warehouse's book says which rows each takes the place of.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jupyter_pipelines.errors import RequestError, SqlError
from jupyter_pipelines.notebook.table_names import quoted
from jupyter_pipelines.warehouse.own_schemas import BACKUPS, SCHEMA

if TYPE_CHECKING:
    from jupyter_pipelines.warehouse.session import Session

BOOK: Final = f"{SCHEMA}.backups"
MOST_KEPT: Final = 400  # of one table; older ones go
_OPEN: Final = f"""
CREATE SCHEMA IF NOT EXISTS {BACKUPS};
CREATE SCHEMA IF NOT EXISTS {SCHEMA};
CREATE TABLE IF NOT EXISTS {BOOK} (
  number BIGINT, taken_at TIMESTAMPTZ, backfill VARCHAR, run VARCHAR, target VARCHAR, backup VARCHAR,
  overwritten VARCHAR
);
"""
EVERYTHING: Final = "true"


@dataclass(frozen=True)
class Backup:
    """For whom something is kept: a run of a backfill."""

    backfill: str
    run: str


def open_backups(session: Session) -> None:
    """Have a place for backups: before the transaction, in which runs at once would get into each other's way."""
    try:
        session.execute(_OPEN)
    except SqlError as error:
        if error.kind != "Transaction":  # another run has made it just now
            raise
        session.execute(_OPEN)


def take(session: Session, backup: Backup, target: str, overwritten: str, keys: str = "") -> None:
    """Keep the rows of ``target`` for which ``overwritten`` holds, a condition in SQL without parameters.

    With ``keys``, a query of keys, ``overwritten`` may name their copy as ``{keys}``.
    """
    if overwritten == EVERYTHING and _has_all(session, backup, target):
        return
    name = uuid.uuid4().hex
    kept = f"{BACKUPS}.{quoted(name)}"
    if keys:
        copy = f"{BACKUPS}.{quoted(f'{name} keys')}"
        session.execute(f"CREATE TABLE {copy} AS {keys}")
        overwritten = overwritten.replace("{keys}", copy)
    session.execute(f"CREATE TABLE {kept} AS SELECT * FROM {target} WHERE {overwritten}")
    session.execute(
        f"INSERT INTO {BOOK} SELECT coalesce(max(number), 0) + 1, now(), $backfill, $run, $target, $name, "
        f"$overwritten FROM {BOOK}",
        {"backfill": backup.backfill, "run": backup.run, "target": target, "name": name, "overwritten": overwritten},
    )
    _remove_old(session, target)


def restore(session: Session, backfill: str, table: str = "") -> tuple[str, ...]:
    """Bring back what ``backfill`` (its id, or a run's of it) has overwritten: of ``table``, or of all it has built.

    Gives the tables as SQL names them. In one transaction; once it is done, the backups are gone. Raises
    :class:`RequestError` when nothing is kept, and :class:`SqlError` when a table has other columns by now.
    """
    asked = {"id": backfill, "table": table.casefold().replace('"', "")}
    with session.transaction():
        try:
            found = session.query(
                f"SELECT * FROM {BOOK} "
                "WHERE (backfill = $id OR run = $id OR (length($id) >= 8 AND starts_with(run, $id))) "
                "AND ($table = '' OR lower(replace(target, '\"', '')) = $table) ORDER BY number DESC",
                asked,
            ).to_pylist()
        except SqlError:
            found = []
        if not found:
            raise RequestError(f"No backup is kept of what {backfill} has overwritten.", "Give the id of a backfill.")
        for one in found:
            session.execute(f"DELETE FROM {one['target']} WHERE {one['overwritten']}")
            session.execute(f"INSERT INTO {one['target']} BY NAME SELECT * FROM {BACKUPS}.{quoted(one['backup'])}")
            _remove(session, one["backup"])
    return tuple(sorted({one["target"] for one in found}))


def _has_all(session: Session, backup: Backup, target: str) -> bool:
    """Whether the table as it was before the backfill is kept already."""
    sql = f"SELECT 1 FROM {BOOK} WHERE backfill = $backfill AND target = $target AND overwritten = '{EVERYTHING}'"
    return bool(session.query(sql, {"backfill": backup.backfill, "target": target}).num_rows)


def _remove_old(session: Session, target: str) -> None:
    sql = f"SELECT backup FROM {BOOK} WHERE target = $target ORDER BY number DESC OFFSET {MOST_KEPT}"
    for name in session.query(sql, {"target": target})["backup"].to_pylist():
        _remove(session, name)


def _remove(session: Session, name: str) -> None:
    session.execute(f"DROP TABLE IF EXISTS {BACKUPS}.{quoted(f'{name} keys')}")
    session.execute(f"DROP TABLE IF EXISTS {BACKUPS}.{quoted(name)}")
    session.execute(f"DELETE FROM {BOOK} WHERE backup = $name", {"name": name})
