"""When a schedule runs: its occurrences on the time line. What is meant by daylight saving is said in :mod:`model`.

Wall times are placed one stretch between two changes of the clocks at a time, so that what the clock skips or shows
twice is dealt with in one place, :func:`_placed`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice, takewhile

from jupyter_pipelines.orchestration.schedules import wall_times
from jupyter_pipelines.orchestration.schedules.clock import (
    LAST,
    ClockChange,
    Stretch,
    aware,
    moment_of,
    naive_utc,
    stretches,
)
from jupyter_pipelines.orchestration.schedules.model import DEFAULT_ANCHOR, Schedule
from jupyter_pipelines.orchestration.schedules.wall_times import WallTimes

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Timing:
    """What of a schedule decides about times, without its bounds. Hashable, so that answers can be kept."""

    zone: str
    cron: str
    interval: timedelta | None
    rrule: str
    anchor: datetime  # wall time
    anchor_moment: datetime  # naive UTC

    @property
    def spacing(self) -> timedelta | None:
        """The seconds that really pass between two occurrences, for what is counted in them."""
        if self.interval and self.interval % wall_times.DAY:
            return self.interval
        return wall_times.rule_spacing(self.rrule) if self.rrule else None

    @property
    def walls(self) -> WallTimes:
        """The wall times at which it runs, for what is not counted in seconds."""
        if self.cron:
            return wall_times.cron_times(self.cron)
        if self.rrule:
            return wall_times.rule_times(self.rrule, self.anchor)
        assert self.interval is not None
        return wall_times.day_times(self.anchor, self.interval // wall_times.DAY)

    @property
    def runs_through(self) -> bool:
        """Whether times are an hour or less apart, so that a repeated time runs again."""
        if self.cron:
            return wall_times.cron_runs_through(self.cron)
        return bool(self.rrule) and wall_times.rule_runs_through(self.rrule, self.anchor)


@dataclass(frozen=True)
class Placed:
    """An occurrence on the time line, with the wall time that it stands for and the change of clocks that moved it."""

    moment: datetime  # naive UTC
    wall: datetime
    change: ClockChange | None = None  # the one that skips or repeats the wall time


def timing_of(schedule: Schedule) -> Timing:
    """What of a schedule decides about times."""
    anchor = naive_utc(schedule.anchor) if schedule.anchor else moment_of(DEFAULT_ANCHOR, schedule.zone)
    return Timing(schedule.zone, schedule.cron, schedule.interval, schedule.rrule, schedule.anchor_wall, anchor)


def occurrences_after(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    """The occurrences later than ``after`` (aware), in order, in UTC.

    Bounded by the schedule's start, end and count, not by its being paused.
    """
    for placed in placed_occurrences(schedule, after):
        yield aware(placed.moment)


def next_occurrence(schedule: Schedule, after: datetime) -> datetime | None:
    """The first occurrence later than ``after``, if there is one."""
    return next(occurrences_after(schedule, after), None)


def latest_occurrence(schedule: Schedule, after: datetime, until: datetime) -> datetime | None:
    """The last occurrence later than ``after`` and not later than ``until`` (both aware), if there is one.

    Looks back in growing spans, so that a long time without a look at a dense schedule costs little.
    """
    low, high = naive_utc(after), naive_utc(until)
    span = timedelta(minutes=5)
    begin = high
    while begin > low:
        begin = max(low, high - span)
        found = None
        for placed in placed_occurrences(schedule, aware(begin)):
            if placed.moment > high:
                break
            found = placed.moment
        if found is not None:
            return aware(found)
        span *= 8
    return None


def placed_occurrences(schedule: Schedule, after: datetime) -> Iterator[Placed]:
    """As :func:`occurrences_after`, with what daylight saving did to each."""
    timing = timing_of(schedule)
    moment = naive_utc(after)
    if schedule.start:
        moment = max(moment, naive_utc(schedule.start) - _TICK)
    end = _end(schedule, timing)
    return takewhile(lambda placed: placed.moment <= end, every(timing, moment))


def every(timing: Timing, after: datetime) -> Iterator[Placed]:
    """All occurrences later than a naive UTC moment, without the schedule's bounds."""
    if timing.spacing:
        return _counted(timing, timing.spacing, after)
    return _merged(_placed(timing, after), after)


