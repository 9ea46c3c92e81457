"""How calls, values and errors travel between a session and the owner: as JSON, whose types are all of SQL's."""

from __future__ import annotations

import base64
import datetime
import decimal
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from jupyter_pipelines import errors
from jupyter_pipelines.errors import PipelinesError, WarehouseError
from jupyter_pipelines.warehouse.values import bindable

_KIND: Final = "\0"  # the key of a value that JSON has no type for
_READ: Final[dict[str, Callable[[Any], object]]] = {
    "bytes": base64.b64decode,
    "decimal": decimal.Decimal,
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "timedelta": lambda parts: datetime.timedelta(*parts),
    "uuid": uuid.UUID,
    "mapping": lambda items: {key: _decoded(value) for key, value in items},
}


class SessionLostError(Exception):
    """The owner does not know the session (any more)."""


def encode(call: Mapping[str, object]) -> bytes:
    """A call as bytes."""
    return json.dumps(call, ensure_ascii=False).encode("utf-8", "surrogatepass")


def decode(content: Any) -> dict[str, Any]:
    """The call in what :meth:`encode` gave; anything that holds bytes."""
    found: dict[str, Any] = json.loads(bytes(content).decode("utf-8", "surrogatepass"))
    return found


def encode_values(values: Mapping[str, object]) -> dict[str, object]:
    """Parameters as JSON. Raises :class:`RequestError` for those that SQL has no type for."""
    return {name: _encoded(bindable(name, value)) for name, value in values.items()}


def decode_values(values: Mapping[str, object]) -> dict[str, object]:
    """The parameters in what :func:`encode_values` gave."""
    return {name: _decoded(value) for name, value in values.items()}


def encode_error(error: PipelinesError | SessionLostError) -> bytes:
    """An error of ours, to be raised again by :func:`decode_error`'s caller."""
    return json.dumps({"class": type(error).__name__, **vars(error)}).encode()


def decode_error(content: bytes) -> PipelinesError | SessionLostError | None:
    """The error in what :func:`encode_error` gave; ``None`` when it is none."""
    try:
        told = json.loads(content)
        name = told.pop("class")
    except (ValueError, KeyError, AttributeError, TypeError):
        return None
    if name == SessionLostError.__name__:
        return SessionLostError()
    error = getattr(errors, name, WarehouseError).__new__(getattr(errors, name, WarehouseError))
    Exception.__init__(error, told.get("message", ""))
    vars(error).update(told)
    return error if isinstance(error, PipelinesError) else None


def _encoded(value: object) -> object:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [_encoded(each) for each in value]
    if isinstance(value, dict):
        return {_KIND: "mapping", "value": [[key, _encoded(each)] for key, each in value.items()]}
    if isinstance(value, bytes):
        return {_KIND: "bytes", "value": base64.b64encode(value).decode()}
    if isinstance(value, datetime.timedelta):
        return {_KIND: "timedelta", "value": [value.days, value.seconds, value.microseconds]}
    for kind in (datetime.datetime, datetime.date, datetime.time):
        if isinstance(value, kind):
            return {_KIND: kind.__name__, "value": value.isoformat()}
    return {_KIND: "decimal" if isinstance(value, decimal.Decimal) else "uuid", "value": str(value)}


def _decoded(value: object) -> object:
    if isinstance(value, list):
        return [_decoded(each) for each in value]
    if isinstance(value, dict):
        return _READ[value[_KIND]](value["value"])
    return value
