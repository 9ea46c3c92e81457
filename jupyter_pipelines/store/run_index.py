"""The index of runs: an SQLite file beside their records, so that among 150,000 of them a few are found at once.

It is derived: ``runs/RUN/run.json`` is the truth, and an index that is missing, damaged or of another version is made
anew from the records. Whoever saves a record leaves a mark in ``index/changed`` first and takes it away once the index
has the change; who asks looks at the marks that were left, by a kill or because the index could not be written, so
that no run is missing for long. Saving a record never fails, nor waits long, on account of the index.

Each end of a run gets a number, greater than all before: who remembers the last one it has seen is told of all later
ends, in order. After the index was made anew the ends of the last seconds may be told once more, but none is left out.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from jupyter_pipelines.store import run_numbers
from jupyter_pipelines.store.files import make_folder
from jupyter_pipelines.store.run_numbers import Point, parameters_text
from jupyter_pipelines.store.run_questions import FILTERS, Question

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # checked where it is used

logger = logging.getLogger(__name__)

T = TypeVar("T")

VERSION: Final = 3
BUSY_SAVING: Final = 0.5  # seconds that saving a record waits for others that write the index
BUSY_ASKING: Final = 10.0
SETTLED: Final = 10.0  # seconds after which a mark was left by somebody who will not come back
TOLD_AGAIN: Final = 5_000_000_000  # nanoseconds; see the module's text
GOING_ON: Final = ("pending", "running")
_BROKEN: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_SCHEMA}

_SCHEMA = """
CREATE TABLE runs (
  id TEXT NOT NULL UNIQUE,
  pipeline TEXT NOT NULL, notebook TEXT NOT NULL, state TEXT NOT NULL,
  schedule TEXT NOT NULL, backfill TEXT NOT NULL, parent TEXT NOT NULL,
  resumed_from TEXT NOT NULL,
  moment REAL NOT NULL,  -- when it started, or was asked for; seconds since the epoch
  ended REAL NOT NULL,
  parameters TEXT NOT NULL,  -- JSON
  number INTEGER         -- of its end
);
CREATE INDEX by_moment ON runs (moment, state);
CREATE INDEX by_pipeline ON runs (pipeline, moment, state);
CREATE INDEX by_notebook ON runs (notebook, moment, state);
CREATE INDEX by_state ON runs (state, moment);
CREATE INDEX by_schedule ON runs (schedule, moment, state) WHERE schedule <> '';
CREATE INDEX by_backfill ON runs (backfill, moment, state) WHERE backfill <> '';
CREATE INDEX by_parent ON runs (parent, moment, state) WHERE parent <> '';
CREATE UNIQUE INDEX by_number ON runs (number) WHERE number IS NOT NULL;
CREATE INDEX going_on ON runs (id) WHERE number IS NULL;
CREATE TABLE facts (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
"""
_SCHEMA += run_numbers.SCHEMA.lstrip()
_COLUMNS: Final = (*FILTERS, "resumed_from", "moment", "ended", "parameters", "number")
_PUT: Final = f"""
INSERT INTO runs (id, {", ".join(_COLUMNS)}) VALUES (?{", ?" * len(_COLUMNS)})
ON CONFLICT (id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)}
"""

_LAST: Final = """
SELECT id, state, moment, ended, notebook FROM runs WHERE pipeline = ? ORDER BY moment DESC, rowid DESC LIMIT ?
"""

_Row = tuple[str | float | int | None, ...]


class EndedRun(NamedTuple):
    """What cleaning goes by. ``ended`` is in seconds since the epoch."""

    id: str
    pipeline: str
    ended: float
    resumed_from: str


class IndexedRun(NamedTuple):
    """What the index itself says of a run: ``moment`` is when it started, or was asked for. Seconds since the epoch."""

    id: str
    state: str
    moment: float
    ended: float
    notebook: str


class RunRow(NamedTuple):
    """What the index says of a run without its record. ``parameters`` are JSON; times as for :class:`IndexedRun`."""

    id: str
    pipeline: str
    notebook: str
    state: str
    schedule: str
    backfill: str
    moment: float
    ended: float
    parameters: str
    numbers: Mapping[str, float]


class RunIndex:
    """The index of the runs whose records are in ``root``/runs. Several processes may use it at once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = root / "index"
        self._path = self._folder / "runs.db"
        self._changed = self._folder / "changed"

    @contextmanager
    def change(self, run: str, record: Mapping[str, object]) -> Iterator[None]:
        """Save ``record`` of ``run`` inside; then the index is told, or it will find out by itself."""
        mark = self._changed / f"{run}.{uuid.uuid4().hex[:8]}"
        with suppress(OSError):
            make_folder(self._changed)
            mark.touch(mode=0o600)
        yield
        try:
            with self._locked(wait=False) as free:
                if not free or not self._usable(create=self._is_first(run)):
                    return
                with closing(self._connect(BUSY_SAVING)) as connection, _transaction(connection):
                    _put(connection, run, record)
            mark.unlink(missing_ok=True)
        except (sqlite3.Error, OSError) as error:
            logger.debug("The index of runs at %s will learn of %s later: %s", self._path, run, error)

    def ask(
        self,
        filters: Mapping[str, str | Collection[str]],
        since: float | None = None,
        until: float | None = None,
        limit: int | None = None,
        folders: Collection[str] | None = None,
        after: str | None = None,
        by: Collection[str] | None = None,
        parameters: Mapping[str, object] | None = None,
    ) -> list[str]:
        """The ids of the newest runs that fit; see :class:`~jupyter_pipelines.store.run_questions.Question`."""
        question = Question(filters, since, until, folders, after, by, parameters or {})
        return self.ids(question, limit)

    def ids(self, question: Question, limit: int | None = None, skip: int = 0) -> list[str]:
        """The ids of the newest runs that fit, without the first ``skip`` of them."""
        where, values = question.where()
        query = f"SELECT id FROM runs WHERE {where} ORDER BY {question.order} LIMIT ? OFFSET ?"
        values += [-1 if limit is None else limit, skip]
        return self._do(lambda connection: [str(row[0]) for row in connection.execute(query, values)])

    def rows(self, question: Question, limit: int) -> list[RunRow]:
        """The newest runs that fit, with their numbers, newest first."""
        where, values = question.where()
        columns = ", ".join(RunRow._fields[:-1])
        query = f"SELECT {columns}, rowid FROM runs WHERE {where} ORDER BY {question.order} LIMIT ?"

        def look(connection: sqlite3.Connection) -> list[RunRow]:
            found = connection.execute(query, (*values, limit)).fetchall()
            numbers = run_numbers.of_runs(connection, [row[-1] for row in found])
            return [RunRow._make((*row[:-1], numbers.get(row[-1], {}))) for row in found]

        return self._do(look)

    def count(self, question: Question) -> int:
        """How many runs fit."""
        where, values = question.where()
        return self._do(
            lambda found: int(found.execute(f"SELECT count(*) FROM runs WHERE {where}", values).fetchone()[0])
        )

    def trend(self, pipeline: str, name: str, since: float | None = None, until: float | None = None) -> list[Point]:
        """What the number ``name`` was in the runs of ``pipeline``, oldest first."""
        return self._do(lambda connection: list(run_numbers.trend(connection, pipeline, name, since, until)))

    def names_of_numbers(self, pipeline: str) -> list[str]:
        """The numbers that the last runs of ``pipeline`` left."""
        return self._do(lambda connection: run_numbers.names(connection, pipeline))

    def usual_seconds(self, pipeline: str) -> dict[str, float]:
        """How long the steps of ``pipeline`` take, at the median of its last runs."""
        return self._do(lambda connection: run_numbers.usual_seconds(connection, pipeline))

    def last_of_each(self, number: int, pipelines: Collection[str] | None = None) -> dict[str, list[IndexedRun]]:
        """The last ``number`` runs of each of these pipelines, by default of all that have some; newest first."""

        def look(connection: sqlite3.Connection) -> dict[str, list[IndexedRun]]:
            names = _pipelines(connection) if pipelines is None else pipelines
            found = ((name, connection.execute(_LAST, (name, number))) for name in names)
            return {name: runs for name, rows in found if (runs := [IndexedRun(*row) for row in rows])}

        return self._do(look)

    def beginning_with(self, text: str, limit: int = 10) -> list[str]:
        """The ids of runs that begin with ``text``."""
        query = "SELECT id FROM runs WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"
        return self._do(
            lambda connection: [row[0] for row in connection.execute(query, (text, text + "\U0010ffff", limit))]
        )

    def ends_since(self, number: int) -> list[tuple[int, str]]:
        """The ends with greater numbers, in their order: number and run."""
        query = "SELECT number, id FROM runs WHERE number > ? ORDER BY number"
        return self._do(lambda connection: list(connection.execute(query, (number,))))

    def last_number(self) -> int:
        """The number of the last end; 0 when there was none."""
        return self._do(_last_number)

    def ended(self) -> list[EndedRun]:
        """All runs that have ended, newest first."""
        query = (
            "SELECT id, pipeline, ended, resumed_from FROM runs WHERE number IS NOT NULL "
            "ORDER BY moment DESC, rowid DESC"
        )
        return self._do(lambda connection: [EndedRun(*row) for row in connection.execute(query)])

    def resumed_now(self) -> set[str]:
        """The ids of the runs that those continue which go on."""
        query = "SELECT resumed_from FROM runs WHERE number IS NULL"
        return self._do(lambda connection: {row[0] for row in connection.execute(query)})

    def forget(self, runs: Iterable[str]) -> None:
        """Take runs out whose records are gone. What cannot be taken out now is found out when it is asked for."""
        gone = [(run,) for run in runs]
        if not gone:
            return

        def delete(connection: sqlite3.Connection) -> None:
            with _transaction(connection):
                connection.executemany("DELETE FROM runs WHERE id = ?", gone)

        try:
            self._do(delete)
        except (sqlite3.Error, OSError) as error:
            logger.debug("The index of runs at %s could not be told what is gone: %s", self._path, error)

    def compare(self) -> None:
        """Compare it with the folders of all runs, and put right what differs: what a power cut may have left."""
        self._do(self._sweep)

    # How it is kept ---------------------------------------------------------------------------------------------------

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do ``work`` on an index that knows all; where there can be none on disk, on one in memory."""
        try:
            for attempt in range(3):
                before = self._identity()
                try:
                    why = "it is missing, or of another version"
                    with self._locked():
                        if self._usable(create=False):
                            with closing(self._connect(BUSY_ASKING)) as connection:
                                self._catch_up(connection)
                                return work(connection)
                except sqlite3.DatabaseError as error:
                    if attempt == 2 or error.sqlite_errorcode & 0xFF not in _BROKEN:
                        raise
                    why = str(error)
                self._make_anew(before, why)
            raise sqlite3.DatabaseError("it does not stay as it is made")
        except (sqlite3.Error, OSError) as error:
            logger.warning("The index of runs at %s cannot be used, all records are read: %s", self._path, error)
            with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
                self._fill(connection)
                return work(connection)

    def _connect(self, patience: float) -> sqlite3.Connection:
        """A connection for one piece of work: none is kept, as processes here fork."""
        connection = sqlite3.connect(self._path, timeout=patience, isolation_level=None)
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    def _usable(self, *, create: bool) -> bool:
        """Whether there is an index of this version; an empty one is made when it is to be created."""
        if not self._path.exists():
            if create:
                _create(self._path)
            return create
        with closing(sqlite3.connect(self._path, timeout=BUSY_SAVING)) as connection:
            return int(connection.execute("PRAGMA user_version").fetchone()[0]) == VERSION

    def _is_first(self, run: str) -> bool:
        with suppress(OSError), os.scandir(self._root / "runs") as entries:
            return all(entry.name == run for entry in entries)
        return False

    def _identity(self) -> int:
        try:
            return self._path.stat().st_ino
        except OSError:
            return 0

    @contextmanager
    def _locked(self, *, alone: bool = False, wait: bool = True) -> Iterator[bool]:
        """Use the file beside others, or ``alone``; says whether it may be used."""
        make_folder(self._folder)
        close_on_exec = getattr(os, "O_CLOEXEC", 0)
        descriptor = os.open(self._folder / "lock", os.O_CREAT | os.O_RDWR | close_on_exec, 0o600)
        free = True
        try:
            if fcntl is not None:
                kind = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
                try:
                    fcntl.flock(descriptor, kind if wait else kind | fcntl.LOCK_NB)
                except BlockingIOError:
                    free = False
            yield free
        finally:
            os.close(descriptor)

    def _make_anew(self, before: int, why: str) -> None:
        with self._locked(alone=True):
            if self._identity() not in {0, before}:
                return  # somebody else has, while we waited
            fresh = self._folder / "new.db"
            _remove(fresh)
            first = not any(_entries(self._root / "runs"))
            began = time.monotonic()
            if not first:
                logger.warning("The index of runs at %s is made anew from the records: %s", self._path, why)
            _create(fresh)
            with closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
                connection.execute("PRAGMA synchronous = OFF")  # it is put in place when it is whole
                number = self._fill(connection, made=True)
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            _sync(fresh)
            _remove(self._path)
            fresh.replace(self._path)
            if not first:
                logger.warning("The index of runs holds %s runs, after %.1f s", number, time.monotonic() - began)

    def _fill(self, connection: sqlite3.Connection, *, made: bool = False) -> int:
        """Put all records in; those with a mark count as changed now."""
        if not made:
            connection.executescript(_SCHEMA)
        marked = {_run_of(name) for name in _entries(self._changed)}
        seen: set[int] = set()
        count = 0
        with _transaction(connection):
            for run in _entries(self._root / "runs"):
                record = self._record(run)
                if record is not None and run not in marked:
                    row = connection.execute(_PUT, _row(run, record, None, _old_number(record, seen))).lastrowid
                    if row is not None and record.get("state") not in GOING_ON:
                        run_numbers.put_rows(connection, row, record)
                    count += 1
            _state_last(connection, max(seen, default=0))
            connection.execute("INSERT OR REPLACE INTO facts VALUES ('boot', ?)", (_boot(),))
            for run in marked:
                self._refresh(connection, run)
        return count

    def _catch_up(self, connection: sqlite3.Connection) -> None:
        """Learn what could not be told: by the marks that were left, and by which runs have ended."""
        marks = _entries(self._changed)
        unended = [row[0] for row in connection.execute("SELECT id FROM runs INDEXED BY going_on WHERE number IS NULL")]
        active = set(_entries(self._root / "active"))
        late = {run for run in unended if run not in active} | {_run_of(name) for name in marks}
        if late:
            now = time.time()
            old = [name for name in marks if self._age(name, now) > SETTLED]
            with _transaction(connection):
                for run in late:
                    self._refresh(connection, run)
            for name in old:  # the younger ones' owners may be about to save
                (self._changed / name).unlink(missing_ok=True)
        known = connection.execute("SELECT value FROM facts WHERE name = 'boot'").fetchone()
        if known is None or known[0] != _boot():
            self._sweep(connection)

    def _sweep(self, connection: sqlite3.Connection) -> None:
        there = set(_entries(self._root / "runs"))
        known = {row[0] for row in connection.execute("SELECT id FROM runs")}
        unended = {row[0] for row in connection.execute("SELECT id FROM runs WHERE number IS NULL")}
        with _transaction(connection):
            for run in there ^ known | unended:
                self._refresh(connection, run)
            connection.execute("INSERT OR REPLACE INTO facts VALUES ('boot', ?)", (_boot(),))

    def _age(self, name: str, now: float) -> float:
        try:
            return abs(now - (self._changed / name).stat().st_mtime)
        except OSError:
            return 0.0

    def _refresh(self, connection: sqlite3.Connection, run: str) -> None:
        record = self._record(run)
        if record is None:
            connection.execute("DELETE FROM runs WHERE id = ?", (run,))
        else:
            _put(connection, run, record)

    def _record(self, run: str) -> Mapping[str, object] | None:
        try:
            found = json.loads((self._root / "runs" / run / "run.json").read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            return found
        logger.warning("The record of run %s cannot be read.", run)
        return None


def _pipelines(connection: sqlite3.Connection) -> list[str]:
    """All that have runs; each is looked for behind the one before, so that their runs are not gone through."""
    found: list[str] = []
    query = "SELECT min(pipeline) FROM runs"
    name = connection.execute(query).fetchone()[0]
    while name is not None:
        found.append(str(name))
        name = connection.execute(f"{query} WHERE pipeline > ?", (name,)).fetchone()[0]
    return found


def _create(path: Path) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    with closing(sqlite3.connect(path, timeout=BUSY_SAVING, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        with _transaction(connection):
            if connection.execute("PRAGMA user_version").fetchone()[0] != VERSION:  # else somebody else just has
                for statement in _SCHEMA.split(";\n"):
                    connection.execute(statement)
                connection.execute("INSERT OR REPLACE INTO facts VALUES ('boot', ?)", (_boot(),))
                connection.execute(f"PRAGMA user_version = {VERSION}")


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _put(connection: sqlite3.Connection, run: str, record: Mapping[str, object]) -> None:
    before = connection.execute("SELECT moment, state, number FROM runs WHERE id = ?", (run,)).fetchone()
    number = None
    if record.get("state") not in GOING_ON:
        number = before[2] if before is not None and before[1] == record.get("state") else None
        if number is None:
            number = max(_last_number(connection) + 1, time.time_ns())
            _state_last(connection, number)
    connection.execute(_PUT, _row(run, record, None if before is None else before[0], number))
    if number is not None:
        run_numbers.put(connection, run, record)


def _row(run: str, record: Mapping[str, object], before: float | None, number: int | None) -> _Row:
    """``before`` is the moment by which it was known until now: a run that has not started keeps its place."""
    found = [_text(record, name) for name in (*FILTERS, "resumed_from")]
    found[0] = found[0] or _text(record, "notebook")  # records of earlier versions do not name their pipelines
    moment = _time(record, "started") or before or _time(record, "saved") or _time(record, "ended") or time.time()
    return (run, *found, moment, _time(record, "ended"), parameters_text(record), number)


def _old_number(record: Mapping[str, object], seen: set[int]) -> int | None:
    """The number of an end that was on record when the index was made anew, as near as its record tells."""
    if record.get("state") in GOING_ON:
        return None
    number = int(max(_time(record, "saved"), _time(record, "ended")) * 1e9) + TOLD_AGAIN
    while number in seen:
        number += 1
    seen.add(number)
    return number


def _text(record: Mapping[str, object], name: str) -> str:
    found = record.get(name)
    return found.encode("utf-8", "replace").decode() if isinstance(found, str) else ""


def _time(record: Mapping[str, object], name: str) -> float:
    found = record.get(name)
    return float(found) if isinstance(found, int | float) and abs(found) < 1e12 else 0.0


def _last_number(connection: sqlite3.Connection) -> int:
    found = connection.execute("SELECT value FROM facts WHERE name = 'last'").fetchone()
    return int(found[0]) if found is not None else 0


def _state_last(connection: sqlite3.Connection, number: int) -> None:
    connection.execute("INSERT OR REPLACE INTO facts VALUES ('last', ?)", (number,))


def _entries(folder: Path) -> list[str]:
    with suppress(OSError), os.scandir(folder) as entries:
        return [entry.name for entry in entries if not entry.name.startswith(".")]
    return []


def _run_of(mark: str) -> str:
    return mark.rpartition(".")[0]


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _boot() -> str:
    """What differs each time that the machine was started."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    import psutil

    return str(round(psutil.boot_time() / 60))
