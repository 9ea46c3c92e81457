"""A schedule in words, with its zone: what people check before they trust a cron expression."""

from __future__ import annotations

import calendar
import re
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, time, timedelta
from typing import Final

from jupyter_pipelines.orchestration.schedules.model import Schedule
from jupyter_pipelines.orchestration.schedules.wall_times import rule_parts

DAY_NAMES: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAY_CODES: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MONTH_NAMES: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
ORDINALS: Final = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last", -2: "last but one"}
_UNITS: Final = {
    "SECONDLY": "second",
    "MINUTELY": "minute",
    "HOURLY": "hour",
    "DAILY": "day",
    "WEEKLY": "week",
    "MONTHLY": "month",
    "YEARLY": "year",
}
_MISSED: Final = {
    "skip": "missed runs are skipped",
    "latest": "of missed runs the latest is made up for",
    "all": "missed runs are all made up for, in order",
}
_LEAP_YEAR: Final = 2000
_MOST_TIMES: Final = 8  # that are listed, instead of saying "every third hour"


def in_words(schedule: Schedule) -> str:
    """All that a schedule says, in one sentence."""
    said = [when_in_words(schedule)]
    if schedule.start:
        said.append(f"from {_moment(schedule.start)} on")
    if schedule.count:
        said.append("once" if schedule.count == 1 else f"{schedule.count} times")
    if schedule.end:
        said.append(f"until {_moment(schedule.end)}")
    text = ", ".join(said)
    rest = []
    if schedule.window:
        rest.append(f"each on the data of the last complete {schedule.window}")
    if schedule.timeout is not None:
        rest.append(f"stopped after {duration_in_words(schedule.timeout)}")
    if schedule.retries:
        rest.append("tried again " + ("once" if schedule.retries == 1 else f"up to {schedule.retries} times"))
    if isinstance(schedule.done_by, timedelta):
        rest.append(f"to be done within {duration_in_words(schedule.done_by)}")
    elif isinstance(schedule.done_by, time):
        rest.append(f"to be done by {schedule.done_by:%H:%M}")
    rest += [_MISSED[schedule.missed], _overlap(schedule)]
    if schedule.paused:
        rest.append("paused")
    return f"{text}; {'; '.join(rest)}."


def when_in_words(schedule: Schedule) -> str:
    """When a schedule runs: ``At 07:00 on Monday through Friday (Europe/Paris)``."""
    if schedule.cron:
        text = _cron(schedule.cron)
    elif schedule.rrule:
        text = _rule(schedule)
    elif schedule.whole_days:
        days = "day" if schedule.whole_days == 1 else f"{schedule.whole_days} days"
        text = f"Every {days} at {_clock(schedule.anchor_wall.hour, schedule.anchor_wall.minute)}{_counted(schedule)}"
    else:
        spacing = duration_in_words(schedule.interval or timedelta())
        spacing = spacing.removeprefix("1 ") if spacing.count(" ") == 1 else spacing
        text = f"Every {spacing}{_counted(schedule)}"
    return f"{text} ({schedule.zone})"


def expression_of(schedule: Schedule) -> str:
    """What a schedule runs by, as it is written: ``cron 0 7 * * 1-5``.

    What cron cannot say is told as a rule of RFC 5545: ``RRULE:FREQ=HOURLY;INTERVAL=6``.
    """
    if schedule.cron:
        return f"cron {schedule.cron}"
    if schedule.rrule:
        cron = _rule_as_cron(schedule.rrule)
        return f"cron {cron}" if cron else f"RRULE:{schedule.rrule}"
    seconds = round((schedule.interval or timedelta()).total_seconds())
    lengths = {"WEEKLY": 604_800, "DAILY": 86_400, "HOURLY": 3_600, "MINUTELY": 60, "SECONDLY": 1}
    frequency, length = next((name, length) for name, length in lengths.items() if seconds % length == 0)
    return f"RRULE:FREQ={frequency}" + (f";INTERVAL={seconds // length}" if seconds > length else "")


def _rule_as_cron(rule: str) -> str:
    """The same in cron, for the last day and the first or last Monday of each month; "" for what cron cannot say."""
    match rule_parts(rule):
        case {"FREQ": "MONTHLY", "BYHOUR": hour, "BYMINUTE": minute, "BYMONTHDAY": "-1", **others} if not others:
            day = "L * *"
        case {"FREQ": "MONTHLY", "BYHOUR": hour, "BYMINUTE": minute, "BYDAY": weekday, **others} if not others:
            found = re.fullmatch(r"(-1|[1-5])([A-Z]{2})", weekday)
            if found is None:
                return ""
            number = (DAY_CODES.index(found[2]) + 1) % 7
            day = f"* * {number}{'L' if found[1] == '-1' else f'#{found[1]}'}"
        case _:
            return ""
    return f"{minute} {hour} {day}" if hour.isdecimal() and minute.isdecimal() else ""


def duration_in_words(duration: timedelta) -> str:
    """A duration such as ``1 hour 30 minutes``."""
    seconds = round(duration.total_seconds())
    parts = []
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(f"{count} {unit}{'s' if count > 1 else ''}")
    return " ".join(parts) or "0 seconds"


def _overlap(schedule: Schedule) -> str:
    return {
        "queue": "a run waits until the one before it has ended",
        "skip": "a run is skipped while an earlier one has not ended",
        "parallel": f"up to {schedule.max_parallel} runs at once",
        "cancel-previous": "a run cancels the one before it",
    }[schedule.overlap]


