"""What is late: occurrences of schedules that are not done by their deadline, and runs that take unusually long.

A deadline passes also while the service is down: the first look after its return tells of it.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Final

from jupyter_pipelines.errors import StoreError
from jupyter_pipelines.orchestration.alerts import wording
from jupyter_pipelines.orchestration.alerts.model import AlertRecord, Message, Progress, Streak
from jupyter_pipelines.orchestration.alerts.streaks import concerns, key_of, streak_of
from jupyter_pipelines.orchestration.history import History
from jupyter_pipelines.orchestration.model import RunRecord
from jupyter_pipelines.orchestration.records import read_record
from jupyter_pipelines.orchestration.schedules import deadline, next_occurrence, occurrence_key, occurrences_after
from jupyter_pipelines.orchestration.scheduling import ScheduleRecord
from jupyter_pipelines.orchestration.scheduling.shelf import Shelf
from jupyter_pipelines.store import Store

FURTHEST: Final = timedelta(days=7)
"""How far back deadlines are looked for; what was due before is only said to be older."""
FEWEST: Final = 5
"""How many completed runs say what is usual."""
USUAL_OF: Final = 20
"""Of how many runs the median is taken."""
_A_DAY: Final = timedelta(hours=25)  # a time of day comes again within it, daylight saving or not


@dataclass(frozen=True)
class _Late:
    occurrence: datetime
    due: datetime
    run: RunRecord | None


class Deadlines:
    """The deadlines of the schedules of a project home."""

    def __init__(self, home: Path) -> None:
        self._shelf = Shelf(home)
        self._records: list[ScheduleRecord] = []
        self._next: dict[tuple[str, str], tuple[ScheduleRecord, float, float | None]] = {}

    def refresh(self) -> None:
        """Read the schedules again, as far as they have changed."""
        self._records = [record for record in self._shelf.records() if record.schedule.done_by is not None]

    def passed(self, alert: AlertRecord, progress: Progress, now: float) -> list[Message]:
        """What is to be told of deadlines that have passed; ``progress`` is brought up to date."""
        found = []
        for record in self._records:
            if (
                record.schedule.paused
                or record.store != alert.store
                or not concerns(alert, record.notebook, record.pipeline)
            ):
                progress.deadlines.pop(record.id, None)
                continue
            active = max(alert.since, record.active_since.timestamp())
            since = min(max(progress.deadlines.get(record.id, active), active), now)  # the clock may be set back
            due = self._due(alert, record, since)
            if due is None or due > now:
                continue
            late = self._late(record, since, now)
            progress.deadlines[record.id] = now
            if late:
                found.append(_told(alert, progress, record, late, now))
        return found

    def _due(self, alert: AlertRecord, record: ScheduleRecord, since: float) -> float | None:
        """The first deadline after ``since``, found once."""
        known = self._next.get((alert.id, record.id))
        if known is None or known[:2] != (record, since):
            known = self._next[alert.id, record.id] = (record, since, self._next_due(record, since))
        return known[2]

    def _next_due(self, record: ScheduleRecord, since: float) -> float | None:
        """The first deadline after ``since``."""
        occurrence = next_occurrence(record.schedule, max(_moment(since) - _span(record), record.active_since))
        while occurrence is not None:
            due = deadline(record.schedule, occurrence)
            if due is None or due.timestamp() > since:
                return due.timestamp() if due is not None else None
            occurrence = next_occurrence(record.schedule, occurrence)
        return None

    def _late(self, record: ScheduleRecord, since: float, now: float) -> list[_Late]:
        """The occurrences whose deadlines lie between, and whose runs were not done by then."""
        first = max(_moment(since), _moment(now) - FURTHEST) - _span(record)
        found = []
        try:
            runs = self._shelf.progress(record).runs
        except StoreError:  # it is left alone then, so that it is late indeed
            runs = {}
        store = Store(record.store)
        for occurrence in takewhile(
            lambda one: one <= _moment(now), occurrences_after(record.schedule, max(first, record.active_since))
        ):
            due = deadline(record.schedule, occurrence)
            if due is None or not since < due.timestamp() <= now:
                continue
            run_id = runs.get(occurrence_key(occurrence))
            run = read_record(store, run_id) if run_id else None
            if run is None or not _done_by(store, run, due.timestamp()):
                found.append(_Late(occurrence, due, run))
        return found


def _done_by(store: Store, run: RunRecord, due: float) -> bool:
    """Whether the run, or one that continued it, completed in time."""
    if run.state == "completed":
        return run.ended <= due
    if run.state in {"pending", "running"}:
        return False
    after = History(store).query(notebook=run.notebook, state="completed", since=run.ended, limit=50)
    return any(later.resumed_from == run.id and later.ended <= due for later in after)


def _told(alert: AlertRecord, progress: Progress, record: ScheduleRecord, late: list[_Late], now: float) -> Message:
    last = late[-1]
    zone = record.schedule.zone
    name = f"{record.schedule.name} ({record.id})" if record.schedule.name else record.id
    what = f"The run of {_wall(last.occurrence, zone)} should have been done by {_wall(last.due, zone)}"
    why = [f"{what}; {_how_it_is(last.run)}.", f"It is asked for by schedule {name}."]
    if len(late) > 1:
        why.append(f"{len(late) - 1} earlier runs of it are late as well, since {_wall(late[0].occurrence, zone)}.")
    key = key_of(alert, "late", record.id, occurrence_key(last.occurrence))
    streak = progress.streaks.setdefault(f"{record.notebook} {record.id}", Streak())
    if last.run is None or last.run.state != "completed":
        streak.late_since = now  # its end is told as a recovery
    more = {
        "schedule": record.id,
        "scheduled_time": last.occurrence.timestamp(),
        "done_by": last.due.timestamp(),
        "late": len(late),
    }
    return wording.of_lateness(alert, key, record.notebook, why, last.run, more)


def _how_it_is(run: RunRecord | None) -> str:
    if run is None:
        return "it has not been started"
    if run.state == "completed":
        return f"it was done at {wording.moment(run.ended)}"
    if run.state == "running":
        return f"it is still running, since {wording.moment(run.started)}"
    return {"pending": "it has not begun"}.get(
        run.state, f"it {run.state if run.state != 'cancelled' else 'was cancelled'}"
    )


def _wall(moment: datetime, zone: str) -> str:
    from zoneinfo import ZoneInfo

    local = moment.astimezone(ZoneInfo(zone))
    return local.strftime("%Y-%m-%d %H:%M:%S %Z" if local.second else "%Y-%m-%d %H:%M %Z")


def _span(record: ScheduleRecord) -> timedelta:
    """How long before its deadline an occurrence may be."""
    done_by = record.schedule.done_by
    return done_by if isinstance(done_by, timedelta) else _A_DAY


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def slow_runs(alert: AlertRecord, progress: Progress, store: Store, now: float) -> list[Message]:
    """What is to be told of runs that go on for ``alert.slow`` times what is usual for their pipeline."""
    found = []
    for run_id in store.active_runs() if alert.slow else []:
        if run_id in progress.slow:
            continue
        run = read_record(store, run_id)
        if run is None or run.state != "running" or not run.started or not concerns(alert, run.notebook, run.pipeline):
            continue
        usual = usual_duration(store, run)
        if usual is None or now - run.started <= alert.slow * usual:
            continue
        taken, usually = wording.duration(now - run.started), wording.duration(usual)
        why = [f"It has been running for {taken}; usually it takes {usually} (the median of its last runs)."]
        progress.slow.append(run_id)
        progress.streaks.setdefault(streak_of(run), Streak()).late_since = now
        more = {"usual": usual, "running_for": now - run.started}
        found.append(wording.of_lateness(alert, key_of(alert, "slow", run_id), run.notebook, why, run, more))
    return found


def usual_duration(store: Store, run: RunRecord) -> float | None:
    """How long the pipeline of ``run`` usually takes, in seconds; ``None`` where too few runs say so.

    Runs that took over results of earlier ones, or ran a part, are not counted.
    """
    runs = History(store).query(notebook=run.notebook, state="completed", limit=2 * USUAL_OF)
    whole = [
        one.ended - one.started
        for one in runs
        if one.started and not (one.only or one.from_step or one.until or any(s.state == "reused" for s in one.steps))
    ]
    return statistics.median(whole[:USUAL_OF]) if len(whole) >= FEWEST else None
