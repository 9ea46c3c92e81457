"""What has changed since somebody looked: runs and their steps, what is published, what starts runs, and the service.

A look costs some twenty ``stat`` calls where nothing has changed. What is looked at are the marks of runs that go on,
their records, the index of runs (for those that began and ended between two looks), the folders in which schedules and
their like are kept, and the lock of the service. No more is read than what has changed.

Every change tells how a thing is now, not what happened to it: whoever misses one is put right by the next.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from jupyter_pipelines.orchestration.history import History
from jupyter_pipelines.orchestration.model import RunRecord
from jupyter_pipelines.orchestration.records import read_record
from jupyter_pipelines.orchestration.service.home import ServiceHome
from jupyter_pipelines.orchestration.versions.model import Entry
from jupyter_pipelines.orchestration.versions.publishing import number_of, published_id
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store, publications
from jupyter_pipelines.store.files import read_json

Kind = Literal["run", "version", "schedule", "trigger", "backfill", "alert", "verification", "output", "service"]
KEPT_IN: Final[Mapping[Kind, str]] = {
    "schedule": "schedules",
    "trigger": "triggers",
    "backfill": "backfills",
    "alert": "alerts",
    "verification": "verifications",
}
"""The folders of the project home."""

ABOUT: Final = ("progress", "foreseen")
"""Folders below them, whose files are about the same things."""

REMEMBERED: Final = 500
"""Runs that have ended and are still known, so that they are told once."""

UNSETTLED: Final = 50_000_000
"""Nanoseconds for which a folder's time may hide another change in it: it is looked at again."""

_Stamp = tuple[int, int, int]
_NONE: Final[_Stamp] = (0, 0, 0)
_Kept = tuple[tuple[_Stamp, ...], str]  # what changes when a record, or what is known of it, does; and its notebook


@dataclass(frozen=True)
class Change:
    """Something that is not as it was. ``notebook`` is its absolute path, ``""`` for the service.

    ``id`` is, of a ``version``, that of the one which runs of its pipeline take from now on. ``data`` are JSON values:
    of a run its state and the steps that changed; of others whether it is ``removed``. ``output`` says of a run that
    its executed notebook, and its log, have changed.
    """

    kind: Kind
    id: str
    notebook: str
    data: Mapping[str, Any] = field(default_factory=dict)


