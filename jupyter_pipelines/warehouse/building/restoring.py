"""What a backfill has overwritten, brought back from the backups that it has left."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from jupyter_pipelines.errors import RequestError, SqlError
from jupyter_pipelines.notebook.table_names import quoted, read_table_name
from jupyter_pipelines.warehouse.building.backups import BOOK, EVERYTHING, VIEW, remove
from jupyter_pipelines.warehouse.building.work import columns_of, kind_of, rows
from jupyter_pipelines.warehouse.own_schemas import BACKUPS

if TYPE_CHECKING:
    from jupyter_pipelines.warehouse.session import Session

_PART: Final = r'(?:"(?:[^"]|"")+"|[^\s".(]+)'
_CREATE_VIEW: Final = re.compile(rf"\s*CREATE\s+VIEW\s+{_PART}(?:\.{_PART})*", re.IGNORECASE)


def restore(session: Session, backfill: str, table: str = "") -> tuple[str, ...]:
    """Bring back what ``backfill`` (its id, or a run's of it) has overwritten: of ``table``, or of all it has built.

    Gives the tables as SQL names them. In one transaction; once it is done, the backups are gone. Raises
    :class:`RequestError` when nothing is kept, and :class:`SqlError` when rows are to go back into a table that has
    other columns by now.
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
            _bring_back(session, one)
            remove(session, one["backup"])
    return tuple(sorted({one["target"] for one in found}))


def _bring_back(session: Session, one: Mapping[str, Any]) -> None:
    target, kept = str(one["target"]), f"{BACKUPS}.{quoted(one['backup'])}"
    name = read_table_name(target)
    assert name is not None
    kind, overwritten = kind_of(session, name), one["overwritten"]
    is_other = overwritten == VIEW or (
        overwritten == EVERYTHING and (kind != "table" or columns_of(session, target) != columns_of(session, kept))
    )
    if is_other and kind:
        session.execute(f"DROP {kind} {target}")
    if overwritten == VIEW:
        definition = str(rows(session, f"FROM {kept}")[0][0])
        session.execute(_CREATE_VIEW.sub(lambda _: f"CREATE VIEW {target}", definition, count=1))
    elif is_other:
        session.execute(f"CREATE TABLE {target} AS FROM {kept}")
    else:
        session.execute(f"DELETE FROM {target} WHERE {overwritten}")
        session.execute(f"INSERT INTO {target} BY NAME SELECT * FROM {kept}")
