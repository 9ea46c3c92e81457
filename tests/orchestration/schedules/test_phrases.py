"""Schedules in plain words: read, told back, and refused with what to write instead."""

from __future__ import annotations

import contextlib
import json
import time as clock
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.schedules import (
    EXAMPLES,
    PRESETS,
    Schedule,
    expression_of,
    from_json,
    next_occurrence,
    parse_phrase,
    to_json,
    understand,
    when_in_words,
    with_preset,
)

NOW = datetime(2026, 11, 22, 22, tzinfo=UTC)  # a Sunday


@pytest.mark.parametrize(
    ("phrase", "expression", "following"),
    [
        ("every weekday 07:00", "cron 0 7 * * 1-5", "2026-11-23 07:00"),
        ("hourly", "cron 0 * * * *", "2026-11-22 23:00"),
        ("Every hour", "RRULE:FREQ=HOURLY", "2026-11-22 23:00"),
        ("every 15 minutes", "RRULE:FREQ=MINUTELY;INTERVAL=15", "2026-11-22 22:15"),
        ("every 6 hours", "RRULE:FREQ=HOURLY;INTERVAL=6", "2026-11-23 00:00"),
        ("first monday 9am", "cron 0 9 * * 1#1", "2026-12-07 09:00"),
        ("the last friday of every month at 5:30 pm", "cron 30 17 * * 5L", "2026-11-27 17:30"),
        ("monthly on the 1st at 06:30", "cron 30 6 1 * *", "2026-12-01 06:30"),
        ("last day of month 18:00", "cron 0 18 L * *", "2026-11-30 18:00"),
        ("mon-fri 8:30", "cron 30 8 * * 1-5", "2026-11-23 08:30"),
        ("at 7 o'clock on mondays", "cron 0 7 * * 1", "2026-11-23 07:00"),
        ("fri to mon at 9", "cron 0 9 * * 0,1,5,6", "2026-11-23 09:00"),
        ("tuesdays and thursdays at 6pm", "cron 0 18 * * 2,4", "2026-11-24 18:00"),
        ("at 9:30 and 17:30", "cron 30 9,17 * * *", "2026-11-23 09:30"),
        ("every 2 weeks on wednesday at noon", "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=WE;BYHOUR=12;BYMINUTE=0",
         "2026-11-25 12:00"),
        ("every other day at 5pm", "RRULE:FREQ=DAILY;INTERVAL=2", "2026-11-24 17:00"),
        ("every 10 minutes between 9:00 and 17:00 on weekdays", "cron */10 9-16 * * 1-5", "2026-11-23 09:00"),
        ("every 3 months on the 15th at 4am", "RRULE:FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=15;BYHOUR=4;BYMINUTE=0",
         "2027-01-15 04:00"),
        ("the 1st and 15th of each month at 06:00", "cron 0 6 1,15 * *", "2026-12-01 06:00"),
        ("march 1st at midnight", "cron 0 0 1 3 *", "2027-03-01 00:00"),
        ("quarterly", "cron 0 0 1 1,4,7,10 *", "2027-01-01 00:00"),
        ("weekends at 12am", "cron 0 0 * * 0,6", "2026-11-28 00:00"),
        ("0 7 * * MON", "cron 0 7 * * MON", "2026-11-23 07:00"),
        ("@daily", "cron 0 0 * * *", "2026-11-23 00:00"),
        ("RRULE:FREQ=DAILY;BYHOUR=3", "RRULE:FREQ=DAILY;BYHOUR=3", "2026-11-23 03:00"),
    ],
)  # fmt: skip
def test_phrases_are_read_and_told_back(phrase: str, expression: str, following: str) -> None:
    understood = understand(phrase, NOW, "UTC", 3)
    assert understood.expression == expression
    assert f"{understood.next.occurrences[0].time:%Y-%m-%d %H:%M}" == following
    assert len(understood.next.occurrences) == 3 and understood.words.endswith("(UTC)")
    again = from_json(json.loads(json.dumps(to_json(understood.schedule))))
    assert again == understood.schedule


def test_what_is_told_back_is_understood_again() -> None:
    """The expression that is shown, given as it is, means the same."""
    for phrase in EXAMPLES:
        schedule = parse_phrase(phrase)
        shown = expression_of(schedule).removeprefix("cron ")
        anchor = schedule.anchor if "INTERVAL" in shown else None
        again = from_json({"rrule": shown} if "FREQ" in shown else {"cron": shown})
        again = from_json(
            {**to_json(again), "zone": schedule.zone} | ({"anchor": anchor.isoformat()} if anchor else {})
        )
        for moment in (NOW, NOW + timedelta(days=100)):
            assert next_occurrence(again, moment) == next_occurrence(schedule, moment), phrase


