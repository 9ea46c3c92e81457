"""Listing backfills, and changing them while they go on. Light, for it is asked for often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from jupyter_pipelines.errors import RequestError, StoreError
from jupyter_pipelines.orchestration.backfills.model import BAD, Backfill, BackfillRecord, Progress, seen
from jupyter_pipelines.orchestration.backfills.shelf import BackfillShelf
from jupyter_pipelines.orchestration.service.home_format import refuse_later
from jupyter_pipelines.orchestration.service.wake import LOOK, tell_worker
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.typed import typed


@typed
def backfills(notebook: Path | str | None = None) -> list[Backfill]:
    """The backfills of this project home, newest first, or those of one notebook or pipeline."""
    shelf = BackfillShelf(Settings.load().home)
    path = None
    if notebook is not None:
        from jupyter_pipelines.orchestration.versions.identity import real_path

        path = real_path(notebook)
    found = [one for one in shelf.records() if path in {None, one.notebook} or str(notebook) == one.pipeline]
    return [_seen(shelf, one) for one in reversed(found)]


@typed
def get_backfill(backfill_id: str) -> Backfill:
    """The backfill whose id is, or begins with, ``backfill_id``; ``"last"`` is the newest. Raises RequestError."""
    shelf = BackfillShelf(Settings.load().home)
    return _seen(shelf, _find(shelf, backfill_id))


def is_backfill(backfill_id: str) -> bool:
    """Whether there is a backfill whose id is, or begins with, ``backfill_id``."""
    names = BackfillShelf(Settings.load().home).stamps()
    return any(name.startswith(backfill_id) for name in names if backfill_id)


@typed
def pause_backfill(backfill_id: str) -> Backfill:
    """Have a backfill start no more windows, until :func:`resume_backfill`; runs that go on are left alone.

    Raises :class:`RequestError` for one that was cancelled, or has ended.
    """

    def pause(record: BackfillRecord, progress: Progress) -> BackfillRecord:
        state = seen(record, progress).state
        if state in {"completed", "failed"}:
            raise RequestError(f"Backfill {record.id} has ended: {state}.", "There is nothing to pause.")
        return replace(record, paused=True)

    return _change(backfill_id, pause)


@typed
def resume_backfill(backfill_id: str, *, skip_failed: bool = False) -> Backfill:
    """Go on with a backfill that was paused, or stopped at a window that failed.

    Windows that failed are run once more, from the step that failed; with ``skip_failed`` they are given up instead,
    and those after them run. Raises :class:`RequestError` for one that was cancelled, or is complete.
    """

    def resume(record: BackfillRecord, progress: Progress) -> BackfillRecord:
        failed = [key for key, tried in progress.items() if tried.state in BAD and key not in record.skipped]
        whole = seen(record, progress)
        if whole.state == "completed":
            raise RequestError(f"Backfill {record.id} is complete, there is nothing to go on with.")
        if skip_failed:
            record = replace(record, skipped=(*record.skipped, *failed))
        elif any(progress[key].attempt >= record.attempt for key in failed):
            record = replace(record, attempt=record.attempt + 1)
        return replace(record, paused=False)

    return _change(backfill_id, resume)


@typed
def cancel_backfill(backfill_id: str) -> Backfill:
    """End a backfill: no more windows start, and the runs that go on are cancelled. What is done stays done."""

    def cancel(record: BackfillRecord, progress: Progress) -> BackfillRecord:
        state = seen(record, progress).state
        if state in {"completed", "failed"}:
            raise RequestError(f"Backfill {record.id} has ended: {state}.", "There is nothing to cancel.")
        return replace(record, cancelled=True)

    return _change(backfill_id, cancel)


def _seen(shelf: BackfillShelf, record: BackfillRecord) -> Backfill:
    """The backfill as people see it, also where how far it has come cannot be read."""
    try:
        return seen(record, shelf.progress(record.id))
    except StoreError as error:
        return replace(seen(record, {}), state="stopped", problem=str(error))


def _find(shelf: BackfillShelf, backfill_id: str) -> BackfillRecord:
    ids = list(shelf.stamps())
    if backfill_id == "last":
        records = shelf.records()
        same = [records[-1].id] if records else []
    else:
        same = [one for one in ids if one == backfill_id] or [
            one for one in ids if backfill_id and one.startswith(backfill_id)
        ]
    if not same:
        raise RequestError(f"There is no backfill {backfill_id!r}.", "`jupyter pipelines backfills` lists them.")
    if len(same) > 1:
        raise RequestError(f"{len(same)} backfills begin with {backfill_id!r}.", "Give more of the id.")
    record = shelf.load(same[0])
    if record is None:
        raise RequestError(f"The record of backfill {same[0]} cannot be read.")
    return record


def _change(backfill_id: str, change: Callable[[BackfillRecord, Progress], BackfillRecord]) -> Backfill:
    settings = Settings.load()
    refuse_later(settings.home)
    shelf = BackfillShelf(settings.home)
    with shelf.held():
        record = _find(shelf, backfill_id)
        if record.cancelled:
            raise RequestError(
                f"Backfill {record.id} was cancelled.", "Ask for it again: windows that are done are not run twice."
            )
        progress = shelf.progress(record.id)
        changed = change(record, progress)
        if changed != record:
            shelf.save(changed)
    tell_worker(settings.home, LOOK)
    return seen(changed, progress)
