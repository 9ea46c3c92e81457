"""When schedules run, over ten years and five zones, compared with what a clock on the wall would show."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.schedules import (
    Schedule,
    from_json,
    latest_occurrence,
    next_occurrence,
    occurrences_after,
)
from jupyter_pipelines.orchestration.schedules.clock import changes_between, zone_of

NEW_YORK, LORD_HOWE = "America/New_York", "Australia/Lord_Howe"
ZONES = [NEW_YORK, "Europe/London", LORD_HOWE, "America/Sao_Paulo", "Asia/Kathmandu"]
START, END = datetime(2012, 1, 1, tzinfo=UTC), datetime(2022, 1, 1, tzinfo=UTC)  # Sao Paulo had summers until 2019
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def between(schedule: Schedule, start: datetime, end: datetime) -> list[datetime]:
    found = []
    for moment in occurrences_after(schedule, start):
        if moment >= end:
            break
        found.append(moment)
    return found


def shown(*moments: datetime, zone: str = NEW_YORK) -> list[str]:
    return [f"{moment.astimezone(ZoneInfo(zone)):%m-%d %H:%M %z}" for moment in moments]


def first_shown(day: date, hour: int, minute: int, zone: str) -> datetime:
    """The first moment on a local day at which its clock shows a time, or a later one, by looking."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone))
    guess = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC) - (noon.utcoffset() or timedelta())
    moment = guess - 2 * HOUR
    while True:
        local = moment.astimezone(ZoneInfo(zone))
        if local.date() == day and (local.hour, local.minute) >= (hour, minute):
            return moment
        assert moment < guess + 2 * HOUR
        moment += 15 * MINUTE


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("time_of_day", ["00:00", "01:30", "02:15", "23:30"])
def test_daily_schedules_run_exactly_once_on_each_local_day_of_ten_years(zone: str, time_of_day: str) -> None:
    hour, minute = map(int, time_of_day.split(":"))
    days = [date(2012, 1, 2) + number * DAY for number in range(3652)]
    expected = [first_shown(day, hour, minute, zone) for day in days]
    window = (expected[0] - MINUTE, expected[-1] + MINUTE)
    assert between(Schedule(cron=f"{minute} {hour} * * *", zone=zone), *window) == expected
    rule = f"FREQ=DAILY;BYHOUR={hour};BYMINUTE={minute}"
    assert between(Schedule(rrule=rule, zone=zone), *window) == expected
    anchor = datetime(2001, 1, 1, hour, minute)
    assert between(Schedule(interval=DAY, anchor=anchor, zone=zone), *window) == expected


def around_changes(zone: str) -> list[tuple[datetime, datetime]]:
    """The days around each change of a zone's clocks in ten years; some days of each year where there is none."""
    changes = [change.at.replace(tzinfo=UTC) for change in changes_between(zone, naive(START), naive(END))]
    middles = changes or [START + number * 180 * DAY for number in range(1, 20)]
    assert len(changes) == {"Asia/Kathmandu": 0, "America/Sao_Paulo": 15}.get(zone, 20)
    return [(middle - 30 * HOUR, middle + 30 * HOUR) for middle in middles]


def naive(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)


def spacings(schedule: Schedule) -> set[timedelta]:
    """The times between runs on the days around each change of the clocks in ten years."""
    found = [between(schedule, *span) for span in around_changes(schedule.zone)]
    return {later - earlier for runs in found for earlier, later in pairwise(runs)}


@pytest.mark.parametrize(
    ("expression", "spacing"), [("*/15 * * * *", 15), ("*/30 * * * *", 30), ("20 * * * *", 60), ("0 * * * *", 60)]
)
@pytest.mark.parametrize("zone", ZONES)
def test_sub_daily_cron_keeps_its_spacing(zone: str, expression: str, spacing: int) -> None:
    found = spacings(Schedule(cron=expression, zone=zone))
    if zone == LORD_HOWE and spacing == 60:  # see the next but one test
        assert max(found) <= 90 * MINUTE
    else:
        assert found == {spacing * MINUTE}


@pytest.mark.parametrize("zone", ZONES)
def test_intervals_are_counted_in_seconds_that_pass(zone: str) -> None:
    assert spacings(Schedule(interval=HOUR, zone=zone)) == {HOUR}
    assert spacings(Schedule(rrule="FREQ=MINUTELY;INTERVAL=90", zone=zone)) == {90 * MINUTE}
    assert spacings(Schedule(interval=7 * HOUR, zone=zone)) == {7 * HOUR}


