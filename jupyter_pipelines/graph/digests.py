"""The key under which runs remember what they observed about a step: its source and all source it can reach."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from jupyter_pipelines.graph.effects import analyse_cell
from jupyter_pipelines.graph.events import Bind, BindKind, CellEffects
from jupyter_pipelines.notebook.model import Cell, NotebookDocument, Role

EXECUTED = frozenset({Role.PARAMETERS, Role.SETUP, Role.STEP})


def executed_cells(document: NotebookDocument) -> dict[int, CellEffects]:
    """The effects of the cells that a pipeline executes, by index, in notebook order."""
    return {cell.index: analyse_cell(cell) for cell in document.cells if cell.role in EXECUTED}


def step_digests(document: NotebookDocument, effects: Mapping[int, CellEffects] | None = None) -> dict[str, str]:
    """A digest per step: its cells, the parameters and setup cells, and other steps' definitions it can come to.

    They depend on the source alone; steps of another language than Python have none. ``effects``: those of the
    executed cells, where they are at hand.
    """
    if not document.is_python:
        return {}
    effects = executed_cells(document) if effects is None else effects
    common = hashlib.sha256()
    for cell in document.cells:
        if cell.role in {Role.SETUP, Role.PARAMETERS}:
            common.update(f"{cell.role}\0{cell.code}\0".encode(errors="surrogatepass"))
    definitions = _definitions_by_name(document, effects)
    cells: dict[str, list[Cell]] = {name: [] for name in document.steps}
    for cell in document.cells:
        if cell.role is Role.STEP and cell.step in cells:
            cells[cell.step].append(cell)
    digests = {}
    for name in document.steps:
        own = common.copy()
        wanted: set[str] = set()
        for cell in cells[name]:
            may_fail = "raises-exception\0" if cell.may_fail else ""
            own.update(f"{name}\0{cell.code}\0{may_fail}".encode(errors="surrogatepass"))
            if cell.index in effects:
                wanted |= effects[cell.index].read
        for source in _reachable(name, wanted, definitions):
            own.update(source.encode(errors="surrogatepass") + b"\0")
        digests[name] = own.hexdigest()[:32]
    return digests


_Known = tuple[str, str, frozenset[str]]  # step, source, names the cell reads


def _definitions_by_name(document: NotebookDocument, effects: Mapping[int, CellEffects]) -> dict[str, list[_Known]]:
    found: dict[str, list[_Known]] = {}
    for index, effect in effects.items():
        cell = document.cells[index]
        if cell.role is not Role.STEP or cell.step is None:
            continue
        for statement in effect.definitions:
            imports_only = all(isinstance(event, Bind) and event.kind is BindKind.MODULE for event in statement.events)
            reads = frozenset[str]() if imports_only else effect.read
            for name in statement.names:
                found.setdefault(name, []).append((cell.step, statement.source, reads))
    return found


def _reachable(step: str, wanted: set[str], definitions: Mapping[str, list[_Known]]) -> list[str]:
    pending, seen, sources = sorted(wanted), set(wanted), dict[str, None]()
    while pending:
        for owner, source, reads in definitions.get(pending.pop(), ()):
            if owner != step:
                sources[source] = None
            for name in reads:
                if name not in seen:
                    seen.add(name)
                    pending.append(name)
    return sorted(sources)
