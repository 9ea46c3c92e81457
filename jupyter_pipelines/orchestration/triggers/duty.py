"""The worker's duty towards triggers: sees what has happened, and has each occurrence run once.

What has happened is kept as waiting occurrences in the same write as the cursor up to which it was looked for; a run is
asked for with the trigger's and the occurrence's names as the key. So who dies anywhere in between loses none, and
starts none twice.
"""

from __future__ import annotations

import time
import traceback
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

from jupyter_pipelines.errors import LostError, NotebookError, PipelinesError, RequestError
from jupyter_pipelines.orchestration.model import RunRecord, RunRequest
from jupyter_pipelines.orchestration.records import read_record
from jupyter_pipelines.orchestration.service.endpoint import Endpoint, recorded_endpoint
from jupyter_pipelines.orchestration.service.wake import LOOK, tell_worker
from jupyter_pipelines.orchestration.settling import settle_runs
from jupyter_pipelines.orchestration.submission import cancel_run, submit_request
from jupyter_pipelines.orchestration.triggers import events, files, runs
from jupyter_pipelines.orchestration.triggers.making import source_of
from jupyter_pipelines.orchestration.triggers.model import (
    AfterRuns,
    ByToken,
    Occurrence,
    OnEvent,
    OnFiles,
    OnUpdate,
    Overlap,
    Progress,
    TriggerRecord,
)
from jupyter_pipelines.orchestration.triggers.names import parameters_of
from jupyter_pipelines.orchestration.triggers.shelf import Shelf
from jupyter_pipelines.orchestration.versions.identity import real_path
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store

LONGEST: Final = 5.0  # seconds between two looks
MOST_WAITING: Final = 20_000  # occurrences of one trigger
OWN_RUNS: Final = 20  # of a trigger that are asked whether they have written a file
_ADVANCE: Final = 200  # ended runs after which a cursor is kept although nothing has come of them


