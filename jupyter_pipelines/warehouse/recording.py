"""What was built and checked, put on record: with the run, where a step does it, and in the warehouse itself.

The warehouse's own book (schema ``_jupyter_pipelines``) has it from notebooks that nobody runs as a pipeline, too: the
browser tells from it who built a table and when, and a drift what a number used to be.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from jupyter_pipelines.errors import PipelinesError, SqlError
from jupyter_pipelines.warehouse.own_schemas import SCHEMA
from jupyter_pipelines.warehouse.run_notes import run_of_this_kernel, tell_run

if TYPE_CHECKING:
    from jupyter_pipelines.warehouse.building.model import BuildResult
    from jupyter_pipelines.warehouse.checks.model import CheckReport
    from jupyter_pipelines.warehouse.session import Session

_MOST_EARLIER: Final = 10
_BOOK: Final = f"""
CREATE SCHEMA IF NOT EXISTS {SCHEMA};
CREATE TABLE IF NOT EXISTS {SCHEMA}.builds (
  built_at TIMESTAMPTZ, run VARCHAR, notebook VARCHAR, step VARCHAR, table_name VARCHAR, materialize VARCHAR,
  "rows" BIGINT, added BIGINT, changed BIGINT, removed BIGINT, seconds DOUBLE
);
CREATE TABLE IF NOT EXISTS {SCHEMA}.checks (
  checked_at TIMESTAMPTZ, run VARCHAR, notebook VARCHAR, step VARCHAR, table_name VARCHAR, name VARCHAR,
  status VARCHAR, violations BIGINT, "rows" BIGINT, value DOUBLE
);
"""
_BUILT: Final = f"""INSERT INTO {SCHEMA}.builds VALUES (
  $now, $run, $notebook, $step, $table, $materialize, $rows, $added, $changed, $removed, $seconds)"""
_CHECKED: Final = f"""INSERT INTO {SCHEMA}.checks VALUES (
  $now, $run, $notebook, $step, $table, $name, $status, $violations, $rows, $value)"""
MOST_BY_HAND: Final = 1_000  # notes of one table, or of one check, that no run has made
_FORGOTTEN: Final = {  # how the notes of each table are grouped, their time, and how many of a group stay
    "builds": ("table_name", "built_at", 1),
    "checks": ("table_name, name", "checked_at", _MOST_EARLIER),
    "appends": ("table_name", "noted", 0),
}
_EARLIER: Final = f"""SELECT name, value FROM {SCHEMA}.checks
WHERE table_name = $table AND value IS NOT NULL AND status <> 'failed'
QUALIFY row_number() OVER (PARTITION BY name ORDER BY checked_at DESC) <= {_MOST_EARLIER}
ORDER BY checked_at"""

_LAST: Final = f"SELECT run FROM {SCHEMA}.builds WHERE table_name = $table ORDER BY built_at DESC LIMIT 1"


def record_build(session: Session, result: BuildResult) -> None:
    """Note down that a table was built. Never raises: it is built, whether that can be noted or not."""
    tell_run("tables", [result])
    _write(session, "builds", _BUILT, [asdict(result)])


def record_checks(session: Session, report: CheckReport) -> None:
    """Note down how checks came out. Never raises."""
    tell_run("checks", report.results)
    _write(session, "checks", _CHECKED, [asdict(one) for one in report.results])


def earlier_values(session: Session, table: str) -> dict[str, Sequence[float]]:
    """The last numbers of each check of ``table`` that passed, oldest first, by the name of the check."""
    found: dict[str, list[float]] = {}
    try:
        for row in session.query(_EARLIER, {"table": table}).to_pylist():
            found.setdefault(row["name"], []).append(row["value"])
    except SqlError:  # nothing was checked yet
        return {}
    return dict(found)


def last_build(session: Session, table: str) -> str | None:
    """The id of the run that has built ``table`` last, "" for one by hand; ``None`` when nothing is noted of it."""
    try:
        found = session.query(_LAST, {"table": table}).to_pylist()
    except SqlError:  # nothing was built yet
        return None
    return str(found[0]["run"] or "") if found else None


def forget_runs(session: Session, runs: Collection[str]) -> int:
    """Forget what these runs have built, checked and appended; returns how many notes that were.

    The last build of each table stays, and so do the numbers that drifts are held against; of what was done by hand the
    last ``MOST_BY_HAND`` of each. Raises :class:`SqlError`, :class:`WarehouseError`.
    """
    names = "SELECT table_name FROM duckdb_tables() WHERE schema_name = $schema AND database_name = current_database()"
    there = set(session.query(names, {"schema": SCHEMA})["table_name"].to_pylist())
    given, forgotten = {"runs": sorted(runs)}, 0
    with session.transaction([f"{SCHEMA}.{table}" for table in _FORGOTTEN]):
        for table, (key, moment, kept) in _FORGOTTEN.items():
            if table not in there:
                continue
            of, newest = f"{SCHEMA}.{table}", f"row_number() OVER (PARTITION BY {key} ORDER BY {moment} DESC)"
            forgotten += session.execute(
                f"DELETE FROM {of} WHERE run IN (SELECT unnest($runs::VARCHAR[])) AND rowid NOT IN ("
                f"SELECT rowid FROM {of} QUALIFY {newest} <= {kept})",
                given,
            )
            forgotten += session.execute(
                f"DELETE FROM {of} WHERE run = '' AND rowid NOT IN (SELECT rowid FROM {of} WHERE run = '' "
                f"QUALIFY {newest} <= {MOST_BY_HAND})"
            )
    return forgotten


def _open_book(session: Session) -> None:
    """By several at once the first time, of whom one wins."""
    with suppress(SqlError):
        session.execute(_BOOK)


def _write(session: Session, table: str, sql: str, notes: Sequence[dict[str, Any]]) -> None:
    about = run_of_this_kernel()
    known = {"now": datetime.now(UTC), **{name: about.get(name, "") for name in ("run", "notebook", "step")}}
    try:
        for attempt in range(3):
            try:
                with session.transaction([f"{SCHEMA}.{table}"]):
                    for note in notes:
                        session.execute(sql, {**known, **note})
                return
            except SqlError as error:
                if attempt == 2 or error.kind not in {"Catalog", "Transaction"}:
                    raise
                _open_book(session)
    except PipelinesError as error:
        print(f"what was done is not in the warehouse's book: {error.message}", file=sys.stderr)
