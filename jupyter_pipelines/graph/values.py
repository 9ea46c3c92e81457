"""What is known of a value, and the versions a name goes through in notebook order."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple

from jupyter_pipelines.diagnostics import Location
from jupyter_pipelines.graph.events import BindKind, ClassInfo, FunctionInfo, Statement

HELD = -1  # instead of how often a version had been changed: its object is kept, so all of its changes count
NO_LINE = 0  # of what only runs have shown: it happens somewhere in the step


@dataclass(slots=True, eq=False)
class Site:
    """A cell as a place: the same object while cells come and go above it, so that what points to it stays right."""

    index: int


class Place(NamedTuple):
    """A line of a cell, wherever that cell is by now."""

    site: Site
    line: int = 1

    @property
    def location(self) -> Location:
        return Location(self.site.index + 1, self.line or 1)


@dataclass(slots=True, eq=False)
class Definition:
    """A statement that is replayed where it is needed: who executed it, and what it read while it was executed.

    ``now``: the versions it read, each with how often that version had been changed by then, or :data:`HELD`.
    """

    site: Site
    ordinal: int  # among what its cell makes
    step: str | None  # None: setup
    statement: Statement
    now: list[tuple[Version, int]] = field(default_factory=list)
    replayable: bool = True  # False: a lambda in a value; only what it needs matters

    @property
    def cell(self) -> int:
        """The index of its cell."""
        return self.site.index

    @property
    def order(self) -> tuple[int, int]:
        """Its position in the notebook."""
        return self.site.index, self.ordinal


@dataclass(slots=True, eq=False)
class Value:
    """What is known of a value without running anything. Never changed once made: `replace` makes another.

    ``latent``: the definitions that whoever loads it needs, because it may be or hold their objects. ``maker``: the
    package it comes from, when that is known. ``uncarriable``: what it is, when no other process can get it.
    """

    kind: BindKind = BindKind.VALUE
    immutable: bool = False
    uncarriable: str | None = None
    constant: object = None
    latent: frozenset[Definition] = frozenset()
    maker: str = ""
    module: str = ""  # dotted path, for what an import brought
    function: FunctionInfo | None = None
    cls: ClassInfo | None = None
    definition: Definition | None = None
    in_memory: bool = False  # a database that lives in this process only
    separate: bool = False  # its parts share nothing with each other
    remembered: FunctionInfo | None = None  # this cached function gives it again when it is called again
    method: str = ""  # it may be this method of what it shares: `push = stack.append`
    broken: str | Place = ""  # a definition that can no longer be replayed truthfully: why, or what changed it

    @property
    def is_definition(self) -> bool:
        return self.definition is not None


@dataclass(slots=True, eq=False)
class Version:
    """A name after it was bound or its object changed.

    ``previous``: the version it was made from, when that one still matters (a change, or a binding that may not have
    happened). ``touched`` counts further changes by the same cell.
    """

    name: str
    step: str | None  # None: setup
    site: Site
    line: int
    value: Value
    previous: Version | None = None
    is_change: bool = False
    certain: bool = True
    touched: int = 0

    @property
    def cell(self) -> int:
        """The index of its cell."""
        return self.site.index

    @property
    def place(self) -> Place:
        return Place(self.site, self.line)

    @property
    def location(self) -> Location:
        return Location(self.site.index + 1, self.line or 1)


@dataclass(slots=True, eq=False)
class Result:
    """A flow, resolved: the names whose objects it may share (True: it is that very object), and what is known."""

    shares: dict[str, bool] = field(default_factory=dict)
    value: Value = field(default_factory=Value)
    attributes: tuple[str, ...] = ()
    functions: tuple[FunctionInfo, ...] = ()  # nested functions it may be or hold
    names: tuple[str, ...] = ()  # the names the expression itself starts from


def is_object_of(earlier: Version, later: Version, *, certain: bool = True) -> bool:
    """Whether ``later`` is the object of ``earlier``, changed perhaps; with ``certain=False``, not surely changed."""
    found: Version | None = later
    while found is not None and found is not earlier and found.is_change and (certain or not found.certain):
        found = found.previous
    return found is earlier


NOTHING = Value()
IMMUTABLE_VALUE = Value(immutable=True)


def in_order(definitions: AbstractSet[Definition]) -> Sequence[Definition]:
    """The definitions as they stand in the notebook."""
    if len(definitions) < 2:
        return tuple(definitions)
    return sorted(definitions, key=lambda definition: definition.order)
