"""Schedules as JSON: what is stored, and what people write in files and send to the server.

Only what differs from the default is written. Durations are texts such as ``"15m"``, moments ISO 8601; without an
offset they are times of the schedule's zone. ``preset`` and ``phrase`` are understood in place of the times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from typing import Final

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.notebook.options import parse_duration
from jupyter_pipelines.orchestration.schedules.model import Schedule, preset_cron

_WAYS: Final = ("cron", "interval", "rrule")


def to_json(schedule: Schedule) -> dict[str, object]:
    """A schedule as JSON values; :func:`from_json` makes an equal one of it."""
    found: dict[str, object] = {}
    for one in fields(schedule):
        value: object = getattr(schedule, one.name)
        if one.name == "zone" or (value not in (None, "", {}) and value != one.default):
            found[one.name] = _written(value)
    return found


def from_json(given: object, now: datetime | None = None) -> Schedule:
    """The schedule that JSON values describe.

    ``now`` is where counting begins for phrases such as "every 6 hours". Raises :class:`RequestError` for what is
    unknown, of the wrong type, or cannot be.
    """
    if not isinstance(given, Mapping):
        raise RequestError(
            "A schedule must be a JSON object.", 'Write {"cron": "0 7 * * 1-5", "zone": "Europe/Paris"}.'
        )
    known = [*(one.name for one in fields(Schedule)), "preset"]
    for key in given:
        if key not in known:
            near = get_close_matches(str(key), known, 1)
            fix = f"Did you mean {near[0]!r}?" if near else f"Known are {', '.join(known)}."
            raise RequestError(f"A schedule has no {str(key)!r}.", fix)
    values = {name: _READERS[name](name, value) for name, value in given.items() if value is not None}
    preset = values.pop("preset", None)
    if preset is not None:
        if any(way in values for way in _WAYS):
            raise RequestError("Both a preset and another way say when it runs.", "Leave one of them out.")
        values["cron"] = preset_cron(str(preset))
        values.setdefault("phrase", preset)
    if values.get("phrase") and not any(way in values for way in _WAYS):
        return _of_phrase(values, now)
    return Schedule(**values)  # type: ignore[arg-type]  # each reader gives its field's type


def read_field(name: str, value: object) -> object:
    """One value of a schedule from its JSON form, such as ``done_by`` from ``"08:00"``. Raises as above."""
    return _READERS[name](name, value)


def _of_phrase(values: dict[str, object], now: datetime | None) -> Schedule:
    from jupyter_pipelines.orchestration.schedules.phrases import parse_phrase

    read = parse_phrase(str(values.pop("phrase")), str(values.pop("zone", "UTC")), now)
    return replace(read, **values)  # type: ignore[arg-type]  # as above


def _written(value: object) -> object:
    if isinstance(value, timedelta):
        return _duration_text(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat() if value.second or value.microsecond else value.isoformat("minutes")
    if isinstance(value, Mapping):
        return dict(value)
    return value


def _duration_text(duration: timedelta) -> str:
    rest, parts = duration, []
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        count, rest = divmod(rest, timedelta(seconds=length))
        if count:
            parts.append(f"{count}{unit}")
    seconds = f"{rest.total_seconds():.6f}".rstrip("0").rstrip(".")
    return "".join(parts) + (f"{seconds}s" if rest else "")


def _wrong(name: str, value: object, wanted: str) -> RequestError:
    return RequestError(f"A schedule's {name!r} cannot be {value!r:.80}.", f"Give {wanted}.")


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong(name, value, "a text")
    return value


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(name, value, "a whole number")
    return value


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, value, "true or false")
    return value


def _mapping(name: str, value: object) -> dict[str, object]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise _wrong(name, value, "an object with a value for each parameter")
    return dict(value)


def _duration(name: str, value: object) -> timedelta:
    try:
        return timedelta(seconds=parse_duration(value))
    except (ValueError, OverflowError):
        raise _wrong(name, value, 'a duration such as "15m", "1h30m" or "2d"') from None


def _moment(name: str, value: object) -> datetime:
    """A date with a time; a date alone is its beginning, or its end where something ends."""
    try:
        text = _text(name, value)
        if len(text) == 10:
            day = date.fromisoformat(text)
            return datetime.combine(day, time(23, 59, 59) if name == "end" else time())
        return datetime.fromisoformat(text)
    except ValueError:
        raise _wrong(name, value, "a date, or a date with a time, such as 2027-01-31T07:00") from None


def _deadline(name: str, value: object) -> time | timedelta:
    if isinstance(value, str) and ":" in value:
        try:
            found = time.fromisoformat(value if value.index(":") > 1 else f"0{value}")
        except ValueError:
            raise _wrong(name, value, 'a time of day such as "08:00", or a duration such as "2h"') from None
        return found.replace(tzinfo=None)
    return _duration(name, value)


_READERS: Final[Mapping[str, Callable[[str, object], object]]] = {
    **dict.fromkeys(("name", "cron", "rrule", "phrase", "preset", "zone", "window", "missed", "overlap"), _text),
    **dict.fromkeys(("anchor", "start", "end"), _moment),
    **dict.fromkeys(("count", "max_parallel", "retries"), _whole),
    **dict.fromkeys(("interval", "timeout"), _duration),
    "parameters": _mapping,
    "paused": _flag,
    "done_by": _deadline,
}
