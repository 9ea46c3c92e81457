"""Where schedules are kept: ``schedules/ID.json`` in the project home, and ``schedules/progress/ID.json``."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from jupyter_pipelines.errors import PipelinesError, StoreError
from jupyter_pipelines.orchestration.scheduling.model import Progress, ScheduleRecord, record_from
from jupyter_pipelines.store.files import read_json, read_kept_json, write_json

logger = logging.getLogger(__name__)

_Stamp = tuple[int, int, int]


class Shelf:
    """The schedules of the project home ``home``. A file that has not changed is read once."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "schedules"
        self._read: dict[Path, tuple[_Stamp, ScheduleRecord | None]] = {}

    def records(self) -> list[ScheduleRecord]:
        """All schedules; one that cannot be read is left out, and logged."""
        found = dict(self._entries())
        self._read = found
        return [record for _, record in found.values() if record is not None]

    def is_current(self, record: ScheduleRecord) -> bool:
        """Whether ``record``, as :meth:`records` gave it, is still what is kept."""
        path = self._path(record.id)
        known = self._read.get(path)
        try:
            return known is not None and known == (_stamp(path), record)
        except OSError:  # removed
            return False

    def save(self, record: ScheduleRecord) -> None:
        """Write a record. Raises :class:`~jupyter_pipelines.errors.StoreError`."""
        write_json(self._path(record.id), record.to_json())

    def remove(self, schedule_id: str) -> None:
        """Remove a schedule and its progress."""
        self._path(schedule_id).unlink(missing_ok=True)
        self._progress(schedule_id).unlink(missing_ok=True)

    def progress(self, record: ScheduleRecord) -> Progress:
        """How far the scheduler has come with ``record``. Raises :class:`StoreError` when that cannot be read."""
        path = self._progress(record.id)
        fix = f"Remove the file to have schedule {record.id} begin anew; until then it is left alone."
        try:
            return Progress.of(record, read_kept_json(path, fix))
        except ValueError as error:
            raise StoreError(f"The file {path} cannot be read: it holds no progress.", fix) from error

    def stamp_of_progress(self, record: ScheduleRecord) -> _Stamp | None:
        """What changes whenever :meth:`progress` does; ``None`` when there is none."""
        try:
            return _stamp(self._progress(record.id))
        except OSError:
            return None

    def save_progress(self, record: ScheduleRecord, progress: Progress) -> None:
        """Write how far it has come; not for a schedule that was removed meanwhile."""
        if self._path(record.id).exists():
            write_json(self._progress(record.id), progress.to_json())

    def _path(self, schedule_id: str) -> Path:
        return self._folder / f"{schedule_id}.json"

    def _progress(self, schedule_id: str) -> Path:
        return self._folder / "progress" / f"{schedule_id}.json"

    def _entries(self) -> Iterator[tuple[Path, tuple[_Stamp, ScheduleRecord | None]]]:
        for path in sorted(self._folder.glob("[!.]*.json")):
            with suppress(OSError):  # removed just now
                stamp = _stamp(path)
                before = self._read.get(path)
                yield path, before if before is not None and before[0] == stamp else (stamp, _record(path))


def _stamp(path: Path) -> _Stamp:
    status = path.stat()
    return status.st_mtime_ns, status.st_size, status.st_ino


def _record(path: Path) -> ScheduleRecord | None:
    try:
        return record_from(read_json(path))
    except (KeyError, TypeError, ValueError, PipelinesError) as error:
        logger.warning("The schedule in %s cannot be read: %s", path, error)
        return None