class Triggers:
    """Goes by the triggers of the project home ``home``. There is one, in the worker."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._shelf = Shelf(home)
        self._works: dict[str, Work] = {}
        self._watcher: files.Watcher | None = None

    def look(self) -> float:
        """Do what is due; returns in how many seconds to look again, at the latest."""
        endpoint = recorded_endpoint(self._home)
        if endpoint is None:
            return LONGEST
        records = {record.id: record for record in self._shelf.records() if not record.paused}
        self._works = {
            name: work for name, work in self._works.items() if work.record == records.get(name)
        }  # one that was changed begins with what is on disk
        for record in records.values():
            if record.id not in self._works:
                settings = replace(Settings.load(), home=self._home, store=record.store)
                self._works[record.id] = Work(record, self._shelf, settings)
        self._hear()
        waits = [LONGEST]
        ends = runs.Ends()
        for work in list(self._works.values()):
            try:
                waits.append(work.carry_on(endpoint, ends))
            except Exception as error:  # no server, a full disk: what is due stays due, and the others go on
                work.fail(error)
        return max(0.0, min(waits))

    def _hear(self) -> None:
        """Watch the folders of triggers by files, and tell those for whom something was heard."""
        watching = [work for work in self._works.values() if isinstance(work.record.cause, OnFiles)]
        if not watching and self._watcher is None:
            return
        if self._watcher is None:
            self._watcher = files.Watcher(lambda: tell_worker(self._home, LOOK))
        folders: dict[str, bool] = {}
        for work in watching:
            folder, deep = files.folder_of(work.pattern)
            folders[folder] = folders.get(folder, False) or deep
        self._watcher.watch(folders)
        heard = self._watcher.heard()
        for work in watching:
            work.watched = self._watcher.is_watched(files.folder_of(work.pattern)[0])
            work.heard = work.heard or any(files.concerns(path, work.pattern) for path in heard)


class Work:
    """What is to be done about one trigger. Its progress is written by nobody else, so it is read once."""

    def __init__(self, record: TriggerRecord, shelf: Shelf, settings: Settings) -> None:
        self.record = record
        self.progress: Progress = shelf.progress(record)
        self.watched = False
        self.heard = True
        self._shelf = shelf
        self._settings = settings
        self._store = Store(settings.store)
        self._cursor = self.progress.cursor
        self._files = files.FileLook(record.cause) if isinstance(record.cause, OnFiles) else None
        self._next = 0.0  # of the monotonic clock: when its cause is to be looked at, although nothing was heard

    @property
    def pattern(self) -> str:
        """Of a trigger by files."""
        assert isinstance(self.record.cause, OnFiles)
        return self.record.cause.pattern

    def carry_on(self, endpoint: Endpoint, ends: runs.Ends) -> float:
        """See what has happened, start what is due; returns the seconds until something may be again."""
        self._see_ends(endpoint)
        seen = self._happened(endpoint, ends)
        if seen is not None:
            self._take(*seen)
        self._release(endpoint)
        if seen is not None and self.progress.problem:
            self.progress.problem = ""
            self._save()
        return max(0.0, min(LONGEST, self._next - time.monotonic())) if self._next else LONGEST

    def _take(self, cursor: object, found: Sequence[Occurrence]) -> None:
        """Keep what was found, and in the same write up to where."""
        progress = self.progress
        known = {*progress.runs, *(one.key for one in progress.waiting)}
        fresh = list({one.key: one for one in found if one.key not in known}.values())
        self._cursor = cursor
        if fresh or self._is_worth_keeping(cursor):
            for one in fresh[max(0, MOST_WAITING - len(progress.waiting)) :]:
                self._note_skip(one, f"more than {MOST_WAITING:,} wait")
            progress.waiting += fresh[: max(0, MOST_WAITING - len(progress.waiting))]
            progress.cursor = cursor
            self._save()
        for one in found:
            if isinstance(self.record.cause, ByToken):
                self._shelf.taken(self.record.id, one.key)

    def fail(self, error: Exception) -> None:
        """Put down why nothing can be seen or started at the moment."""
        problem = error.message if isinstance(error, PipelinesError) else f"{type(error).__name__}: {error}"
        if problem != self.progress.problem:
            traceback.print_exception(error)
            self.progress.problem = problem
            try:
                self._save()
            except PipelinesError:
                traceback.print_exc()

    def _happened(self, endpoint: Endpoint, ends: runs.Ends) -> tuple[object, list[Occurrence]] | None:
        """Up to where its cause was looked at, and what was found; ``None`` when it is not time to look."""
        match self.record.cause:
            case AfterRuns() | OnUpdate():
                return runs.look(self.record, self._cursor, self._store, ends)
            case OnFiles():
                return self._files_changed()
            case OnEvent() if time.monotonic() >= self._next:
                self._next = time.monotonic() + events.EVERY
                return events.look(self.record.cause, self._cursor, endpoint, set(self.progress.runs.values()))
            case ByToken():
                return None, self._shelf.asked(self.record.id)
        return None

    def _files_changed(self) -> tuple[object, list[Occurrence]] | None:
        now = time.monotonic()
        if not self.heard and now < self._next:
            return None
        assert self._files is not None
        self.heard = False
        self._next = now + files.UNWATCHED  # unless the look says otherwise
        cursor, found, wait = self._files.look(self._cursor, now, self._made_by_us())
        rest = files.RESCAN if self.watched else files.UNWATCHED
        self._next = time.monotonic() + (rest if wait is None else min(rest, wait))
        return cursor, found

    def _made_by_us(self) -> Callable[[str, float], bool | None]:
        """Says whether a run of this trigger has written a file; ``None`` while one goes on that may have."""
        known: list[RunRecord] = []

        def made_by_us(path: str, changed: float) -> bool | None:
            if not known:
                ids = list(self.progress.runs.values())[-OWN_RUNS:]
                known.extend(run for run in (read_record(self._store, each) for each in ids) if run is not None)
            for run in known:
                if run.state == "running" and run.started - 1 <= changed:
                    return None
                inside = run.started - 1 <= changed <= run.ended + 1
                if inside and any(path == real_path(each) for step in run.steps for each in step.files_written):
                    return True
            return False

        return made_by_us

    def _is_worth_keeping(self, cursor: object) -> bool:
        """Whether a cursor is to be kept although nothing has come of it: else it is found again, at little cost."""
        kept = self.progress.cursor
        match self.record.cause:
            case OnFiles():
                return cursor != kept
            case AfterRuns() | OnUpdate() if isinstance(kept, dict) and isinstance(cursor, dict):
                advance = int(cursor["mark"]) - int(kept.get("mark", 0))
                return cursor["arrived"] != kept.get("arrived") or advance > _ADVANCE
            case OnEvent() if isinstance(kept, dict) and isinstance(cursor, dict):
                return len(cursor["seen"]) - len(kept.get("seen", [])) > _ADVANCE
        return False

    def _see_ends(self, endpoint: Endpoint) -> None:
        if not self.progress.active:
            return
        settle_runs(self._store, endpoint)
        going_on = [key for key in self.progress.active if self._goes_on(self.progress.runs.get(key, ""))]
        if going_on != self.progress.active:
            self.progress.active = going_on
            self._save()

    def _goes_on(self, run_id: str) -> bool:
        run = read_record(self._store, run_id) if run_id else None
        return run is not None and run.state in {"pending", "running"}

    def _release(self, endpoint: Endpoint) -> None:
        """Start what may start, skip and cancel what has to go, as the overlap policy says."""
        progress = self.progress
        while progress.waiting:
            start, skip = decide(self.record.overlap, len(progress.active), progress.waiting)
            for occurrence, reason in skip:
                progress.waiting.remove(occurrence)
                self._note_skip(occurrence, reason)
            if start and self.record.overlap == "cancel-previous":
                for key in progress.active:
                    self._cancel(progress.runs[key], endpoint)
                progress.active = []
            if skip:
                self._save()
            for occurrence in start:
                self._start(occurrence, endpoint)
            if not start:
                return

    def _start(self, occurrence: Occurrence, endpoint: Endpoint) -> None:
        name = f"{self.record.id}-{occurrence.key}"
        try:
            run_id = submit_request(self._request(occurrence), self._settings, endpoint, name)
            self.progress.active.append(occurrence.key)
        except (NotebookError, RequestError, LostError) as error:  # it will not get better by trying again
            run_id = self._refused(name, occurrence, str(error))
        self.progress.runs[occurrence.key] = run_id
        self.progress.waiting = [other for other in self.progress.waiting if other.key != occurrence.key]
        self._save()

    def _request(self, occurrence: Occurrence) -> RunRequest:
        if runs.chain(self._store, occurrence.upstream) >= runs.MOST_IN_CHAIN:
            raise RequestError(
                f"{runs.MOST_IN_CHAIN} runs have followed from one another through triggers; this one is not made.",
                "Look for pipelines that set each other off by what they write.",
            )
        published, _ = source_of(self.record)
        return RunRequest(
            notebook=Path(self.record.notebook),
            parameters=parameters_of(self.record, occurrence),
            published=published,
            schedule=self.record.id,
            triggered=True,
            scheduled_time=occurrence.time,
            upstream=occurrence.upstream or None,
        )

    def _refused(self, name: str, occurrence: Occurrence, error: str) -> str:
        """Put a run on record that could not begin: nobody was there to be told."""
        run_id = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
        now = time.time()
        path = Path(self.record.notebook)
        run = RunRecord(run_id, path.stem, str(path), "", "failed", {}, now, now, (), error=error)
        run = replace(
            run, schedule=self.record.id, triggered=True, scheduled_time=occurrence.time,
            pipeline=self.record.pipeline, upstream=occurrence.upstream,
        )  # fmt: skip
        self._store.save_run(run_id, asdict(run) | {"process": None})
        tell_worker(self._settings.home, LOOK)
        return run_id

    def _cancel(self, run_id: str, endpoint: Endpoint) -> None:
        run = read_record(self._store, run_id)
        if run is not None and run.state in {"pending", "running"}:
            cancel_run(run, self._settings, endpoint)

    def _note_skip(self, occurrence: Occurrence, reason: str) -> None:
        self.progress.skipped.append({"occurrence": occurrence.key, "time": occurrence.time, "reason": reason})

    def _save(self) -> None:
        self._shelf.save_progress(self.record, self.progress)


def decide(
    overlap: Overlap, active: int, waiting: Sequence[Occurrence]
) -> tuple[list[Occurrence], list[tuple[Occurrence, str]]]:
    """Which of the waiting occurrences start now, and which are skipped, with the reason."""
    if overlap == "parallel":
        return list(waiting), []
    if overlap == "cancel-previous":
        return [waiting[-1]], [(one, "a later one takes its place") for one in waiting[:-1]]
    first = [] if active else [waiting[0]]
    if overlap == "skip":
        return first, [(one, "an earlier run had not ended") for one in waiting[len(first) :]]
    return first, []
