"""What to do about a schedule now: which occurrences start, wait, or are skipped, and which runs are cancelled.

One pure function, :func:`decide`. Whoever calls it carries out the actions in their order, then keeps the new
:class:`Handled`; when it dies in between, the runs it has recorded by then keep an occurrence from running twice, for
an occurrence *is* its scheduled time. The clock is only what the caller says it is: after a step forward occurrences
are early, after a step back nothing happens until the clock is past what has been handled.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final, Literal

from jupyter_pipelines.orchestration.schedules.clock import aware, moment_of, naive_utc, zoned
from jupyter_pipelines.orchestration.schedules.model import Schedule
from jupyter_pipelines.orchestration.schedules.occurrences import latest_occurrence, next_occurrence, occurrences_after

ON_TIME: Final = timedelta(minutes=1)
"""How late an occurrence may be noticed without having been missed."""
MOST_WAITING: Final = 100
"""How many runs of one schedule wait at most; further occurrences are dealt with when there is room."""
_MOST_COUNTED: Final = 1_000
_TICK: Final = timedelta(microseconds=1)
_WRONG_CLOCK: Final = timedelta(hours=25)  # further ahead than daylight saving or a wrong zone can put a clock


@dataclass(frozen=True)
class ActiveRun:
    """A run of the schedule that has not ended."""

    id: str
    occurrence: datetime  # its scheduled time
    state: Literal["queued", "running"]


@dataclass(frozen=True)
class Handled:
    """How far a schedule has been dealt with. Times are aware.

    ``active_since`` is when the schedule was made, edited or resumed last: what was due by then is not its business.
    """

    active_since: datetime
    until: datetime | None = None  # the last occurrence that was decided about


@dataclass(frozen=True)
class Start:
    """Start a run: a new one, or the queued one with ``run_id``."""

    occurrence: datetime
    run_id: str = ""


@dataclass(frozen=True)
class Queue:
    """Record a run that waits for earlier ones to end."""

    occurrence: datetime


@dataclass(frozen=True)
class Skip:
    """Occurrences that do not run: ``count`` of those from ``first`` to ``last``; None when too many to count."""

    first: datetime
    last: datetime
    count: int | None
    reason: str


@dataclass(frozen=True)
class Cancel:
    """Cancel a run."""

    run_id: str
    reason: str


Action = Start | Queue | Skip | Cancel


@dataclass(frozen=True)
class Decision:
    """Actions in their order, what has been handled after them, and when to ask again.

    Ask also whenever a run has ended, for others may be waiting for it. ``finished`` says that nothing will ever be
    due again. ``notes`` are sentences for the log.
    """

    actions: tuple[Action, ...]
    handled: Handled
    wake: datetime | None
    finished: bool
    notes: tuple[str, ...] = ()


def decide(
    schedule: Schedule,
    handled: Handled,
    now: datetime,
    runs: Sequence[ActiveRun] = (),
    recorded: Collection[datetime] = (),
) -> Decision:
    """What to do at ``now`` (aware), given the runs that have not ended.

    ``recorded`` are the scheduled times for which there is a run already, ended or not, as far back as
    ``handled.until``: they never run again.
    """
    now = now.astimezone(UTC)
    handled, notes = _trusted(handled, now)
    since = max(handled.active_since, handled.until or handled.active_since)
    known = {naive_utc(moment) for moment in recorded} | {naive_utc(run.occurrence) for run in runs}
    due = _due(schedule, since, now, known)
    plan = _Plan(schedule, runs)
    last, more = due.passed, due.more
    if not schedule.paused:
        plan.release()
        for occurrence in due.run:
            newest = occurrence == due.run[-1]
            if naive_utc(occurrence) not in known and not plan.take(occurrence, now - occurrence > ON_TIME, newest):
                more = True
                break
            last = max(last, occurrence)
    following = next_occurrence(schedule, max(now, last))
    return Decision(
        actions=(*due.skip, *plan.actions),
        handled=replace(handled, until=last) if last > since else handled,
        wake=now if more and last > since else following,
        finished=following is None and not more,
        notes=notes,
    )


def _trusted(handled: Handled, now: datetime) -> tuple[Handled, tuple[str, ...]]:
    """What has been handled, without what a clock that was far ahead has made of it: it would block for years."""
    handled = Handled(handled.active_since.astimezone(UTC), handled.until.astimezone(UTC) if handled.until else None)
    reached = max(handled.active_since, handled.until or handled.active_since)
    if reached - now <= _WRONG_CLOCK:
        return handled, ()
    note = f"The clock was ahead: occurrences up to {reached.isoformat()} had been dealt with at {now.isoformat()}."
    return Handled(min(handled.active_since, now), now), (note,)


@dataclass(frozen=True)
class _Due:
    """What is due: to be run, in order, and to be skipped; up to when that is decided by ``skip`` alone."""

    run: list[datetime]
    skip: list[Skip]
    passed: datetime
    more: bool = False  # than can be dealt with at once


def _due(schedule: Schedule, since: datetime, now: datetime, known: Collection[datetime]) -> _Due:
    """What the policy on missed runs makes of the occurrences later than ``since`` and not later than ``now``."""
    first = next_occurrence(schedule, since)
    if first is None or first > now:
        return _Due([], [], since)
    if schedule.paused:
        passed = latest_occurrence(schedule, since, now) or since
        return _Due([], _skipped(schedule, since, passed, "the schedule is paused", known), passed)
    if schedule.missed == "all":
        found = list(islice(_until(occurrences_after(schedule, since), now), MOST_WAITING + 1))
        return _Due(found[:MOST_WAITING], [], since, len(found) > MOST_WAITING)
    edge = max(since, now - ON_TIME - _TICK)
    on_time = list(_until(occurrences_after(schedule, edge), now))
    latest = latest_occurrence(schedule, since, edge)
    if latest is None:
        return _Due(on_time, [], since)
    if schedule.missed == "skip":
        reason = "it was missed, and missed runs are skipped"
        return _Due(on_time, _skipped(schedule, since, latest, reason, known), latest)
    reason = "it was missed, and of missed runs only the latest is made up for"
    if on_time:
        return _Due(on_time, _skipped(schedule, since, latest, reason, known), latest)
    before = latest_occurrence(schedule, since, latest - _TICK) or since
    return _Due([latest], _skipped(schedule, since, before, reason, known), before)


def _until(moments: Iterable[datetime], end: datetime) -> Iterable[datetime]:
    for moment in moments:
        if moment > end:
            return
        yield moment


def _skipped(
    schedule: Schedule, since: datetime, last: datetime, reason: str, known: Collection[datetime]
) -> list[Skip]:
    """The occurrences from ``since`` to ``last`` as skipped, without those that have a run."""
    listed = list(islice(_until(occurrences_after(schedule, since), last), _MOST_COUNTED + 1))
    found = [moment for moment in listed if naive_utc(moment) not in known]
    if len(listed) > _MOST_COUNTED:
        return [Skip(listed[0], last, None, reason)]
    return [Skip(found[0], found[-1], len(found), reason)] if found else []


@dataclass
class _Plan:
    """The actions that the overlap policy makes of occurrences, one after the other."""

    schedule: Schedule
    runs: Sequence[ActiveRun]
    actions: list[Action] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._running = sum(run.state == "running" for run in self.runs)
        self._queued = sorted((run for run in self.runs if run.state == "queued"), key=_scheduled)
        self._waiting = len(self._queued)
        self._most = self.schedule.max_parallel if self.schedule.overlap == "parallel" else 1

    def release(self) -> None:
        """Start queued runs, the oldest first, where there is room."""
        for run in self._queued[: max(0, self._most - self._running)]:
            self._start(run.occurrence.astimezone(UTC), run.id)
            self._waiting -= 1

    def take(self, occurrence: datetime, late: bool, newest: bool) -> bool:
        """Decide about one more occurrence; False when it has to be dealt with later."""
        busy = self._running + self._waiting
        caught_up = late and self.schedule.missed == "all"
        if self.schedule.overlap == "skip" and busy and not caught_up:
            self._skip(occurrence, "an earlier run had not ended")
        elif self.schedule.overlap == "cancel-previous":
            if newest:
                self._cancel_all(occurrence)
                self._start(occurrence)
            else:
                self._skip(occurrence, "a later run was due already, and takes its place")
        elif self._running < self._most:  # then none waits: they have been released
            self._start(occurrence)
        elif self._waiting < MOST_WAITING:
            self.actions.append(Queue(occurrence))
            self._waiting += 1
        else:
            return False
        return True

    def _start(self, occurrence: datetime, run_id: str = "") -> None:
        self.actions.append(Start(occurrence, run_id))
        self._running += 1

    def _skip(self, occurrence: datetime, reason: str) -> None:
        self.actions.append(Skip(occurrence, occurrence, 1, reason))

    def _cancel_all(self, occurrence: datetime) -> None:
        """Cancel all runs, and take back what was to be released."""
        self.actions = [action for action in self.actions if not isinstance(action, Start)]
        reason = f"the run of {occurrence.isoformat()} takes its place"
        self.actions += [Cancel(run.id, reason) for run in sorted(self.runs, key=_scheduled)]
        self._running = self._waiting = 0


def _scheduled(run: ActiveRun) -> datetime:
    return run.occurrence.astimezone(UTC)


def occurrence_key(occurrence: datetime) -> str:
    """What tells occurrences of one schedule apart, in UTC: ``20270314T070000Z``."""
    return occurrence.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def deadline(schedule: Schedule, occurrence: datetime) -> datetime | None:
    """When an occurrence's run should be done, in UTC: so long after it, or at the next such time in its zone."""
    moment = naive_utc(occurrence)
    if schedule.done_by is None:
        return None
    if isinstance(schedule.done_by, timedelta):
        return aware(moment + schedule.done_by)
    today = zoned(moment, schedule.zone).date()
    days = (datetime.combine(today + timedelta(days=number), schedule.done_by) for number in (0, 1))
    return aware(next(due for due in (moment_of(wall, schedule.zone) for wall in days) if due >= moment))


def overdue(schedule: Schedule, runs: Iterable[ActiveRun], now: datetime) -> list[ActiveRun]:
    """The runs that have not ended although their deadline has passed."""
    late: list[ActiveRun] = []
    for run in runs:
        due = deadline(schedule, run.occurrence)
        if due is not None and due < now:
            late.append(run)
    return late
