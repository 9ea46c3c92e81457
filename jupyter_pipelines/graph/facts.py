"""What the walk in notebook order notes down, cell by cell and step by step; the plans are made from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jupyter_pipelines.diagnostics import Location
from jupyter_pipelines.graph.events import Use
from jupyter_pipelines.graph.values import Definition, Place, Version
from jupyter_pipelines.notebook.table_names import TableName

if TYPE_CHECKING:
    from jupyter_pipelines.graph.diagnose import Reporter


ANY_FILE = "*"  # what another process may touch: watching the kernel does not show which


@dataclass(slots=True, eq=False)
class FileUse:
    """A step touches a file. ``path`` is ``None`` when it is not known which, and a run may show."""

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
class TableFact:
    """A step, or setup, touches a table; ``name`` is ``None`` where it may be any."""

    step: str | None
    name: TableName | None
    use: Use
    what: str  # is set, where it is about the session
    certain: bool
    location: Location


@dataclass(slots=True, eq=False)
class CellFacts:
    """One cell's part: what it adds to the facts of its step and of the notebook."""

    uses: list[tuple[str, Version, Place]] = field(default_factory=list)
    definitions: list[tuple[Definition, Place]] = field(default_factory=list)
    setup_reads: list[tuple[str, Place]] = field(default_factory=list)
    guarded: list[str] = field(default_factory=list)
    ambient: tuple[Definition, ...] = ()  # when the step begins here
    changes: set[str] = field(default_factory=set)
    identified: set[str] = field(default_factory=set)  # it matters which object they are
    files: list[tuple[str | None, bool, bool, Place]] = field(default_factory=list)  # path, writes, certain
    tables: list[tuple[TableName | None, Use, str, bool, Place]] = field(default_factory=list)  # see `TableFact`
    resources: list[tuple[str, bool, Place]] = field(default_factory=list)  # name, changes
    ties: dict[str, set[str]] = field(default_factory=dict)
    findings: list[Callable[[Reporter], None]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class StepFacts:
    """One step."""

    name: str
    cells: tuple[int, ...]
    start: Place
    digest: str = ""
    uses: dict[str, dict[Version, Place]] = field(default_factory=dict)  # versions from outside that it reads
    own: dict[str, Version | None] = field(default_factory=dict)  # the last version it made; None: deleted
    definitions: dict[Definition, Place] = field(default_factory=dict)  # from outside, directly needed
    setup_reads: dict[str, Place] = field(default_factory=dict)
    guarded: set[str] = field(default_factory=set)  # possibly changed, but seen unchanged
    ambient: tuple[Definition, ...] = ()  # configuration of earlier steps
    changes: set[str] = field(default_factory=set)
    identified: set[str] = field(default_factory=set)

    def add(self, cell: CellFacts) -> None:
        """Take the part of the next of its cells."""
        for name, version, place in cell.uses:
            self.uses.setdefault(name, {}).setdefault(version, place)
        for definition, place in cell.definitions:
            self.definitions.setdefault(definition, place)
        for name, place in cell.setup_reads:
            self.setup_reads.setdefault(name, place)
        self.guarded.update(cell.guarded)
        self.changes |= cell.changes
        self.identified |= cell.identified
        self.ambient = self.ambient or cell.ambient


@dataclass(slots=True, eq=False)
class Facts:
    """The whole notebook."""

    steps: dict[str, StepFacts]
    files: list[FileUse] = field(default_factory=list)
    tables: list[TableFact] = field(default_factory=list)
    resources: list[ResourceUse] = field(default_factory=list)
    ties: list[tuple[str | None, dict[str, set[str]]]] = field(default_factory=list)  # cell by cell: whose, which
    latest: dict[str, Version] = field(default_factory=dict)

    def add(self, step: str | None, cell: CellFacts) -> None:
        """Take the part of the next cell."""
        if step is not None:
            self.steps[step].add(cell)
            for name, changes, place in cell.resources:
                self.resources.append(ResourceUse(step, name, changes, place.location))
        for path, writes, certain, place in cell.files:
            self.files.append(FileUse(step, path, writes, certain, place.location))
        for table, use, what, certain, place in cell.tables:
            self.tables.append(TableFact(step, table, use, what, certain, place.location))
        if cell.ties:
            self.ties.append((step, cell.ties))