class Changes:
    """What changes in a project home and its store. Not thread-safe; one for a process is enough."""

    def __init__(self, settings: Settings) -> None:
        self._store = Store(settings.store)
        self._history = History(self._store)
        self._home = ServiceHome(settings.home)
        self._mark = self._history.mark()
        self._index: tuple[_Stamp, ...] = ()
        self._runs: OrderedDict[str, tuple[_Stamp, RunRecord | None]] = OrderedDict()
        self._outputs: dict[str, _Stamp] = {}
        self._folders: dict[Path, _Stamp] = {}
        self._files: dict[Path, dict[str, _Kept]] = {}
        self._service: Mapping[str, Any] = {}
        self._published: _Stamp = _NONE
        self._logs = publications.states(self._store)
        list(self.look())

    @property
    def mark(self) -> int:
        """Up to where the ends of runs were told; see :meth:`since`."""
        return self._mark

    def look(self) -> Iterator[Change]:
        """What has changed since the last look."""
        yield from self._look_at_runs()
        yield from self._look_at_versions()
        for kind, name in KEPT_IN.items():
            yield from self._look_at_folder(kind, self._home.path / name)
        yield from self._look_at_service()

    def since(self, mark: int) -> Iterator[Change]:
        """For who knows no more than ``mark``: the runs that ended since, those that go on, and all else as it is."""
        _, ended = self._history.ended_since(mark)
        for record in ended:
            yield _of_run(record, None)
        for run in self._store.active_runs():
            going_on = read_record(self._store, run)
            if going_on is not None and not going_on.ended:
                yield _of_run(going_on, None)
        for kind, name in KEPT_IN.items():
            for path, (_, notebook) in self._files.get(self._home.path / name, {}).items():
                yield Change(kind, path, notebook, {"removed": False})
        yield from self._versions(self._logs)
        yield Change("service", "", "", self._service)

    def _look_at_runs(self) -> Iterator[Change]:
        active = set(self._store.active_runs())
        ended = [run for run, (_, record) in self._runs.items() if run not in active and not (record and record.ended)]
        for run in (*active, *ended):
            stamp = _stamp(self._store.run_folder(run) / "run.json")
            before = self._runs.get(run)
            if before is None or before[0] != stamp:
                yield from self._read_run(run, stamp)
            yield from self._look_at_output(run)
        self._outputs = {run: stamp for run, stamp in self._outputs.items() if run in active}
        index = tuple(_stamp(self._store.root / "index" / name) for name in ("runs.db", "runs.db-wal"))
        if index != self._index:
            self._index = index
            self._mark, records = self._history.ended_since(self._mark)
            for record in records:
                yield from self._told(record, _stamp(self._store.run_folder(record.id) / "run.json"))
        for run in list(self._runs)[: max(0, len(self._runs) - REMEMBERED)]:
            if run not in active:
                del self._runs[run]

    def _look_at_output(self, run: str) -> Iterator[Change]:
        """Whether the executed notebook, and with it the log, of a run has more in it."""
        stamp = _stamp(self._store.run_folder(run) / "executed.ipynb")
        before, self._outputs[run] = self._outputs.get(run, _NONE), stamp
        known = self._runs.get(run)
        if stamp != before and known is not None and known[1] is not None:
            yield Change("output", run, known[1].notebook)

    def _read_run(self, run: str, stamp: _Stamp) -> Iterator[Change]:
        record = read_record(self._store, run)
        if record is not None:
            yield from self._told(record, stamp)
        elif not self._store.has_run(run):
            self._runs.pop(run, None)

    def _told(self, record: RunRecord, stamp: _Stamp) -> Iterator[Change]:
        before = self._runs.pop(record.id, (_NONE, None))[1]
        self._runs[record.id] = (stamp, record)
        if before != record:
            yield _of_run(record, before)

    def _look_at_versions(self) -> Iterator[Change]:
        stamp = _settled(_stamp(self._store.root / "pipelines"))
        if stamp == self._published:
            return
        self._published = stamp
        before, self._logs = self._logs, publications.states(self._store)
        yield from self._versions(name for name, state in self._logs.items() if before.get(name) != state)

    def _versions(self, logs: Iterable[str]) -> Iterator[Change]:
        """The versions that runs take by these logs."""
        for log in logs:
            _, found = publications.read_log(self._store, log)
            entries = [entry for one in found if (entry := Entry.read(one)) is not None]
            if entries:
                number = number_of(entries, version := published_id(entries))
                yield Change("version", version, entries[-1].notebook, {"removed": False, "number": number})

    def _look_at_folder(self, kind: Kind, folder: Path) -> Iterator[Change]:
        changed = False
        for place in (folder, *(folder / name for name in ABOUT)):
            stamp = _settled(_stamp(place))
            changed |= self._folders.get(place) != stamp
            self._folders[place] = stamp
        if not changed:
            return
        before = self._files.get(folder, {})
        now = self._files[folder] = _files(folder, before)
        for name, (stamps, notebook) in now.items():
            if name not in before or before[name][0] != stamps:
                yield Change(kind, name, notebook, {"removed": False})
        for name in before.keys() - now.keys():
            yield Change(kind, name, before[name][1], {"removed": True})

    def _look_at_service(self) -> Iterator[Change]:
        found: dict[str, Any] = {"state": "stopped", "parts": {}}
        if self._home.holder():
            status = self._home.load_status()
            parts = {} if status is None else {name: part.state for name, part in status.parts.items()}
            running = bool(parts) and all(state == "running" for state in parts.values())
            found = {"state": "running" if running else "starting", "parts": parts}
        if found != self._service:
            self._service = found
            yield Change("service", "", "", found)


def _of_run(record: RunRecord, before: RunRecord | None) -> Change:
    known = {step.name: step for step in before.steps} if before is not None else {}
    names = ("name", "state", "started", "ended", "attempts", "waiting", "error_kind", "error_cell", "reused_from")
    steps = [{name: getattr(step, name) for name in names} for step in record.steps if known.get(step.name) != step]
    told = ("name", "state", "started", "ended", "waiting", "schedule", "backfill", "parent", "resumed_from")
    return Change("run", record.id, record.notebook, {name: getattr(record, name) for name in told} | {"steps": steps})


def _files(folder: Path, before: Mapping[str, _Kept]) -> dict[str, _Kept]:
    """What is kept in ``folder``, by id."""
    found: dict[str, _Kept] = {}
    with suppress(OSError):
        for entry in sorted(os.listdir(folder)):
            name, suffix = os.path.splitext(entry)
            if suffix == ".json" and not name.startswith("."):
                stamp = (_stamp(folder / entry), *(_stamp(folder / about / entry) for about in ABOUT))
                known = before.get(name)
                found[name] = known if known is not None and known[0] == stamp else (stamp, _notebook(folder / entry))
    return found


def _notebook(path: Path) -> str:
    found = read_json(path)
    notebook = found.get("notebook") if isinstance(found, dict) else None
    return notebook if isinstance(notebook, str) else ""


def _stamp(path: Path) -> _Stamp:
    """What changes when ``path`` does: a file that takes the place of another is never the same one."""
    try:
        status = path.stat()
    except OSError:
        return _NONE
    return status.st_mtime_ns, status.st_size, status.st_ino


def _settled(stamp: _Stamp) -> _Stamp:
    """The stamp of a folder. One that has changed just now has none that lasts."""
    return stamp if time.time_ns() - stamp[0] > UNSETTLED else (stamp[0], -1, stamp[2])
