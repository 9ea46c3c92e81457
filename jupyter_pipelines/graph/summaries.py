"""What calling a function of the notebook does, in terms of its parameters and of the notebook's names."""

from __future__ import annotations

from dataclasses import dataclass, field

from jupyter_pipelines.graph.events import FunctionInfo
from jupyter_pipelines.graph.values import Definition, Result


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
    command: bool = False
    ambient: set[str] = field(default_factory=set)
    settings: set[str] = field(default_factory=set)  # functions called that set a module's own state
    unknowable: list[tuple[str, bool, str, bool]] = field(default_factory=list)  # the fields of the events
    changed_definitions: set[Definition] = field(default_factory=set)
    changed_functions: set[FunctionInfo] = field(default_factory=set)
    reads: set[str] = field(default_factory=set)
