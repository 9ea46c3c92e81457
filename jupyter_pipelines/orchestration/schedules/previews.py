"""What a schedule is going to do, before it is saved: its next times, and what daylight saving makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import Final

from jupyter_pipelines.orchestration.schedules.clock import (
    LAST,
    ClockChange,
    aware,
    changes_between,
    naive_utc,
    zoned,
)
from jupyter_pipelines.orchestration.schedules.decisions import deadline
from jupyter_pipelines.orchestration.schedules.model import Schedule
from jupyter_pipelines.orchestration.schedules.occurrences import Placed, Timing, every, placed_occurrences, timing_of
from jupyter_pipelines.orchestration.schedules.windows import DataWindow, window_of

_AHEAD: Final = timedelta(days=400)  # changes of the clocks are told, even where the times shown end before them


@dataclass(frozen=True)
class Occurrence:
    """One time at which a schedule runs (aware, in its zone), its window and deadline, and what is odd about it."""

    time: datetime
    window: DataWindow | None
    deadline: datetime | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Preview:
    """The next occurrences, and what the next changes of the clocks will do, also where they come later than those."""

    occurrences: tuple[Occurrence, ...]
    clock_changes: tuple[str, ...]


def preview(schedule: Schedule, count: int, now: datetime) -> Preview:
    """The next ``count`` occurrences after ``now`` (aware), with notes that spell out what daylight saving does."""
    timing = timing_of(schedule)
    placed = list(islice(placed_occurrences(schedule, now), count))
    found = tuple(
        Occurrence(
            zoned(one.moment, schedule.zone),
            window_of(schedule, aware(one.moment)),
            _deadline(schedule, one.moment),
            notes_for(timing, one),
        )
        for one in placed
    )
    return Preview(found, _clock_changes(schedule, timing, naive_utc(now)))


def _deadline(schedule: Schedule, moment: datetime) -> datetime | None:
    due = deadline(schedule, aware(moment))
    return zoned(naive_utc(due), schedule.zone) if due else None


def notes_for(timing: Timing, placed: Placed) -> tuple[str, ...]:
    """What daylight saving does to one occurrence, in sentences."""
    if timing.spacing:
        return _counted_notes(timing, timing.spacing, placed.moment)
    wall, change = placed.wall, placed.change
    if change and change.shift > timedelta():
        return (f"{wall:%H:%M} does not exist on {wall:%Y-%m-%d}: runs at {change.wall_after:%H:%M}",)
    if change:
        return (f"{wall:%H:%M} comes for the second time on {wall:%Y-%m-%d}: the clocks have gone back",)
    for following in changes_between(timing.zone, placed.moment, placed.moment + timedelta(days=1)):
        if following.repeats(wall):
            both = "runs both times" if timing.runs_through else "runs the first time"
            return (f"{wall:%H:%M} comes twice on {wall:%Y-%m-%d}: {both}",)
    return ()


def _counted_notes(timing: Timing, spacing: timedelta, moment: datetime) -> tuple[str, ...]:
    """For the first of those counted in seconds after a change of the clocks: where the clock shows them now."""
    notes = []
    for change in changes_between(timing.zone, moment - spacing, moment):
        was, now = moment + change.before, moment + change.after
        if change.shift % spacing:
            moved = f"the spacing stays, so that {was:%H:%M} becomes {now:%H:%M}"
            notes.append(f"{_gone(change)} on {change.wall_before:%Y-%m-%d}: {moved}")
    return tuple(notes)


def _clock_changes(schedule: Schedule, timing: Timing, now: datetime) -> tuple[str, ...]:
    start = max(now, naive_utc(schedule.start)) if schedule.start else now
    end = min(naive_utc(schedule.end) if schedule.end else LAST, start + _AHEAD)
    return tuple(_consequence(timing, change) for change in islice(changes_between(timing.zone, start, end), 2))


def _consequence(timing: Timing, change: ClockChange) -> str:
    """What a change of the clocks does to a schedule."""
    day = f"{_gone(change)} on {change.wall_before:%Y-%m-%d at %H:%M}"
    around = list(_around(timing, change))
    notes = [note for placed in around for note in notes_for(timing, placed)]
    if not timing.spacing and timing.runs_through and around:
        return f"{day}: {_spacing_kept(around, change)}"
    return f"{day}: {notes[0].split(': ', 1)[1] if timing.spacing else notes[0]}" if notes else f"{day}: no effect"


def _around(timing: Timing, change: ClockChange) -> list[Placed]:
    """The occurrences that a change of the clocks can touch: from a little before it to a little after."""
    width = max(abs(change.shift), timing.spacing or timedelta()) + timedelta(hours=1)
    found = []
    for placed in every(timing, change.at - width):
        if placed.moment > change.at + width:
            break
        found.append(placed)
    return found


def _spacing_kept(around: list[Placed], change: ClockChange) -> str:
    gaps = {later.moment - earlier.moment for earlier, later in pairwise(around)}
    if len(gaps) == 1:
        return f"it goes on every {_minutes(gaps.pop()).removeprefix('1 ')}"
    before = [placed for placed in around if placed.moment < change.at]
    after = [placed for placed in around if placed.moment >= change.at]
    if not before or not after:
        return "no effect"
    times = ", ".join(f"{placed.moment + change.after:%H:%M}" for placed in after[:3])
    return f"after {before[-1].moment + change.before:%H:%M} it runs at {times}"


def _gone(change: ClockChange) -> str:
    return f"the clocks go {'forward' if change.shift > timedelta() else 'back'} {_minutes(abs(change.shift))}"


def _minutes(duration: timedelta) -> str:
    minutes, seconds = divmod(round(duration.total_seconds()), 60)
    if seconds:
        return f"{duration.total_seconds():g} seconds"
    if minutes % 60:
        return f"{minutes} minutes"
    return "1 hour" if minutes == 60 else f"{minutes // 60} hours"
