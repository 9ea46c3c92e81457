"""The worker's part in backfills: starts the windows whose turn it is, and sees how they end.

That a window is being asked for is put down before it is, and its run is asked for with the backfill's, the window's
and the attempt's names as the key: who dies in between asks for the same run again, or finds it by its key.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from jupyter_pipelines.errors import LostError, NotebookError, RequestError, StoreError
from jupyter_pipelines.orchestration.backfills.model import (
    BackfillRecord,
    PlannedWindow,
    Progress,
    Tried,
    may_start,
)
from jupyter_pipelines.orchestration.backfills.planning import with_earlier
from jupyter_pipelines.orchestration.backfills.shelf import BackfillShelf, Stamp
from jupyter_pipelines.orchestration.canceller import Canceller
from jupyter_pipelines.orchestration.history import History
from jupyter_pipelines.orchestration.model import RunRecord, RunRequest
from jupyter_pipelines.orchestration.records import read_record
from jupyter_pipelines.orchestration.refusals import record_refused
from jupyter_pipelines.orchestration.service.endpoint import Endpoint, recorded_endpoint
from jupyter_pipelines.orchestration.settling import settle_runs
from jupyter_pipelines.orchestration.submission import submit_request
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store

LONGEST: Final = 30.0  # seconds between two looks when nothing goes on: we are told of what changes
WATCHING: Final = 5.0  # seconds between two looks while runs go on: a run that is killed tells nobody
RETRY: Final = 3.0  # after something that was not the backfill's fault: a server that restarts, say


@dataclass
class _Known:
    """A backfill as it was read last."""

    stamp: Stamp
    record: BackfillRecord
    progress: Progress
    meanwhile: _Meanwhile


class _Meanwhile:
    """What other runs of the pipeline have completed since the backfill ``record`` was asked for."""

    def __init__(self, record: BackfillRecord) -> None:
        self._record = record
        self._history = History(Store(record.store))
        self._mark: int | None = None
        self._runs: list[RunRecord] = []

    def completed(self, window: PlannedWindow) -> str:
        """The run that has completed ``window``; ``""`` if none has, or it had been done, and was asked for again."""
        if window.before == "completed":
            return ""
        if self._mark is None:
            self._mark = self._history.mark()  # before what has ended is read, so that nothing lies between
            ended = self._history.query(pipeline=self._record.pipeline, state="completed", limit=None)
        else:
            self._mark, ended = self._history.ended_since(self._mark)
        self._runs += [run for run in ended if self._counts(run)]
        (found,) = with_earlier([window], self._runs, (), again=False)
        return found.run if found.done else ""

    def _counts(self, run: RunRecord) -> bool:
        record = self._record
        others = run.pipeline == record.pipeline and run.backfill != record.id
        return others and run.state == "completed" and run.ended >= record.created


class BackfillRunner:
    """Runs the backfills of the project home ``home``. There is one, in the worker."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._shelf = BackfillShelf(home)
        self._known: dict[str, _Known] = {}  # those that go on
        self._resting: dict[str, Stamp] = {}  # those that have nothing to do until somebody changes them
        self._unreadable: dict[str, str] = {}  # those that are left alone, and why
        self._canceller = Canceller(home)

    def look(self) -> float:
        """Do what is due; returns in how many seconds to look again, at the latest."""
        endpoint = recorded_endpoint(self._home)
        if endpoint is None:
            return WATCHING
        stamps = self._shelf.stamps()
        self._resting = {name: stamp for name, stamp in self._resting.items() if stamps.get(name) == stamp}
        wait = LONGEST
        for name in [name for name in stamps if name not in self._resting]:
            known = None
            try:
                known = self._read(name, stamps[name])
                if name in self._unreadable:
                    wait = min(wait, WATCHING)
                    continue
                if known is not None and self._carry_on(known, endpoint):
                    wait = min(wait, WATCHING)
                    continue
            except Exception:  # no server, a full disk, a defect: what is due stays due, and the others go on
                traceback.print_exc()
                self._known.pop(name, None)
                wait = min(wait, RETRY)
                continue
            self._resting[name] = stamps[name]
            self._known.pop(name, None)
        return wait

    def _read(self, name: str, stamp: Stamp) -> _Known | None:
        known = self._known.get(name)
        if known is not None and known.stamp == stamp:
            return known
        record = self._shelf.load(name)
        if record is None:
            return None
        progress = known.progress if known is not None else self._progress(name)
        if progress is None:
            return None
        meanwhile = known.meanwhile if known is not None else _Meanwhile(record)
        self._known[name] = _Known(stamp, record, progress, meanwhile)
        return self._known[name]

    def _progress(self, name: str) -> Progress | None:
        """How far it has come; ``None`` when that cannot be read, which is said once: nobody knows what is done."""
        try:
            found = self._shelf.progress(name)
        except StoreError as error:
            if self._unreadable.get(name) != str(error):
                print(f"backfill {name} is left alone: {error}", flush=True)
            self._unreadable[name] = str(error)
            return None
        self._unreadable.pop(name, None)
        return found

    def _carry_on(self, known: _Known, endpoint: Endpoint) -> bool:
        """See what has ended, start what may; says whether anything goes on."""
        settings = replace(Settings.load(), home=self._home, store=known.record.store)
        work = _Work(known, self._shelf, endpoint, settings)
        work.see_ends()
        if known.record.cancelled:
            for run in work.running_runs():
                self._canceller.cancel(run, settings, endpoint)
        else:
            work.start_windows()
        return work.goes_on()


