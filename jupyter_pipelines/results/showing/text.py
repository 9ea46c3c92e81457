"""The same as plain text, for terminals and wherever HTML is not shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from jupyter_pipelines.results.showing.html import lasted, moment, plain
from jupyter_pipelines.results.showing.words import GLYPHS

if TYPE_CHECKING:
    from jupyter_pipelines.results.comparison import Pair, RunComparison
    from jupyter_pipelines.results.run import Run
    from jupyter_pipelines.results.runs import Runs
    from jupyter_pipelines.results.trends import Trend

SHOWN = 20
LONGEST = 100  # characters of a line's last column


def describe_run(run: Run) -> str:
    """Its state, and a line for each step."""
    record = run.record
    given = ", ".join(f"{name} = {plain(value)}" for name, value in run.parameters.items())
    head = f"{GLYPHS[record.state]} {record.name}: {record.state}"
    head += f" in {lasted(run.duration)}" if record.started else ""
    lines = [f"{head}, run {record.id[:8]}{', ' if given else ''}{given}"]
    rows = []
    for step in record.steps:
        took = lasted(step.ended - step.started) if step.ended and step.started and step.state != "reused" else ""
        left = "; ".join(f"{one.name}: {one.summary or one.type}" for one in step.outputs)
        rows.append((GLYPHS[step.state], step.name, step.state, took, step.error or step.waiting or left))
    lines += aligned(rows)
    return "\n".join([*lines, *([record.error] if record.error and not any(row[4] for row in rows) else [])])


def describe_runs(runs: Runs) -> str:
    """A line for each of the newest."""
    rows = []
    for run, _ in zip(runs, range(SHOWN), strict=False):
        given = ", ".join(f"{name} = {plain(value)}" for name, value in run.parameters.items())
        record = run.record
        short = (GLYPHS[record.state], record.id[:8], record.name, moment(record.started), lasted(run.duration))
        rows.append((*short, record.state, given))
    if not rows:
        return "no run on record fits"
    total = len(runs)
    more = [f"{len(rows):,} of {total:,} runs"] if total > len(rows) else []
    return "\n".join([*aligned(rows), *more])


def describe_trend(trend: Trend) -> str:
    """Its last values."""
    if not trend.points:
        return f"{trend.name} is not on record for any run; there are trends of {', '.join(trend.known)}"
    rows = [(moment(point.moment), point.run[:8], plain(point.value)) for point in trend.points[-SHOWN:]]
    return "\n".join([f"{trend.name} of {len(trend.points):,} runs", *aligned(rows)])


def describe_comparison(found: RunComparison) -> str:
    """What differs."""
    lines = [f"run {found.first.id[:8]} ({found.first.state}) against run {found.second.id[:8]} ({found.second.state})"]
    lines += _different("parameters", found.parameters) + _different("numbers", found.metrics)
    rows = [(f"  {one.name}", one.status, one.detail) for one in found.values if one.status != "same"]
    lines += ["values", *aligned(rows)] if rows else []
    lines += [f"cell {one.cell} put out something else" for one in found.outputs]
    for cell in found.cells:
        lines += [f"cell {cell.after or cell.before} {cell.kind}: {cell.first_line}", *cell.lines[:20]]
    return "\n".join(lines if len(lines) > 1 else [*lines, "nothing differs but times"])


def _different(title: str, pairs: Iterable[Pair]) -> list[str]:
    rows = [(f"  {one.name}", plain(one.first), plain(one.second)) for one in pairs if not one.is_same]
    return [title, *aligned(rows)] if rows else []


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of columns."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]) - 1)] if rows else []
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), _line(row[-1])]).rstrip()
        for row in rows
    ]


def _line(given: str) -> str:
    line = " ".join(given.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} …"