def _end(schedule: Schedule, timing: Timing) -> datetime:
    end = naive_utc(schedule.end) if schedule.end else LAST
    if schedule.count is not None and schedule.start:
        end = min(end, _counted_end(timing, naive_utc(schedule.start), schedule.count))
    return end


@lru_cache(maxsize=1024)
def _counted_end(timing: Timing, start: datetime, count: int) -> datetime:
    """The moment of the last of so many occurrences, from ``start`` on."""
    last = LAST
    for placed in islice(every(timing, start - _TICK), count):
        last = placed.moment
    return last


def _counted(timing: Timing, spacing: timedelta, after: datetime) -> Iterator[Placed]:
    """Occurrences that are so many seconds apart, whatever clocks show."""
    moment = timing.anchor_moment + ((after - timing.anchor_moment) // spacing + 1) * spacing
    while moment < LAST:
        yield Placed(moment, moment)
        moment += spacing


def _merged(found: Iterator[Placed], after: datetime) -> Iterator[Placed]:
    """Those later than ``after``, each moment once: a skipped time may be made up for when another is due anyway."""
    last = after
    for placed in found:
        if placed.moment > last:
            last = placed.moment
            yield placed


class _Cursor:
    """Reads wall times in rising spans, and keeps what a search has found beyond the end of one for the next."""

    def __init__(self, walls: WallTimes) -> None:
        self._walls = walls
        self._found: Iterator[datetime] = iter(())
        self._next: datetime | None = None
        self._from = datetime.max

    def first(self, low: datetime) -> datetime | None:
        """The first wall time from ``low`` on."""
        known = self._from <= low and (self._next is None or low <= self._next)
        if not known:
            self._from = low
            self._found = self._walls(low)
            self._next = next(self._found, None)
        return self._next

    def between(self, low: datetime, high: datetime) -> Iterator[datetime]:
        wall = self.first(low)
        while wall is not None and wall < high:
            yield wall
            self._from, self._next = wall + _TICK, next(self._found, None)
            wall = self._next


def _placed(timing: Timing, after: datetime) -> Iterator[Placed]:
    """Occurrences by wall times; a few before ``after`` may be among them."""
    cursor = _Cursor(timing.walls)
    through = timing.runs_through
    for stretch in stretches(timing.zone, after):
        change = stretch.change
        low = stretch.start + stretch.offset
        if change and change.shift > timedelta() and stretch.start > after:
            yield from _made_up(cursor, change, through)
        if change and change.shift < timedelta() and not through:
            low = change.wall_before  # up to here the clock has shown everything already
        for wall in cursor.between(max(low, after + stretch.offset), stretch.end + stretch.offset):
            yield Placed(wall - stretch.offset, wall, _repeating(stretch, wall))
        if cursor.first(stretch.end + stretch.offset) is None:
            return


def _made_up(cursor: _Cursor, change: ClockChange, through: bool) -> Iterator[Placed]:
    """One occurrence at the end of a gap for the wall times in it, where one is due.

    None for a day that does not exist at all. None for a schedule that keeps its spacing when the next regular time
    is no further away than the skipped one would have been.
    """
    skipped = cursor.first(change.wall_before)
    if skipped is None or not change.skips(skipped):
        return
    if skipped.date() not in {(change.wall_before - _TICK).date(), change.wall_after.date()}:
        skipped = cursor.first(datetime.combine(change.wall_after.date(), datetime.min.time()))
        if skipped is None or not change.skips(skipped):
            return
    if through:
        following = cursor.first(change.wall_after)
        if following is not None and following - change.wall_after <= skipped - change.wall_before:
            return
    yield Placed(change.at, skipped, change)


def _repeating(stretch: Stretch, wall: datetime) -> ClockChange | None:
    """The change of clocks that makes a wall time of this stretch come for the second time."""
    change = stretch.change
    return change if change and change.repeats(wall) else None
