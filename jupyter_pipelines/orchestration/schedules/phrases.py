"""Schedules in plain words: ``every weekday at 07:00``, ``first monday of the month 9am Europe/Paris``.

A phrase is days or a spacing, then times of day, then a zone; "every", "at", "on", "the" are optional. It is turned
into a cron expression where that can say it, else into a recurrence rule, or an interval for "every so many"; whoever
shows it shows these too, and the next times (:func:`understand`), so that nobody has to trust the reading.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from difflib import SequenceMatcher, get_close_matches
from typing import Final, TypedDict

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.schedules.clock import zone_of
from jupyter_pipelines.orchestration.schedules.model import DEFAULT_ANCHOR, PRESETS, Schedule
from jupyter_pipelines.orchestration.schedules.previews import Preview, preview
from jupyter_pipelines.orchestration.schedules.words import (
    DAY_CODES,
    DAY_NAMES,
    MONTH_NAMES,
    expression_of,
    when_in_words,
)

EXAMPLES: Final = (
    "hourly", "daily at 06:00", "weekly on monday at 07:00", "monthly on the 1st at 06:30", "quarterly", "yearly",
    "every 15 minutes", "every 2 hours", "every 3 days at 06:00", "every 2 weeks on monday at 09:00",
    "every 10 minutes from 9:00 to 17:00 on weekdays", "hourly at minute 15",
    "every day at 07:00", "every weekday 07:00", "weekends at 10:00", "monday, wednesday and friday at 9am",
    "monday to thursday at 18:00", "every day at 9:00 and 17:00", "first monday 9am Europe/Paris",
    "last friday of the month at 17:00", "last day of month 18:00", "first weekday of the month at 08:00",
    "the 1st and 15th of every month at 06:00", "every year on 1 march at 12:00", "every day at noon",
)  # fmt: skip

_LONGEST: Final = 200
_UNITS: Final = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
_ORDINALS: Final = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1}
_TIME: Final = re.compile(r"(?:\bat )?\b(?:(\d{1,2}):(\d\d)(?: ?(am|pm))?|(\d{1,2}) ?(am|pm)|(noon|midnight))(?![\w:])")
_SPAN_END: Final = r"(\S+ ?(?:am|pm)?)"
_BARE_HOUR: Final = re.compile(r"\bat (\d{1,2})(?= on |$)")
_DAYS = {name.casefold(): number for number, name in enumerate(DAY_NAMES)}
_DAYS |= {name[:length]: number for name, number in list(_DAYS.items()) for length in (3, 4)}
_DAYS |= {f"{name}s": number for name, number in list(_DAYS.items()) if len(name) > 4} | {"thurs": 3}
_DAY: Final = "(" + "|".join(sorted(_DAYS, key=len, reverse=True)) + ")"
_MONTHS = {name.casefold(): number for number, name in enumerate(MONTH_NAMES, 1)}
_MONTHS |= {name[:3]: number for name, number in list(_MONTHS.items())}
_MONTH: Final = "(" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + ")"
_TH: Final = "(?:st|nd|rd|th)?"
_NTH: Final = rf"(?:first|\d{{1,2}}{_TH})"
_ORDINAL: Final = r"(first|second|third|fourth|fifth|last|1st|2nd|3rd|4th|5th)"
_OF_MONTH: Final = r"(?: (?:of|in)(?: (?:a|each|every|the))? month)?"
_VOCABULARY: Final = sorted(
    {word for example in EXAMPLES for word in re.findall(r"[a-z]{2,}", example.casefold())}
    | {word for word in (*_DAYS, *_MONTHS, *_ORDINALS, *PRESETS, "months", "weeks", "seconds") if len(word) > 3}
)


@dataclass(frozen=True)
class Understanding:
    """How a phrase was read: the schedule, how that is written, the same in words, and when it runs next."""

    schedule: Schedule
    expression: str
    words: str
    next: Preview


def understand(text: str, now: datetime, zone: str = "UTC", count: int = 5) -> Understanding:
    """Read a phrase and tell it back. Raises :class:`RequestError` with the nearest phrase that is understood."""
    schedule = parse_phrase(text, zone, now)
    return Understanding(schedule, expression_of(schedule), when_in_words(schedule), preview(schedule, count, now))


def parse_phrase(text: str, zone: str = "UTC", now: datetime | None = None) -> Schedule:
    """The schedule that a phrase means, in its own zone or the one given.

    With ``now``, what is counted ("every 6 hours", "every 2 weeks on monday") begins on the local day of now. Raises
    :class:`RequestError` with the nearest phrase that is understood.
    """
    if len(text) > _LONGEST:
        raise RequestError(f"A phrase of {len(text):,} characters is not understood.", f'Write "{EXAMPLES[11]}".')
    words, zone = _zone(" ".join(text.split()), zone)
    found = _read(words, zone, now)
    if found is None:
        near = _nearest(words, zone)
        raise RequestError(f"The phrase {text!r} is not understood.", f'Did you mean "{near}"? Cron works too.')
    return Schedule(phrase=" ".join(text.split()), zone=zone, **found)


class _When(TypedDict, total=False):
    """The arguments of a schedule that say when it runs."""

    cron: str
    rrule: str
    interval: timedelta
    anchor: datetime | None


@dataclass
class _Phrase:
    """A phrase without its zone, taken apart into times of day and the rest."""

    rest: str
    times: list[tuple[int, int]] = field(default_factory=list)
    now: datetime | None = None  # in the zone

    def clock(self) -> tuple[str, str]:
        """The times as cron's minute and hour; midnight without any."""
        times = self.times or [(0, 0)]
        minutes = {minute for _, minute in times}
        if len(minutes) > 1:
            raise RequestError(
                "Times of day with different minutes do not fit into one schedule.", "Make a schedule for each of them."
            )
        return str(minutes.pop()), ",".join(str(hour) for hour in sorted({hour for hour, _ in times}))

    def anchor(self) -> datetime:
        """Where counting begins: today, or the first day there is, at the time that is said."""
        day = self.now.replace(tzinfo=None) if self.now else DEFAULT_ANCHOR
        hour, minute = self.times[0] if self.times else (0, 0)
        return day.replace(hour=hour, minute=minute, second=0, microsecond=0)


