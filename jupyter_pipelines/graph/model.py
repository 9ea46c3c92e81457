"""What compiling gives: steps, edges that can explain themselves, and what each step needs to run. Plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from jupyter_pipelines.diagnostics import Diagnostic, Location
from jupyter_pipelines.notebook.model import NotebookDocument, StepOptions


class EdgeKind(StrEnum):
    """Why one step must run after another."""

    VALUE = "value"  # reads a variable the other wrote or changed
    ORDER = "order"  # the author said so (`after:`)
    FILE = "file"  # touches a file the other writes
    TABLE = "table"  # touches a table the other writes, or checks
    STATE = "state"  # relies on hidden state the other sets: seeds, rcParams, working directory …
    RESOURCE = "resource"  # uses the same connection or other uncarriable thing, in notebook order

    @property
    def passes_on(self) -> bool:
        """Whether something goes from step to step, and not the order alone."""
        return self in {EdgeKind.VALUE, EdgeKind.TABLE}


@dataclass(frozen=True, slots=True)
class Edge:
    """``target`` must run after ``source`` because of ``name`` (a variable, path, state component or step)."""

    source: str
    target: str
    kind: EdgeKind
    name: str
    certain: bool = True  # False: *possibly changed*, kept until runs have shown better
    written: Location | None = None
    changed: tuple[Location, ...] = ()  # in-place changes after `written`
    read: Location | None = None
    writer: str = ""  # the step that wrote it, when that is not `source`; "setup" too
    changers: tuple[str, ...] = ()  # the steps that made `changed`, one each
    uses: tuple[str, str] = ("", "")  # of a table: what `source` and `target` do with it, as verbs
    observed: tuple[tuple[str, tuple[int, ...]], ...] = ()  # steps (and their cells) that only runs saw change it

    def explain(self) -> str:
        """The edge as a sentence, e.g. ``train needs `df` because cell 7 line 2 reads it; written by clean at …``."""
        if self.kind is EdgeKind.ORDER:
            return f"{self.target} runs after {self.source} because the author said so"
        if self.kind is EdgeKind.FILE:
            sure = "" if self.certain else "possibly "
            return (
                f"{self.target} runs after {self.source} because both {sure}touch {self.name}: "
                f"{self.source} at {self.written}, {self.target} at {self.read}"
            )
        if self.kind is EdgeKind.TABLE:
            first, then = (verb if self.certain else f"possibly {verb}" for verb in self.uses)
            return (
                f"{self.target} runs after {self.source} because {self.source} {first} {self.name} at {self.written}, "
                f"and {self.target} {then} it at {self.read}"
            )
        if self.kind is EdgeKind.RESOURCE:
            return (
                f"{self.target} runs after {self.source} because both use `{self.name}`, which stays in its process: "
                f"{self.source} at {self.written}, {self.target} at {self.read}"
            )
        what = f"`{self.name}`" if self.kind is EdgeKind.VALUE else f"the state of {self.name}"
        text = f"{self.target} needs {what}"
        if self.read is not None:
            text += f" because {self.read} reads it"
        if self.written is not None:
            text += f"; written by {self.writer or self.source} at {self.written}"
        verb = "changed in place" if self.certain else "possibly changed"
        for place, step in zip(self.changed, self.changers, strict=False):
            by = f" by {step}" if step != (self.writer or self.source) else ""
            text += f", {verb}{by} at {place}"
        for step, cells in self.observed:
            numbers = ", ".join(str(cell) for cell in cells)
            text += f"; an earlier run showed that {step} (cell{'s' if len(cells) > 1 else ''} {numbers}) changes it"
        return text


@dataclass(frozen=True, slots=True)
class Replay:
    """A definition (import, def, class, `name = lambda`) that is executed again in a step that did not define it."""

    cell: int  # index
    line: int
    source: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Input:
    """A value that a step loads before it runs: ``name`` as ``producer`` left it at its end."""

    name: str
    producer: str


@dataclass(frozen=True, slots=True)
class StepPlan:
    """One step and all that is needed to run it in a fresh kernel.

    Order in the kernel: parameters, setup, ``definitions``, load ``inputs`` and ``state_inputs``,
    ``late_definitions`` (those that read carried values when they are executed), then ``cells``; at the end
    ``outputs`` are saved and ``guarded`` compared with what was loaded.
    """

    name: str
    cells: tuple[int, ...]  # indices, in notebook order
    options: StepOptions
    definitions: tuple[Replay, ...] = ()
    late_definitions: tuple[Replay, ...] = ()
    inputs: tuple[Input, ...] = ()
    outputs: tuple[str, ...] = ()  # what later steps read from here, new versions of changed inputs included
    possibly_changed: tuple[str, ...] = ()  # the inputs in `outputs` only because an unknown call got them
    guarded: tuple[str, ...] = ()  # inputs that must be unchanged at the end: the graph says nothing changes them here
    state_inputs: Mapping[str, str] = field(default_factory=dict)  # state component -> the step that left it
    state_outputs: tuple[str, ...] = ()  # state components later steps take from here
    setup_names: tuple[str, ...] = ()  # values defined by setup that this step reads; compared between steps
    resources: tuple[str, ...] = ()  # names never carried: replayed by setup, kept in order
    files_read: tuple[str, ...] = ()  # as the source names them, where it does
    files_written: tuple[str, ...] = ()
    tables_read: tuple[str, ...] = ()  # of the warehouse, as the source names them
    tables_written: tuple[str, ...] = ()
    uses_warehouse: bool = False  # it touches these tables, or others that the source does not show
    digest: str = ""  # of the step's own source, setup and definitions: the key of what runs observe about it


@dataclass(frozen=True, slots=True)
class Remedy:
    """What may put a finding right; :mod:`jupyter_pipelines.graph.fixes` makes edits of it, and tries them.

    ``setup``: run what makes ``name`` (all of the cell without one) in a setup cell; ``no-setup`` and ``no-skip``: take
    that role from the cell; ``one-step``: make the ``steps`` one; ``own-step``: give the part of the step that begins
    with the cell a name of its own; ``append``: end the cell with the line ``name``; ``define``: have ``name``, which
    nothing defines, imported or given as a parameter.
    """

    kind: Literal["setup", "no-setup", "no-skip", "one-step", "own-step", "append", "define"]
    cell: int = 0  # number
    steps: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True)
class Observations:
    """What earlier runs saw, by step digest; see :class:`jupyter_pipelines.execution.model.Observed`.

    Sets of pairs ``(digest, name)``; ``aliases`` pairs a digest with names that share objects.
    """

    unchanged: frozenset[tuple[str, str]] = frozenset()
    changed: frozenset[tuple[str, str]] = frozenset()
    aliases: frozenset[tuple[str, frozenset[str]]] = frozenset()
    state_changed: frozenset[tuple[str, str]] = frozenset()
    state_untouched: frozenset[tuple[str, str]] = frozenset()
    state_set: frozenset[tuple[str, str]] = frozenset()
    state_set_up: frozenset[tuple[str, str]] = frozenset()
    definitions_needed: frozenset[tuple[str, str]] = frozenset()
    files_read: frozenset[tuple[str, str]] = frozenset()
    files_written: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class Pipeline:
    """A compiled notebook. ``steps`` are in notebook order; ``edges`` hold every reason: two steps may share many."""

    document: NotebookDocument
    steps: tuple[StepPlan, ...]
    edges: tuple[Edge, ...]
    diagnostics: tuple[Diagnostic, ...]  # the document's own included
    sequential: bool = False  # another language than Python: one kernel, notebook order, nothing carried
    seeded: tuple[str, ...] = ()  # state components (random generators) the notebook seeds somewhere
    remedies: Mapping[Diagnostic, tuple[Remedy, ...]] = field(default_factory=dict)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(diagnostic for diagnostic in self.diagnostics if diagnostic.is_error)

    @property
    def tables_written(self) -> tuple[str, ...]:
        """The tables of the warehouse that its steps build or change, by name."""
        return _each_once(name for step in self.steps for name in step.tables_written)

    @property
    def tables_read(self) -> tuple[str, ...]:
        """The tables that its steps read and none of them writes: what others have to have made."""
        own = set(self.tables_written)
        return _each_once(name for step in self.steps for name in step.tables_read if name not in own)

    def step(self, name: str) -> StepPlan:
        """The step called ``name``; raises :class:`KeyError`."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)

    def upstream(self, name: str) -> frozenset[str]:
        """The steps that must have ended before ``name`` starts (direct ones only)."""
        return frozenset(edge.source for edge in self.edges if edge.target == name)

    def downstream(self, name: str) -> frozenset[str]:
        """The steps that wait for ``name`` (direct ones only)."""
        return frozenset(edge.target for edge in self.edges if edge.source == name)


def _each_once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))
