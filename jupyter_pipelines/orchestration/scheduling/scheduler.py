"""The scheduler: looks at all schedules, has what is due carried out, and says when to look again.

An occurrence runs once: its run is asked for with the schedule's and the occurrence's names as the key, so that who
dies before it is noted asks for the same run again. Progress is kept after each run that was asked for.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, assert_never

from jupyter_pipelines.errors import LostError, NotebookError, PipelinesError, RequestError, StoreError
from jupyter_pipelines.orchestration.canceller import Canceller
from jupyter_pipelines.orchestration.model import RunRequest
from jupyter_pipelines.orchestration.records import read_record
from jupyter_pipelines.orchestration.refusals import record_refused
from jupyter_pipelines.orchestration.schedules import (
    Action,
    ActiveRun,
    Cancel,
    Queue,
    Skip,
    Start,
    decide,
    occurrence_key,
)
from jupyter_pipelines.orchestration.scheduling.model import Progress, ScheduleRecord, moment_of_key
from jupyter_pipelines.orchestration.scheduling.requests import request_of
from jupyter_pipelines.orchestration.scheduling.shelf import Shelf
from jupyter_pipelines.orchestration.service.endpoint import UNREACHABLE, Endpoint, recorded_endpoint
from jupyter_pipelines.orchestration.settling import settle_runs
from jupyter_pipelines.orchestration.submission import announce_request, submit_request
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store

AHEAD: Final = 4.0  # seconds before a run is due that a process and kernels are made ready for it
LONGEST: Final = 5.0  # seconds between two looks: a clock that was set, or a sleep of the machine, tells nobody
RETRY: Final = timedelta(seconds=3)  # after something that was not the schedule's fault: a server that restarts, say


class Scheduler:
    """Runs the schedules of the project home ``home``. There is one, in the worker."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._shelf = Shelf(home)
        self._canceller = Canceller(home)
        self._known: dict[str, ScheduleRecord] = {}  # as looked at last
        self._wakes: dict[str, datetime | None] = {}
        self._busy: set[str] = set()  # those with runs that go on, or wait
        self._unreadable: dict[str, str] = {}  # those that are left alone, and why
        self._prepared: tuple[str, datetime] | None = None  # the schedule and the time of the run prepared last
        self._looked = datetime.now(UTC)
        self._settled: set[str] = set()  # the stores whose runs were looked at in this look

    def look(self) -> float:
        """Do what is due; returns in how many seconds to look again, at the latest."""
        endpoint = recorded_endpoint(self._home)
        if endpoint is None:
            return LONGEST
        before, self._looked = self._looked, datetime.now(UTC)
        if self._looked < before:  # the clock was set back: what was to be looked at when is not true any more
            self._wakes.clear()
            self._known.clear()
        self._settled.clear()
        records = self._shelf.records()
        for record in records:
            if not record.schedule.paused and self._is_due(record):
                self._known[record.id] = record
                try:
                    self._wakes[record.id] = self._carry_on(record, endpoint)
                except Exception:  # no server, a full disk: what is due stays due, and the other schedules go on
                    traceback.print_exc()
                    self._wakes[record.id] = datetime.now(UTC) + RETRY
        return self._until_next(records, endpoint)

    def _until_next(self, records: Sequence[ScheduleRecord], endpoint: Endpoint) -> float:
        """Seconds until something is due; shortly before a run is, it is prepared."""
        awake = [(wake, record) for record in records if (wake := self._wakes.get(record.id)) is not None]
        wake, record = min(
            ((wake, record) for wake, record in awake if not record.schedule.paused),
            key=lambda found: found[0],
            default=(None, None),
        )
        if wake is None or record is None:
            return LONGEST
        left = (wake - datetime.now(UTC)).total_seconds()
        if left > AHEAD:
            return min(LONGEST, left - AHEAD)
        if left > 0 and self._prepared != (record.id, wake):
            self._prepared = (record.id, wake)
            self._prepare(record, wake, endpoint)
        return max(0.0, (wake - datetime.now(UTC)).total_seconds())

    def _prepare(self, record: ScheduleRecord, occurrence: datetime, endpoint: Endpoint) -> None:
        """Have a process and kernels made ready for a run that is due in a moment; nothing is asked for yet."""
        with suppress(PipelinesError, *UNREACHABLE):  # when it is due that will be told
            work = self._work(record, endpoint)
            announce_request(work.request(occurrence), work.settings)

    def _is_due(self, record: ScheduleRecord) -> bool:
        wake = self._wakes.get(record.id)
        changed = self._known.get(record.id) != record
        return changed or record.id in self._busy or (wake is not None and wake <= datetime.now(UTC))

    def _carry_on(self, record: ScheduleRecord, endpoint: Endpoint) -> datetime | None:
        """Decide and act until nothing more is due; returns when something is."""
        try:
            work = self._work(record, endpoint)
        except StoreError as error:  # nobody knows what has run: it is left alone until somebody removes the file
            if self._unreadable.get(record.id) != str(error):
                print(f"schedule {record.id} is left alone: {error}", flush=True)
            self._unreadable[record.id] = str(error)
            self._busy.add(record.id)  # so that it is looked at again
            return None
        self._unreadable.pop(record.id, None)
        while True:
            now = datetime.now(UTC)
            wake = work.carry_on(now)
            if wake is None or wake > now:
                break
        self._busy.discard(record.id)
        if work.progress.active or work.progress.waiting:
            self._busy.add(record.id)
        return wake

    def _work(self, record: ScheduleRecord, endpoint: Endpoint) -> _Work:
        settings = replace(Settings.load(), home=self._home, store=record.store)
        return _Work(record, self._shelf, endpoint, settings, self._canceller, self._settled)


