"""Schedules as JSON, there and back; what is wrong is said with what to write instead."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.schedules import Schedule, from_json, in_words, to_json

NOW = datetime(2026, 11, 22, 22, tzinfo=UTC)

FULL = {
    "name": "Morning report",
    "cron": "0 7 * * 1-5",
    "zone": "America/New_York",
    "start": "2027-03-01",
    "end": "2027-12-31",
    "count": 10,
    "parameters": {"day": "{{ interval_start.date() }}", "limits": [1, 2.5, None]},
    "window": "day",
    "missed": "all",
    "overlap": "parallel",
    "max_parallel": 3,
    "paused": True,
    "done_by": "8:00",
}


def test_a_schedule_in_full() -> None:
    schedule = from_json(FULL)
    assert schedule.done_by == time(8)
    written = to_json(schedule)
    assert written == {
        **FULL, "start": "2027-03-01T00:00:00-05:00", "end": "2027-12-31T23:59:59-05:00", "done_by": "08:00"
    }  # fmt: skip
    assert from_json(json.loads(json.dumps(written))) == schedule
    assert in_words(schedule) == (
        "At 07:00 on Monday through Friday (America/New_York), from 2027-03-01 00:00 on, 10 times, "
        "until 2027-12-31 23:59; "
        "each on the data of the last complete day; to be done by 08:00; missed runs are all made up for, in order; "
        "up to 3 runs at once; paused."
    )


@pytest.mark.parametrize("given", [
    {"interval": "1h30m"}, {"interval": "2d", "anchor": "2027-03-14T02:30"},
    {"rrule": "FREQ=DAILY;COUNT=3", "anchor": "2027-01-01"},
    {"rrule": "FREQ=DAILY;UNTIL=20270101T000000Z"}, {"cron": "@weekly", "done_by": "1h30m"}, {"interval": 900},
    {"phrase": "every 2 weeks on monday at 7:00", "zone": "Europe/Paris", "missed": "skip"}, {"preset": "weekdays"},
])  # fmt: skip
def test_json_and_back(given: dict[str, object]) -> None:
    schedule = from_json(given, NOW)
    assert from_json(json.loads(json.dumps(to_json(schedule)))) == schedule


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "must be a JSON object"),
        ({}, "one way to say when"),
        ({"cron": "0 7 * * *", "interval": "1h"}, "one way to say when"),
        ({"cron": "0 7 * * *", "preset": "daily"}, "Both a preset"),
        ({"corn": "0 7 * * *"}, "no 'corn'"),
        ({"cron": 7}, "'cron' cannot be 7"),
        ({"cron": "0 7 * *"}, "has 4 fields"),
        ({"cron": "0 0 30 2 *"}, "cannot be read"),
        ({"cron": "x"}, "has 1 field "),
        ({"cron": "0 7 * * *", "zone": "Mars/Olympus"}, "no time zone"),
        ({"cron": "0 7 * * *", "anchor": "2027-01-01"}, "has no anchor"),
        ({"cron": "0 7 * * *", "count": 3}, "from when on"),
        ({"cron": "0 7 * * *", "count": True}, "'count' cannot be True"),
        ({"cron": "0 7 * * *", "start": "2027-02-01", "end": "2027-01-01"}, "ends .* before it starts"),
        ({"cron": "0 7 * * *", "start": "soon"}, "'start' cannot be 'soon'"),
        ({"cron": "0 7 * * *", "start": "0001-01-01"}, "in the year 1"),
        ({"cron": "0 7 * * *", "window": "fortnight"}, "no choice for `window`"),
        ({"cron": "0 7 * * *", "missed": "none"}, "no choice for `missed`"),
        ({"cron": "0 7 * * *", "max_parallel": 3}, "wait for each other"),
        ({"cron": "0 7 * * *", "max_parallel": 0}, "0 runs at once"),
        ({"cron": "0 7 * * *", "done_by": "25:00"}, "'done_by' cannot be"),
        ({"cron": "0 7 * * *", "done_by": "0s"}, "done before they start"),
        ({"cron": "0 7 * * *", "paused": "yes"}, "'paused' cannot be 'yes'"),
        ({"cron": "0 7 * * *", "parameters": [1]}, "'parameters' cannot be"),
        ({"interval": "soon"}, "'interval' cannot be 'soon'"),
        ({"interval": 0.5}, "0.5 seconds"),
        ({"interval": "99999d"}, "too long"),
        ({"interval": 1e300}, "'interval' cannot be"),
        ({"rrule": "every day"}, "cannot be read at"),
        ({"rrule": "BYDAY=MO"}, "has no FREQ"),
        ({"rrule": "FREQ=DAILY;INTERVAL=0"}, "INTERVAL is less than 1"),
        ({"rrule": "FREQ=DAILY;BYHOUR=25"}, "hour must be in 0..23"),
        ({"rrule": "FREQ=DAILY;BYDAY=XX"}, "cannot be read"),
        ({"rrule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, "No date matches"),
        ({"rrule": "DTSTART:20270101T000000\nRRULE:FREQ=DAILY"}, "more than the rule"),
        ({"rrule": "FREQ=DAILY;UNTIL=20270101", "end": "2027-02-01"}, "Both the rule's UNTIL"),
    ],
)
def test_what_is_wrong_is_said(given: object, message: str) -> None:
    with pytest.raises(RequestError, match=message) as error:
        from_json(given)
    assert error.value.fix


def test_the_room_costs_nothing_until_it_is_used() -> None:
    code = (
        "import sys, jupyter_pipelines, jupyter_pipelines.orchestration.schedules\n"
        "print([name for name in ('cronsim', 'dateutil', 'zoneinfo', 'prefect') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "said",
    [
        *(
            {"timeout": timedelta(microseconds=5)},
            {"timeout": timedelta(days=3660)},
            {"done_by": timedelta(seconds=0.4)},
        ),
        *({"done_by": timedelta(hours=25, seconds=1.5)}, {"done_by": time(8, 0, 30)}, {"done_by": time(8, 0, 0, 500)}),
    ],
)
def test_whatever_can_be_made_can_be_read_again(said: dict[str, Any]) -> None:
    schedule = Schedule(cron="0 7 * * *", **said)
    assert from_json(json.loads(json.dumps(to_json(schedule)))) == schedule


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"timeout": timedelta.max}, "too long"),
        ({"done_by": timedelta.max}, "too long"),
        ({"done_by": 5}, "neither a duration nor a time"),
        ({"done_by": time(8, tzinfo=UTC)}, "neither a duration nor a time"),
    ],
)
def test_what_no_clock_can_show_is_refused(said: dict[str, Any], problem: str) -> None:
    with pytest.raises(RequestError, match=problem):
        Schedule(cron="0 7 * * *", **said)
