"""Time zones as people live in them: when clocks change, and what a clock shows.

Moments are handled as *naive UTC*, what a clock on the wall shows as *naive wall time*; mixing them up is then a matter
of names. Between two changes of the clocks (a :class:`Stretch`) the two differ by a constant, so that whatever is
listed by wall time can be placed on the time line one stretch at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from jupyter_pipelines.errors import RequestError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

FIRST = datetime(1900, 1, 1)
LAST = datetime(2200, 1, 1)  # nothing is scheduled after it: searches that find nothing end here
_SECOND = timedelta(seconds=1)
_NO_TIME = timedelta(0)


@dataclass(frozen=True)
class ClockChange:
    """A moment at which the clocks of a zone are changed: its naive UTC, and the offsets before and from it on."""

    at: datetime
    before: timedelta
    after: timedelta

    @property
    def shift(self) -> timedelta:
        """How far the clocks go forward; negative when they go back."""
        return self.after - self.before

    @property
    def wall_before(self) -> datetime:
        """What the clock would show at this moment had it not been changed."""
        return self.at + self.before

    @property
    def wall_after(self) -> datetime:
        """What the clock shows at this moment."""
        return self.at + self.after

    def skips(self, wall: datetime) -> bool:
        """Whether the clock never shows this wall time, because it jumps over it."""
        return self.wall_before <= wall < self.wall_after

    def repeats(self, wall: datetime) -> bool:
        """Whether the clock shows this wall time twice, because it is put back."""
        return self.wall_after <= wall < self.wall_before


@dataclass(frozen=True)
class Stretch:
    """The time from one change of the clocks to the next; ``change`` is the one that it starts with, if any."""

    start: datetime  # naive UTC
    end: datetime
    offset: timedelta
    change: ClockChange | None


@lru_cache(maxsize=256)
def zone_of(name: str) -> ZoneInfo:
    """The zone of an IANA name. Raises :class:`RequestError` with the nearest names for one that is not known."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        from difflib import get_close_matches

        known = {known.casefold(): known for known in available_timezones()}
        cities = {folded.rsplit("/", 1)[-1]: zone for folded, zone in known.items()}
        folded = name.casefold().replace(" ", "_")
        near = get_close_matches(folded, known, 3) or get_close_matches(folded.rsplit("/", 1)[-1], cities, 3)
        shown = " or ".join({**cities, **known}[match] for match in near) or "Europe/Paris, America/New_York or UTC"
        raise RequestError(
            f"There is no time zone {name!r}.", f"Use a name of the IANA database, such as {shown}."
        ) from None


def naive_utc(moment: datetime) -> datetime:
    """A zoned moment as naive UTC. Raises :class:`ValueError` for a naive one, whose moment is not known."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC).replace(tzinfo=None)


def aware(moment: datetime) -> datetime:
    """A naive UTC moment as an aware one, in UTC.

    Scheduled times are handed out like this, never as times of a zone: Python compares those of one zone by what the
    clock shows, so that the two 01:30 of a repeated hour are equal to it.
    """
    return moment.replace(tzinfo=UTC)


def zoned(moment: datetime, zone: str) -> datetime:
    """A naive UTC moment as an aware time of the zone, with ``fold`` set for the second of two equal wall times."""
    return moment.replace(tzinfo=UTC).astimezone(zone_of(zone))


def offset_at(moment: datetime, zone: str) -> timedelta:
    """How far the zone's clocks are ahead of UTC at a naive UTC moment."""
    return zoned(moment, zone).utcoffset() or _NO_TIME


@lru_cache(maxsize=4096)
def changes_in_year(zone: str, year: int) -> tuple[ClockChange, ...]:
    """The changes of a zone's clocks in a (UTC) year. Looks at every day, then narrows down to the second."""
    found: list[ClockChange] = []
    low, before = datetime(year, 1, 1), offset_at(datetime(year, 1, 1) - _SECOND, zone)
    low -= _SECOND
    while low.year <= year:
        high = low + timedelta(days=1)
        after = offset_at(high, zone)
        if after != before:
            start = low
            while high - start > _SECOND:
                middle = (start + (high - start) / 2).replace(microsecond=0)
                if offset_at(middle, zone) == before:
                    start = middle
                else:
                    high = middle
            after = offset_at(high, zone)
            if high.year == year:
                found.append(ClockChange(high, before, after))
            before = after
            low = high
        else:
            low = high
    return tuple(found)


def changes_between(zone: str, after: datetime, until: datetime) -> Iterator[ClockChange]:
    """The changes of a zone's clocks later than ``after`` and not later than ``until`` (naive UTC), in order."""
    for year in range(max(after.year, FIRST.year), min(until.year, LAST.year) + 1):
        for change in changes_in_year(zone, year):
            if after < change.at <= until:
                yield change


def stretches(zone: str, moment: datetime) -> Iterator[Stretch]:
    """The stretches of even time from the one that holds ``moment`` (naive UTC) on.

    They end at changes of the clocks, and at years' ends so that no more of the future is looked at than is asked
    for. The first one knows the change it starts with only when that is less than two days ago: earlier ones no
    longer matter to what a clock shows.
    """
    moment = max(moment, FIRST)
    start = moment - timedelta(days=2)
    offset, change = offset_at(start, zone), None
    while start < LAST:
        end = min(datetime(start.year + 1, 1, 1), LAST)
        for following in changes_between(zone, start, end):
            if following.at > moment:
                yield Stretch(start, following.at, offset, change)
            start, offset, change = following.at, following.after, following
        if end > moment and start < end:
            yield Stretch(start, end, offset, change)
            change = None
        start = end


def moment_of(wall: datetime, zone: str) -> datetime:
    """The naive UTC moment of a wall time: the first of two, and the end of the gap for one that does not exist."""
    early, late = wall - timedelta(days=2), wall + timedelta(days=2)
    for change in changes_between(zone, early, late):
        if change.skips(wall):
            return change.at
        if wall < change.wall_before:  # still under the old offset; a repeated time is met here for the first time
            return wall - change.before
    return wall - offset_at(late, zone)


def day_start(day: date, zone: str) -> datetime:
    """The naive UTC moment at which a local day begins: its midnight, or the end of the gap that swallowed it."""
    return moment_of(datetime(day.year, day.month, day.day), zone)