def _zone(text: str, zone: str) -> tuple[str, str]:
    """The phrase without its zone, and the zone it names, or the given one."""
    found = re.search(r"(?:^| )(?:in )?\(?([A-Za-z_]+/[A-Za-z_/+\-0-9]+|UTC|GMT)\)?(?: time)?$", text, re.IGNORECASE)
    if not found:
        return text, zone
    name = found[1].upper() if "/" not in found[1] else found[1]
    zone_of(name)
    return text[: found.start()].strip(), name


def _read(text: str, zone: str, now: datetime | None) -> _When | None:
    """The schedule's arguments that a phrase means; None when it is not understood."""
    if re.match(r"(RRULE:|FREQ=)", text, re.IGNORECASE):
        return {"rrule": text}
    if text.startswith("@") or re.fullmatch(r"[\d*][\d*/,\-]*( [\w*/,\-#]+){4,5}", text):
        return {"cron": text}
    phrase = _taken_apart(text, now.astimezone(zone_of(zone)) if now else None)
    if phrase is None:
        return None
    for pattern, reader in _FORMS:
        match = re.fullmatch(pattern, phrase.rest)
        if match:
            found = reader(phrase, match)
            if found is not None:
                return found
    return None


def _taken_apart(text: str, now: datetime | None) -> _Phrase | None:
    lower = re.sub(r" ?\bo'clock\b|[.!]$", "", text.casefold()).strip()
    lower = re.sub(r"\bevery fortnight\b", "every 2 weeks", lower)
    spans = re.fullmatch(rf"(.*)\b(?:from|between) {_SPAN_END} (?:to|and|until|till) {_SPAN_END}( on .*)?", lower)
    if spans:
        first, last = (_one_time(part) for part in (spans[2], spans[3]))
        if first is None or last is None:
            return None
        rest = _plain(f"{spans[1]} within{spans[4] or ''}")
        return _Phrase(rest, [first, last], now)
    phrase = _Phrase(lower, now=now)
    bare = _BARE_HOUR.search(lower)
    if bare and int(bare[1]) < 24:
        phrase.times.append((int(bare[1]), 0))
        lower = lower[: bare.start()] + lower[bare.end() :]
    for found in _TIME.finditer(lower):
        time = _clock_time(found)
        if time is None:
            return None
        phrase.times.append(time)
    phrase.rest = _plain(_TIME.sub(" @ ", lower))
    return phrase


def _one_time(text: str) -> tuple[int, int] | None:
    if text.isdecimal():
        return (int(text), 0) if int(text) < 24 else None
    found = _TIME.fullmatch(text.strip())
    return _clock_time(found) if found else None


def _clock_time(found: re.Match[str]) -> tuple[int, int] | None:
    if found[6]:
        return (12, 0) if found[6] == "noon" else (0, 0)
    hour, minute, half = int(found[1] or found[4]), int(found[2] or 0), found[3] or found[5]
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    return (hour, minute) if hour < 24 and minute < 60 else None


def _plain(text: str) -> str:
    """Without the words that only connect: the times (``@``), "every", "on", "the"."""
    text = re.sub(r"@(?:[ ,]|\band\b|@)*", " ", text)
    text = re.sub(r"\b(?:each)\b", "every", text)
    text = re.sub(r"\b(?:on|the|at)\b", " ", text)
    return re.sub(r"\s*,\s*", ", ", " ".join(text.split())).strip(" ,")


