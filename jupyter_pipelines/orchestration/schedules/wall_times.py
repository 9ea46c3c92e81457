"""What cron expressions, recurrence rules and intervals of days list: times as a clock on the wall shows them.

Nothing here knows of time zones; :mod:`occurrences` places these times on the time line. Cron is read by cronsim, rules
by python-dateutil.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise
from math import gcd, prod
from typing import TYPE_CHECKING, Final, cast

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.schedules.clock import LAST

if TYPE_CHECKING:
    from dateutil.rrule import rrule

WallTimes = Callable[[datetime], Iterator[datetime]]
"""Lists the wall times (naive, rising) that are not earlier than the one given."""

DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_YEAR: Final = timedelta(days=366)
_CRON_FIX = "Write five fields, minute hour day month weekday: 0 7 * * 1-5 is every weekday at 07:00."
_RULE_FIX = "Write it as in RFC 5545: FREQ=MONTHLY;BYDAY=1MO;BYHOUR=9 is every first Monday of a month at 09:00."
_DAY_PARTS: Final = ("BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYDAY", "BYEASTER")
_TIME_PARTS: Final = ("BYHOUR", "BYMINUTE", "BYSECOND")
_UNITS: Final = {
    "SECONDLY": timedelta(seconds=1),
    "MINUTELY": timedelta(minutes=1),
    "HOURLY": _HOUR,
    "DAILY": DAY,
    "WEEKLY": 7 * DAY,
}


def cron_times(expression: str) -> WallTimes:
    """The times that match a cron expression of five fields, or of six with seconds first."""
    from cronsim import CronSim

    def times(low: datetime) -> Iterator[datetime]:
        return CronSim(expression, low - timedelta(microseconds=1))  # it goes on after the whole second

    return times


def check_cron(expression: str) -> None:
    """Raise :class:`RequestError` for an expression that cannot be read, or that matches no day of any year."""
    from cronsim import CronSim, CronSimError

    fields = expression.split()
    if len(fields) not in {5, 6}:
        counted = "1 field" if len(fields) == 1 else f"{len(fields)} fields"
        raise RequestError(f"The cron expression {expression!r} has {counted} instead of five.", _CRON_FIX)
    try:
        next(CronSim(expression, datetime(2001, 1, 1)))
    except CronSimError as error:
        part = str(error).removeprefix("Bad ")
        names = ("second", "minute", "hour", "day-of-month", "month", "day-of-week")
        text = fields[names.index(part) - (6 - len(fields))] if part in names else ""
        why = f"its {part}, {text!r}, is {_none(part, text)}" if text else str(error)
        raise RequestError(f"The cron expression {expression!r} cannot be read: {why}.", _CRON_FIX) from None
    except StopIteration:
        raise RequestError(f"No date matches the cron expression {expression!r}.", _CRON_FIX) from None


def _none(part: str, text: str) -> str:
    """What is wrong with one field: by itself, or together with the months."""
    from cronsim import CronSim, CronSimError

    if part == "day-of-month":
        with suppress(CronSimError):
            CronSim(f"0 0 {text} * *", datetime(2001, 1, 1))
            return "in none of its months"
    return "none"


def cron_runs_through(expression: str) -> bool:
    """Whether an expression has times an hour or less apart, so that its *spacing* is what is meant."""
    from cronsim import CronSim

    cron = CronSim(expression, datetime(2001, 1, 1))
    following = any(later - earlier == 1 for earlier, later in pairwise(sorted(cron.hours)))
    return len(cron.seconds) > 1 or len(cron.minutes) > 1 or following


def day_times(anchor: datetime, days: int) -> WallTimes:
    """The anchor's time of day on every so manyeth day, counted from the anchor's."""

    def times(low: datetime) -> Iterator[datetime]:
        steps = -((anchor - low) // timedelta(days=days))  # rounded up
        wall = anchor + steps * timedelta(days=days)
        while wall < LAST:
            yield wall
            wall += timedelta(days=days)

    return times


def rule_parts(rule: str) -> dict[str, str]:
    """The parts of a recurrence rule by name, as in ``{"FREQ": "DAILY", "BYHOUR": "9"}``.

    Raises :class:`RequestError` for what is not one rule.
    """
    text = re.sub(r"\s+", "", rule).upper()
    if re.search(r"DTSTART|EXDATE|RDATE|EXRULE", text):
        raise RequestError(
            f"The recurrence rule {rule!r} holds more than the rule.",
            "Give the rule alone, and what DTSTART says as the schedule's `anchor`; dates left out or added are not "
            "supported.",
        )
    parts: dict[str, str] = {}
    for part in text.removeprefix("RRULE:").strip(";").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value or name in parts:
            raise RequestError(f"The recurrence rule {rule!r} cannot be read at {part!r}.", _RULE_FIX)
        parts[name] = value
    if "FREQ" not in parts:
        raise RequestError(f"The recurrence rule {rule!r} does not say how often: it has no FREQ.", _RULE_FIX)
    return parts


def rule_text(parts: dict[str, str]) -> str:
    """A recurrence rule of its parts."""
    return ";".join(f"{name}={value}" for name, value in parts.items())


def rule_spacing(rule: str) -> timedelta | None:
    """The spacing of a rule that says nothing else, and less than a day, such as ``FREQ=HOURLY;INTERVAL=2``."""
    parts = rule_parts(rule)
    if parts["FREQ"] in {"SECONDLY", "MINUTELY", "HOURLY"} and set(parts) <= {"FREQ", "INTERVAL", "WKST"}:
        return _UNITS[parts["FREQ"]] * int(parts.get("INTERVAL", "1"))
    return None


def check_rule(rule: str, anchor: datetime) -> None:
    """Raise :class:`RequestError` for a rule that cannot be read, or that no date matches."""
    parts = rule_parts(rule)
    try:
        if int(parts.get("INTERVAL", "1")) < 1:
            raise ValueError("its INTERVAL is less than 1")
        found = None if _is_never(parts, anchor) else next(_rule(rule, anchor, anchor)[1], None)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
        why = "a value is out of range" if isinstance(error, TypeError) else str(error)
        raise RequestError(f"The recurrence rule {rule!r} cannot be read: {why}.", _RULE_FIX) from None
    if found is None:
        raise RequestError(f"No date matches the recurrence rule {rule!r}.", _RULE_FIX)


def _is_never(parts: Mapping[str, str], anchor: datetime) -> bool:
    """Whether it is plain that a rule which goes by days or less has no times: they would be looked for one by one."""
    if parts["FREQ"] not in {"DAILY", "HOURLY", "MINUTELY", "SECONDLY"}:
        return False
    days = {name: value for name, value in parts.items() if name in _DAY_PARTS}
    if days and next(_rule(rule_text({"FREQ": "YEARLY", **days}), anchor, anchor)[1], None) is None:
        return True
    wanted = [{int(number) for number in parts[name].split(",")} if name in parts else None for name in _TIME_PARTS]
    finer = wanted[("DAILY", "HOURLY", "MINUTELY", "SECONDLY").index(parts["FREQ"]) :]
    in_one = prod(len(some) for some in finer if some)  # times in each day, hour, minute or second
    if "BYSETPOS" in parts and all(abs(int(position)) > in_one for position in parts["BYSETPOS"].split(",")):
        return True
    if parts["FREQ"] == "DAILY" or not any(wanted):
        return False
    step = gcd(int(_UNITS[parts["FREQ"]].total_seconds()) * int(parts.get("INTERVAL", "1")), 86_400)
    first = anchor.hour * 3600 + anchor.minute * 60 + anchor.second
    coarser = wanted[: 3 - len(finer)]
    reached = ((second // 3600, second // 60 % 60, second % 60) for second in range(first % step, 86_400, step))
    return not any(
        all(some is None or part in some for part, some in zip(time, coarser, strict=False)) for time in reached
    )


def rule_times(rule: str, anchor: datetime) -> WallTimes:
    """The times of a recurrence rule whose DTSTART is the anchor (wall time)."""

    def times(low: datetime) -> Iterator[datetime]:
        while low < LAST:  # in spans: a rule without dates ahead is not searched to the end of time
            until, found = _rule(rule, anchor, low)
            some = False
            for wall in found:
                if wall >= low:
                    some = True
                    yield wall
            if not some:
                return
            low = until + timedelta(microseconds=1)

    return times


@lru_cache(maxsize=1024)
def rule_runs_through(rule: str, anchor: datetime) -> bool:
    """Whether a rule has times an hour or less apart."""
    some = list(islice(rule_times(rule, anchor)(anchor), 32))
    return any(later - earlier <= _HOUR for earlier, later in pairwise(some))


def _rule(rule: str, anchor: datetime, low: datetime) -> tuple[datetime, Iterator[datetime]]:
    """A rule's times from some way before ``low`` to long after it, and where that ends."""
    from dateutil.rrule import rrulestr

    parts = rule_parts(rule)
    dense = parts["FREQ"] in {"SECONDLY", "MINUTELY", "HOURLY"}
    until = max(low, anchor) + (9 if dense else 41) * _YEAR  # from a 29 February on one weekday to the next: 40 years
    start = _nearer(parts["FREQ"], int(parts.get("INTERVAL", "1")), anchor, low)
    read = cast("rrule", rrulestr(rule_text(parts), dtstart=start, cache=False))
    return until, iter(read.replace(until=until))


def _nearer(frequency: str, interval: int, anchor: datetime, low: datetime) -> datetime:
    """A later DTSTART that means the same for times from ``low`` on: rules are listed from it, one by one."""
    if frequency in _UNITS:
        period = _UNITS[frequency] * interval
        return anchor + max(0, (low - anchor) // period - 1) * period
    if anchor.day > 28:  # not in every month
        return anchor
    months = interval if frequency == "MONTHLY" else 12 * interval
    passed = (low.year - anchor.year) * 12 + low.month - anchor.month
    total = anchor.month - 1 + max(0, passed // months - 1) * months
    return anchor.replace(year=anchor.year + total // 12, month=total % 12 + 1)
