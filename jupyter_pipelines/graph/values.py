"""What is known of a value, and the versions a name goes through in notebook order."""

from __future__ import annotations

from dataclasses import dataclass, field

from jupyter_pipelines.diagnostics import Location
from jupyter_pipelines.graph.events import BindKind, ClassInfo, FunctionInfo, Statement


@dataclass(slots=True, eq=False)
class Definition:
    """A statement that is replayed where it is needed: who executed it, and what it read while it was executed.

    ``now``: the versions it read, each with how often that version had been changed by then.
    """

    order: int  # position in the notebook
    cell: int  # index
    step: str | None  # None: setup
    statement: Statement
    now: list[tuple[Version, int]] = field(default_factory=list)
    replayable: bool = True  # False: a lambda in a value; only what it needs matters


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
    broken: str = ""  # a definition that can no longer be replayed truthfully: why

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
    cell: int  # index
    line: int
    value: Value
    previous: Version | None = None
    is_change: bool = False
    certain: bool = True
    touched: int = 0

    @property
    def location(self) -> Location:
        return Location(self.cell + 1, self.line)


@dataclass(slots=True, eq=False)
class Result:
    """A flow, resolved: the names whose objects it may share (True: it is that very object), and what is known."""

    shares: dict[str, bool] = field(default_factory=dict)
    value: Value = field(default_factory=Value)
    attributes: tuple[str, ...] = ()
    functions: tuple[FunctionInfo, ...] = ()  # nested functions it may be or hold
    names: tuple[str, ...] = ()  # the names the expression itself starts from


NOTHING = Value()
IMMUTABLE_VALUE = Value(immutable=True)
