"""Parameters' expressions: what they give, and what they refuse, at once."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta

import pytest

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.schedules import Schedule, evaluate_parameters
from jupyter_pipelines.orchestration.schedules.expressions import evaluate

OCCURRENCE = datetime(2027, 3, 15, 11, tzinfo=UTC)


def values(**parameters: object) -> dict[str, object]:
    schedule = Schedule(cron="0 7 * * *", zone="America/New_York", window="day", parameters=parameters)
    return evaluate_parameters(schedule, OCCURRENCE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ interval_start.date() }}", date(2027, 3, 14)),
        ("{{ interval_start.isoformat() }}", "2027-03-14T00:00:00-05:00"),
        ("{{ interval_end.isoformat() }}", "2027-03-15T00:00:00-04:00"),
        ("{{ scheduled_time.hour }}", 7),
        ("{{scheduled_time.strftime('%Y-%m')}}", "2027-03"),
        ("{{ (interval_start - timedelta(days=7)).date() }}", date(2027, 3, 7)),
        ("{{ (interval_start - relativedelta(months=1, day=1)).date() }}", date(2027, 2, 1)),
        ("{{ utc(interval_end).hour }}", 4),
        ("{{ date(2027, 1, 1) + timedelta(weeks=1) }}", date(2027, 1, 8)),
        ("{{ timedelta(hours=3) * 2 }}", timedelta(hours=6)),
        ("{{ 'weekend' if scheduled_time.isoweekday() > 5 else 'workday' }}", "workday"),
        ("{{ 1 < scheduled_time.day <= 15 and not False }}", True),
        ("{{ -round(7 / 2, 1) + abs(-1) }}", -2.5),
        ("{{ str(scheduled_time.year)+'!' }}", "2027!"),
        ("data/{{ interval_start.date() }}/{{ interval_start.day % 7 }}.csv", "data/2027-03-14/0.csv"),
        ("{{ '{{' }} is kept", "{{ is kept"),
        ("no expression", "no expression"),
        (["{{ 1 + 1 }}", {"deep": "{{ 2 * 2 }}"}], [2, {"deep": 4}]),
        (0.5, 0.5),
        (None, None),
    ],
)
def test_values_keep_their_types(text: object, expected: object) -> None:
    found = values(parameter=text)["parameter"]
    assert found == expected
    assert type(found) is type(expected)


HOSTILE = [
    "9**9**9",
    "10 ** 9",
    "'a' * 10**9",
    "'a' * 1000000000",
    "1000000000 * 'a'",
    "'%1000000000d' % 1",
    "'{:>1000000000}'.format(1)",
    "f'{1:>1000000000}'",
    "scheduled_time.strftime('%1000000000d')",
    "scheduled_time.strftime('%_1000000000d')",
    "scheduled_time.__class__",
    "scheduled_time.__class__.__mro__[-1].__subclasses__()",
    "scheduled_time.date.__func__",
    "scheduled_time.tzinfo",
    "scheduled_time.date().__reduce__()",
    "''.__class__.__base__",
    "''.join('a')",
    "'{0.__class__}'.format(1)",
    "'{a}'.format_map(1)",
    "(lambda: 1)()",
    "[x for x in '1']",
    "{1: 2}",
    "(1, 2)",
    "'abc'[0]",
    "(x := 1)",
    "str",
    "str.upper('a')",
    "date.today()",
    "open('/etc/passwd')",
    "__import__('os')",
    "getattr(scheduled_time, 'year')",
    "int('1', 36)",
    "int('9' + '9' + '" + "9" * 60 + "')",
    "str(b'a', 'utf8')",
    "b'a'",
    "1j",
    "1e400",
    "float('nan')",
    "float('inf')",
    "999999999999 * 999999999999",
    "'" + "a" * 400 + "'.replace('a', '" + "b" * 400 + "')",
    "'a'.ljust(1000000000)",
    "'a'.zfill(1000000000)",
    "timedelta(days=10**9)",
    "timedelta(days=999999999) * 1000",
    "timedelta(microseconds=1)",
    "relativedelta(years=100000) + scheduled_time",
    "relativedelta(dt1=scheduled_time)",
    "scheduled_time.replace(tzinfo=None)",
    "scheduled_time.replace(year=0)",
    "max(1, 2, key=str)",
    "min()",
    "len(5)",
    "1 << 1000000",
    "~1",
    "1 in '1'",
    "1 / 0",
    "not_known",
    "1 +",
    "1; 2",
    "import os",
    "",
    "yield",
    "\x00",
    "-" * 900 + "1",
    "(" * 400 + "1" + ")" * 400,
    "1" + "+1" * 600,
    "*scheduled_time",
    "str(*'ab')",
    "str(**'ab')",
]


@pytest.mark.parametrize("expression", HOSTILE, ids=lambda text: text[:40] or "empty")
def test_what_is_refused_is_refused_at_once(expression: str) -> None:
    began = time.process_time()
    with pytest.raises(RequestError) as refused:
        evaluate(expression, {"scheduled_time": OCCURRENCE})
    assert time.process_time() - began < 0.2
    assert "cannot be evaluated" in refused.value.message and len(refused.value.message) < 2_000


def test_nothing_is_reachable_but_what_is_listed() -> None:
    """Every attribute of every kind of value is tried: those with an underscore, and all that are not listed."""
    allowed = {"date", "time", "year", "month", "day", "hour", "minute", "second", "days", "seconds"}
    allowed |= {"strip", "lower", "upper", "title", "timestamp", "isoformat", "isoweekday", "weekday", "toordinal"}
    allowed |= {"total_seconds", "replace", "strftime", "startswith", "endswith"}
    sources = {"scheduled_time": OCCURRENCE, "'a'": "a", "1": 1, "1.5": 1.5, "timedelta(days=1)": timedelta(1)}
    for source, value in sources.items():
        for name in dir(value):
            for expression in (f"({source}).{name}", f"({source}).{name}()"):
                try:
                    found = evaluate(expression, {"scheduled_time": OCCURRENCE})
                except RequestError:
                    continue
                assert name in allowed, f"{expression} gave {found!r}"


def test_errors_name_the_parameter_and_the_expression() -> None:
    with pytest.raises(RequestError) as error:
        values(folder="data/{{ interval_strat.date() }}")
    assert "'folder'" in error.value.message and "{{ interval_strat.date() }}" in error.value.message
    assert "interval_start" in error.value.message and error.value.fix
    with pytest.raises(RequestError, match="has no data window"):
        Schedule(cron="0 7 * * *", parameters={"day": "{{ interval_start.date() }}"})
    with pytest.raises(RequestError, match="without its closing"):
        values(day="{{ interval_start")
    with pytest.raises(RequestError, match="cannot keep"):
        values(day=date(2027, 1, 1))
    with pytest.raises(RequestError, match="cannot keep"):
        values(number=float("nan"))