class _Work:
    """What is to be done about one schedule."""

    def __init__(
        self,
        record: ScheduleRecord,
        shelf: Shelf,
        endpoint: Endpoint,
        settings: Settings,
        canceller: Canceller,
        settled: set[str],
    ) -> None:
        self.record = record
        self.progress: Progress = shelf.progress(record)
        self._shelf = shelf
        self._endpoint = endpoint
        self.settings = settings
        self._store = Store(settings.store)
        self._canceller = canceller
        self._settled = settled

    def carry_on(self, now: datetime) -> datetime | None:
        """Carry out what is decided about ``now``; returns when to decide again."""
        progress = self.progress
        self._see_ends()
        if progress.waiting and self.record.schedule.overlap == "cancel-previous":
            self._cancel_active()
        waiting = [ActiveRun(key, moment_of_key(key), "queued") for key in progress.waiting]
        running = [ActiveRun(key, moment_of_key(key), "running") for key in progress.active]
        recorded = [moment_of_key(key) for key in progress.runs]
        decision = decide(self.record.schedule, progress.handled, now, [*waiting, *running], recorded)
        for note in decision.notes:
            print(f"schedule {self.record.id}: {note}", flush=True)
        for action in decision.actions:
            if isinstance(action, Start) and not self._shelf.is_current(self.record):
                return None  # it was paused or removed just now; we are about to be told
            self._carry_out(action)
        if decision.actions or decision.handled != progress.handled:
            progress.handled = decision.handled
            self._save()
        return decision.wake

    def _see_ends(self) -> None:
        if not self.progress.active:
            return
        if self.settings.store not in self._settled:  # once for all schedules, however many have runs
            self._settled.add(self.settings.store)
            settle_runs(self._store, self._endpoint)
        going_on = [key for key in self.progress.active if self._goes_on(self.progress.runs.get(key, ""))]
        if going_on != self.progress.active:
            self.progress.active = going_on
            self._save()

    def _goes_on(self, run_id: str) -> bool:
        run = read_record(self._store, run_id) if run_id else None
        return run is not None and run.state in {"pending", "running"}

    def _carry_out(self, action: Action) -> None:
        progress = self.progress
        match action:
            case Start() if progress.active and self.record.schedule.overlap == "cancel-previous":
                progress.waiting.append(occurrence_key(action.occurrence))  # until what is being cancelled has ended
            case Start():
                self._start(action.occurrence)
            case Queue():
                progress.waiting.append(occurrence_key(action.occurrence))
            case Skip():
                self._note_skip(action.first, action.last, action.count, action.reason)
            case Cancel(key, reason) if key in progress.waiting:
                progress.waiting.remove(key)
                self._note_skip(moment_of_key(key), moment_of_key(key), 1, reason)
            case Cancel():
                self._cancel_active()
            case _:
                assert_never(action)

    def _start(self, occurrence: datetime) -> None:
        key = occurrence_key(occurrence)
        name = f"{self.record.id}-{key}"
        try:
            run_id = submit_request(self.request(occurrence), self.settings, self._endpoint, name)
            self.progress.active.append(key)
        except (NotebookError, RequestError, LostError) as error:  # it will not get better by trying again
            run_id = record_refused(
                self._store,
                name,
                self._ours(RunRequest(Path(self.record.notebook)), occurrence),
                str(error),
                self.record.pipeline,
            )
        self.progress.runs[key] = run_id
        self.progress.waiting = [other for other in self.progress.waiting if other != key]
        self._save()

    def request(self, occurrence: datetime) -> RunRequest:
        """What is asked for when the run of ``occurrence`` is due. Raises :class:`PipelinesError`."""
        return self._ours(request_of(self.record, occurrence, self._store), occurrence)

    def _ours(self, request: RunRequest, occurrence: datetime) -> RunRequest:
        return replace(request, schedule=self.record.id, scheduled_time=occurrence.timestamp())

    def _cancel_active(self) -> None:
        """Have the runs that go on cancelled; nobody waits for that."""
        for key in self.progress.active:
            if run_id := self.progress.runs.get(key):
                self._canceller.cancel(run_id, self.settings, self._endpoint)

    def _note_skip(self, first: datetime, last: datetime, count: int | None, reason: str) -> None:
        keys = {"first": occurrence_key(first), "last": occurrence_key(last)}
        note: dict[str, object] = {**keys, "count": count, "reason": reason}
        if note not in self.progress.skipped:  # else it was decided before, by who could not keep how far it had come
            self.progress.skipped.append(note)

    def _save(self) -> None:
        self._shelf.save_progress(self.record, self.progress)
