"""What a backfill overwrites is kept beside, in the transaction that overwrites it, and can be brought back.

Of a window its rows are kept, of keys those rows that are about to change, of a table that is made anew all of it, and
of a view its definition, once for each backfill. They are in the schema ``_backup``; the warehouse's book says where
each belongs. :mod:`.restoring` brings them back.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jupyter_pipelines.notebook.table_names import MAIN, quoted, read_table_name
from jupyter_pipelines.warehouse.books import open_book
from jupyter_pipelines.warehouse.own_schemas import BACKUPS, SCHEMA

if TYPE_CHECKING:
    from jupyter_pipelines.warehouse.session import Session

BOOK: Final = f"{SCHEMA}.backups"
MOST_KEPT: Final = 400  # of one table; older ones go
_COLUMNS: Final = """
  number BIGINT, taken_at TIMESTAMPTZ, backfill VARCHAR, run VARCHAR, target VARCHAR, backup VARCHAR,
  overwritten VARCHAR
"""
EVERYTHING: Final = "true"
VIEW: Final = "view"
_DEFINITION: Final = """SELECT sql FROM duckdb_views() WHERE database_name = coalesce($catalog, current_database())
AND lower(schema_name) = lower($schema) AND lower(view_name) = lower($name)"""


@dataclass(frozen=True)
class Backup:
    """For whom something is kept: a run of a backfill."""

    backfill: str
    run: str


def open_backups(session: Session) -> None:
    """Have a place for backups."""
    open_book(session, BOOK, _COLUMNS, also=(BACKUPS,))


def take(session: Session, backup: Backup, target: str, overwritten: str, keys: str = "") -> None:
    """Keep the rows of ``target`` for which ``overwritten`` holds, a condition in SQL without parameters.

    With ``keys``, a query of keys, ``overwritten`` may name their copy as ``{keys}``. Of a view, which ``overwritten``
    says it is, the definition is kept.
    """
    if overwritten in {EVERYTHING, VIEW} and _has_all(session, backup, target):
        return
    name = uuid.uuid4().hex
    kept = f"{BACKUPS}.{quoted(name)}"
    if overwritten == VIEW:
        table = read_table_name(target)
        assert table is not None
        asked = {"catalog": table.catalog or None, "schema": table.schema or MAIN, "name": table.table}
        session.execute(f"CREATE TABLE {kept} (sql VARCHAR)")
        session.execute(f"INSERT INTO {kept} {_DEFINITION}", asked)
    elif keys:
        copy = f"{BACKUPS}.{quoted(f'{name} keys')}"
        session.execute(f"CREATE TABLE {copy} AS {keys}")
        overwritten = overwritten.replace("{keys}", copy)
    if overwritten != VIEW:
        session.execute(f"CREATE TABLE {kept} AS SELECT * FROM {target} WHERE {overwritten}")
    session.execute(
        f"INSERT INTO {BOOK} SELECT coalesce(max(number), 0) + 1, now(), $backfill, $run, $target, $name, "
        f"$overwritten FROM {BOOK}",
        {"backfill": backup.backfill, "run": backup.run, "target": target, "name": name, "overwritten": overwritten},
    )
    _remove_old(session, target)


def _has_all(session: Session, backup: Backup, target: str) -> bool:
    """Whether the table as it was before the backfill is kept already."""
    sql = f"SELECT 1 FROM {BOOK} WHERE backfill = $backfill AND target = $target "
    sql += f"AND overwritten IN ('{EVERYTHING}', '{VIEW}')"
    return bool(session.query(sql, {"backfill": backup.backfill, "target": target}).num_rows)


def _remove_old(session: Session, target: str) -> None:
    sql = f"SELECT backup FROM {BOOK} WHERE target = $target ORDER BY number DESC OFFSET {MOST_KEPT}"
    for name in session.query(sql, {"target": target})["backup"].to_pylist():
        remove(session, name)


def remove(session: Session, name: str) -> None:
    """Forget the backup of that name."""
    session.execute(f"DROP TABLE IF EXISTS {BACKUPS}.{quoted(f'{name} keys')}")
    session.execute(f"DROP TABLE IF EXISTS {BACKUPS}.{quoted(name)}")
    session.execute(f"DELETE FROM {BOOK} WHERE backup = $name", {"name": name})
