"""Plain values: what can be said in JSON, on a command line, or as a Python literal without any class of a notebook."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from enum import Enum
from pathlib import Path, PurePath
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PLAIN = "a plain value: text, number, true or false, null, list or object"


class MismatchError(ValueError):
    """A value does not fit a type; the message says what would."""


def plain(value: object) -> object:
    """``value`` made of exact built-in types, numpy's scalars included; raises :class:`MismatchError` for the rest."""
    value = unwrapped(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, dt.datetime):
        return _exact_datetime(value)
    if isinstance(value, dt.date):
        return dt.date(value.year, value.month, value.day)
    if isinstance(value, dt.timedelta):
        return dt.timedelta(value.days, value.seconds, value.microseconds)
    if isinstance(value, PurePath):
        return Path(value)
    if isinstance(value, bytes | complex):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        kind = next(kind for kind in (list, tuple, set, frozenset) if isinstance(value, kind))
        return kind(plain(one) for one in value)
    if isinstance(value, Mapping):
        return {plain(key): plain(one) for key, one in value.items()}
    raise MismatchError(PLAIN)


def unwrapped(value: object) -> object:
    """numpy's scalars as Python's; an Enum member of the caller as its value."""
    if type(value).__module__ == "numpy" and callable(item := getattr(value, "item", None)):
        return item() if getattr(value, "ndim", 1) == 0 else value
    if isinstance(value, Enum):
        return value.value
    return value


def _exact_datetime(value: dt.datetime) -> dt.datetime:
    return dt.datetime(
        value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond,
        value.tzinfo, fold=value.fold,
    )  # fmt: skip


_DATETIME = "__import__('datetime')"


def plain_source(value: object) -> str:
    """A Python expression for a plain value. It uses no name that a notebook could have given another meaning."""
    if value is None or isinstance(value, bool | str | bytes | complex):
        return repr(value)
    if isinstance(value, int):
        return repr(value) if value.bit_length() < 10_000 else hex(value)  # Python refuses longer decimal texts
    if isinstance(value, float):
        if math.isfinite(value):
            return repr(value)
        return "__import__('math').nan" if math.isnan(value) else f"{'-' if value < 0 else ''}__import__('math').inf"
    if isinstance(value, dt.datetime):
        return _datetime_source(value)
    if isinstance(value, dt.date):
        return f"{_DATETIME}.date({value.year}, {value.month}, {value.day})"
    if isinstance(value, dt.timedelta):
        return f"{_DATETIME}.timedelta({value.days}, {value.seconds}, {value.microseconds})"
    if isinstance(value, PurePath):
        return f"__import__('pathlib').Path({str(value)!r})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{plain_source(key)}: {plain_source(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple | set | frozenset):
        return collection_source(value, [plain_source(one) for one in value])
    raise MismatchError(PLAIN)


def collection_source(value: object, items: list[str]) -> str:
    """A list, tuple or set of items that are Python expressions already."""
    inner = ", ".join(items)
    if isinstance(value, list):
        return f"[{inner}]"
    if isinstance(value, tuple):
        return f"({inner},)" if len(items) == 1 else f"({inner})"
    name = "frozenset" if isinstance(value, frozenset) else "set"
    return f"__import__('builtins').{name}([{inner}])"


def _datetime_source(value: dt.datetime) -> str:
    parts = [value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond]
    arguments = [str(part) for part in parts]
    offset = value.utcoffset()
    key = getattr(value.tzinfo, "key", None)
    if isinstance(key, str):
        arguments.append(f"tzinfo=__import__('zoneinfo').ZoneInfo({key!r})")
    elif offset is not None:
        zone = f"{_DATETIME}.timezone.utc" if not offset else f"{_DATETIME}.timezone({plain_source(offset)})"
        arguments.append(f"tzinfo={zone}")
    if value.fold:
        arguments.append("fold=1")
    return f"{_DATETIME}.datetime({', '.join(arguments)})"


def plain_json(value: object) -> object:
    """A plain value as JSON: ISO texts for dates and durations, lists for all collections."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dt.datetime):
        zone = getattr(value.tzinfo, "key", None)
        return f"{value.isoformat()}[{zone}]" if isinstance(zone, str) else value.isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return iso_duration(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [plain_json(one) for one in value]
    if isinstance(value, dict):
        return {str(key): plain_json(one) for key, one in value.items()}
    return str(value)


def datetime_from_text(text: str) -> dt.datetime:
    """A datetime from ISO 8601, its zone's name behind it as in RFC 9557: ``2024-07-01T12:00[Europe/Paris]``.

    Raises :class:`ValueError` for anything else, and where the zone has another offset at that time.
    """
    moment, bracket, zone = text.removesuffix("]").partition("[")
    found = dt.datetime.fromisoformat(moment)
    if not bracket:
        return found
    try:
        zoned = found.replace(tzinfo=ZoneInfo(zone))
    except (ZoneInfoNotFoundError, OSError):
        raise ValueError(f"there is no time zone {zone!r}") from None
    if found.tzinfo is None:
        return zoned
    for one in (zoned, zoned.replace(fold=1)):
        if one.utcoffset() == found.utcoffset():
            return one
    raise ValueError(f"{zone} is not {moment[-6:]} from UTC then")


def iso_duration(value: dt.timedelta) -> str:
    """A duration in ISO 8601, days and seconds only."""
    sign = "-" if value < dt.timedelta() else ""
    value = abs(value)
    fraction = f".{value.microseconds:06}" if value.microseconds else ""
    return f"{sign}P{value.days}DT{value.seconds}{fraction}S"
