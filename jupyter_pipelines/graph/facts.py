"""What the walk in notebook order notes down, step by step; the plans are made from it."""

from __future__ import annotations

from dataclasses import dataclass, field

from jupyter_pipelines.diagnostics import Location
from jupyter_pipelines.graph.values import Definition, Version


@dataclass(slots=True, eq=False)
class FileUse:
    """A step touches a file. ``path`` is ``None`` when it is not known which."""

    step: str | None
    path: str | None
    writes: bool
    certain: bool
    location: Location


@dataclass(slots=True, eq=False)
class ResourceUse:
    """A step uses something that setup makes and no other process can get."""

    step: str
    name: str
    changes: bool
    location: Location


@dataclass(slots=True, eq=False)
class StepFacts:
    """One step, as far as the walk has come."""

    name: str
    cells: tuple[int, ...]
    digest: str = ""
    uses: dict[str, dict[Version, Location]] = field(default_factory=dict)  # versions from outside that it reads
    own: dict[str, Version | None] = field(default_factory=dict)  # the last version it made; None: deleted
    definitions: dict[Definition, Location] = field(default_factory=dict)  # from outside, directly needed
    setup_reads: dict[str, Location] = field(default_factory=dict)
    guarded: set[str] = field(default_factory=set)  # possibly changed, but seen unchanged
    ambient: list[Definition] = field(default_factory=list)  # configuration of earlier steps
    changes: dict[str, list[Location]] = field(default_factory=dict)
    unknowable: bool = False


@dataclass(slots=True, eq=False)
class Facts:
    """The whole notebook."""

    steps: dict[str, StepFacts]
    files: list[FileUse] = field(default_factory=list)
    resources: list[ResourceUse] = field(default_factory=list)
    ties: dict[str, dict[str, set[str | None]]] = field(default_factory=dict)  # name -> partner -> who made them share
    latest: dict[str, Version] = field(default_factory=dict)
