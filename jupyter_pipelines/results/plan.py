"""What publishing a notebook would change: its cells, the steps and tables that follow from them, and the rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_pipelines.notebook.check_magic import split_checks
from jupyter_pipelines.notebook.sql_cells import magic_body
from jupyter_pipelines.orchestration.loading import load
from jupyter_pipelines.orchestration.versions import diff
from jupyter_pipelines.typed import typed

if TYPE_CHECKING:
    from jupyter_pipelines.graph.model import Pipeline
    from jupyter_pipelines.notebook.model import Cell
    from jupyter_pipelines.orchestration.versions.comparison import CellChange
    from jupyter_pipelines.warehouse.building import TableDifference, Trial


@dataclass(frozen=True)
class PlannedChange:
    """A cell that differs from the published version. ``reaches`` are the steps that come after its own."""

    cell: int  # its number in the notebook, or in the version where it was removed
    first_line: str
    step: str
    meaning: str
    reaches: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What publishing would change. ``tables`` compares those that SQL cells build with what they are now."""

    notebook: str
    changes: tuple[PlannedChange, ...]
    tables: tuple[TableDifference, ...]
    written: tuple[str, ...] = ()  # the tables that the steps in question write

    def __repr__(self) -> str:
        from jupyter_pipelines.results.showing.plan import plan_text

        return plan_text(self)

    def _repr_html_(self) -> str:
        from jupyter_pipelines.results.showing.plan import plan_html

        return plan_html(self)


@typed
def plan(notebook: Path | str, *, data: bool = True) -> Plan:
    """What publishing ``notebook`` would change.

    With ``data`` the SQL cells that changed, and those that build tables behind them, are tried with the parameters'
    defaults, in a transaction that is undone: the warehouse is left as it is. Raises :class:`RequestError` when the
    notebook was never published.
    """
    path = Path(notebook).expanduser()
    difference = diff(path)
    pipeline = load(path)
    changes = [_planned(pipeline, change) for change in difference.cells if change.kind != "moved"]
    touching = [one for one in changes if one.meaning not in {"formatting only", "unchanged"}]
    steps = {name for one in touching for name in (one.step, *one.reaches) if name}
    if any(not one.step for one in touching):  # setup and parameters reach all of it
        steps = {step.name for step in pipeline.steps}
    written = tuple(table for step in pipeline.steps if step.name in steps for table in step.tables_written)
    tables = _tried(pipeline, steps) if data else ()
    return Plan(str(path), tuple(changes), tables, written)


def _planned(pipeline: Pipeline, change: CellChange) -> PlannedChange:
    number = change.after or change.before or 0
    cell = pipeline.document.cells[number - 1] if change.after is not None else None
    step = (cell.step or "") if cell is not None else ""
    meaning = {"added": "new", "removed": "removed"}.get(change.kind, change.sql or "changed")
    reaches = () if meaning in {"formatting only", "unchanged"} else tuple(_behind(pipeline, step))
    return PlannedChange(number, change.first_line, step, meaning, reaches)


def _behind(pipeline: Pipeline, step: str) -> Iterator[str]:
    """The steps that need ``step``, directly or not, in notebook order."""
    reached = {step}
    for one in pipeline.steps:
        if any(edge.target == one.name and edge.source in reached for edge in pipeline.edges):
            reached.add(one.name)
            yield one.name


def _tried(pipeline: Pipeline, steps: set[str]) -> tuple[TableDifference, ...]:
    from jupyter_pipelines.warehouse import open_session
    from jupyter_pipelines.warehouse.building import try_builds

    cells = (cell for cell in pipeline.document.cells if cell.step in steps)
    trials = [trial for cell in cells if (trial := _trial(cell)) is not None]
    if not trials:
        return ()
    session = open_session()
    try:
        return try_builds(session, trials, _defaults(pipeline))
    finally:
        session.close()


def _trial(cell: Cell) -> Trial | None:
    from jupyter_pipelines.warehouse.building import BuildSpec, Trial

    if cell.sql is None or cell.sql.table is None:
        return None
    sql, _, _ = split_checks(magic_body(cell)[1])
    lines = cell.check.checks if cell.check is not None else ()
    unique = (line.columns for line in lines for rule in line.rules if rule.kind == "unique")
    return Trial(BuildSpec.of(cell.sql), sql, cell.sql.unique_key or next(unique, ()))


def _defaults(pipeline: Pipeline) -> Mapping[str, object]:
    parameters = pipeline.document.parameters
    return {one.name: one.default for one in parameters if not (one.computed or one.required)}