def test_an_hourly_cron_where_clocks_change_by_half_an_hour() -> None:
    """The hour of the change has 90 minutes by the clock in autumn; in spring the missing time is made up for."""
    hourly = Schedule(cron="0 * * * *", zone=LORD_HOWE)
    spring = islice(occurrences_after(hourly, datetime(2027, 10, 2, 14, tzinfo=UTC)), 3)
    assert shown(*spring, zone=LORD_HOWE) == ["10-03 01:00 +1030", "10-03 02:30 +1100", "10-03 03:00 +1100"]
    autumn = islice(occurrences_after(hourly, datetime(2027, 4, 3, 13, tzinfo=UTC)), 3)
    assert shown(*autumn, zone=LORD_HOWE) == ["04-04 01:00 +1100", "04-04 02:00 +1030", "04-04 03:00 +1030"]
    assert spacings(hourly) == {30 * MINUTE, 60 * MINUTE, 90 * MINUTE}


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("30 2 * * *", "2027-03-13T12:00", ["03-14 03:00 -0400", "03-15 02:30 -0400"]),
        ("30 1 * * *", "2027-11-06T12:00", ["11-07 01:30 -0400", "11-08 01:30 -0500"]),
        ("0 2,3 * * *", "2027-03-13T12:00", ["03-14 03:00 -0400", "03-15 02:00 -0400"]),  # one moment, one run
        ("0 */2 * * *", "2027-03-14T04:59", ["03-14 00:00 -0500", "03-14 03:00 -0400", "03-14 04:00 -0400"]),
        ("0 */2 * * *", "2027-11-07T03:59", ["11-07 00:00 -0400", "11-07 02:00 -0500", "11-07 04:00 -0500"]),
        ("30 1,13 * * *", "2027-11-07T05:00", ["11-07 01:30 -0400", "11-07 13:30 -0500"]),
        ("*/20 2 * * *", "2027-03-13T12:00", ["03-14 03:00 -0400", "03-15 02:00 -0400"]),  # not lost
        ("*/30 0-3 * * *", "2027-11-07T05:00", ["11-07 01:30 -0400", "11-07 01:00 -0500", "11-07 01:30 -0500"]),
    ],
)
def test_what_the_clocks_skip_or_repeat(expression: str, after: str, expected: list[str]) -> None:
    schedule = Schedule(cron=expression, zone=NEW_YORK)
    found = islice(occurrences_after(schedule, datetime.fromisoformat(after).replace(tzinfo=UTC)), len(expected))
    assert shown(*found) == expected


def test_a_day_that_does_not_exist_has_no_run() -> None:
    """Samoa went from 29 to 31 December 2011."""
    daily = Schedule(cron="0 9 * * *", zone="Pacific/Apia")
    found = islice(occurrences_after(daily, datetime(2011, 12, 29, tzinfo=UTC)), 3)
    assert [one[3:11] for one in shown(*found, zone="Pacific/Apia")] == ["29 09:00", "31 09:00", "01 09:00"]


