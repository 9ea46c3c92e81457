"""What running a piece of source does to names, as a list of events in the order of evaluation.

A cell's events depend on its source alone, so they are computed once and kept. What an event *means* — is ``np`` a
module here, is ``f`` a function of this notebook, and which? — is decided later, in notebook order, by
:mod:`~jupyter_pipelines.graph.interpreter`.

Names of the notebook's namespace are plain (``df``); names local to a function or class body carry a mark
(``df@12:4``), so that the two never meet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from jupyter_pipelines.notebook.table_names import TableName

LOCAL_MARK = "@"


@dataclass(slots=True, eq=False)
class Flow:
    """Where the value of an expression may come from.

    ``shares``: names whose objects the value may be, be part of, or hold. ``same``: the one name whose very object it
    is. ``calls``: calls whose result the value may be or hold. ``direct``: the value is exactly the result of that
    call. ``immutable``: nothing can change it in place. ``uncarriable``: what it is, when no other process can get it.
    """

    shares: tuple[str, ...] = ()
    same: str | None = None
    calls: tuple[Call, ...] = ()
    direct: Call | None = None
    immutable: bool = False
    uncarriable: str | None = None
    constant: object = None
    function: FunctionInfo | None = None  # it is this lambda
    lambdas: tuple[FunctionInfo, ...] = ()  # lambdas at top level that it is or holds
    attributes: tuple[str, ...] = ()  # `obj.items[0]` is obj's, by way of ("items", "[]")
    depth: int = 0  # how many containers the expression itself makes around what it takes: 1 of `[len(x)]`


FRESH = Flow()
IMMUTABLE = Flow(immutable=True)


@dataclass(slots=True, eq=False)
class Argument:
    """One argument of a call. ``key`` is its position, its keyword, ``"*"`` or ``"**"``."""

    key: int | str
    flow: Flow


@dataclass(slots=True, eq=False)
class Event:
    """``maybe``: not certain to be executed (in a branch, a loop, a lambda)."""

    line: int
    maybe: bool


@dataclass(slots=True, eq=False)
class Read(Event):
    """``name`` is looked up.

    ``quiet``: it may well be something else than a name (a column in a formula). ``bound``: whenever this is executed,
    the same cell has bound the name before. ``held``: the object is kept as it is, by the definition that reads it
    (a default, an annotation), so that what is changed in it later is changed there, too.
    """

    name: str
    quiet: bool = False
    bound: bool = False
    held: bool = False


class BindKind(StrEnum):
    """What kind of thing a name is given."""

    VALUE = "value"
    MODULE = "module"
    FUNCTION = "function"
    CLASS = "class"


@dataclass(slots=True, eq=False)
class Bind(Event):
    """``name`` is given a value.

    ``target`` is the dotted path of what an import brings; ``function`` and ``cls`` describe definitions.
    ``element``: the name gets an element of the value (loops, unpacking), not the value.
    """

    name: str
    flow: Flow
    kind: BindKind = BindKind.VALUE
    target: str = ""
    function: FunctionInfo | None = None
    cls: ClassInfo | None = None
    element: bool = False
    text: str = ""  # an import on its own, as a statement


@dataclass(slots=True, eq=False)
class Settle(Event):
    """Every way through the statement before this has bound ``name``: what it was before does not matter."""

    name: str


@dataclass(slots=True, eq=False)
class Augment(Event):
    """``name += flow``: a new value, or the old object changed in place."""

    name: str
    flow: Flow


@dataclass(slots=True, eq=False)
class Change(Event):
    """The object that ``flow`` leads to is changed in place; ``stored`` is what is put into it, if anything."""

    flow: Flow
    certain: bool
    stored: Flow | None = None


@dataclass(slots=True, eq=False)
class Delete(Event):
    """``del name``."""

    name: str


@dataclass(slots=True, eq=False)
class Tie(Event):
    """These names were unpacked from one value and may share objects."""

    names: tuple[str, ...]
    flow: Flow


@dataclass(slots=True, eq=False)
class Call(Event):
    """A call. ``root`` and ``attributes``: the callee, as a dotted name; ``receiver``: what a method is called on."""

    root: str | None
    attributes: tuple[str, ...]
    receiver: Flow
    arguments: tuple[Argument, ...]
    discarded: bool = False  # the statement is nothing but this call

    def argument(self, key: int | str) -> Flow | None:
        for argument in self.arguments:
            if argument.key == key:
                return argument.flow
        return None


@dataclass(slots=True, eq=False)
class StarImport(Event):
    """``from module import *``, or a magic that brings unknown names."""

    module: str


@dataclass(slots=True, eq=False)
class Command(Event):
    """A shell command or a cell of another language: files may be touched, names cannot."""

    text: str


@dataclass(slots=True, eq=False)
class File(Event):
    """A file is read or written; ``path`` is ``None`` where it is not known which."""

    path: str | None
    writes: bool


class Use(StrEnum):
    """What is done with a table, or with the connection to the warehouse, as a verb of its step."""

    READ = "reads"
    WRITE = "writes"
    CHECK = "checks"  # reads it, and whoever reads it later relies on the outcome
    TEMPORARY = "makes"  # for the connection at hand only
    SESSION = "sets"  # something about that connection


@dataclass(slots=True, eq=False)
class TableUse(Event):
    """SQL touches a table; ``name`` is ``None`` where it may be any. ``what`` it sets, if it is about the session."""

    name: TableName | None
    use: Use
    what: str = ""


@dataclass(slots=True, eq=False)
class Unknowable(Event):
    """Something whose names cannot be known from the source: ``exec`` of a built string, ``globals()`` …

    ``evaluates``: it evaluates text that the function around it may have been given.
    """

    what: str
    error: bool
    fix: str
    evaluates: bool = False


@dataclass(slots=True, eq=False)
class Ambient(Event):
    """Configures the kernel for whatever comes later (``%matplotlib``, ``%load_ext`` …): later steps repeat it."""

    what: str


@dataclass(slots=True, eq=False)
class State(Event):
    """Sets (or, with ``draws``, moves on) a component of hidden state such as the working directory."""

    component: str
    draws: bool = False


@dataclass(slots=True, eq=False)
class Identify(Event):
    """It matters whether what ``flow`` leads to is one object: ``a is b``."""

    flow: Flow


@dataclass(slots=True, eq=False)
class Suspend(Event):
    """Between a ``with`` that restores a state component and its end, setting that component leaves nothing."""

    component: str
    on: bool


@dataclass(slots=True, eq=False)
class FunctionInfo:
    """A function or lambda: its body's events, in terms of parameters, locals and the notebook's names."""

    name: str
    line: int
    parameters: tuple[str, ...]  # as qualified names, positional ones first
    keyword_only: tuple[str, ...]
    variadic: tuple[str, ...]
    mutable_defaults: tuple[str, ...]  # those whose default only the function has
    shared_defaults: tuple[tuple[str, Flow], ...]  # those whose default is the object of a name: ``def f(x, y=y)``
    events: tuple[Event, ...]
    returns: tuple[Flow, ...]
    generator: bool = False
    coroutine: bool = False
    decorated: bool = False
    speaks: bool = False  # prints or displays something
    decorators: tuple[str, ...] = ()  # their names: the root's and the last attribute's
    kind: str = "function"  # or "method", "classmethod", "staticmethod", "property"
    nonlocal_writes: bool = False
    reads: tuple[Read, ...] = ()  # names of the notebook it looks up when called, those of functions within included


@dataclass(slots=True, eq=False)
class ClassInfo:
    """A class: its methods, and the attributes all instances share."""

    name: str
    line: int
    methods: dict[str, FunctionInfo] = field(default_factory=dict)
    shared_attributes: frozenset[str] = frozenset()  # mutable ones, not set anew on the instance
    bases: tuple[str, ...] = ()


class StatementKind(StrEnum):
    """What the statement can be to a step that did not execute it."""

    DEFINITION = "definition"  # replayed as it is
    FACTORY = "factory"  # `f = make(...)`: replayed when `make` is the notebook's and returns a function
    ATTACH = "attach"  # `obj.name = …` at top level: replayed when obj is a definition and the value needs no values
    CONFIGURE = "configure"  # a bare call: replayed when it only configures a library
    ORDINARY = "ordinary"


@dataclass(slots=True, eq=False)
class Statement:
    """One top-level statement of a cell."""

    line: int
    end_line: int
    kind: StatementKind
    events: tuple[Event, ...]
    names: tuple[str, ...] = ()  # defined, when it is a definition
    source: str = ""  # kept for those that can be replayed


@dataclass(slots=True, eq=False)
class CellEffects:
    """All a cell does, by statement. ``methods``: names of methods that classes defined here have."""

    statements: tuple[Statement, ...]
    methods: frozenset[str] = frozenset()
    bound: frozenset[str] = frozenset()
    read: frozenset[str] = frozenset()  # every name read now or later, builtins included
    read_later: frozenset[str] = frozenset()  # by functions and methods, when they are called
    definitions: tuple[Statement, ...] = ()  # those of the statements that are
