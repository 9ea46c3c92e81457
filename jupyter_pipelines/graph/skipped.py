"""Cells tagged ``skip`` never run: whatever a later step needs of them is an error."""

from __future__ import annotations

from jupyter_pipelines.diagnostics import Location
from jupyter_pipelines.graph.diagnose import Reporter, skip_bindings
from jupyter_pipelines.graph.effects import analyse_cell
from jupyter_pipelines.graph.events import Augment, Bind, Change, Delete, Flow
from jupyter_pipelines.graph.facts import Facts
from jupyter_pipelines.notebook.model import NotebookDocument


def note_skipped(document: NotebookDocument, reporter: Reporter) -> None:
    """Remember which names only skipped cells define."""
    for index in skip_bindings(document):
        for name in analyse_cell(document.cells[index]).bound:
            reporter.skipped.setdefault(name, index)


def report_skipped(document: NotebookDocument, facts: Facts, reporter: Reporter) -> None:
    """Report reads of names that a skipped cell between their definition and the read binds or changes."""
    if not reporter.skipped and not skip_bindings(document):
        return
    touched: dict[str, list[Location]] = {}
    for index in skip_bindings(document):
        for statement in analyse_cell(document.cells[index]).statements:
            for event in statement.events:
                for name in _touched(event):
                    touched.setdefault(name, []).append(Location(index + 1, event.line))
    for step in facts.steps.values():
        for name, versions in step.uses.items():
            for version, place in versions.items():
                for skip in touched.get(name, ()):
                    if version.location.cell < skip.cell < place.location.cell:
                        reporter.skip_changes(name, skip, place.location, step.name)


def _touched(event: object) -> tuple[str, ...]:
    if isinstance(event, Bind | Augment | Delete):
        return (event.name,)
    if isinstance(event, Change) and isinstance(event.flow, Flow) and event.certain:
        return event.flow.shares
    return ()