def test_a_zone_in_a_phrase() -> None:
    paris = understand("first monday 9am Europe/Paris", NOW).next.occurrences[0].time
    assert paris.isoformat() == "2026-12-07T09:00:00+01:00"
    assert parse_phrase("daily at 7:00 (Asia/Kathmandu)", "UTC").zone == "Asia/Kathmandu"
    assert parse_phrase("daily at 7:00 utc", "Europe/Paris").zone == "UTC"


@pytest.mark.parametrize(
    ("phrase", "suggested"),
    [
        ("evry weekdy at 7:00", "every weekday at 7:00"),
        ("mondy 9am", "monday 9am"),
        ("every 15 minuts", "every 15 minutes"),
        ("every 15 minutes at 7:00", "every 15 minutes"),
        ("last dya of month 18:00", "last day of month 18:00"),
        ("at 25:00", ""),
        ("every day at 13pm", ""),
        ("every 0 minutes", ""),
        ("every 99999999999999 hours", ""),
        ("hourly at 9:00", ""),
        ("", ""),
        ("🦆", ""),
    ],
)
def test_the_nearest_phrase_is_suggested(phrase: str, suggested: str) -> None:
    with pytest.raises(RequestError, match="is not understood") as error:
        parse_phrase(phrase)
    found = error.value.fix.split('"')[1]
    assert found == suggested or not suggested
    parse_phrase(found)


def test_other_errors_of_phrases_say_what_to_do() -> None:
    for phrase, message in {
        "9:00 and 17:30": "do not fit into one schedule",
        "daily at 7:00 Europe/Pari": "no time zone",
        "31st of february at 3:00": "cannot be read: its day-of-month",
    }.items():
        with pytest.raises(RequestError, match=message) as error:
            parse_phrase(phrase)
        assert error.value.fix


WORDS = [*" ".join(EXAMPLES).split(), "1st", "99", "0", "-", "@", ",", "from", "*", "*/5", "FREQ=DAILY", "to"]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join))
def test_any_words_are_read_or_refused_at_once(text: str) -> None:
    began = clock.process_time()
    schedule = None
    with contextlib.suppress(RequestError):
        schedule = parse_phrase(text, "Europe/London", NOW)
    if schedule is not None:
        assert when_in_words(schedule)
        assert next_occurrence(schedule, NOW) is not None
    assert clock.process_time() - began < 0.5


def test_long_phrases_take_no_time() -> None:
    began = clock.process_time()
    for text in ("1" * 190, "1, " * 60, "mon " * 45 + "x", "every year on " + "1st" * 50, "from " * 38, "1" * 100_000):
        with pytest.raises(RequestError):
            parse_phrase(text)
    assert clock.process_time() - began < 1


def test_presets() -> None:
    for name, expression in PRESETS.items():
        assert from_json({"preset": name}).cron == expression
        assert with_preset(name, Schedule(interval=timedelta(hours=1), zone="Asia/Kathmandu")).cron == expression
        assert parse_phrase(name).cron == expression
    with pytest.raises(RequestError, match="no preset 'dayly'"):
        from_json({"preset": "dayly"})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"cron": "0 */6 * * *"}, "At 00:00, 06:00, 12:00, and 18:00 every day"),
        ({"cron": "0 7 * * 1-5"}, "At 07:00 on Monday through Friday"),
        ({"interval": "90m"}, "Every 1 hour 30 minutes, counted from 2001-01-01 00:00"),
        ({"interval": "1h"}, "Every hour"),
        ({"interval": "2d", "anchor": "2027-01-01T06:30"}, "Every 2 days at 06:30, counted from 2027-01-01 06:30"),
        (
            {"rrule": "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;BYHOUR=9"},
            "Every month on the last weekday at 09:00",
        ),
        ({"rrule": "FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=9,17"}, "Every week on Monday and Thursday at 09:00 and 17:00"),
        ({"rrule": "FREQ=YEARLY;BYMONTH=3;BYDAY=2SU"}, "Every year on the second Sunday of March at 00:00"),
        ({"rrule": "FREQ=HOURLY;BYMINUTE=0,30"}, "Every hour at minute 0 and 30"),
    ],
)
def test_when_in_words(given: dict[str, object], words: str) -> None:
    assert when_in_words(from_json({**given, "zone": "Asia/Kathmandu"})) == f"{words} (Asia/Kathmandu)"
