"""Data windows: calendar periods of a zone, for occurrences and for backfills."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.schedules import Schedule, window_of, windows_between
from jupyter_pipelines.orchestration.schedules.model import WindowUnit
from jupyter_pipelines.orchestration.schedules.windows import complete_window

NEW_YORK = "America/New_York"
ZONES = [NEW_YORK, "Europe/London", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu"]


@pytest.mark.parametrize(
    ("unit", "key", "start", "end"),
    [
        ("hour", "2027-03-14T03:00-04:00", "2027-03-14T03:00-04:00", "2027-03-14T04:00-04:00"),
        ("day", "2027-03-13", "2027-03-13T00:00-05:00", "2027-03-14T00:00-05:00"),
        ("week", "2027-W09", "2027-03-01T00:00-05:00", "2027-03-08T00:00-05:00"),
        ("month", "2027-02", "2027-02-01T00:00-05:00", "2027-03-01T00:00-05:00"),
        ("quarter", "2026-Q4", "2026-10-01T00:00-04:00", "2027-01-01T00:00-05:00"),
        ("year", "2026", "2026-01-01T00:00-05:00", "2027-01-01T00:00-05:00"),
    ],
)
def test_an_occurrence_works_on_the_last_complete_period(unit: WindowUnit, key: str, start: str, end: str) -> None:
    schedule = Schedule(cron="30 4 * * *", zone=NEW_YORK, window=unit)
    window = window_of(schedule, datetime(2027, 3, 14, 8, 30, tzinfo=UTC))  # 04:30 there, on the day of 23 hours
    assert window is not None and window.key == key
    assert (window.start, window.end) == (datetime.fromisoformat(start), datetime.fromisoformat(end))


def test_a_period_is_complete_at_its_very_end() -> None:
    midnight = datetime(2027, 3, 1, tzinfo=ZoneInfo(NEW_YORK))
    assert complete_window("month", NEW_YORK, midnight).key == "2027-02"
    assert complete_window("month", NEW_YORK, midnight - timedelta(seconds=1)).key == "2027-01"


@pytest.mark.parametrize("zone", ZONES)
def test_windows_meet_and_follow_the_local_calendar(zone: str) -> None:
    """Over ten years: no gap, no overlap, one for each day, whatever the clocks do."""
    days = windows_between("day", zone, date(2012, 1, 1), date(2021, 12, 31))
    assert [window.key for window in days] == [str(date(2012, 1, 1) + timedelta(days=n)) for n in range(3653)]
    assert all(earlier.end.astimezone(UTC) == later.start.astimezone(UTC) for earlier, later in pairwise(days))
    assert {window.days for window in days} == {1}
    assert (
        sum(window.seconds for window in days)
        == (days[-1].end.astimezone(UTC) - days[0].start.astimezone(UTC)).total_seconds()
    )
    hours = {window.seconds / 3600 for window in days}
    assert hours == {
        "Asia/Kathmandu": {24.0},
        "Australia/Lord_Howe": {23.5, 24.0, 24.5},
    }.get(zone, {23.0, 24.0, 25.0})
    for unit, count, lengths in (("week", 522, {7}), ("month", 120, {28, 29, 30, 31}), ("quarter", 40, {90, 91, 92})):
        windows = windows_between(unit, zone, date(2012, 1, 2), date(2021, 12, 31))  # type: ignore[arg-type]
        assert len(windows) == count
        assert {window.days for window in windows} == lengths
        assert all(earlier.end == later.start for earlier, later in pairwise(windows))


@pytest.mark.parametrize(
    ("zone", "day", "seconds"),
    [
        (NEW_YORK, date(2027, 3, 14), [3600] * 23),
        (NEW_YORK, date(2027, 11, 7), [3600] * 25),
        ("Asia/Kathmandu", date(2027, 3, 14), [3600] * 24),
        ("Australia/Lord_Howe", date(2027, 4, 4), [3600, 5400, *[3600] * 22]),
        ("Australia/Lord_Howe", date(2027, 10, 3), [3600, 5400, *[3600] * 21]),
        ("America/Sao_Paulo", date(2018, 11, 4), [3600] * 23),
    ],
)
def test_hours_of_the_days_on_which_clocks_change(zone: str, day: date, seconds: list[int]) -> None:
    hours = windows_between("hour", zone, day, day)
    assert [window.seconds for window in hours] == seconds
    assert len({window.key for window in hours}) == len(hours), "the repeated hour has its own name"
    for window in hours:
        middle = window.start.astimezone(UTC) + timedelta(seconds=window.seconds / 2)
        inside = complete_window("hour", zone, window.end)
        assert inside.start.astimezone(UTC) == window.start.astimezone(UTC)
        assert complete_window("hour", zone, middle).end.astimezone(UTC) == window.start.astimezone(UTC)


def test_a_backfill_says_what_becomes_of_cut_windows() -> None:
    first, last = date(2027, 1, 15), date(2027, 3, 10)
    whole = windows_between("month", "UTC", first, last)
    assert [window.key for window in whole] == ["2027-01", "2027-02", "2027-03"]
    assert not any(window.partial for window in whole)
    clipped = windows_between("month", "UTC", first, last, ends="clip")
    assert [(f"{w.start:%m-%d}", f"{w.end:%m-%d}", w.partial) for w in clipped] == [
        ("01-15", "02-01", True),
        ("02-01", "03-01", False),
        ("03-01", "03-11", True),
    ]
    assert clipped[0].key != whole[0].key, "a part is not taken for the whole"
    assert [window.key for window in windows_between("month", "UTC", first, last, ends="drop")] == ["2027-02"]
    newest = windows_between("month", "UTC", first, last, order="newest-first")
    assert newest == whole[::-1]
    fitting = windows_between("month", "UTC", date(2027, 1, 1), date(2027, 1, 31), ends="clip")
    assert [(window.key, window.partial) for window in fitting] == [("2027-01", False)]


def test_a_backfill_between_moments() -> None:
    windows = windows_between("hour", NEW_YORK, datetime(2027, 3, 14, 0, 30), datetime(2027, 3, 14, 4), ends="drop")
    assert [f"{window.start:%H:%M}" for window in windows] == ["01:00", "03:00"]


def test_ranges_that_cannot_be() -> None:
    with pytest.raises(RequestError, match="is empty"):
        windows_between("day", "UTC", date(2027, 2, 1), date(2027, 1, 1))
    with pytest.raises(RequestError, match="more than 100,000 windows"):
        windows_between("hour", "UTC", date(1990, 1, 1), date(2027, 1, 1))
    with pytest.raises(RequestError, match="no time zone"):
        windows_between("hour", "Europe/Pari", date(2027, 1, 1), date(2027, 1, 1))
