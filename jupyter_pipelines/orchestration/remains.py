"""What runs that were removed leave behind beside the objects of the store: backfills, and secrets they were given.

A backfill goes when it has ended, its runs are gone, and it is not of today. A secret goes when runs that had it were
removed, and no other run, and no schedule, trigger or backfill here, has it, and nobody has used it for a month.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from jupyter_pipelines.errors import StoreError
from jupyter_pipelines.orchestration.backfills.model import BackfillRecord, Progress, state_of
from jupyter_pipelines.orchestration.backfills.shelf import BackfillShelf
from jupyter_pipelines.orchestration.redaction import SEALED, forget_secrets
from jupyter_pipelines.store import Store

DAY: Final = 86_400.0
UNUSED: Final = 30 * DAY  # seconds: another project home with the same store may have it in a schedule
_KEPT: Final = ("schedules", "triggers", "backfills")  # folders of the project home whose records may hold secrets


def secrets_of(store: Store, runs: Iterable[str]) -> set[str]:
    """The secrets that ``runs`` were given, by their names."""
    return {name for run in runs for name in _secrets_in(store.run_folder(run) / "run.json")}


def remove_remains(store: Store, home: Path, secrets: Collection[str], *, now: float) -> None:
    """Remove what is left of runs that are gone; they had ``secrets``. ``now`` is in seconds since the epoch."""
    _remove_backfills(BackfillShelf(home), store, now)
    left = {name for name in secrets if not _is_used(store, name, now)}
    for path in _records(store, home) if left else ():
        left -= _secrets_in(path)
    forget_secrets(store, left)


def _remove_backfills(shelf: BackfillShelf, store: Store, now: float) -> None:
    with suppress(StoreError), shelf.held():
        shelf.release_remains(store)
        for record in shelf.records():
            with suppress(StoreError):  # nobody knows what has run: it is left alone
                progress = shelf.progress(record.id)
                if Store(record.store).root == store.root and _is_over(record, progress, store, now):
                    shelf.remove(record)


def _is_over(record: BackfillRecord, progress: Progress, store: Store, now: float) -> bool:
    runs = [tried.run for tried in progress.values() if tried.run]
    ended = state_of(record, progress) in {"completed", "failed", "cancelled"}
    return ended and record.created < now - DAY and not any(store.load_run(run) for run in runs)


def _is_used(store: Store, secret: str, now: float) -> bool:
    """Whether it was given, or taken, within a month."""
    try:
        return (store.root / "secrets" / secret).stat().st_mtime > now - UNUSED
    except OSError:
        return False


def _records(store: Store, home: Path) -> Iterator[Path]:
    yield from (store.run_folder(run) / "run.json" for run in store.run_ids())
    for folder in _KEPT:
        yield from (home / folder).glob("[!.]*.json")


def _secrets_in(record: Path) -> set[str]:
    with suppress(OSError):
        return set(SEALED.findall(record.read_text("utf-8", "replace")))
    return set()
