"""One line of the table of routes: what it takes, what it answers, who may ask, and who carries it out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Literal

from jupyter_pipelines.server.places import Places
from jupyter_pipelines.server.schemas import ID, Schema

Action = Literal["read", "write", "execute"]
PREFIX: Final = "/jupyter-pipelines/api"
MOST_BODY: Final = 1_000_000  # bytes of a request
MOST_NOTEBOOK: Final = 100_000_000  # of one with a notebook in it


@dataclass(frozen=True)
class Answer:
    """What a request is answered with: JSON values, and the status where it is not the route's."""

    content: object
    status: int = 0


@dataclass(frozen=True)
class Call:
    """One request, its values checked by the route's schemas; ``key`` is its idempotency key, ``""`` for none."""

    places: Places
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""

    @property
    def given(self) -> dict[str, Any]:
        """All that it gives, by name."""
        return {**self.path, **self.query, **self.body}

    @cached_property
    def notebook(self) -> Path:
        """The file that its ``notebook`` means. Raises what :meth:`Places.file` raises."""
        return self.places.file(str(self.given["notebook"]))

    @property
    def notebook_if_given(self) -> Path | None:
        """The same; ``None`` for none."""
        return self.notebook if self.given.get("notebook") is not None else None

    def some(self, *names: str) -> dict[str, Any]:
        """What the body gives of these, to be passed on as arguments."""
        return {name: self.body[name] for name in names if self.body.get(name) is not None}


@dataclass(frozen=True, eq=False)
class Route:
    """``METHOD path``: its ``path`` has names in braces. ``examples`` are bodies (or queries, where there is none).

    ``answer`` is called in a thread. By default who may read pipelines may GET, and who may write may do the rest;
    what has code run, now or later, takes the right to ``execute``.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    summary: str
    answer: Callable[[Call], object]
    response: Schema
    status: int = HTTPStatus.OK
    query: Mapping[str, Schema] = field(default_factory=dict)
    required: tuple[str, ...] = ()  # of the query
    body: Schema | None = None
    examples: tuple[Mapping[str, Any], ...] = ()
    action: Action | None = None
    slow: bool = False
    most: int = MOST_BODY
    named: Schema = field(default_factory=lambda: ID)  # what its path names

    @property
    def needs(self) -> Action:
        """What of ``pipelines`` a person must be allowed to do."""
        return self.action or ("read" if self.method == "GET" else "write")

    @property
    def names(self) -> list[str]:
        """The names in its path."""
        return re.findall(r"{(\w+)}", self.path)

    @property
    def pattern(self) -> str:
        """The same path for tornado."""
        path = re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", self.path)
        return f"{PREFIX}/{path}"

    @property
    def parameters(self) -> dict[str, Schema]:
        """The schemas of what the path names."""
        return dict.fromkeys(self.names, self.named)
