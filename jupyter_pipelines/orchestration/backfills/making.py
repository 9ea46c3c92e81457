"""Asking for backfills."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import get_args

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.notebook.model import NotebookDocument
from jupyter_pipelines.orchestration.backfills.model import Backfill, BackfillRecord, seen
from jupyter_pipelines.orchestration.backfills.planning import held_by, plan, schedule_over, windows_of, with_earlier
from jupyter_pipelines.orchestration.backfills.shelf import BackfillShelf
from jupyter_pipelines.orchestration.history import History
from jupyter_pipelines.orchestration.loading import load_runnable, read_source
from jupyter_pipelines.orchestration.schedules import Schedule
from jupyter_pipelines.orchestration.schedules.model import WindowUnit
from jupyter_pipelines.orchestration.schedules.windows import Order
from jupyter_pipelines.orchestration.scheduling.making import (
    choose_version,
    get_schedule,
    machine_zone,
    require_service,
)
from jupyter_pipelines.orchestration.scheduling.model import ScheduleRecord
from jupyter_pipelines.orchestration.service import ensure_service
from jupyter_pipelines.orchestration.service.wake import LOOK, tell_worker
from jupyter_pipelines.orchestration.versions.files import find_files
from jupyter_pipelines.orchestration.versions.identity import real_path
from jupyter_pipelines.orchestration.versions.publishing import find_version, freeze, read_content
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store
from jupyter_pipelines.typed import typed

MOST_PARALLEL = 64


@typed
def backfill(
    notebook: Path | str | ScheduleRecord,
    first: date | str,
    last: date | str,
    *,
    schedule: str | None = None,
    window: WindowUnit | None = None,
    timezone: str | None = None,
    parameters: Mapping[str, object] | None = None,
    parallel: int = 1,
    order: Order = "oldest-first",
    keep_going: bool = False,
    again: bool = False,
    version: str | None = None,
    dry_run: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Backfill:
    """Have the service run a pipeline over every data window from ``first`` to ``last``, the last one included.

    ``first`` and ``last`` are dates, moments, or names such as ``"2027-03"``. The windows are those of a ``schedule``
    (its id, or in place of ``notebook`` its record), with its time zone and parameters; else of one ``window`` each (a
    day unless given) of ``timezone`` (this machine's). They run one after the other, or so many ``parallel``; when one
    fails no further one is started unless ``keep_going``. Windows that a run of the same pipeline with the same
    parameters has completed are done, unless ``again``. What runs is what ``version`` says at this moment: what is
    published by default, and where nothing is the file as it is, frozen with its modules and declared files as a
    version is. With ``dry_run`` nothing is kept.

    The answer says of every window what becomes of it; without an id when nothing is left to be done. Raises
    :class:`RequestError`, also when another backfill has some of the windows to do, :class:`NotebookError` or
    :class:`ServiceError`, and then nothing is kept.
    """
    if not isinstance(parallel, int) or isinstance(parallel, bool) or not 1 <= parallel <= MOST_PARALLEL:
        raise RequestError(f"{parallel!r} windows at once cannot be.", f"Give a number from 1 to {MOST_PARALLEL}.")
    if order not in get_args(Order):
        raise RequestError(f"{order!r} is no choice for `order`.", f"Choose one of {', '.join(get_args(Order))}.")
    settings = Settings.load()
    require_service("Backfills")
    source = _source(notebook, schedule, window, timezone, version, Store(settings.store))
    timing = source.schedule or schedule_over(window or "day", timezone or machine_zone(), {})
    timing = replace(timing, parameters={**timing.parameters, **(parameters or {})})
    windows, notes = windows_of(timing, first, last, order, datetime.now(UTC))
    document = load_runnable(source.content, Path(source.notebook).name, source.store).document
    frozen, said = _freeze(source, document, dry_run=dry_run)
    notes += said
    planned = plan(document, timing, windows, source.store)
    runs = History(source.store).query(pipeline=source.pipeline, limit=None)
    if not dry_run:
        ensure_service(settings, say)
    shelf = BackfillShelf(settings.home)
    with shelf.held():
        others = [(one, shelf.progress(one.id)) for one in shelf.records() if one.pipeline == source.pipeline]
        record = BackfillRecord(
            id="" if dry_run else uuid.uuid4().hex[:8],
            notebook=source.notebook,
            pipeline=source.pipeline,
            store=str(source.store.root),
            version=source.version,
            schedule=source.schedule_id,
            window=timing.window or "day",
            zone=timing.zone,
            parallel=parallel,
            keep_going=keep_going,
            created=time.time(),
            windows=tuple(with_earlier(planned, runs, others, again)),
            frozen=frozen,
        )
        held = held_by(record.windows, others)
        if all(window.done for window in record.windows):
            return seen(replace(record, id=""), {}, (*notes, "All windows are done already; nothing is run."))
        if dry_run:
            busy = [f"Backfill {other} has {_named(keys)} still to do." for other, keys in held.items()]
            return seen(record, {}, (*notes, *busy))
        _refuse_twice(held)
        shelf.save(record)
    tell_worker(settings.home, LOOK)
    return seen(record, {}, tuple(notes))


@dataclass(frozen=True)
class _Source:
    """What is to be run over the windows, and by which schedule."""

    notebook: str
    pipeline: str
    version: str
    content: bytes
    store: Store
    schedule: Schedule | None = None
    schedule_id: str = ""


def _source(
    notebook: Path | str | ScheduleRecord,
    schedule: str | None,
    window: WindowUnit | None,
    timezone: str | None,
    version: str | None,
    store: Store,
) -> _Source:
    record = notebook if isinstance(notebook, ScheduleRecord) else None
    if schedule is not None:
        record = get_schedule(schedule)
        named = str(notebook) if not isinstance(notebook, ScheduleRecord) else record.notebook
        if named != record.pipeline and real_path(named) != record.notebook:
            raise RequestError(
                f"The schedule {record.id} is not of {named}, but of {record.notebook}.", "Name that notebook."
            )
    if record is None:
        assert not isinstance(notebook, ScheduleRecord), "it would be the record"
        path, pipeline, chosen = choose_version(notebook, version, store)
        found = _Source(path, pipeline, chosen, b"", store)
    else:
        if window is not None or timezone is not None:
            raise RequestError(
                "The schedule says which windows there are, and in which time zone.",
                "Leave --window and --timezone out, or the schedule.",
            )
        store = Store(record.store)
        path, pipeline, chosen = choose_version(record.notebook, version or record.version or "file", store)
        found = _Source(path, pipeline, chosen, b"", store, record.schedule, record.id)
    if not found.version:
        return replace(found, content=read_source(Path(found.notebook)))
    published = find_version(found.store, found.pipeline, found.version, found.notebook)
    content = found.store.get_notebook(read_content(found.store, published.id).notebook)
    return replace(found, version=published.id, content=content)


def _freeze(source: _Source, document: NotebookDocument, *, dry_run: bool) -> tuple[str, list[str]]:
    """Keep the file and those that belong to it as they are; returns the id of that, and what is to be said about it.

    A version is frozen already, and in a dry run it is only looked whether it could be.
    """
    if source.version:
        return "", []
    path = Path(source.notebook)
    if dry_run:
        return "", [note.message for note in find_files(document, path).notes]
    frozen = freeze(source.store, source.content, document, path)
    return frozen.version, [note.message for note in frozen.notes]


def _refuse_twice(held: Mapping[str, Sequence[str]]) -> None:
    """Raise for windows that another backfill is to run: they would run twice."""
    for other, keys in held.items():
        raise RequestError(
            f"Backfill {other} has {_named(keys)} still to do.",
            f"`jupyter pipelines backfills {other}` tells how far it is; `unpause {other}` has it go on if it has "
            f"stopped; `cancel {other}` gives it up.",
        )


def _named(keys: Sequence[str]) -> str:
    if len(keys) == 1:
        return f"the window {keys[0]}"
    return f"{len(keys):,} of these windows ({keys[0]} to {keys[-1]})"
