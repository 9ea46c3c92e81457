"""Where alerts are kept: ``alerts/ID.json`` in the project home, and beside it ``progress/ID.json`` and ``outbox/ID/``.

All are their owner's alone: destinations hold passwords and tokens.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from jupyter_pipelines.orchestration.alerts.model import AlertRecord, Progress, Queued, queued_from, record_from
from jupyter_pipelines.store.files import make_folder, read_json, write_json

REGRETTED: Final = 600.0  # seconds for which a removed alert can be had back

logger = logging.getLogger(__name__)


class Shelf:
    """The alerts of the project home ``home``."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "alerts"

    def records(self) -> list[AlertRecord]:
        """All alerts; one that cannot be read is left out, and logged."""
        self._forget_removed()
        found = []
        for path in sorted(self._folder.glob("[!.]*.json")):
            try:
                found.append(record_from(read_json(path)))
            except (KeyError, TypeError, ValueError) as error:
                if path.exists():
                    logger.warning("The alert in %s cannot be read: %s", path, type(error).__name__)
        return found

    def save(self, record: AlertRecord) -> None:
        """Write a record. Raises :class:`~jupyter_pipelines.errors.StoreError`."""
        write_json(self._path(record.id), record.to_json())

    def remove(self, alert_id: str) -> None:
        """Remove an alert and all that waits to be sent for it; for a while it can be had back."""
        with suppress(FileNotFoundError):
            make_folder(self._bin(alert_id).parent)
            os.utime(self._path(alert_id))  # since when it is removed
            self._path(alert_id).replace(self._bin(alert_id))
        self._progress(alert_id).unlink(missing_ok=True)
        shutil.rmtree(self._outbox(alert_id), ignore_errors=True)

    def removed(self, alert_id: str) -> AlertRecord | None:
        """The alert as it was when it was removed a short while ago."""
        self._forget_removed()
        try:
            return record_from(read_json(self._bin(alert_id)))
        except (KeyError, TypeError, ValueError):
            return None

    def _forget_removed(self) -> None:
        """What was removed holds secrets: it is not kept for longer than somebody may regret it."""
        for path in self._bin("").parent.glob("*.json"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > REGRETTED:
                    path.unlink()

    def is_kept(self, alert_id: str) -> bool:
        """Whether there is such an alert still."""
        return self._path(alert_id).exists()

    def progress(self, record: AlertRecord) -> Progress:
        """How far the duty has come with ``record``."""
        return Progress.of(record, read_json(self._progress(record.id)))

    def save_progress(self, record: AlertRecord, progress: Progress) -> None:
        """Write how far it has come; not for an alert that was removed meanwhile."""
        if self.is_kept(record.id):
            write_json(self._progress(record.id), progress.to_json())

    def outbox(self, alert_id: str) -> list[Queued]:
        """What waits to be sent, the oldest first."""
        found = []
        for path in self._outbox(alert_id).glob("[!.]*.json"):
            queued = queued_from(read_json(path))
            if queued is not None:
                found.append(queued)
        return sorted(found, key=lambda queued: (queued.made, queued.place))

    def put(self, alert_id: str, queued: Queued) -> None:
        """Put a message into the outbox, in place of the one with its key; not for an alert that was removed."""
        if self.is_kept(alert_id):
            write_json(self._outbox(alert_id) / f"{queued.message.key}.json", queued.to_json())

    def take_out(self, alert_id: str, key: str) -> None:
        """Take a message out of the outbox."""
        with suppress(FileNotFoundError):
            (self._outbox(alert_id) / f"{key}.json").unlink()

    def _path(self, alert_id: str) -> Path:
        return self._folder / f"{alert_id}.json"

    def _bin(self, alert_id: str) -> Path:
        return self._folder / "removed" / f"{alert_id}.json"

    def _progress(self, alert_id: str) -> Path:
        return self._folder / "progress" / f"{alert_id}.json"

    def _outbox(self, alert_id: str) -> Path:
        return self._folder / "outbox" / alert_id
