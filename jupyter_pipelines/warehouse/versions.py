"""The versions that a lake keeps: each is what all tables held after one commit, and can be read as long as it is kept.

>>> jp.warehouse().sql("from mart.daily at (version => 12)")
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from jupyter_pipelines.errors import SqlError
from jupyter_pipelines.notebook.table_names import read_table_name
from jupyter_pipelines.warehouse.databases.lake import NAME
from jupyter_pipelines.warehouse.own_schemas import OWN_SCHEMAS, SCHEMA

if TYPE_CHECKING:
    from jupyter_pipelines.warehouse.session import Session

_ALL: Final = f"""
    SELECT snapshot_id AS number, epoch(snapshot_time) AS made, author, commit_extra_info AS told
    FROM {NAME}.snapshots() ORDER BY snapshot_id DESC
"""
_RUNS: Final = f"SELECT run FROM {SCHEMA}.builds UNION SELECT run FROM {SCHEMA}.checks"


@dataclass(frozen=True)
class Version:
    """One version of a lake: what the commit ``number`` has left.

    ``made`` is when that was, in seconds since the epoch; ``author`` who was logged in. ``tables`` are those that it
    wrote, ``run``, ``notebook`` and ``step`` what it was done for, empty for what no run has done.
    """

    number: int
    made: float
    author: str = ""
    tables: tuple[str, ...] = ()
    run: str = ""
    notebook: str = ""
    step: str = ""

    @property
    def is_own(self) -> bool:
        """Whether only the warehouse's own book was written."""
        return all(_is_own(table) for table in self.tables)


def list_versions(session: Session) -> tuple[Version, ...]:
    """All versions of a lake, the last one first."""
    return tuple(
        Version(row["number"], row["made"], row["author"] or "", **_told(row["told"]))
        for row in session.query(_ALL).to_pylist()
    )


def expirable(session: Session, before: float, pinned: Collection[int]) -> tuple[int, ...]:
    """The versions made before a time that nobody needs: not those in ``pinned``, nor what runs on record have made.

    Runs of other homes are on record, too, in the warehouse's own book. The last version always stays.
    """
    versions = list_versions(session)
    try:
        runs = set(session.query(_RUNS)["run"].to_pylist())
    except SqlError:  # nothing was built yet
        runs = set()
    last = max((version.number for version in versions), default=0)
    kept = {last, *pinned}
    return tuple(
        one.number
        for one in versions
        if one.made < before and one.number not in kept and not (one.run and one.run in runs)
    )


def _told(text: str | None) -> dict[str, Any]:
    """What the commit says of itself; nothing where another program has made it."""
    try:
        told = json.loads(text or "{}")
        return {"tables": tuple(told["tables"]), **{name: str(told[name]) for name in ("run", "notebook", "step")}}
    except (ValueError, LookupError, TypeError):
        return {}


def _is_own(table: str) -> bool:
    name = read_table_name(table.removesuffix(".*"))
    return name is not None and (name.schema or name.table) in OWN_SCHEMAS
