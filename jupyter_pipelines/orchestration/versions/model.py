"""What a version is made of, and its JSON form. Plain data."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from jupyter_pipelines.diagnostics import Diagnostic
from jupyter_pipelines.errors import StoreError
from jupyter_pipelines.orchestration.versions.paths import is_safe

_ADDRESS = re.compile(r"[0-9a-f]{32}(\.[A-Za-z0-9]{1,10})?")


@dataclass(frozen=True, slots=True)
class FrozenFile:
    """A file of a version: ``path`` is relative to the notebook's folder, with ``/``; ``size`` is in bytes."""

    path: str
    address: str
    size: int
    executable: bool = False


@dataclass(frozen=True)
class Environment:
    """Where a notebook worked: that of its kernel, not ours.

    ``packages`` are all that are installed there, with versions; ``imported`` are those of them that the notebook and
    its modules import. Both are empty where the kernel is not Python.
    """

    kernel: str
    python: str
    platform: str  # "linux-x86_64"
    packages: Mapping[str, str] = field(default_factory=dict)
    imported: tuple[str, ...] = ()


@dataclass(frozen=True)
class Content:
    """What a version freezes. Its JSON form is kept in the store, and its address there is the version's id."""

    notebook: str  # address of the notebook without outputs
    suffix: str  # of the notebook's file: ".ipynb"
    files: tuple[FrozenFile, ...]
    environment: Environment

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, content: bytes, version: str) -> Content:
        """Raises :class:`StoreError` when it is not the JSON form of a version's content, or not a safe one."""
        try:
            found = json.loads(content)
            files = tuple(FrozenFile(**file) for file in found["files"])
            given = found["environment"]
            environment = Environment(**given | {"imported": tuple(given["imported"])})
            read = cls(found["notebook"], found["suffix"], files, environment)
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"Version {version} in the store cannot be read.", "Publish the notebook again."
            ) from error
        safe = all(is_safe(file.path) and _ADDRESS.fullmatch(file.address) for file in files)
        if not safe or not _ADDRESS.fullmatch(read.notebook) or len({file.path for file in files}) != len(files):
            raise StoreError(f"Version {version} holds a file name that is not safe.", "Publish the notebook again.")
        return read


@dataclass(frozen=True)
class Version:
    """A frozen notebook with its files and the description of its environment, as it was first published.

    ``published`` is the version that runs of the pipeline take; ``pinned`` says that it stays so whatever is published.
    """

    id: str
    pipeline: str  # what the pipeline is called: the notebook's `name` option, else its path
    notebook: str  # absolute path that the pipeline is published from
    time: float  # seconds since the epoch
    author: str
    message: str
    content: Content
    number: int = 0  # the how-manieth of its pipeline it is, from 1: people call it v7
    published: bool = False
    pinned: bool = False
    is_new: bool = False  # of what `publish` returns: false when the same content was published before
    notes: tuple[Diagnostic, ...] = ()  # of what `publish` returns: what could not be frozen

    def to_dict(self) -> dict[str, Any]:
        """The JSON form that ``--format json`` and REST give."""
        found = asdict(self)
        content = found.pop("content")
        return found | {"files": content["files"], "environment": content["environment"]}


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a pipeline's log. ``kind``: ``publish``, ``rollback``, ``pin``, ``unpin``, or ``move`` of its file."""

    kind: str
    version: str
    notebook: str
    time: float
    author: str
    message: str

    @classmethod
    def read(cls, found: Mapping[str, object]) -> Entry | None:
        """The entry in JSON form, ``None`` when it is malformed."""
        texts = {name: found.get(name) for name in ("kind", "version", "notebook", "author", "message")}
        time = found.get("time")
        if not all(isinstance(text, str) for text in texts.values()) or not isinstance(time, int | float):
            return None
        return cls(**{name: str(text) for name, text in texts.items()}, time=float(time))