class _Work:
    """What is to be done about one backfill."""

    def __init__(self, known: _Known, shelf: BackfillShelf, endpoint: Endpoint, settings: Settings) -> None:
        self.record = known.record
        self.progress = known.progress
        self._meanwhile = known.meanwhile
        self._shelf = shelf
        self._endpoint = endpoint
        self._settings = settings
        self._store = Store(settings.store)
        self._windows = {window.key: window for window in known.record.windows}

    def goes_on(self) -> bool:
        """Whether a window is running."""
        return any(tried.state == "running" for tried in self.progress.values())

    def running_runs(self) -> list[str]:
        """The runs of the windows that go on."""
        return [tried.run for tried in self.progress.values() if tried.state == "running" and tried.run]

    def see_ends(self) -> None:
        """Put down which windows have ended, and ask again for those of which it is not known whether they run."""
        running = {key: tried for key, tried in self.progress.items() if tried.state == "running"}
        if not running:
            return
        settle_runs(self._store, self._endpoint)
        before = dict(self.progress)
        for key, tried in running.items():
            if tried.run:
                self.progress[key] = self._as_it_is(tried)
            elif self.record.cancelled or self.record.paused:
                self._find_or_forget(key, tried)
            else:
                self._ask(self._windows[key], tried)
        if self.progress != before:
            self._save()

    def start_windows(self) -> None:
        """Start the windows whose turn it is, as many as may run at once."""
        while True:
            running = sum(tried.state == "running" for tried in self.progress.values())
            waiting = may_start(self.record, self.progress)
            if not waiting or running >= self.record.parallel:
                return
            window = waiting[0]
            earlier = self.progress.get(window.key)
            if completed := self._meanwhile.completed(window):
                self.progress[window.key] = Tried("completed", self.record.attempt, completed)
                self._save()
                continue
            tried = Tried("running", self.record.attempt, previous=earlier.run if earlier is not None else "")
            self.progress[window.key] = tried
            self._save()
            self._ask(window, tried)
            self._save()

    def _ask(self, window: PlannedWindow, tried: Tried) -> None:
        key = self._key(window.key, tried)
        request = RunRequest(
            notebook=Path(self.record.notebook),
            parameters=window.parameters,
            published=self.record.version or None,
            frozen=self.record.frozen or None,
            resume=tried.previous or None,
            backfill=self.record.id,
        )
        try:
            run = submit_request(request, self._settings, self._endpoint, key)
            self.progress[window.key] = replace(tried, run=run)
        except (NotebookError, RequestError, LostError) as error:  # it will not get better by trying again
            run = record_refused(self._store, key, request, str(error), self.record.pipeline)
            self.progress[window.key] = replace(tried, state="failed", run=run, error=str(error))

    def _as_it_is(self, tried: Tried) -> Tried:
        run = read_record(self._store, tried.run)
        if run is None:
            return replace(tried, state="failed", error="The record of its run is gone, so that its end is not known.")
        if run.state == "pending" or run.state == "running":  # noqa: PLR1714  # so that the type checker knows the rest
            return tried
        return replace(tried, state=run.state, error=run.error)

    def _find_or_forget(self, key: str, tried: Tried) -> None:
        """A window that was being asked for when we died, and is no longer wanted: is there a run of it?"""
        wanted = {"flow_runs": {"idempotency_key": {"any_": [self._key(key, tried)]}}, "limit": 1}
        found = self._endpoint.call("/flow_runs/filter", wanted)
        if isinstance(found, list) and found:
            self._ask(self._windows[key], tried)  # it is the same run; this puts it on record
        else:
            del self.progress[key]

    def _key(self, window: str, tried: Tried) -> str:
        return f"backfill-{self.record.id}-{window}-{tried.attempt}"

    def _save(self) -> None:
        self._shelf.save_progress(self.record.id, self.progress)
