"""Numbers that runs left, and where they are in the index: metrics of steps, rows of their frames, durations.

The index has a row for each step of a run that has ended, and one for each number, so that a trend over a year is read
without opening a record. Both are made of the record alone, and go with its row.
"""

from __future__ import annotations

import json
import math
import re
import sqlite3
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

SCHEMA: Final = """
CREATE TABLE steps (
  run INTEGER NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, seconds REAL, PRIMARY KEY (run, name)
) WITHOUT ROWID;
CREATE TABLE metrics (
  run INTEGER NOT NULL, name TEXT NOT NULL, step TEXT NOT NULL, value REAL, PRIMARY KEY (run, name, step)
) WITHOUT ROWID;
CREATE TRIGGER gone AFTER DELETE ON runs
BEGIN DELETE FROM steps WHERE run = old.rowid; DELETE FROM metrics WHERE run = old.rowid; END;
"""
MOST_NUMBERS: Final = 1_000  # of one run
_ROWS = re.compile(r"([\d,]+) rows?\b")

_RUN = "SELECT runs.id, runs.state, runs.moment"
_TRENDS: Final = {
    "run": f"{_RUN}, runs.ended - runs.moment, '' FROM runs WHERE runs.ended > 0",
    "step": f"{_RUN}, steps.seconds, steps.name FROM runs "
    "JOIN steps ON steps.run = runs.rowid AND steps.name = :step WHERE steps.seconds IS NOT NULL",
    "metric": f"{_RUN}, metrics.value, metrics.step FROM runs "
    "JOIN metrics ON metrics.run = runs.rowid AND metrics.name = :name WHERE metrics.value IS NOT NULL",
}


class Point(NamedTuple):
    """A number that a run left. ``moment`` is when the run started, in seconds since the epoch."""

    run: str
    state: str
    moment: float
    value: float
    step: str


def put(connection: sqlite3.Connection, run: str, record: Mapping[str, object]) -> None:
    """Have the index say what ``record`` says of its steps; ``run`` is in it already."""
    row = connection.execute("SELECT rowid FROM runs WHERE id = ?", (run,)).fetchone()[0]
    connection.execute("DELETE FROM steps WHERE run = ?", (row,))
    connection.execute("DELETE FROM metrics WHERE run = ?", (row,))
    put_rows(connection, row, record)


def put_rows(connection: sqlite3.Connection, row: int, record: Mapping[str, object]) -> None:
    """The same for a run of which the index says nothing yet."""
    steps = list(_steps(record))
    lasted = ((row, name, str(step.get("state", "")), _seconds(step)) for name, step in steps)
    connection.executemany("INSERT OR REPLACE INTO steps VALUES (?, ?, ?, ?)", lasted)
    numbers = [(row, name, step, value) for step, found in steps for name, value in numbers_of(found).items()]
    connection.executemany("INSERT OR REPLACE INTO metrics VALUES (?, ?, ?, ?)", numbers[:MOST_NUMBERS])


def numbers_of(step: Mapping[str, object]) -> dict[str, float | None]:
    """The numbers that a step has left: its metrics, how many rows its frames had (``trips.rows``), and checks.

    A check (``mart.orders: id: unique``) has as its number the violations, or the number it looked at.
    """
    found: dict[str, float | None] = {}
    outputs = step.get("outputs")
    for output in outputs if isinstance(outputs, list | tuple) else ():
        rows = _ROWS.match(str(output.get("summary", ""))) if isinstance(output, Mapping) else None
        if rows is not None:
            found[_text(f"{output.get('name')}.rows")] = float(rows[1].replace(",", ""))
    checks = step.get("checks")
    for check in checks if isinstance(checks, list | tuple) else ():
        if isinstance(check, Mapping):
            number = check.get("violations") if check.get("value") is None else check.get("value")
            if isinstance(number, int | float) and math.isfinite(number):
                found[_text(f"{check.get('table')}: {check.get('name')}")] = float(number)
    metrics = step.get("metrics")
    for name, value in metrics.items() if isinstance(metrics, Mapping) else ():
        found[_text(name)] = float(value) if isinstance(value, int | float) and math.isfinite(value) else None
    return found


