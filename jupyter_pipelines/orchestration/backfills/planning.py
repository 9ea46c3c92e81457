"""Which windows a backfill has, what the run of each is given, and which of them earlier runs have completed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.notebook import coerce_parameters, parameters_json
from jupyter_pipelines.notebook.model import NotebookDocument
from jupyter_pipelines.orchestration.backfills.model import (
    UNFINISHED,
    BackfillRecord,
    PlannedWindow,
    Progress,
    seen,
)
from jupyter_pipelines.orchestration.model import RunRecord
from jupyter_pipelines.orchestration.redaction import seal, unseal
from jupyter_pipelines.orchestration.schedules import (
    PRESETS,
    DataWindow,
    Schedule,
    named_range,
    named_window,
    next_occurrence,
    windows_between,
)
from jupyter_pipelines.orchestration.schedules.model import WindowUnit
from jupyter_pipelines.orchestration.schedules.windows import Order
from jupyter_pipelines.orchestration.scheduling.model import parameters_of, window_parameters
from jupyter_pipelines.store import Store

MOST_WINDOWS: Final = 10_000
_LONGEST: Final[Mapping[WindowUnit, timedelta]] = {
    "hour": timedelta(hours=2),
    "day": timedelta(hours=25),
    "week": timedelta(days=7, hours=1),
    "month": timedelta(days=31, hours=1),
    "quarter": timedelta(days=92, hours=1),
    "year": timedelta(days=366, hours=1),
}  # so that it is known what is too much before it is listed
_PRESET_OF: Final[Mapping[WindowUnit, str]] = {
    "hour": "hourly", "day": "daily", "week": "weekly", "month": "monthly", "quarter": "quarterly", "year": "yearly",
}  # fmt: skip
_TICK: Final = timedelta(microseconds=1)


def schedule_over(unit: WindowUnit, zone: str, parameters: Mapping[str, object]) -> Schedule:
    """The schedule that a backfill without one stands for: it runs at the end of each window."""
    if unit not in _PRESET_OF:
        raise RequestError(f"{unit!r} is no choice for `window`.", f"Choose one of {', '.join(_PRESET_OF)}.")
    return Schedule(cron=PRESETS[_PRESET_OF[unit]], zone=zone, window=unit, parameters=parameters)


def windows_of(
    schedule: Schedule, first: date | str, last: date | str, order: Order, now: datetime
) -> tuple[list[DataWindow], list[str]]:
    """The windows of the range that are over by ``now``, and what is to be said about it. Raises RequestError."""
    unit = schedule.window
    if unit is None:
        raise RequestError("The schedule has no data window.", "Give one, such as --window day, without --schedule.")
    low, high = named_range(first, last, schedule.zone)
    for end in (low, high):
        if not isinstance(end, date):
            raise RequestError(f"{end!r:.80} is no date.", "Give a date, or a text such as 2027-01-31.")
    span = _moment(high) - _moment(low)
    if span < timedelta() or (isinstance(high, datetime) and not span):  # a date alone is its whole day
        raise RequestError(f"The range from {first} to {last} ends before it begins.", "Give the earlier date first.")
    fit = span // _LONGEST[unit]
    if fit > MOST_WINDOWS:
        raise RequestError(
            f"From {first} to {last} there are at least {fit:,} windows of one {unit}; a backfill has at most "
            f"{MOST_WINDOWS:,}.",
            "Choose a shorter range, or longer windows.",
        )
    found = windows_between(unit, schedule.zone, low, high, order=order)
    if len(found) > MOST_WINDOWS:
        raise RequestError(
            f"From {first} to {last} there are {len(found):,} windows of one {unit}; a backfill has at most "
            f"{MOST_WINDOWS:,}.",
            "Choose a shorter range, or longer windows.",
        )
    over = [window for window in found if window.end <= now]
    notes = []
    if len(over) < len(found):
        early = sorted(window.key for window in found if window.end > now)
        notes.append(f"Left out, because it is not over yet: {_first_to_last(early)}.")
    if not over:
        raise RequestError(f"No {unit} from {first} to {last} is over yet.", "Choose a range in the past.")
    return over, notes


def window_values(document: NotebookDocument, name: str, zone: str) -> dict[str, object]:
    """What one run of ``document`` is given to work on the calendar period ``name``, such as ``"2024-01-05"``.

    Its ``interval_start`` and ``interval_end``, as far as it declares parameters of these names. Raises
    :class:`RequestError` when there is no such period, or the notebook declares neither.
    """
    window = named_window(name, zone)
    values = window_parameters(window, {parameter.name: parameter for parameter in document.parameters})
    if not values:
        raise RequestError(
            f"{document.name} declares neither `interval_start` nor `interval_end`, so a window says nothing to it.",
            "Declare them in the cell tagged `parameters`, such as `interval_start: date`.",
        )
    return values


def plan(
    document: NotebookDocument, schedule: Schedule, windows: Sequence[DataWindow], store: Store
) -> list[PlannedWindow]:
    """Each window with the parameters of its run, the secret ones sealed in ``store``.

    Raises :class:`RequestError` for what a run would not take.
    """
    declared = {parameter.name: parameter for parameter in document.parameters}
    unbounded = replace(schedule, start=None, end=None, count=None)
    planned: list[PlannedWindow] = []
    by_parameters: dict[str, str] = {}
    for window in windows:
        occurrence = next_occurrence(unbounded, window.end - _TICK) or window.end
        try:
            given = unseal(store, document, parameters_of(schedule, occurrence, declared, window))
            parameters = seal(store, document, parameters_json(document, coerce_parameters(document, given)))
        except RequestError as error:
            raise RequestError(f"Window {window.key}: {error.message}", error.fix) from None
        same = by_parameters.setdefault(canonical(parameters), window.key)
        if same != window.key:
            raise RequestError(
                f"The windows {same} and {window.key} would run with the same parameters, and do the same thing.",
                "Declare `interval_start` and `interval_end` among the notebook's parameters, or give a parameter that "
                "depends on the window, such as `day={{ interval_start.date() }}`.",
            )
        planned.append(PlannedWindow(window.key, window.start.isoformat(), window.end.isoformat(), parameters))
    return planned


def with_earlier(
    planned: Iterable[PlannedWindow],
    runs: Iterable[RunRecord],
    backfills: Iterable[tuple[BackfillRecord, Progress]],
    again: bool,
) -> list[PlannedWindow]:
    """The windows with what became of them before; those that were completed are done, unless ``again`` says no.

    ``runs`` are the pipeline's, newest first; ``backfills`` are its earlier ones, for runs that are no longer kept.
    """
    latest: dict[str, tuple[str, str]] = {}
    completed: dict[str, str] = {}
    for run in runs:
        if run.only or run.from_step or run.until:
            continue
        key = canonical(run.parameters)
        latest.setdefault(key, (run.id, run.state))
        if run.state == "completed":
            completed.setdefault(key, run.id)
    for record, progress in backfills:
        for window in record.windows:
            tried = progress.get(window.key)
            if tried is not None and tried.state == "completed":
                completed.setdefault(canonical(window.parameters), tried.run)
    found = []
    for window in planned:
        key = canonical(window.parameters)
        if key in completed:
            found.append(replace(window, done=not again, run=completed[key], before="completed"))
        else:
            last, before = latest.get(key, ("", ""))
            found.append(replace(window, run=last, before=before))
    return found


def held_by(
    planned: Iterable[PlannedWindow], backfills: Iterable[tuple[BackfillRecord, Progress]]
) -> dict[str, list[str]]:
    """Which of the windows other backfills are still to run: their keys, by the ids of those."""
    wanted = {canonical(window.parameters): window.key for window in planned if not window.done}
    found: dict[str, list[str]] = {}
    for record, progress in backfills:
        whole = seen(record, progress)
        if whole.state in UNFINISHED:
            keys = [
                wanted[key]
                for window in whole.windows
                if window.state in {"waiting", "running"} and (key := canonical(window.parameters)) in wanted
            ]
            if keys:
                found[record.id] = keys
    return found


def canonical(parameters: Mapping[str, object]) -> str:
    """A text that is the same for the same parameters."""
    return json.dumps(parameters, sort_keys=True, ensure_ascii=True)


def _first_to_last(keys: Sequence[str]) -> str:
    return keys[0] if len(keys) == 1 else f"{keys[0]} to {keys[-1]}, {len(keys):,} windows"


def _moment(given: date) -> datetime:
    if isinstance(given, datetime):
        return given.replace(tzinfo=None)
    return datetime(given.year, given.month, given.day)
