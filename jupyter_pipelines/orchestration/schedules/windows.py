"""Data windows: the calendar periods whose data runs work on, and those of a range of dates for a backfill.

A window reaches from the first moment of a local hour, day, week (from Monday), month, quarter or year to the first
moment of the next one, so that windows meet without a gap whatever the clocks do: a day has 23 hours in spring.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Literal, assert_never

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.schedules.clock import (
    FIRST,
    LAST,
    changes_between,
    day_start,
    moment_of,
    naive_utc,
    offset_at,
    zone_of,
    zoned,
)
from jupyter_pipelines.orchestration.schedules.model import Schedule, WindowUnit

Ends = Literal["whole", "clip", "drop"]
Order = Literal["oldest-first", "newest-first"]
MOST_WINDOWS = 100_000
_HOUR = timedelta(hours=1)
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class DataWindow:
    """A calendar period, from ``start`` up to but without ``end`` (aware, in the schedule's zone).

    ``partial`` says that it was cut at an end of the range that was asked for.
    """

    unit: WindowUnit
    start: datetime
    end: datetime
    partial: bool = False

    @property
    def seconds(self) -> float:
        """The time that really passes between start and end."""
        return (naive_utc(self.end) - naive_utc(self.start)).total_seconds()

    @property
    def days(self) -> int:
        """How many local days it touches."""
        last = (self.end.astimezone(UTC) - _TICK).astimezone(self.end.tzinfo)  # a day may begin at 01:00
        return (last.date() - self.start.date()).days + 1

    @property
    def key(self) -> str:
        """What people call it, and what it is found again by: 2027-03-14, 2027-W11, 2027-03, 2027-Q1, 2027."""
        start = self.start
        match self.unit:
            case "hour":
                name = start.isoformat(timespec="minutes")
            case "day":
                name = f"{start:%Y-%m-%d}"
            case "week":
                year, week, _ = start.isocalendar()
                name = f"{year}-W{week:02}"
            case "month":
                name = f"{start:%Y-%m}"
            case "quarter":
                name = f"{start.year}-Q{(start.month + 2) // 3}"
            case "year":
                name = f"{start.year}"
            case _:
                assert_never(self.unit)
        return f"{name} ({start.isoformat()} to {self.end.isoformat()})" if self.partial else name


def window_of(schedule: Schedule, occurrence: datetime) -> DataWindow | None:
    """The data window of an occurrence: the last period of the calendar that is complete by then.

    None for a schedule without windows.
    """
    return None if schedule.window is None else complete_window(schedule.window, schedule.zone, occurrence)


def complete_window(unit: WindowUnit, zone: str, moment: datetime) -> DataWindow:
    """The last period of the calendar that has ended by ``moment`` (aware)."""
    end = _start_of(unit, zone, naive_utc(moment))
    return _window(unit, zone, _start_of(unit, zone, end - _TICK), end)


def window_at(unit: WindowUnit, zone: str, moment: datetime) -> DataWindow:
    """The period of the calendar that holds a naive UTC moment."""
    start = _start_of(unit, zone, moment)
    return _window(unit, zone, start, _end_of(unit, zone, start))


def windows_between(
    unit: WindowUnit,
    zone: str,
    first: date,
    last: date,
    *,
    ends: Ends = "whole",
    order: Order = "oldest-first",
) -> list[DataWindow]:
    """The windows of a range, for a backfill.

    Dates are whole local days, the last one included; datetimes are moments (naive ones of the zone). ``ends`` says
    what becomes of a window that the range cuts: it is taken ``"whole"``, cut to the range (``"clip"``, marked as
    partial), or left out (``"drop"``). Raises :class:`RequestError` for an empty or endless range.
    """
    zone_of(zone)
    low, high = _moment(first, zone, after=False), _moment(last, zone, after=True)
    if low >= high:
        raise RequestError(f"The range from {first} to {last} is empty.", "Give the earlier date first.")
    if not FIRST.year < low.year <= high.year < LAST.year:
        raise RequestError(f"The range from {first} to {last} is too wide.", f"Stay before the year {LAST.year}.")
    found: list[DataWindow] = []
    for window in _windows(unit, zone, low, high):
        kept = _at_the_ends(window, zoned(low, zone), zoned(high, zone), ends)
        if kept:
            found.append(kept)
        if len(found) > MOST_WINDOWS:
            raise RequestError(
                f"From {first} to {last} there are more than {MOST_WINDOWS:,} windows of one {unit}.",
                "Choose a shorter range or longer windows.",
            )
    return found if order == "oldest-first" else found[::-1]


def _windows(unit: WindowUnit, zone: str, low: datetime, high: datetime) -> Iterator[DataWindow]:
    start = _start_of(unit, zone, low)
    while start < high:
        end = _end_of(unit, zone, start)
        yield _window(unit, zone, start, end)
        start = end


def _at_the_ends(window: DataWindow, low: datetime, high: datetime, ends: Ends) -> DataWindow | None:
    inside = naive_utc(low) <= naive_utc(window.start) and naive_utc(window.end) <= naive_utc(high)
    if inside or ends == "whole":
        return window
    if ends == "drop":
        return None
    return replace(
        window, start=max(window.start, low, key=naive_utc), end=min(window.end, high, key=naive_utc), partial=True
    )


def _window(unit: WindowUnit, zone: str, start: datetime, end: datetime) -> DataWindow:
    return DataWindow(unit, zoned(start, zone), zoned(end, zone))


def _moment(given: date, zone: str, *, after: bool) -> datetime:
    if isinstance(given, datetime):
        return naive_utc(given) if given.tzinfo else moment_of(given, zone)
    return day_start(given + timedelta(days=1) if after else given, zone)


def _start_of(unit: WindowUnit, zone: str, moment: datetime) -> datetime:
    """The first moment of the period that holds a naive UTC moment."""
    wall = moment + offset_at(moment, zone)
    if unit == "hour":
        return _hour_start(zone, moment)
    start = day_start(_first_day(unit, wall.date()), zone)
    return start if start <= moment else day_start(_first_day(unit, wall.date() - timedelta(days=1)), zone)


def _end_of(unit: WindowUnit, zone: str, start: datetime) -> datetime:
    """The first moment of the period after the one that begins at ``start`` (naive UTC)."""
    if unit == "hour":
        return _next_hour(zone, start)
    day = _first_day(unit, (start + offset_at(start, zone)).date())
    length = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}[unit]
    return day_start(_first_day(unit, day + timedelta(days=length)), zone)


def _first_day(unit: WindowUnit, day: date) -> date:
    match unit:
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case "year":
            return day.replace(month=1, day=1)
        case _:
            return day


def _hour_start(zone: str, moment: datetime) -> datetime:
    """The last moment, not later than this one, at which the clock showed a full hour."""
    for back in (timedelta(0), _HOUR, 2 * _HOUR):
        wall = moment - back + offset_at(moment - back, zone)
        start = moment - back - (wall - wall.replace(minute=0, second=0, microsecond=0))
        if start + offset_at(start, zone) == wall.replace(minute=0, second=0, microsecond=0):
            following = _next_hour(zone, start)
            return start if following > moment else following
    return moment - _HOUR  # clocks that are changed by more than an hour


def _next_hour(zone: str, start: datetime) -> datetime:
    """The first moment after ``start`` at which the clock shows a full hour."""
    offset = offset_at(start, zone)
    wall = start + offset
    following = wall.replace(minute=0, second=0, microsecond=0) + _HOUR - offset
    for change in changes_between(zone, start, following):
        first = change.wall_after
        full = first.replace(minute=0, second=0, microsecond=0)
        if full < first:
            full += _HOUR
        return full - change.after
    return following
