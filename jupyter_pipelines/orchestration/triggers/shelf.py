"""Where triggers are kept: ``triggers/ID.json`` in the project home, with ``progress/ID.json`` and ``asked/ID/``.

``asked/ID/KEY.json`` is an occurrence of a trigger by token that the duty has not taken yet.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from jupyter_pipelines.errors import PipelinesError
from jupyter_pipelines.orchestration.triggers.model import Occurrence, Progress, TriggerRecord, record_from
from jupyter_pipelines.store.files import read_json, write_json

logger = logging.getLogger(__name__)

_Stamp = tuple[int, int, int]


class Shelf:
    """The triggers of the project home ``home``. A file that has not changed is read once."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "triggers"
        self._read: dict[Path, tuple[_Stamp, TriggerRecord | None]] = {}

    def records(self) -> list[TriggerRecord]:
        """All triggers; one that cannot be read is left out, and logged."""
        self._read = dict(self._entries())
        return [record for _, record in self._read.values() if record is not None]

    def save(self, record: TriggerRecord) -> None:
        """Write a record. Raises :class:`~jupyter_pipelines.errors.StoreError`."""
        write_json(self._path(record.id), record.to_json())

    def remove(self, trigger_id: str) -> None:
        """Remove a trigger, its progress, and what was asked of it."""
        self._path(trigger_id).unlink(missing_ok=True)
        self._progress(trigger_id).unlink(missing_ok=True)
        shutil.rmtree(self._asked(trigger_id), ignore_errors=True)

    def progress(self, record: TriggerRecord) -> Progress:
        """How far the duty has come with ``record``."""
        return Progress.of(record, read_json(self._progress(record.id)))

    def save_progress(self, record: TriggerRecord, progress: Progress) -> None:
        """Write how far it has come; not for a trigger that was removed meanwhile."""
        if self._path(record.id).exists():
            write_json(self._progress(record.id), progress.to_json())

    def ask(self, record: TriggerRecord, occurrence: Occurrence) -> None:
        """Put down an occurrence for the duty to take. Raises :class:`~jupyter_pipelines.errors.StoreError`."""
        write_json(self._asked(record.id) / f"{occurrence.key}.json", asdict(occurrence))

    def asked(self, trigger_id: str) -> list[Occurrence]:
        """The occurrences that were put down, in the order of their times."""
        found = []
        for path in self._asked(trigger_id).glob("[!.]*.json"):
            try:
                found.append(Occurrence(**read_json(path)))  # type: ignore[arg-type]  # else it is logged
            except TypeError:
                logger.warning("What was asked of a trigger in %s cannot be read.", path)
                path.unlink(missing_ok=True)
        return sorted(found, key=lambda occurrence: (occurrence.time, occurrence.key))

    def taken(self, trigger_id: str, key: str) -> None:
        """An occurrence that was put down is on record as waiting, or has its run."""
        (self._asked(trigger_id) / f"{key}.json").unlink(missing_ok=True)

    def _path(self, trigger_id: str) -> Path:
        return self._folder / f"{trigger_id}.json"

    def _progress(self, trigger_id: str) -> Path:
        return self._folder / "progress" / f"{trigger_id}.json"

    def _asked(self, trigger_id: str) -> Path:
        return self._folder / "asked" / trigger_id

    def _entries(self) -> Iterator[tuple[Path, tuple[_Stamp, TriggerRecord | None]]]:
        for path in sorted(self._folder.glob("[!.]*.json")):
            with suppress(OSError):  # removed just now
                status = path.stat()
                stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
                before = self._read.get(path)
                yield path, before if before is not None and before[0] == stamp else (stamp, _record(path))


def _record(path: Path) -> TriggerRecord | None:
    try:
        return record_from(read_json(path))
    except (KeyError, TypeError, ValueError, AttributeError, PipelinesError) as error:
        logger.warning("The trigger in %s cannot be read: %s", path, error)
        return None
