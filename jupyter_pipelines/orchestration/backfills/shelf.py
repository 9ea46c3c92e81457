"""Where backfills are kept: ``backfills/ID.json`` in the project home.

Beside it ``progress/ID.json``. Where no version is run, the store holds what was frozen of the file for it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jupyter_pipelines.errors import StoreError
from jupyter_pipelines.orchestration.backfills.model import BackfillRecord, Progress, progress_from, record_from
from jupyter_pipelines.store import Store
from jupyter_pipelines.store.files import locked, read_json, read_kept_json, write_json
from jupyter_pipelines.store.holds import held_for, hold, release

logger = logging.getLogger(__name__)

Stamp = tuple[int, int, int]


class BackfillShelf:
    """The backfills of the project home ``home``."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._folder = home / "backfills"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be the only one who makes or changes backfills while inside; it is released by our death, too."""
        with locked(self._folder / "lock"):
            yield

    def stamps(self) -> dict[str, Stamp]:
        """The ids of all backfills, each with what changes when its record does."""
        found = {}
        for path in sorted(self._folder.glob("[!.]*.json")):
            with suppress(OSError):  # removed just now
                status = path.stat()
                found[path.stem] = (status.st_mtime_ns, status.st_size, status.st_ino)
        return found

    def records(self) -> list[BackfillRecord]:
        """All backfills, oldest first; one that cannot be read is left out, and logged."""
        found = (self.load(backfill_id) for backfill_id in self.stamps())
        return sorted((record for record in found if record is not None), key=lambda record: record.created)

    def load(self, backfill_id: str) -> BackfillRecord | None:
        """The record of one; ``None`` when it cannot be read."""
        path = self._record(backfill_id)
        try:
            return record_from(read_json(path))
        except (KeyError, TypeError, ValueError) as error:
            logger.warning("The backfill in %s cannot be read: %s", path, error)
            return None

    def save(self, record: BackfillRecord) -> None:
        """Write a record, and have what is frozen for it stay. Raises :class:`StoreError`."""
        if record.frozen:
            hold(Store(record.store), record.id, record.frozen, self._home)
        write_json(self._record(record.id), record.to_json())

    def remove(self, record: BackfillRecord) -> None:
        """Remove a backfill, how far it had come, and what was held for it."""
        for path in (self._record(record.id), self._progress(record.id)):
            path.unlink(missing_ok=True)
        release(Store(record.store), record.id)

    def release_remains(self, store: Store) -> None:
        """Release what ``store`` holds for backfills of this home that are not there: nobody lived to write them."""
        for name in set(held_for(store, self._home)) - set(self.stamps()):
            release(store, name)

    def progress(self, backfill_id: str) -> Progress:
        """The windows that have been begun. Raises :class:`StoreError` when they cannot be read."""
        path = self._progress(backfill_id)
        fix = f"Remove the file to have backfill {backfill_id} begin anew; until then it is left alone."
        found = read_kept_json(path, fix)
        try:
            return progress_from(found)
        except (TypeError, ValueError) as error:
            raise StoreError(f"The file {path} cannot be read: it holds no progress.", fix) from error

    def save_progress(self, backfill_id: str, progress: Progress) -> None:
        """Write which windows have been begun. Raises :class:`StoreError`."""
        write_json(self._progress(backfill_id), {key: vars(tried) for key, tried in progress.items()})

    def _record(self, backfill_id: str) -> Path:
        return self._folder / f"{backfill_id}.json"

    def _progress(self, backfill_id: str) -> Path:
        return self._folder / "progress" / f"{backfill_id}.json"