def by_looking(hours: set[int], minutes: set[int], zone: str, start: datetime, end: datetime) -> list[datetime]:
    """The runs of a cron expression with these hours and minutes, by looking at the clock every minute."""
    following = sorted(hours)
    through = len(minutes) > 1 or any(later - earlier == 1 for earlier, later in pairwise(following))
    seen: set[datetime] = set()
    runs: set[datetime] = set()
    previous: datetime | None = None
    moment = start - DAY
    while moment < end + DAY:
        wall = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        missing = [] if previous is None else list(_minutes(previous + MINUTE, wall))
        skipped = [one for one in missing if one.hour in hours and one.minute in minutes]
        if skipped:
            due = moment + (skipped[0] - missing[0])  # when it would have run, had the clocks not been changed
            regular = any(
                _matches(moment + step * MINUTE, hours, minutes, zone) for step in range((due - moment) // MINUTE + 1)
            )
            if not (through and regular):
                runs.add(moment)
        if wall.hour in hours and wall.minute in minutes and (through or wall not in seen):
            runs.add(moment)
        seen.add(wall)
        previous = wall
        moment += MINUTE
    return sorted(run for run in runs if start < run < end)


def _minutes(start: datetime, end: datetime) -> Iterator[datetime]:
    while start < end:
        yield start
        start += MINUTE


def _matches(moment: datetime, hours: set[int], minutes: set[int], zone: str) -> bool:
    wall = moment.astimezone(ZoneInfo(zone))
    return wall.hour in hours and wall.minute in minutes


CHANGES = [
    (zone, change.at.replace(tzinfo=UTC))
    for zone in ZONES
    for change in changes_between(zone, datetime(2016, 1, 1), datetime(2019, 12, 1))
]


@settings(max_examples=60, deadline=None)
@given(
    where=st.sampled_from(CHANGES),
    hours=st.one_of(
        st.just(set(range(24))), st.sets(st.integers(0, 4), min_size=1), st.sets(st.integers(0, 23), min_size=1)
    ),
    minutes=st.one_of(
        st.sets(st.sampled_from([0, 15, 30, 45]), min_size=1), st.sets(st.integers(0, 59), min_size=1, max_size=3)
    ),
)
def test_any_cron_expression_around_a_change_of_the_clocks(
    where: tuple[str, datetime], hours: set[int], minutes: set[int]
) -> None:
    zone, change = where
    expression = f"{','.join(map(str, sorted(minutes)))} {','.join(map(str, sorted(hours)))} * * *"
    start, end = change - 20 * HOUR, change + 20 * HOUR
    assert between(Schedule(cron=expression, zone=zone), start, end) == by_looking(hours, minutes, zone, start, end)


SCHEDULES = [
    {"cron": "*/7 * * * *"},
    {"cron": "30 1-3 * * 0,1"},
    {"cron": "0 0 1 * *"},
    {"cron": "30 2 29 2 *"},
    {"interval": "90m"},
    {"interval": "3d"},
    {"rrule": "FREQ=MONTHLY;BYDAY=1SU,-1SU;BYHOUR=1,2;BYMINUTE=30"},
    {"rrule": "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;BYHOUR=2;BYMINUTE=30"},
    {"rrule": "FREQ=HOURLY;INTERVAL=5;BYMINUTE=0,30"},
    {"rrule": "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=31"},
    {"rrule": "FREQ=YEARLY;BYMONTH=3,11;BYDAY=2SU;BYHOUR=2"},
    {"phrase": "last weekday of the month at 02:30"},
]


@pytest.mark.parametrize("given_schedule", SCHEDULES, ids=lambda one: next(iter(one.values())))
@pytest.mark.parametrize("zone", [NEW_YORK, LORD_HOWE, "America/Sao_Paulo"])
def test_it_does_not_matter_from_when_one_looks(given_schedule: dict[str, str], zone: str) -> None:
    """What comes after a moment does not depend on the moment: no search is confused by where it begins."""
    schedule = from_json({**given_schedule, "zone": zone})
    dice = random.Random(7)
    for _ in range(12):
        start = datetime(2016, 1, 1, tzinfo=UTC) + timedelta(seconds=dice.randrange(4 * 366 * 86_400))
        if dice.random() < 0.6:
            start = dice.choice([at for where, at in CHANGES if where == zone]) + dice.randrange(-240, 240) * MINUTE
        row = list(islice(occurrences_after(schedule, start), 12))
        assert all(later > earlier for earlier, later in pairwise(row))
        assert [next_occurrence(schedule, moment) for moment in row[:-1]] == row[1:]
        between_two = row[3] + (row[4] - row[3]) / 2
        assert next_occurrence(schedule, between_two) == row[4]
        assert latest_occurrence(schedule, start, between_two) == row[3]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=MONTHLY;BYDAY=1MO;BYHOUR=9", ["2027-01-04 09:00", "2027-02-01 09:00", "2027-03-01 09:00"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", ["2027-01-31 00:00", "2027-02-28 00:00", "2027-03-31 00:00"]),
        ("FREQ=MONTHLY;BYMONTHDAY=31", ["2027-01-31 00:00", "2027-03-31 00:00", "2027-05-31 00:00"]),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", ["2028-02-29 00:00", "2032-02-29 00:00", "2036-02-29 00:00"]),
        ("RRULE:freq=daily;interval=10", ["2027-01-05 00:00", "2027-01-15 00:00", "2027-01-25 00:00"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", ["2027-01-29 00:00", "2027-02-26 00:00", "2027-03-31 00:00"]),
    ],
)
def test_recurrence_rules(rule: str, expected: list[str]) -> None:
    found = islice(occurrences_after(Schedule(rrule=rule), datetime(2026, 12, 31, 12, tzinfo=UTC)), 3)
    assert [f"{moment:%Y-%m-%d %H:%M}" for moment in found] == expected


