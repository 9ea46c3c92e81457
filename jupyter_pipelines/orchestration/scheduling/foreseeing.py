"""What a schedule's next run will fail of, told before its time: a package that is gone, a version that was lost.

``schedules/foreseen/ID.json`` in the project home says it, and of which version.
"""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jupyter_pipelines.errors import PipelinesError
from jupyter_pipelines.orchestration.scheduling.model import ScheduleRecord
from jupyter_pipelines.orchestration.scheduling.shelf import Shelf
from jupyter_pipelines.orchestration.versions.health import check
from jupyter_pipelines.orchestration.versions.model import Version
from jupyter_pipelines.orchestration.versions.publishing import find_version
from jupyter_pipelines.store import Store
from jupyter_pipelines.store.files import read_json, write_json

EVERY: Final = 1800.0  # seconds between two checks of one version: packages come and go
LOOK: Final = 300.0  # seconds between two looks at which versions there are


@dataclass(frozen=True)
class Foreseen:
    """What a version will fail of, and since when that is known."""

    version: str
    problem: str
    since: str


class Foreseer:
    """The worker's duty to check what the schedules of the project home ``home`` will run.

    ``after`` is in how many seconds to begin: not while everything starts.
    """

    def __init__(self, home: Path, after: float = 60.0) -> None:
        self._home = home
        self._shelf = Shelf(home)
        self._due = time.monotonic() + after
        self._checked: dict[str, tuple[str, float]] = {}  # by schedule: which version, and when

    def look(self) -> float:
        """Do what is due; returns in how many seconds to look again, at the latest."""
        left = self._due - time.monotonic()
        if left > 0:  # whatever else has happened: what is made, or published, was checked then
            return left
        self._due = time.monotonic() + LOOK
        records = {record.id: record for record in self._shelf.records() if record.version}
        for path in _folder(self._home).glob("[!.]*.json"):
            if path.stem not in records:
                path.unlink(missing_ok=True)
        self._checked = {name: known for name, known in self._checked.items() if name in records}
        for record in records.values():
            if not record.schedule.paused:
                try:
                    self._check(record)
                except Exception:  # a full disk, a defect: the others are checked all the same
                    traceback.print_exc()
        return LOOK

    def _check(self, record: ScheduleRecord) -> None:
        store = Store(record.store)
        version = _version(record, store)
        last, when = self._checked.get(record.id, ("", 0.0))
        if last == version.id and time.monotonic() - when < EVERY:
            return
        self._checked[record.id] = (version.id, time.monotonic())
        wrong = [finding for finding in check(store, version) if finding.is_error]
        told = "\n".join(f"{one.message.rstrip('.')}. {one.fix}".strip() for one in wrong)
        path = _path(self._home, record.id)
        before = _known(path)
        if told and before is not None and (before.version, before.problem) == (version.id, told):
            return
        if told:
            write_json(path, {"version": version.id, "problem": told, "since": time.time()})
            print(f"schedule {record.id} will fail: {told}", flush=True)
        else:
            path.unlink(missing_ok=True)


def foreseen(home: Path, record: ScheduleRecord) -> str:
    """What the next run of a schedule will fail of as things are; ``""`` where nothing is known of that."""
    known = _known(_path(home, record.id))
    if known is None or not record.version:
        return ""
    try:
        current = known.version == _version(record, Store(record.store)).id
    except PipelinesError as error:
        return error.message
    return f"Its next run will fail as things are: {known.problem}" if current else ""


def problems(home: Path) -> dict[str, Foreseen]:
    """What is known in the project home, by schedule."""
    paths = _folder(home).glob("[!.]*.json")
    return {path.stem: known for path in paths if (known := _known(path)) is not None}


def _known(path: Path) -> Foreseen | None:
    found = read_json(path)
    if not isinstance(found, dict):
        return None
    return Foreseen(str(found.get("version")), str(found.get("problem")), str(found.get("since")))


def _version(record: ScheduleRecord, store: Store) -> Version:
    """The version that would run now. Raises :class:`PipelinesError`."""
    return find_version(store, record.pipeline, record.version, record.notebook)


def _path(home: Path, schedule_id: str) -> Path:
    return _folder(home) / f"{schedule_id}.json"


def _folder(home: Path) -> Path:
    return home / "schedules" / "foreseen"