def _cron(phrase: _Phrase, days: str) -> _When:
    minute, hour = phrase.clock()
    return {"cron": f"{minute} {hour} {days}"}


def _rule(phrase: _Phrase, rule: str, anchor: datetime | None = None) -> _When:
    minute, hour = phrase.clock()
    return {"rrule": f"{rule};BYHOUR={hour};BYMINUTE={minute}", "anchor": anchor}


def _preset(phrase: _Phrase, match: re.Match[str]) -> _When | None:
    name = {"every day": "daily", "": "daily", "every quarter": "quarterly", "every month": "monthly"}.get(
        match[0], match[0]
    )
    name = {"every week": "weekly", "every year": "yearly", "annually": "yearly"}.get(name, name)
    if name == "hourly":
        return None if phrase.times else {"cron": PRESETS[name]}
    return _cron(phrase, PRESETS[name].split(maxsplit=2)[2]) if match[0] or phrase.times else None


def _at_minute(phrase: _Phrase, match: re.Match[str]) -> _When | None:
    return None if phrase.times or int(match[1]) > 59 else {"cron": f"{int(match[1])} * * * *"}


def _every(phrase: _Phrase, match: re.Match[str]) -> _When | None:
    """Every so many seconds, minutes, hours, days."""
    count = _number(match[1])
    seconds = count * _UNITS[match[2]]
    if not count or (phrase.times and (seconds % 86_400 or len(phrase.times) > 1)):
        return None
    anchored = seconds % 86_400 == 0 or (3_600 % seconds and phrase.now)
    return {"interval": timedelta(seconds=seconds), "anchor": phrase.anchor() if anchored else None}


def _within(phrase: _Phrase, match: re.Match[str]) -> _When | None:
    """Every so many minutes or hours of a part of the day."""
    count, unit, days = _number(match[1]), match[2], _weekdays(match[3] or "every day")
    (first, start), (last, stop) = phrase.times
    if days is None or not count or first > last or start or stop:
        return None
    if unit == "hour":
        return {"cron": f"0 {first}-{last}{f'/{count}' if count > 1 else ''} * * {days}"}
    if first == last or 60 % count:
        return None
    return {"cron": f"{f'*/{count}' if count > 1 else '*'} {first}-{last - 1} * * {days}"}


def _weekly(phrase: _Phrase, match: re.Match[str]) -> _When | None:
    days = _weekdays(match[1])
    return None if days is None else _cron(phrase, f"* * {days}")


def _every_weeks(phrase: _Phrase, match: re.Match[str]) -> _When | None:
    days = list(_day_numbers(match[2])) if match[2] else [0]
    count = _number(match[1])
    if not days or not count:
        return None
    anchor = phrase.now.replace(tzinfo=None) if phrase.now else DEFAULT_ANCHOR
    anchor = anchor.replace(hour=0, minute=0, second=0, microsecond=0)
    while anchor.weekday() not in days:
        anchor += timedelta(days=1)
    codes = ",".join(DAY_CODES[day] for day in sorted(days))
    return _rule(phrase, f"FREQ=WEEKLY;INTERVAL={count};BYDAY={codes}", anchor if phrase.now else None)


def _nth_weekday(phrase: _Phrase, match: re.Match[str]) -> _When:
    return _rule(phrase, f"FREQ=MONTHLY;BYDAY={_ordinal(match[1])}{DAY_CODES[_DAYS[match[2]]]}")


def _nth_working_day(phrase: _Phrase, match: re.Match[str]) -> _When:
    return _rule(phrase, f"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS={_ordinal(match[1])}")


def _last_day(phrase: _Phrase, _: re.Match[str]) -> _When:
    return _rule(phrase, "FREQ=MONTHLY;BYMONTHDAY=-1")


def _dates(phrase: _Phrase, match: re.Match[str]) -> _When | None:
    """Days of the month; of every month, or of every so many."""
    months = _number(match["count"]) if match["count"] else 1
    dates = sorted({1 if word == "first" else int(word) for word in re.findall(r"\d+|first", match["dates"] or "1")})
    if not months or not all(1 <= day <= 31 for day in dates):
        return None
    listed = ",".join(map(str, dates))
    if months == 1:
        return _cron(phrase, f"{listed} {'1,4,7,10' if 'quarter' in match[0] else '*'} *")
    return _rule(phrase, f"FREQ=MONTHLY;INTERVAL={months};BYMONTHDAY={listed}")


