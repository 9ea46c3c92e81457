"""A plan as HTML and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_pipelines.results.showing.html import framed, plain, table, text
from jupyter_pipelines.results.showing.text import aligned

if TYPE_CHECKING:
    from jupyter_pipelines.results.plan import Plan
    from jupyter_pipelines.warehouse.building import TableDifference

NOTHING = "publishing it would change nothing"


def plan_text(plan: Plan) -> str:
    """A line for each cell, and for each table."""
    if not plan.changes:
        return f"{plan.notebook}: {NOTHING}"
    lines = [plan.notebook]
    rows = []
    for one in plan.changes:
        reaches = f"reaches {', '.join(one.reaches)}" if one.reaches else ""
        rows.append((f"  cell {one.cell}", one.step or "setup", one.meaning, reaches))
    lines += aligned(rows)
    lines += [f"tables written by these steps: {', '.join(plan.written)}"] if plan.written else []
    return "\n".join([*lines, *aligned([(f"  {one.table}", _rows(one), _difference(one)) for one in plan.tables])])


def plan_html(plan: Plan) -> str:
    """The same as tables."""
    if not plan.changes:
        return framed(f"<p>{text(plan.notebook)}: {NOTHING}</p>")
    cells = [
        (
            str(one.cell),
            text(one.step or "setup"),
            f"<code>{text(one.first_line)}</code>",
            text(one.meaning),
            text(", ".join(one.reaches)),
        )
        for one in plan.changes
    ]
    parts = [table(("cell", "step", "", "change", "steps it reaches"), cells, [0])]
    if plan.tables:
        rows = [(text(one.table), text(_rows(one)), text(_difference(one))) for one in plan.tables]
        parts.append(table(("table", "rows", "difference"), rows))
    return framed(*parts)


def _rows(one: TableDifference) -> str:
    if one.problem:
        return ""
    return f"new, {plain(one.after)}" if one.before is None else f"{plain(one.before)} → {plain(one.after)}"


def _difference(one: TableDifference) -> str:
    if one.problem:
        return one.problem
    counted = {"added": one.added, "removed": one.removed, "changed": one.changed}
    said = [f"{number:,} {what}" for what, number in counted.items() if number]
    said += [f"{name} in {number:,} rows" for name, number in one.columns[:8]]
    return ", ".join(said) or "the same rows"