def _cron(expression: str) -> str:
    from cronsim import CronSim

    fields = expression.split()
    hours = sorted(CronSim(expression, datetime(2001, 1, 1)).hours)
    if len(fields) == 5 and "/" in fields[1] and fields[0].isdecimal() and len(hours) <= _MOST_TIMES:
        fields[1] = ",".join(map(str, hours))
    cron = CronSim(" ".join(fields), datetime(2001, 1, 1))
    text = re.sub(r"\b(\d+)th\b", lambda found: _date(int(found[1])), cron.explain())
    named = [int(day) for day in cron.days if isinstance(day, int)]  # 31st, not 31th
    some = len(named) < 31 and fields[-1] == "*"  # with days of the week, too, it runs on either
    return text + _left_out(named if some else (), cron.months) + _cut_short(expression.split())


def _left_out(days: Iterable[int], months: Collection[int]) -> str:
    """Which months have no run, as they are too short: it is the end of the month that is often meant."""
    first = min(days, default=1)
    short = [month for month in months if first > calendar.monthrange(_LEAP_YEAR, month)[1]]
    if short:
        return ", not in months without that day"
    if first != 29 or 2 not in months:
        return ""
    return ", in leap years only" if set(months) == {2} else ", of February in leap years only"


def _cut_short(fields: Sequence[str]) -> str:
    """Steps that are longer than what cron counts in: ``*/90`` is no 90 minutes."""
    for text, span, unit, within in zip(fields[-5:], (60, 24), ("minute", "hour"), ("hour", "day"), strict=False):
        found = re.fullmatch(r"\*/(\d+)", text)
        if found is not None and int(found[1]) > span:
            return f", which is {unit} 0 of every {within}: cron counts anew with each"
    return ""


def _rule(schedule: Schedule) -> str:
    parts = rule_parts(schedule.rrule)
    every = int(parts.pop("INTERVAL", "1"))
    frequency = parts.pop("FREQ")
    unit = _UNITS[frequency]
    text = f"Every {unit}" if every == 1 else f"Every {every} {unit}s"
    dates = [int(day) for day in _listed(parts.get("BYMONTHDAY", ""))]
    months = [int(month) for month in _listed(parts.get("BYMONTH", ""))] or range(1, 13)
    left_out = _left_out(dates, months) if min(dates, default=0) > 0 else ""
    position = _rule_days(parts, schedule.anchor_wall, frequency)
    text += f" on {position}" if position else ""
    text += _rule_times(parts, schedule.anchor_wall, frequency)
    parts.pop("WKST", None)
    text += "".join(f", {name}={value}" for name, value in parts.items()) + left_out
    return text + (_counted(schedule) if every > 1 else "")


def _rule_days(parts: dict[str, str], anchor: datetime, frequency: str) -> str:
    """The days of a rule; takes the parts that it has said out of them."""
    days = [_rule_day(code) for code in _listed(parts.pop("BYDAY", ""))]
    dates = [int(day) for day in _listed(parts.pop("BYMONTHDAY", ""))]
    months = [MONTH_NAMES[int(month) - 1] for month in _listed(parts.pop("BYMONTH", ""))]
    places = [int(place) for place in _listed(parts.get("BYSETPOS", ""))]
    if not days and not dates and not (set(parts) & {"BYYEARDAY", "BYWEEKNO", "BYEASTER"}):
        if frequency == "WEEKLY":
            days = [DAY_NAMES[anchor.weekday()]]
        if frequency in {"MONTHLY", "YEARLY"}:
            dates = [anchor.day]
        if frequency == "YEARLY" and not months:
            months = [MONTH_NAMES[anchor.month - 1]]
    said = []
    if days:
        named = "weekday" if tuple(days) == DAY_NAMES[:5] else _joined(days, "or" if places else "and")
        if places and all(place in ORDINALS for place in places):
            parts.pop("BYSETPOS")
            named = f"the {_joined(ORDINALS[place] for place in places)} {named}"
        said.append("weekdays" if named == "weekday" else named)
    if dates:
        said.append(f"the {_joined(_date(day) for day in dates)}")
    text = " that is ".join(said)
    return f"{text} of {_joined(months)}" if text and months else text or _joined(months)


def _rule_day(code: str) -> str:
    name = DAY_NAMES[DAY_CODES.index(code[-2:])]
    return f"the {ORDINALS.get(int(code[:-2]), f'{code[:-2]}th')} {name}" if code[:-2] else name


def _rule_times(parts: dict[str, str], anchor: datetime, frequency: str) -> str:
    daily = frequency in {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}
    hours = [int(hour) for hour in _listed(parts.pop("BYHOUR", ""))]
    minutes = [int(minute) for minute in _listed(parts.pop("BYMINUTE", ""))]
    if daily:
        listed = [(hour, minute) for hour in hours or [anchor.hour] for minute in minutes or [anchor.minute]]
        return f" at {_joined(_clock(hour, minute) for hour, minute in sorted(listed))}"
    text = f" at minute {_joined(map(str, minutes))}" if minutes else ""
    return text + (f" in the hours {_joined(map(str, hours))}" if hours else "")


def _counted(schedule: Schedule) -> str:
    """From when on an interval is counted, where that is not plain from the clock."""
    seconds = round((schedule.interval or timedelta()).total_seconds())
    if seconds and (seconds == 86_400 or (3_600 % seconds == 0 and not schedule.anchor)):
        return ""
    return f", counted from {schedule.anchor_wall:%Y-%m-%d %H:%M}"


def _listed(text: str) -> list[str]:
    return text.replace("+", "").split(",") if text else []


def _date(day: int) -> str:
    if day < 0:
        return "last day" if day == -1 else f"{-day}th day from the end"
    suffix = "th" if 11 <= day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{suffix}"


def _clock(hour: int, minute: int) -> str:
    return f"{hour:02}:{minute:02}"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _joined(items: Iterable[str], last: str = "and") -> str:
    *first, final = [*items] or [""]
    return f"{', '.join(first)} {last} {final}" if first else final