def trend(
    connection: sqlite3.Connection, pipeline: str, name: str, since: float | None, until: float | None
) -> Iterator[Point]:
    """What ``name`` was in the runs of ``pipeline`` that have ended, oldest first.

    It is ``duration`` (seconds of the run), ``STEP.duration``, a metric, or ``STEP.METRIC``.
    """
    step, _, rest = name.rpartition(".")
    kind = "run" if name == "duration" else "step" if rest == "duration" and step else "metric"
    query = f"{_TRENDS[kind]} AND runs.pipeline = :pipeline AND runs.number IS NOT NULL"
    asked = {"pipeline": pipeline, "name": name, "step": step, "since": since, "until": until}
    query += " AND runs.moment >= :since" if since is not None else ""
    query += " AND runs.moment < :until" if until is not None else ""
    found = _points(connection, query, asked)
    if kind != "metric" or not step:
        return found
    whole = list(found)
    return iter(whole) if whole else _points(connection, f"{query} AND metrics.step = :step", asked | {"name": rest})


def of_runs(connection: sqlite3.Connection, rows: Sequence[int]) -> dict[int, dict[str, float]]:
    """All numbers of these runs, by row and name; of several steps that left one of a name, the last by its own counts.

    Runs without numbers are not among them.
    """
    query = """
    SELECT run, name, value FROM metrics WHERE run IN (SELECT atom FROM json_each(?)) AND value IS NOT NULL
    ORDER BY run, name, step
    """
    found: dict[int, dict[str, float]] = {}
    for run, name, value in connection.execute(query, (json.dumps(rows),)):
        found.setdefault(run, {})[name] = value
    return found


def names(connection: sqlite3.Connection, pipeline: str) -> list[str]:
    """The metrics of the last runs of ``pipeline``."""
    last = "SELECT rowid FROM runs WHERE pipeline = ? AND number IS NOT NULL ORDER BY moment DESC LIMIT 20"
    query = f"SELECT DISTINCT name FROM metrics WHERE run IN ({last}) ORDER BY name"
    return [str(row[0]) for row in connection.execute(query, (pipeline,))]


def usual_seconds(connection: sqlite3.Connection, pipeline: str) -> dict[str, float]:
    """The median of how long each step took in the last runs that it completed in."""
    last = "SELECT rowid FROM runs WHERE pipeline = ? AND number IS NOT NULL ORDER BY moment DESC LIMIT 20"
    query = f"SELECT name, seconds FROM steps WHERE run IN ({last}) AND state = 'completed' AND seconds IS NOT NULL"
    found: dict[str, list[float]] = {}
    for name, seconds in connection.execute(query, (pipeline,)):
        found.setdefault(name, []).append(seconds)
    return {name: statistics.median(several) for name, several in found.items()}


def _points(connection: sqlite3.Connection, query: str, asked: Mapping[str, object]) -> Iterator[Point]:
    for row in connection.execute(f"{query} ORDER BY runs.moment, runs.rowid", asked):
        yield Point(*row)


def parameters_text(record: Mapping[str, object]) -> str:
    """The parameters of a run as JSON for the index."""
    found = record.get("parameters")
    try:
        return json.dumps(found if isinstance(found, Mapping) else {}, allow_nan=False)
    except (ValueError, TypeError, RecursionError):  # not-a-numbers: SQLite would not read them
        return "{}"


def _steps(record: Mapping[str, object]) -> Iterator[tuple[str, Mapping[str, object]]]:
    steps = record.get("steps")
    for step in steps if isinstance(steps, list | tuple) else ():
        if isinstance(step, Mapping) and isinstance(step.get("name"), str):
            yield _text(step["name"]), step


def _seconds(step: Mapping[str, object]) -> float | None:
    started, ended = step.get("started"), step.get("ended")
    if step.get("state") == "reused" or not (isinstance(started, int | float) and isinstance(ended, int | float)):
        return None
    return float(ended) - float(started) if started and ended else None


def _text(value: object) -> str:
    return str(value).encode("utf-8", "replace").decode()
