"""Which modules inside of packages a step names without importing them: ``import matplotlib``, ``matplotlib.cm``."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from jupyter_pipelines.notebook.model import Cell, Role
from jupyter_pipelines.notebook.parsing import parse_python

if TYPE_CHECKING:
    from jupyter_pipelines.graph.model import Pipeline, StepPlan

_MOST = 3  # parts of a dotted name that may be modules; what follows is inside of them
_ASKING = frozenset({"getattr", "hasattr"})


class _Names(NamedTuple):
    bound: Mapping[str, str]  # names that stand for packages, and which
    imported: frozenset[str]  # modules that are loaded by their full names
    dotted: frozenset[tuple[str, ...]]


def named_modules(pipeline: Pipeline, step: StepPlan) -> list[str]:
    """The full names of what may be modules that ``step`` takes for loaded; most will be functions and classes."""
    cells = pipeline.document.cells
    sources = [*_setup(pipeline), *(cells[index].python or "" for index in step.cells)]
    sources += [replay.source for replay in (*step.definitions, *step.late_definitions)]
    return _named(tuple(sources))


def cell_that_names(pipeline: Pipeline, step: StepPlan, module: str) -> Cell | None:
    """The first cell of ``step`` that takes ``module`` for loaded; ``None`` when only a function it calls does."""
    cells = [pipeline.document.cells[index] for index in step.cells]
    sources = _setup(pipeline)
    for cell in cells:
        sources.append(cell.python or "")
        if module in _named(tuple(sources)):
            return cell
    return None


def _setup(pipeline: Pipeline) -> list[str]:
    return [cell.python or "" for cell in pipeline.document.cells if cell.role is Role.SETUP]


@functools.lru_cache(maxsize=4096)
def _named(sources: tuple[str, ...]) -> list[str]:
    found = [_names(source) for source in sources]
    bound = {name: module for names in found for name, module in names.bound.items()}
    imported = frozenset[str]().union(*(names.imported for names in found))
    named = {
        ".".join((bound[root], *parts[:length]))
        for names in found
        for root, *parts in names.dotted
        if root in bound
        for length in range(1, min(len(parts), _MOST) + 1)
    }
    return sorted(named - imported)


@functools.lru_cache(maxsize=4096)
def _names(source: str) -> _Names:
    try:
        tree = parse_python(source)
    except (SyntaxError, ValueError):
        return _Names({}, frozenset(), frozenset())
    bound: dict[str, str] = {}
    imported: set[str] = set()
    dotted: set[tuple[str, ...]] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
                imported.update(_with_packages(alias.name))
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imported.update(_with_packages(node.module))
            for alias in node.names:
                imported.add(f"{node.module}.{alias.name}")
                bound[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        elif parts := _dotted(node):
            dotted.add(parts)
    return _Names(bound, frozenset(imported), frozenset(dotted))


def _with_packages(module: str) -> Iterator[str]:
    while module:
        yield module
        module = module.rpartition(".")[0]


def _dotted(node: ast.AST) -> tuple[str, ...]:
    """``a.b.c``, or ``hasattr(a.b, "c")``, as its parts."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _ASKING:
        match node.args:
            case [place, ast.Constant(value=str(name)), *_]:
                parts = (place.id,) if isinstance(place, ast.Name) else _dotted(place)
                return (*parts, name) if parts else ()
        return ()
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return (node.id, *reversed(names)) if isinstance(node, ast.Name) and names else ()
