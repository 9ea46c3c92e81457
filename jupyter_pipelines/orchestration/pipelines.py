"""All pipelines at a glance: how each stands, its last runs, its next one, who published it.

It is asked for often, and of hundreds of pipelines with many runs: the runs come from their index alone, and what is
read of the rest is kept until its files change.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

from jupyter_pipelines.errors import StoreError
from jupyter_pipelines.orchestration.model import RunState
from jupyter_pipelines.orchestration.records import read_record
from jupyter_pipelines.orchestration.schedules import next_occurrence
from jupyter_pipelines.orchestration.scheduling.foreseeing import foreseen, problems
from jupyter_pipelines.orchestration.scheduling.model import ScheduleRecord
from jupyter_pipelines.orchestration.scheduling.shelf import Shelf as ScheduleShelf
from jupyter_pipelines.orchestration.service import configured_endpoint, endpoint_of
from jupyter_pipelines.orchestration.service.home import ServiceHome
from jupyter_pipelines.orchestration.settling import settle_runs
from jupyter_pipelines.orchestration.tables import Builders, Upstream, builders_of, tables_of, upstream_of
from jupyter_pipelines.orchestration.triggers.model import TriggerRecord
from jupyter_pipelines.orchestration.triggers.shelf import Shelf as TriggerShelf
from jupyter_pipelines.orchestration.versions.identity import pipeline_of, real_path
from jupyter_pipelines.orchestration.versions.model import Entry
from jupyter_pipelines.orchestration.versions.publishing import number_of, published_id
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store, publications
from jupyter_pipelines.store.run_index import IndexedRun, RunIndex
from jupyter_pipelines.typed import typed

State = Literal["draft", "active", "paused", "running", "failing", "late", "will-fail", "offline"]
LAST: Final = 20  # runs
OVERDUE: Final = timedelta(minutes=1)
NOT_RUNNING: Final = "The service is not running, and starts no runs."
_FAILED: Final = {"failed", "crashed"}
_GOING_ON: Final = {"pending", "running"}


@dataclass(frozen=True)
class LastRun:
    """One of the last runs. Times are seconds since the epoch; ``started`` is when it was asked for, before it has."""

    id: str
    state: RunState
    started: float
    ended: float


@dataclass(frozen=True)
class PublishedVersion:
    """The version that runs take: ``label`` is the how-manieth of the pipeline it is, such as ``v7``."""

    id: str
    label: str
    time: float
    author: str


@dataclass(frozen=True)
class PipelineStatus:
    """How a pipeline stands. ``state``, the first that applies:

    ``running``; ``offline``: a run waits, or it is to run by itself, and the service is not there; ``failing``: its
    last run that ended has failed; ``late``: one of its times has passed and nothing has run; ``will-fail``: it is
    known that the next run of a schedule will; ``paused``: all that starts it is; ``active``; ``draft``: nothing is
    published, and nothing starts it.
    """

    notebook: str  # absolute path
    name: str
    pipeline: str  # what it is called: its name, or a path of its notebook
    state: State
    owner: str  # who published it, else whose file it is
    version: PublishedVersion | None
    last_runs: tuple[LastRun, ...]  # newest first
    next: datetime | None  # when it runs next by a schedule
    schedules: int
    triggers: int
    missing: bool = False  # there is no such file any more
    problem: str = ""  # what is wrong, in words
    tables_read: tuple[str, ...] = ()  # of the warehouse, that it does not build itself
    tables_written: tuple[str, ...] = ()
    upstream: tuple[Upstream, ...] = ()  # the tables it reads that other pipelines build


@typed
def pipelines(notebook: Path | str | None = None) -> list[PipelineStatus]:
    """All pipelines that have runs, versions, schedules or triggers, in the order of their notebooks' paths.

    With ``notebook`` the one that it is, also when it has nothing yet.
    """
    settings = Settings.load()
    overview = _overview(settings.home, settings.store)
    if notebook is None:
        return overview.all()
    return [overview.one(notebook)]


@dataclass
class _Known:
    """What is known of one pipeline before it is judged."""

    pipeline: str
    notebook: str = ""
    version: PublishedVersion | None = None
    runs: tuple[IndexedRun, ...] = ()
    schedules: tuple[ScheduleRecord, ...] = ()
    triggers: tuple[TriggerRecord, ...] = ()


class _Overview:
    """The pipelines of one project home and store. What was read is kept until its file changes."""

    def __init__(self, home: Path, store: str) -> None:
        self._store = Store(store)
        self._index = RunIndex(self._store.root)
        self._home = ServiceHome(home)
        self._schedules, self._triggers = ScheduleShelf(home), TriggerShelf(home)
        self._logs: dict[str, tuple[object, str, str, PublishedVersion | None]] = {}
        self._next: dict[str, tuple[ScheduleRecord, datetime | None]] = {}
        self._due: dict[str, tuple[object, datetime | None]] = {}
        self._lock = threading.Lock()

    def all(self) -> list[PipelineStatus]:
        """Every pipeline."""
        with self._lock:
            known = self._known(None)
            found = sorted(self._judged(known), key=lambda status: (status.notebook, status.pipeline))
            builders = _builders(known)
            return [_with_tables(status, builders) for status in found]

    def one(self, notebook: Path | str) -> PipelineStatus:
        """The pipeline of one notebook."""
        pipeline = pipeline_of(self._store, notebook)
        with self._lock:
            known = self._known({pipeline})
            found = known.setdefault(pipeline, _Known(pipeline))
            path = real_path(notebook)
            if Path(path).exists() or not found.notebook:
                found.notebook = path
            status = next(iter(self._judged({pipeline: found})))
            reads = tables_of(found.notebook).read
            return _with_tables(status, _builders(self._known(None)) if reads else {})

    def _known(self, wanted: Collection[str] | None) -> dict[str, _Known]:
        settle_runs(self._store, endpoint_of(Settings.load()))
        known: dict[str, _Known] = {}

        def of(pipeline: str) -> _Known:
            return known.setdefault(pipeline, _Known(pipeline))

        for name, runs in self._index.last_of_each(LAST, wanted).items():
            found = of(name)
            found.runs, found.notebook = tuple(runs), runs[0].notebook
        for schedule in self._schedules.records():
            if self._is_wanted(schedule.pipeline or schedule.notebook, schedule.store, wanted):
                found = of(schedule.pipeline or schedule.notebook)
                found.schedules, found.notebook = (*found.schedules, schedule), schedule.notebook
        for trigger in self._triggers.records():
            if self._is_wanted(trigger.pipeline or trigger.notebook, trigger.store, wanted):
                found = of(trigger.pipeline or trigger.notebook)
                found.triggers, found.notebook = (*found.triggers, trigger), trigger.notebook
        for name, notebook, version in self._published(wanted):
            found = of(name)
            found.version, found.notebook = version, notebook
        for name, paths in publications.adopting(self._store).items() if known else ():
            if name in known and not Path(known[name].notebook).exists():
                known[name].notebook = next((path for path in paths if Path(path).exists()), known[name].notebook)
        return known

    def _is_wanted(self, pipeline: str, store: str, wanted: Collection[str] | None) -> bool:
        return store == str(self._store.root) and (wanted is None or pipeline in wanted)

    def _published(self, wanted: Collection[str] | None) -> Iterable[tuple[str, str, PublishedVersion | None]]:
        """Of each log the pipeline, the notebook that it is published from, and the version that runs take."""
        for key, state in publications.states(self._store, wanted).items():
            known = self._logs.get(key)
            if known is None or known[0] != state:
                known = self._logs[key] = (state, *self._read_log(key))
            if known[1]:
                yield known[1:]

    def _read_log(self, key: str) -> tuple[str, str, PublishedVersion | None]:
        pipeline, found = publications.read_log(self._store, key)
        entries = [entry for one in found if (entry := Entry.read(one)) is not None]
        if not entries:
            return "", "", None
        version = published_id(entries)
        entry = next((one for one in entries if one.version == version and one.kind == "publish"), entries[-1])
        label = f"v{number_of(entries, version)}"
        return pipeline, entries[-1].notebook, PublishedVersion(version, label, entry.time, entry.author)

    def _judged(self, known: dict[str, _Known]) -> Iterable[PipelineStatus]:
        now = datetime.now(UTC)
        online = bool(self._home.holder())
        doomed = problems(self._home.path)
        for found in known.values():
            yield self._judge(found, now, doomed, online=online)

    def _judge(self, found: _Known, now: datetime, doomed: Collection[str], *, online: bool) -> PipelineStatus:
        path = Path(found.notebook)
        live = [one for one in found.schedules if not one.schedule.paused]
        starts = bool(live) or any(not one.paused for one in found.triggers)
        following = [moment for one in live if (moment := self._next_time(one, now)) is not None]
        status = PipelineStatus(
            notebook=found.notebook,
            name=path.stem if found.pipeline.startswith("/") or not found.pipeline else found.pipeline,
            pipeline=found.pipeline,
            state="draft",
            owner=found.version.author if found.version is not None else _owner(path),
            version=found.version,
            last_runs=tuple(LastRun(run.id, run.state, run.moment, run.ended) for run in found.runs),  # type: ignore[arg-type]  # a state of a run
            next=min(following, default=None),
            schedules=len(found.schedules),
            triggers=len(found.triggers),
            missing=not path.exists(),
        )
        problem = f"There is no file {found.notebook} any more." if status.missing else ""
        last = next((run for run in found.runs if run.state not in {*_GOING_ON, "cancelled"}), None)
        states = {run.state for run in found.runs}
        waits = "pending" in states and not online and configured_endpoint() is None
        if "running" in states or ("pending" in states and not waits):
            return replace(status, state="running", problem=problem)
        if waits or (starts and not online):
            return replace(status, state="offline", problem=problem or NOT_RUNNING)
        if last is not None and last.state in _FAILED:
            return replace(status, state="failing", problem=problem or self._why(last))
        late = [due for one in live if (due := self._overdue(one, now)) is not None]
        if late:
            due = min(late).astimezone()
            return replace(status, state="late", problem=problem or f"It should have run at {due:%Y-%m-%d %H:%M %Z}.")
        why = next((told for one in live if one.id in doomed and (told := foreseen(self._home.path, one))), "")
        if why:
            return replace(status, state="will-fail", problem=problem or why)
        state: State = "draft" if found.version is None else "active"
        if found.schedules or found.triggers:
            state = "active" if starts else "paused"
        return replace(status, state=state, problem=problem)

    def _next_time(self, record: ScheduleRecord, now: datetime) -> datetime | None:
        known = self._next.get(record.id)
        if known is None or known[0] is not record or (known[1] is not None and known[1] <= now):
            known = self._next[record.id] = (record, record.next_time(now))
        return known[1]

    def _overdue(self, record: ScheduleRecord, now: datetime) -> datetime | None:
        """The first time that has passed, and that the scheduler has not dealt with."""
        state = (record, self._schedules.stamp_of_progress(record))
        known = self._due.get(record.id)
        if known is None or known[0] != state:
            due = None
            with suppress(StoreError):  # told where the schedule is
                handled = self._schedules.progress(record).handled
                due = next_occurrence(record.schedule, max(handled.until or handled.active_since, record.active_since))
            known = self._due[record.id] = (state, due)
        return known[1] if known[1] is not None and known[1] < now - OVERDUE else None

    def _why(self, run: IndexedRun) -> str:
        """What the run has failed of, in a line."""
        record = read_record(self._store, run.id)
        if record is None:
            return "Its last run failed."
        step = next((step for step in record.steps if step.error), None)
        lines = (step.error if step is not None else record.error).strip().splitlines()
        where = f"Step {step.name}" if step is not None else "Its last run"
        return f"{where} failed: {lines[-1] if lines else run.state}"


def _builders(known: Mapping[str, _Known]) -> Builders:
    return builders_of((name, found.notebook) for name, found in known.items())


def _with_tables(status: PipelineStatus, builders: Builders) -> PipelineStatus:
    tables = tables_of(status.notebook)
    if not tables.read and not tables.written:
        return status
    above = upstream_of(status.notebook, builders)
    return replace(status, tables_read=tables.read, tables_written=tables.written, upstream=above)


@lru_cache(maxsize=4)
def _overview(home: Path, store: str) -> _Overview:
    return _Overview(home, store)


def _owner(path: Path) -> str:
    """Whose file it is; ``""`` where that cannot be told."""
    try:
        return path.owner()
    except (OSError, KeyError, NotImplementedError):
        return ""