def _yearly(phrase: _Phrase, match: re.Match[str]) -> _When | None:
    day, month = int(match["day"] or match["later"]), _MONTHS[match["month"] or match["earlier"]]
    return _cron(phrase, f"{day} {month} *") if 1 <= day <= 31 else None


def _number(text: str | None) -> int:
    return {None: 1, "": 1, "other": 2, "second": 2, "third": 3}.get(text) or int(text or 1)


def _ordinal(text: str) -> int:
    return _ORDINALS.get(text) or int(text[0])


def _day_numbers(text: str) -> Iterator[int]:
    """The weekdays of "monday, wednesday and friday" or "monday to thursday"; none when it is something else."""
    text = re.sub(r"\bevery ", "", text)
    if text in {"weekday", "weekdays", "working day", "working days", "business day", "business days"}:
        yield from range(5)
    elif text in {"weekend", "weekends"}:
        yield from (5, 6)
    elif span := re.fullmatch(rf"{_DAY} ?(?:to|-|–|through|until) ?{_DAY}", text):
        first, last = _DAYS[span[1]], _DAYS[span[2]]
        yield from ((first + day) % 7 for day in range((last - first) % 7 + 1))
    elif re.fullmatch(rf"{_DAY}(?:(?:, and|,| and|&| ) ?{_DAY})*", text):
        yield from {_DAYS[day] for day in re.findall(rf"\b{_DAY}\b", text)}


def _weekdays(text: str) -> str | None:
    """Cron's weekday field for days in words."""
    if text in {"every day", "daily"}:
        return "*"
    days = sorted((number + 1) % 7 for number in _day_numbers(text))
    if not days:
        return None
    even = len(days) > 2 and days == list(range(days[0], days[-1] + 1))
    return f"{days[0]}-{days[-1]}" if even else ",".join(map(str, days))


_Reader = Callable[[_Phrase, re.Match[str]], "_When | None"]
_COUNT: Final = r"(\d{1,6}|other|second|third)"
_EVERY_MONTH: Final = rf"(?:of )?(?:(?:a|every) )?(?:(?P<count>{_COUNT}) )?(?:months?|quarter)"
_DATES: Final = rf"(?P<dates>first day|{_NTH}(?:(?:, and |, | and ){_NTH})*)"
_YEARLY: Final = (
    rf"(?:(?P<earlier>{_MONTH}) (?P<later>\d{{1,2}}){_TH}|(?P<day>\d{{1,2}}){_TH}(?: of)? (?P<month>{_MONTH}))"
)
_FORMS: Final[tuple[tuple[str, _Reader], ...]] = (
    (r"|hourly|daily|weekly|monthly|quarterly|yearly|annually|every (?:day|week|month|quarter|year)", _preset),
    (r"(?:hourly|every hour)(?: minute)? :?(\d{1,2})(?: past)?", _at_minute),
    (rf"every (?:{_COUNT} )?(second|minute|hour|day)s?", _every),
    (rf"every (?:{_COUNT} )?(minute|hour)s? within(?: (.*))?", _within),
    (rf"every {_COUNT} weeks?(?: (.*))?", _every_weeks),
    (rf"(?:every )?{_ORDINAL} {_DAY}{_OF_MONTH}(?: monthly)?", _nth_weekday),
    (rf"(?:monthly|every month) {_ORDINAL} {_DAY}", _nth_weekday),
    (rf"(?:every )?{_ORDINAL} (?:weekday|working day|business day){_OF_MONTH}", _nth_working_day),
    (rf"(?:(?:monthly|every month) )?(?:every )?last day{_OF_MONTH}", _last_day),
    (rf"(?:monthly|quarterly|{_EVERY_MONTH})(?: day)? {_DATES}", _dates),
    (rf"(?:every )?(?:day )?{_DATES}(?: day)? (?:monthly|{_EVERY_MONTH})", _dates),
    (rf"{_EVERY_MONTH}(?P<dates>)", _dates),
    (rf"(?:yearly |every year |every )?{_YEARLY}", _yearly),
    (r"(?:weekly |every week )?(.*)", _weekly),
)


def _nearest(text: str, zone: str) -> str:
    """The phrase with its words put right, where that is understood; else the most similar example."""
    words = text.casefold().split()
    known = {*_VOCABULARY, "and", "at", "on", "of", "to"}
    put_right = []
    for word in words:
        letters = word.strip(",.")
        near = get_close_matches(letters, _VOCABULARY, 1, 0.7) if letters.isalpha() and letters not in known else []
        put_right.append(word.replace(letters, near[0]) if near else word)
    candidate = " ".join(put_right)
    try:
        if candidate != text.casefold() and _read(candidate, zone, None) is not None:
            return candidate
    except RequestError:
        pass
    return max(EXAMPLES, key=lambda example: SequenceMatcher(None, candidate, example.casefold()).ratio())