def test_a_far_anchor_means_the_same_as_listing_from_it() -> None:
    """Rules are not listed from their anchor: a nearer one is used, which must not change what they mean."""
    from dateutil.rrule import rrulestr

    dice = random.Random(3)
    for _ in range(60):
        frequency = dice.choice(["DAILY", "WEEKLY", "MONTHLY", "YEARLY", "HOURLY"])
        rule = f"FREQ={frequency};INTERVAL={dice.randint(1, 5)}" + dice.choice(
            ["", ";BYDAY=MO,TH", ";BYMONTH=1,5,6", ";BYHOUR=3,9", ";BYMONTHDAY=5,28", ";BYDAY=TU;BYSETPOS=1"]
        )
        if "BYSETPOS" in rule and frequency == "HOURLY":
            continue
        anchor = datetime(2019, 1, 1) + dice.randrange(500) * DAY
        low = anchor + dice.randrange(1500) * DAY
        expected = list(islice((wall for wall in rrulestr(rule, dtstart=anchor) if wall > low), 6))
        if not expected:
            with pytest.raises(RequestError, match="No date matches"):
                Schedule(rrule=rule, anchor=anchor)
            continue
        schedule = Schedule(rrule=rule, anchor=anchor)
        found = [one.replace(tzinfo=None) for one in islice(occurrences_after(schedule, low.replace(tzinfo=UTC)), 6)]
        assert found == expected, (rule, anchor, low)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MINUTELY;BYWEEKNO=53;BYMONTH=6",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=SECONDLY;BYSECOND=3;BYSETPOS=2",
        "FREQ=DAILY;BYSETPOS=5",
        "FREQ=SECONDLY;INTERVAL=86400;BYHOUR=3",
        "FREQ=HOURLY;INTERVAL=6;BYHOUR=13",
    ],
)
def test_a_rule_without_times_is_refused_at_once(rule: str) -> None:
    began = time.process_time()
    with pytest.raises(RequestError, match="No date matches"):
        Schedule(rrule=rule, anchor=datetime(2027, 1, 20))
    assert time.process_time() - began < 3


def test_a_nearer_anchor_does_not_hide_what_comes_earlier_in_its_month() -> None:
    schedule = Schedule(rrule="FREQ=MONTHLY;BYMONTHDAY=5", anchor=datetime(2027, 1, 20))
    assert next_occurrence(schedule, datetime(2027, 3, 3, tzinfo=UTC)) == datetime(2027, 3, 5, tzinfo=UTC)


def test_start_end_and_count_bound_what_runs() -> None:
    start, end = datetime(2027, 3, 13), datetime(2027, 3, 16, 2, 30)
    schedule = Schedule(cron="30 2 * * *", zone=NEW_YORK, start=start, end=end)
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    every = ["03-13 02:30 -0500", "03-14 03:00 -0400", "03-15 02:30 -0400", "03-16 02:30 -0400"]
    assert shown(*occurrences_after(schedule, long_ago)) == every
    counted = Schedule(cron="30 2 * * *", zone=NEW_YORK, start=start, count=2)
    assert shown(*occurrences_after(counted, long_ago)) == every[:2]
    assert shown(*occurrences_after(counted, start.replace(tzinfo=UTC) + DAY)) == every[1:2]
    by_rule = Schedule(rrule="FREQ=DAILY;COUNT=2;BYHOUR=2;BYMINUTE=30", zone=NEW_YORK, anchor=start)
    assert shown(*occurrences_after(by_rule, long_ago)) == every[:2]
    until = Schedule(rrule="FREQ=DAILY;BYHOUR=2;BYMINUTE=30;UNTIL=20270315", zone=NEW_YORK, start=start)
    assert shown(*occurrences_after(until, long_ago)) == every[:3]


def test_the_next_times_of_200_schedules_are_found_at_once() -> None:
    zones = ["UTC", *ZONES]
    schedules = [from_json({**SCHEDULES[n % len(SCHEDULES)], "zone": zones[n % len(zones)]}) for n in range(200)]
    now = datetime(2026, 11, 22, tzinfo=UTC)
    for schedule in schedules:  # what is remembered of zones is remembered by then
        next_occurrence(schedule, now)
    began = time.process_time()
    for schedule in schedules:
        assert len(list(islice(occurrences_after(schedule, now), 5))) == 5
    assert (time.process_time() - began) / len(schedules) < 0.01


def test_zones_are_those_of_the_database() -> None:
    assert zone_of("Asia/Kathmandu").key == "Asia/Kathmandu"
