"""Runs of schedules and triggers that are tried again as a whole, where the schedule or the notebook asks for that.

Each attempt is a run of its own that continues the one before it: steps that succeeded are taken over. Attempts come
ever later, and spread. One is asked for by the id of the run that failed, so that none comes twice, whoever is killed.
"""

from __future__ import annotations

import random
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from jupyter_pipelines.errors import NotebookError, PipelinesError, RequestError
from jupyter_pipelines.notebook.model import NotebookOptions
from jupyter_pipelines.orchestration.history import History
from jupyter_pipelines.orchestration.model import RunRecord
from jupyter_pipelines.orchestration.records import read_record
from jupyter_pipelines.orchestration.scheduling.shelf import Shelf as Schedules
from jupyter_pipelines.orchestration.service.endpoint import Endpoint, recorded_endpoint
from jupyter_pipelines.orchestration.triggers.shelf import Shelf as Triggers
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store
from jupyter_pipelines.store.files import read_json, write_json

LONGEST: Final = 15.0  # seconds between two looks: who ends says so, who is killed does not
LONGEST_DELAY: Final = 3600.0  # seconds between two attempts, before they are spread


@dataclass(frozen=True)
class Asker:
    """The schedule or trigger whose runs may be tried again. ``retries``: ``None`` is what the notebook says."""

    store: str
    retries: int | None = None
    timeout: float | None = None


@dataclass
class Progress:
    """How far the ends of runs have been looked at, by store, and when the runs that failed are tried again."""

    marks: dict[str, int] = field(default_factory=dict)
    due: dict[str, tuple[str, float]] = field(default_factory=dict)  # by run: its store, seconds since the epoch

    @classmethod
    def of(cls, found: object) -> Progress:
        """What was written; nothing where it cannot be read: then no earlier failure is tried again."""
        try:
            assert isinstance(found, dict)
            marks = {str(store): int(mark) for store, mark in found["marks"].items()}
            return cls(marks, {str(run): (str(of), float(moment)) for run, (of, moment) in found["due"].items()})
        except (AssertionError, KeyError, TypeError, ValueError, AttributeError):
            return cls()


class Retrying:
    """The duty of the service of ``home`` to try failed runs again. There is one, in the worker."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._path = home / "retries.json"
        self._schedules, self._triggers = Schedules(home), Triggers(home)
        self._progress = Progress.of(read_json(self._path))

    def look(self) -> float:
        """Do what is due; returns in how many seconds to look again, at the latest."""
        endpoint = recorded_endpoint(self._home)
        askers = dict(self._askers())
        if endpoint is None or not (askers or self._progress.due):
            return LONGEST
        before = repr(self._progress)
        for store in {asker.store for asker in askers.values()}:
            self._note(store, askers)
        if repr(self._progress) != before:
            self._save()  # before any is asked for: what is noted twice is asked for once
        now = time.time()
        for run, (store, due) in list(self._progress.due.items()):
            if due <= now or due > now + 2 * LONGEST_DELAY:  # the clock was set back
                self._try(run, store, askers, endpoint)
        left = [due - time.time() for _, due in self._progress.due.values()]
        return max(0.05, min([LONGEST, *left]))

    def _askers(self) -> Iterator[tuple[str, Asker]]:
        for record in self._schedules.records():
            schedule = record.schedule
            if not schedule.paused:
                timeout = schedule.timeout.total_seconds() if schedule.timeout is not None else None
                yield record.id, Asker(record.store, schedule.retries, timeout)
        for trigger in self._triggers.records():
            if not trigger.paused:
                yield trigger.id, Asker(trigger.store)

    def _note(self, store: str, askers: dict[str, Asker]) -> None:
        """Note which of the runs that have ended since the last look are to be tried again, and when."""
        history = History(Store(store))
        mark = self._progress.marks.get(store)
        if mark is None:
            self._progress.marks[store] = history.mark()
            return
        self._progress.marks[store], ended = history.ended_since(mark)
        for run in ended:
            asker = askers.get(run.schedule)
            if asker is not None and (delay := delay_after(run, asker, Store(store))) is not None:
                self._progress.due[run.id] = store, time.time() + delay

    def _try(self, run_id: str, store: str, askers: dict[str, Asker], endpoint: Endpoint) -> None:
        from jupyter_pipelines.orchestration.runs import resumption_of
        from jupyter_pipelines.orchestration.submission import submit_request

        settings = replace(Settings.load(), home=self._home, store=store)
        run = read_record(Store(store), run_id)
        try:
            if run is not None and run.schedule in askers:  # else it was paused, or removed, in the meantime
                request, source = resumption_of(run, Store(store))
                timeout = askers[run.schedule].timeout
                request = replace(request, attempt=run.attempt + 1, timeout=timeout, upstream=run.upstream or None)
                submit_request(request, settings, endpoint, f"retry {run_id}", source)
        except (NotebookError, RequestError) as error:  # it will not get better by trying again
            print(f"run {run_id} is not tried again: {error}", flush=True)
        except Exception:  # a server that restarts, a full disk: it stays due
            traceback.print_exc()
            return
        del self._progress.due[run_id]
        self._save()

    def _save(self) -> None:
        write_json(self._path, {"marks": self._progress.marks, "due": self._progress.due})


def delay_after(run: RunRecord, asker: Asker, store: Store) -> float | None:
    """In how many seconds ``run``, which has ended, is tried again; ``None`` when it is not.

    What a person stopped is not, nor what was refused: that a step would give another result is no matter of luck.
    """
    refused = any(step.state == "refused" for step in run.steps)
    if run.state not in {"failed", "crashed"} or run.backfill or refused or not run.version:
        return None
    options = _options(run, store)
    if options is None or run.attempt > (options.run_retries if asker.retries is None else asker.retries):
        return None
    try:
        delay = options.run_retry_delay * options.run_retry_backoff ** (run.attempt - 1)
    except OverflowError:
        delay = LONGEST_DELAY
    return min(LONGEST_DELAY, delay) * (1 + random.uniform(0, options.run_retry_jitter))


def _options(run: RunRecord, store: Store) -> NotebookOptions | None:
    """What the notebook said that was run."""
    from jupyter_pipelines.notebook import read_notebook

    try:
        return read_notebook(store.get_notebook(run.version), Path(run.notebook).name).options
    except PipelinesError:
        return None
