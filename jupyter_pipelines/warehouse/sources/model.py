"""What a source is. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

SourceType = Literal["postgres", "files"]
SECRET_FIELDS: Final = frozenset({"password", "key", "secret", "token", "session_token"})
"""The fields whose values are never written down."""
Value = str | int | Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Source:
    """A source as it is declared: ``values`` by field, with secrets as what they are called (``env:NAME``)."""

    name: str
    type: SourceType
    values: Mapping[str, Value]

    @property
    def place(self) -> str:
        """Where it is, for people."""
        if self.type == "files":
            return str(self.values["url"])
        port = f":{self.values['port']}" if "port" in self.values else ""
        return f"{self.values.get('host', 'localhost')}{port}/{self.values['database']}"


@dataclass(frozen=True, slots=True)
class SourceSummary:
    """A source for people. Where it is declared wrongly, ``problem`` says how, and ``type`` and ``place`` are empty."""

    name: str
    type: Literal["postgres", "files", ""]
    place: str
    problem: str


@dataclass(frozen=True, slots=True)
class ConnectedSource:
    """A source with its secrets: what is needed to read it. It is kept in memory, and shows no ``values``."""

    name: str
    type: SourceType
    values: Mapping[str, Value]

    def __repr__(self) -> str:
        return f"ConnectedSource({self.name!r}, {self.type!r})"

    def text(self, field: str, default: str = "") -> str:
        """The value of ``field`` as text."""
        return str(self.values.get(field, default))

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that nobody is to see."""
        return tuple(str(value) for field, value in self.values.items() if field in SECRET_FIELDS)

    def to_wire(self) -> dict[str, Any]:
        """As JSON, for the process that reads it."""
        return {"name": self.name, "type": self.type, "values": dict(self.values)}

    @classmethod
    def from_wire(cls, told: Mapping[str, Any]) -> ConnectedSource:
        """The source in what :meth:`to_wire` gave."""
        return cls(told["name"], told["type"], told["values"])
