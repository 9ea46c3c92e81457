"""What a request is refused with: a status, what is wrong, what to do, and which field of the request it is about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, Final

from jupyter_pipelines.errors import (
    NotebookError,
    PipelinesError,
    RequestError,
    ServiceError,
    StoreError,
    WarehouseError,
)

_PLAIN: Final = {
    "when",
    "first",
    "last",
    "file",
    "name",
    "after",
    "order",
    "again",
    "only",
    "until",
    "on",
    "to",
    "keep",
}
"""Names of fields that are words which any message may have."""

_QUOTED: Final = re.compile(r"`([^`]+)`|'([^']*)'|\"([^\"]*)\"")


class RefusedError(Exception):
    """A request that is not carried out. ``field`` is a name in its path, query or body, dotted where it is within."""

    def __init__(
        self,
        status: int,
        message: str,
        fix: str = "",
        field: str = "",
        *,
        retry_after: int = 0,
        diagnostics: tuple[Mapping[str, Any], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.fix = fix
        self.field = field
        self.retry_after = retry_after
        self.diagnostics = diagnostics

    def to_json(self) -> dict[str, object]:
        """``{"error": {"message", "fix", "field"}}``; ``diagnostics`` where it is a notebook that is wrong."""
        error: dict[str, object] = {"message": self.message, "fix": self.fix, "field": self.field}
        return {"error": error | ({"diagnostics": list(self.diagnostics)} if self.diagnostics else {})}


@contextmanager
def looking_for(field: str) -> Iterator[None]:
    """Inside it is looked for what ``field`` names: what is refused there is not found."""
    try:
        yield
    except RequestError as error:
        raise RefusedError(HTTPStatus.NOT_FOUND, error.message, "", field) from error


def refused(error: PipelinesError, given: Mapping[str, Any]) -> RefusedError:
    """The answer to a request, which gave ``given``, that raised ``error``."""
    if isinstance(error, NotebookError):
        found = tuple(asdict(one) for one in error.diagnostics)
        return RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, error.message, error.fix, "notebook", diagnostics=found)
    if isinstance(error, ServiceError | WarehouseError):
        return RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, error.message, error.fix)
    if isinstance(error, StoreError):
        return RefusedError(HTTPStatus.INTERNAL_SERVER_ERROR, error.message, error.fix)
    field = field_of(error.message, given)
    missing = field == "notebook" and error.message.startswith("There is no notebook")
    return RefusedError(HTTPStatus.NOT_FOUND if missing else HTTPStatus.BAD_REQUEST, error.message, error.fix, field)


def field_of(message: str, given: Mapping[str, Any]) -> str:
    """The field that a message is about: one that it quotes, by its name or its value; else one that it mentions."""
    fields = dict(_flat(given))
    quoted = {"".join(found) for found in _QUOTED.findall(message)}
    named = [name for name in fields if name.rpartition(".")[2] in quoted]
    named += [name for name, value in fields.items() if isinstance(value, str) and value and value in quoted]
    if named:
        return named[0]
    texts = {name: value for name, value in fields.items() if isinstance(value, str) and name != "notebook"}
    told = [name for name, value in texts.items() if len(value) > 1 and value in message]
    if told:
        return max(told, key=lambda name: len(texts[name]))
    words = set(re.findall(r"[a-z_]+", message.lower())) - _PLAIN
    mentioned = next((name for name in fields if name.rpartition(".")[2] in words), "")
    return mentioned or ("notebook" if "notebook" in given else next(iter(given), ""))


def _flat(given: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, object]]:
    """All that was given, what is within something first."""
    for name, value in given.items():
        if isinstance(value, Mapping) and name != "content":
            yield from _flat(value, f"{above}{name}.")
        yield f"{above}{name}", value
