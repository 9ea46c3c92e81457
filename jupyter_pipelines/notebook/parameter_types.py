"""The types a parameter can have: its JSON schema, which values it takes, and how a value is written as Python.

What is accepted is strict but kind: a value must be of the type (``3`` and ``3.0`` are whole numbers, ``"3"`` is not),
ISO texts are dates, and text from a command line (``from_text``) is read as the type says. ``bool`` takes ``true`` and
``false`` in any case and nothing else, because ``yes``, ``on``, ``1`` mean different things to different tools.

A value of a notebook's own Enum is known here by its member's name, because the class exists only in the kernel.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePath

from jupyter_pipelines.notebook.options import parse_duration
from jupyter_pipelines.notebook.plain_values import (
    PLAIN,
    MismatchError,
    datetime_from_text,
    plain,
    plain_json,
    plain_source,
    unwrapped,
)

UNKNOWN = object()  # the value of an Enum member that only the notebook can compute


@dataclass(frozen=True)
class ParameterType:
    """Any plain value: the type of a parameter we know nothing about, and the base of all others.

    Text from a command line is read as JSON where it is JSON (``3``, ``true``, ``[1, 2]``) and kept as text otherwise.
    """

    @property
    def name(self) -> str:
        """The type as an annotation."""
        return "Any"

    @property
    def expected(self) -> str:
        """What a value must be, for messages."""
        return PLAIN

    def schema(self) -> dict[str, object]:
        """JSON schema (draft 2020-12)."""
        return {}

    def coerce(self, value: object, *, from_text: bool = False) -> object:
        """``value`` as this type. Raises :class:`MismatchError`. Coercing twice changes nothing."""
        if from_text and isinstance(value, str):
            return plain(_json_or_text(value))
        return plain(value)

    def source(self, value: object) -> str:
        """A Python expression that gives the coerced ``value`` wherever it is evaluated."""
        return plain_source(value)

    def to_json(self, value: object) -> object:
        """The coerced ``value`` as JSON that ``coerce`` takes back."""
        return plain_json(value)

    def _mismatch(self) -> MismatchError:
        return MismatchError(self.expected)


ANY = ParameterType()


def _json_or_text(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


@dataclass(frozen=True)
class Int(ParameterType):
    """Whole numbers, of any size."""

    @property
    def name(self) -> str:
        return "int"

    @property
    def expected(self) -> str:
        return "a whole number"

    def schema(self) -> dict[str, object]:
        return {"type": "integer"}

    def coerce(self, value: object, *, from_text: bool = False) -> object:
        value = unwrapped(value)
        if from_text and isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d+(_\d+)*\s*", value):
            try:
                return int(value)
            except ValueError:  # Python refuses very long decimal texts
                raise MismatchError("a whole number of at most 4300 digits") from None
        if isinstance(value, int) and not isinstance(value, bool):
            return int(value)
        if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
            return int(value)
        raise self._mismatch()


@dataclass(frozen=True)
class Float(ParameterType):
    """Numbers; NaN and the infinities are accepted, in JSON as the texts ``NaN``, ``Infinity``, ``-Infinity``."""

    @property
    def name(self) -> str:
        return "float"

    @property
    def expected(self) -> str:
        return "a number"

    def schema(self) -> dict[str, object]:
        return {"type": "number"}

    def coerce(self, value: object, *, from_text: bool = False) -> object:
        value = unwrapped(value)
        if isinstance(value, str) and (from_text or value in ("NaN", "Infinity", "-Infinity")):
            try:
                return float(value)
            except ValueError:
                raise self._mismatch() from None
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                return float(value)
            except OverflowError:
                raise MismatchError("a number that fits a float") from None
        raise self._mismatch()


@dataclass(frozen=True)
class Bool(ParameterType):
    """True or false, and no word that might mean it."""

    @property
    def name(self) -> str:
        return "bool"

    @property
    def expected(self) -> str:
        return "true or false"

    def schema(self) -> dict[str, object]:
        return {"type": "boolean"}

    def coerce(self, value: object, *, from_text: bool = False) -> object:
        value = unwrapped(value)
        if from_text and isinstance(value, str) and value.strip().lower() in ("true", "false"):
            return value.strip().lower() == "true"
        if isinstance(value, bool):
            return value
        raise self._mismatch()


@dataclass(frozen=True)
class Str(ParameterType):
    """Text, taken as it is."""

    @property
    def name(self) -> str:
        return "str"

    @property
    def expected(self) -> str:
        return "a text"

    def schema(self) -> dict[str, object]:
        return {"type": "string"}

    def coerce(self, value: object, *, from_text: bool = False) -> object:
        value = unwrapped(value)
        if isinstance(value, str):
            return str.__str__(value)
        raise self._mismatch()


@dataclass(frozen=True)
class Date(ParameterType):
    """A day. A date with a time is not silently cut."""

    @property
    def name(self) -> str:
        return "date"

    @property
    def expected(self) -> str:
        return "a date such as 2024-01-31"

    def schema(self) -> dict[str, object]:
        return {"type": "string", "format": "date"}

    def coerce(self, value: object, *, from_text: bool = False) -> object:
        value = unwrapped(value)
        if isinstance(value, str) and re.fullmatch(r"\s*\d{4}-\d{2}-\d{2}\s*", value):
            try:
                return dt.date.fromisoformat(value.strip())
            except ValueError:
                raise self._mismatch() from None
        if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            return plain(value)
        raise self._mismatch()


@dataclass(frozen=True)
class DateTime(ParameterType):
    """A moment, with or without a time zone; a date alone is its midnight."""

    @property
    def name(self) -> str:
        return "datetime"

    @property
    def expected(self) -> str:
        return "a date and time such as 2024-01-31T12:00 or 2024-01-31T12:00:00+01:00"

    def schema(self) -> dict[str, object]:
        return {"type": "string", "format": "date-time"}

    def coerce(self, value: object, *, from_text: bool = False) -> object:
        value = unwrapped(value)
        if isinstance(value, str) and re.match(r"\s*\d{4}-\d{2}-\d{2}", value):
            try:
                return datetime_from_text(value.strip())
            except ValueError:
                raise self._mismatch() from None
        if isinstance(value, dt.datetime):
            return plain(value)
        if isinstance(value, dt.date):
            return dt.datetime(value.year, value.month, value.day)
        raise self._mismatch()


_ISO_DURATION = re.compile(
    r"(?P<sign>-?)P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d{1,6})?)S)?)?"
)
_CLOCK = re.compile(r"(?:(?P<days>-?\d+) days?, )?(?P<hours>\d+):(?P<minutes>\d{2}):(?P<seconds>\d{2}(?:\.\d{1,6})?)")


@dataclass(frozen=True)
class TimeDelta(ParameterType):
    """A duration: seconds as a number, or a text such as ``90s``, ``1h30m``, ``2d``, ``PT1H``, ``1:30:00``."""

    @property
    def name(self) -> str:
        return "timedelta"

    @property
    def expected(self) -> str:
        return "a duration such as 90s, 1h30m, 2d or PT1H30M"

    def schema(self) -> dict[str, object]:
        return {"type": "string", "format": "duration"}

    def coerce(self, value: object, *, from_text: bool = False) -> object:
        value = unwrapped(value)
        if isinstance(value, dt.timedelta):
            return plain(value)
        try:
            if isinstance(value, str):
                text = value.strip()
                match = _ISO_DURATION.fullmatch(text.upper()) or _CLOCK.fullmatch(text)
                parts = match.groupdict() if match else {}
                if any(count for unit, count in parts.items() if unit != "sign"):
                    sign = parts.pop("sign", "")
                    amounts = {unit: dt.timedelta(**{unit: float(count)}) for unit, count in parts.items() if count}
                    total = sum(amounts.values(), dt.timedelta())
                    return -total if sign else total
                return dt.timedelta(seconds=parse_duration(text))
            if isinstance(value, int | float) and not isinstance(value, bool):
                return dt.timedelta(seconds=value)
        except (ValueError, OverflowError):
            raise self._mismatch() from None
        raise self._mismatch()


@dataclass(frozen=True)
class PathType(ParameterType):
    """A path, as text."""

    @property
    def name(self) -> str:
        return "Path"

    @property
    def expected(self) -> str:
        return "a path"

    def schema(self) -> dict[str, object]:
        return {"type": "string", "format": "path"}

    def coerce(self, value: object, *, from_text: bool = False) -> object:
        if isinstance(value, str | PurePath) and "\0" not in str(value):
            return Path(value)
        raise self._mismatch()


@dataclass(frozen=True)
class NoneType(ParameterType):
    """Nothing: ``null``, and ``null`` or ``None`` as text."""

    @property
    def name(self) -> str:
        return "None"

    @property
    def expected(self) -> str:
        return "null"

    def schema(self) -> dict[str, object]:
        return {"type": "null"}

    def coerce(self, value: object, *, from_text: bool = False) -> object:
        if value is None or (from_text and value in ("null", "None")):
            return None
        raise self._mismatch()


@dataclass(frozen=True)
class Exactly(ParameterType):
    """A built-in type that neither JSON nor a command line can express (``bytes``, ``complex``): Python values only."""

    type: type

    @property
    def name(self) -> str:
        return self.type.__name__

    @property
    def expected(self) -> str:
        return f"a Python {self.name} value (which JSON and command lines cannot give)"

    def coerce(self, value: object, *, from_text: bool = False) -> object:
        if type(value) is self.type:
            return value
        raise self._mismatch()
