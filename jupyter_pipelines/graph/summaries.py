"""What calling a function of the notebook does, in terms of its parameters and of the notebook's names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from jupyter_pipelines.graph.events import FunctionInfo, Use
from jupyter_pipelines.graph.values import Definition, Result, Value
from jupyter_pipelines.notebook.table_names import TableName

_MOST_KNOWN = 4096


@dataclass(slots=True, eq=False)
class Summary:
    """The effects of a call. Roots are parameters (marked as local) or names of the notebook."""

    changes: dict[str, tuple[bool, tuple[str, ...]]] = field(default_factory=dict)
    binds: dict[str, Result] = field(default_factory=dict)  # through `global`
    deletes: set[str] = field(default_factory=set)
    ties: set[tuple[str, str]] = field(default_factory=set)
    stored: dict[str, set[Definition]] = field(default_factory=dict)  # what objects put into a root need
    returned: set[str] = field(default_factory=set)
    latent: set[Definition] = field(default_factory=set)
    functions: tuple[FunctionInfo, ...] = ()
    immutable: bool = False
    maker: str = ""
    uncarriable: str | None = None
    states: set[str] = field(default_factory=set)
    draws: dict[str | None, bool] = field(default_factory=dict)  # component -> certain
    files: set[tuple[str | None, bool, bool]] = field(default_factory=set)  # path, writes, certain
    tables: set[tuple[TableName | None, Use, str, bool]] = field(default_factory=set)  # use, what it sets, certain
    command: bool = False
    ambient: set[str] = field(default_factory=set)
    settings: set[str] = field(default_factory=set)  # functions called that set a module's own state
    unknowable: list[tuple[str, bool, str, bool]] = field(default_factory=list)  # the fields of the events
    changed_definitions: set[Definition] = field(default_factory=set)
    changed_functions: set[FunctionInfo] = field(default_factory=set)
    reads: set[str] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class _Making:
    """A summary that is being made: the names it asked for, and the functions it called that are being made, too."""

    asked: dict[str, Value | None] = field(default_factory=dict)
    met: set[FunctionInfo] = field(default_factory=set)
    in_circle: bool = False  # it called one of those


class Summaries:
    """Summaries that have been made, each for as long as the names it asked for stand for what they stood for.

    Those of functions that call each other in a circle depend on where the circle was entered: they are kept only
    while the function that was asked for first is looked at.
    """

    def __init__(self) -> None:
        self._known: dict[FunctionInfo, tuple[dict[str, Value | None], Summary]] = {}
        self._passing: dict[FunctionInfo, Summary] = {}  # being made, or of a circle
        self._making: dict[FunctionInfo, _Making] = {}

    def note(self, name: str, value: Value | None) -> None:
        """A name of the notebook was looked up."""
        if self._making:
            self._last.asked[name] = value

    def depends(self) -> None:
        """What is being made depends on more than names."""
        if self._making:
            self._last.in_circle = True

    @property
    def _last(self) -> _Making:
        return next(reversed(self._making.values()))

    def get(self, info: FunctionInfo, lookup: Callable[[str], Value | None], make: Callable[[], Summary]) -> Summary:
        """The summary of ``info``: known, or made by ``make``, which tells `note` each name that it looks up."""
        if info in self._passing:
            if info in self._making:
                self._last.met.add(info)
            else:
                self._last.in_circle = True
            return self._passing[info]
        known = self._known.get(info)
        if known is not None and all(lookup(name) is value for name, value in known[0].items()):
            return known[1]
        made = self._making[info] = _Making()
        self._passing[info] = Summary(immutable=True)  # what a recursive call sees
        summary = make()
        del self._making[info]
        made.met.discard(info)
        if made.met or made.in_circle:
            self._passing[info] = summary
        else:
            del self._passing[info]
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[info] = (made.asked, summary)
        if self._making:
            outer = self._last
            outer.asked.update(made.asked)
            outer.met |= made.met
            outer.in_circle |= bool(made.met) or made.in_circle
        else:
            self._passing.clear()
        return summary
