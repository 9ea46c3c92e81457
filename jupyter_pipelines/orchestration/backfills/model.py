"""What is kept of a backfill: its record, written by people, and its progress, written by the worker alone.

A backfill is *running* until it is one of: *paused* by somebody; *stopped*, because a window failed and the windows
after it wait, or because how far it has come cannot be read; *completed*; *failed*, when nothing is left to be run but
some window did not complete; *cancelled*.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from jupyter_pipelines.orchestration.schedules.model import WindowUnit

State = Literal["running", "paused", "stopped", "completed", "failed", "cancelled"]
WindowState = Literal["waiting", "running", "completed", "failed", "crashed", "cancelled", "done", "skipped"]

UNFINISHED: Final = frozenset({"running", "paused", "stopped"})
"""The states of a backfill that has windows to run."""
BAD: Final = frozenset({"failed", "crashed", "cancelled"})
"""How the run of a window may have ended other than well."""


@dataclass(frozen=True)
class PlannedWindow:
    """One window of a backfill, with the parameters of its run in JSON form."""

    key: str
    start: str  # ISO 8601, with the offset of the backfill's time zone
    end: str
    parameters: Mapping[str, object]
    done: bool = False  # it had been completed before the backfill was asked for
    run: str = ""  # the id of the last run of this window before that, if there was one
    before: str = ""  # how that ended


@dataclass(frozen=True)
class BackfillRecord:
    """What was asked for. ``attempt`` rises when somebody has the windows that failed tried again."""

    id: str
    notebook: str  # absolute path
    pipeline: str
    store: str  # where its runs and versions are
    version: str  # the id of a version, or "" for the file as it was when it was asked for
    schedule: str  # the id of the schedule whose windows they are, or ""
    window: WindowUnit
    zone: str
    parallel: int
    keep_going: bool  # a window that fails does not stop the others
    created: float  # seconds since the epoch
    windows: tuple[PlannedWindow, ...]  # in the order in which they run
    attempt: int = 1
    paused: bool = False
    cancelled: bool = False
    skipped: tuple[str, ...] = ()  # the keys of windows that somebody has given up after they failed
    frozen: str = ""  # without a version: the id of the notebook and its files as they were

    def to_json(self) -> dict[str, object]:
        """JSON values; :func:`record_from` makes an equal one of them."""
        return asdict(self)


def record_from(found: object) -> BackfillRecord:
    """Read the JSON form of a record. Raises what the wrong types raise; the caller knows which file it was."""
    if not isinstance(found, dict):
        raise TypeError("a record is a JSON object")
    windows = tuple(PlannedWindow(**window) for window in found["windows"])
    return BackfillRecord(**{**found, "windows": windows, "skipped": tuple(found["skipped"])})


@dataclass(frozen=True)
class Tried:
    """How far a window has come. Without a ``run`` it is being asked for: whoever dies then asks for it again."""

    state: Literal["running", "completed", "failed", "crashed", "cancelled"]
    attempt: int
    run: str = ""
    error: str = ""
    previous: str = ""  # the run of the attempt before, what succeeded in it is taken over


Progress = dict[str, Tried]
"""The windows that have been begun, by their keys."""


def progress_from(found: object) -> Progress:
    """Read the JSON form of what was begun. Raises what the wrong types raise."""
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise TypeError("progress is a JSON object")
    progress = {str(key): Tried(**tried) for key, tried in found.items()}
    if not all(tried.state in {"running", "completed", *BAD} for tried in progress.values()):
        raise ValueError("a window is in no known state")
    return progress


def may_start(record: BackfillRecord, progress: Progress) -> list[PlannedWindow]:
    """The windows to start now, in order, were there no bound on how many run at once."""
    if record.paused or record.cancelled or (not record.keep_going and _failed(record, progress)):
        return []
    return [window for window in record.windows if _is_open(record, window, progress.get(window.key))]


def _is_open(record: BackfillRecord, window: PlannedWindow, tried: Tried | None) -> bool:
    if window.done or window.key in record.skipped:
        return False
    return tried is None or (tried.state in BAD and tried.attempt < record.attempt)


def _failed(record: BackfillRecord, progress: Progress) -> list[str]:
    """The windows whose last attempt has failed."""
    return [
        key
        for key, tried in progress.items()
        if tried.state in BAD and tried.attempt >= record.attempt and key not in record.skipped
    ]


@dataclass(frozen=True)
class BackfillWindow:
    """One data window of a backfill, from ``start`` up to but without ``end``.

    ``state``: it is *done* when a run had completed it before, and *skipped* when it failed and was given up. ``run``
    is its last run. ``before`` is how the last run of this window had ended when the backfill was asked for.
    """

    key: str
    start: datetime
    end: datetime
    parameters: Mapping[str, object]
    state: WindowState
    run: str = ""
    attempt: int = 0
    error: str = ""
    before: str = ""


@dataclass(frozen=True)
class Backfill:
    """A backfill as it is now; ``id`` is empty where nothing is kept: in a dry run, or when nothing is to be done."""

    id: str
    notebook: str
    pipeline: str
    version: str
    schedule: str
    window: WindowUnit
    timezone: str
    parallel: int
    keep_going: bool
    created: float
    state: State
    windows: tuple[BackfillWindow, ...]
    notes: tuple[str, ...] = field(default=())
    problem: str = ""  # why it is left alone, where how far it has come cannot be read

    @property
    def counts(self) -> dict[str, int]:
        """How many windows are in which state."""
        return dict(Counter(window.state for window in self.windows))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form that ``--format json`` and REST give."""
        windows = [
            asdict(window) | {"start": window.start.isoformat(), "end": window.end.isoformat()}
            for window in self.windows
        ]
        return {**asdict(self), "windows": windows, "notes": list(self.notes), "counts": self.counts}


def seen(record: BackfillRecord, progress: Progress, notes: tuple[str, ...] = ()) -> Backfill:
    """The backfill as people see it."""
    from jupyter_pipelines.orchestration.schedules.clock import zone_of

    zone = zone_of(record.zone)
    windows = []
    for window in record.windows:
        tried = progress.get(window.key)
        start, end = (datetime.fromisoformat(text).astimezone(zone) for text in (window.start, window.end))
        state = _window_state(record, window, tried)
        about = (tried.run, tried.attempt, tried.error) if tried is not None else (window.run, 0, "")
        windows.append(BackfillWindow(window.key, start, end, window.parameters, state, *about, window.before))
    return Backfill(
        id=record.id,
        notebook=record.notebook,
        pipeline=record.pipeline,
        version=record.version,
        schedule=record.schedule,
        window=record.window,
        timezone=record.zone,
        parallel=record.parallel,
        keep_going=record.keep_going,
        created=record.created,
        state=state_of(record, progress),
        windows=tuple(windows),
        notes=notes,
    )


def state_of(record: BackfillRecord, progress: Progress) -> State:
    """How the backfill is; see the head of this module."""
    if record.cancelled:
        return "cancelled"
    failed = _failed(record, progress)
    running = any(tried.state == "running" for tried in progress.values())
    waiting = any(_is_open(record, window, progress.get(window.key)) for window in record.windows)
    if not waiting and not running:
        return "failed" if failed else "completed"
    if record.paused:
        return "paused"
    return "stopped" if failed and not running and not record.keep_going else "running"


def _window_state(record: BackfillRecord, window: PlannedWindow, tried: Tried | None) -> WindowState:
    if window.done:
        return "done"
    if window.key in record.skipped:
        return "skipped"
    if _is_open(record, window, tried):
        return "cancelled" if record.cancelled else "waiting"
    return tried.state if tried is not None else "waiting"
