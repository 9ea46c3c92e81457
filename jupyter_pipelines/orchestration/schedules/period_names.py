"""Calendar periods by the names that people give them, the keys of data windows: 2027-03-14, 2027-W11, 2027."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Final

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.schedules.clock import FIRST, LAST, moment_of, naive_utc
from jupyter_pipelines.orchestration.schedules.model import WindowUnit
from jupyter_pipelines.orchestration.schedules.windows import DataWindow, window_at

_FIX: Final = "Write a day such as 2027-03-14, or 2027-W11, 2027-03, 2027-Q1, 2027, or the hour 2027-03-14T09."
_NAMES: Final[tuple[tuple[WindowUnit, re.Pattern[str]], ...]] = (
    ("year", re.compile(r"(?P<year>\d{4})")),
    ("quarter", re.compile(r"(?P<year>\d{4})-Q(?P<quarter>[1-4])", re.IGNORECASE)),
    ("month", re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})")),
    ("week", re.compile(r"(?P<year>\d{4})-W(?P<week>\d{2})", re.IGNORECASE)),
    ("day", re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})")),
)
_HOUR: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}(:\d{2}(:\d{2})?([+-]\d{2}:?\d{2}|Z)?)?")


def named_window(name: str, zone: str) -> DataWindow:
    """The period of the calendar called ``name``, in the time zone ``zone``. Raises :class:`RequestError`."""
    text = name.strip()
    try:
        for unit, pattern in _NAMES:
            if found := pattern.fullmatch(text):
                return _existing(
                    unit, _first_day(**{part: int(value) for part, value in found.groupdict().items()}), zone
                )
        if _HOUR.fullmatch(text):
            given = datetime.fromisoformat(text)
            return window_at("hour", zone, naive_utc(given) if given.tzinfo else moment_of(given, zone))
    except (ValueError, OverflowError):  # 2027-02-30
        pass
    raise RequestError(f"{name!r:.80} is no day, week, month, quarter, year or hour.", _FIX)


def named_range(first: date | str, last: date | str, zone: str) -> tuple[date, date]:
    """The range from ``first`` to ``last`` as :func:`~…schedules.windows.windows_between` takes it.

    Names stand for whole periods, that of ``last`` included. Raises :class:`RequestError`.
    """
    low = named_window(first, zone).start if isinstance(first, str) else first
    high = named_window(last, zone).end if isinstance(last, str) else last
    for given in (low, high):
        if not isinstance(given, date) or not FIRST.year <= given.year <= LAST.year:
            raise RequestError(f"{given!s:.80} is no day that can be worked on.", _FIX)
    return low, high


def split_range(text: str) -> tuple[str, str]:
    """``2027-01-01..2027-01-31`` in two; one name alone is its whole period. Raises :class:`RequestError`."""
    first, dots, last = text.partition("..")
    if not first.strip() or (dots and not last.strip()):
        raise RequestError(f"{text!r:.80} is no range.", "Write FIRST..LAST, such as 2027-01-01..2027-01-31.")
    return first.strip(), (last if dots else first).strip()


def _first_day(year: int, month: int = 1, day: int = 1, quarter: int = 0, week: int = 0) -> date:
    if week:
        return date.fromisocalendar(year, week, 1)
    return date(year, quarter * 3 - 2 if quarter else month, day)


def _existing(unit: WindowUnit, day: date, zone: str) -> DataWindow:
    window = window_at(unit, zone, moment_of(datetime(day.year, day.month, day.day), zone))
    if window.start.date() != day:
        raise RequestError(f"{day} does not exist in {zone}: the calendar jumps over it.", "Choose another day.")
    return window
