"""One run: its graph, its steps, what failed and how to go on."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from jupyter_pipelines.errors import PipelinesError
from jupyter_pipelines.results.run import GOING_ON
from jupyter_pipelines.results.showing.graph import graph_svg
from jupyter_pipelines.results.showing.html import framed, lasted, moment, plain, state, table, text
from jupyter_pipelines.results.showing.sql import checks_table

if TYPE_CHECKING:
    from jupyter_pipelines.graph.model import Pipeline
    from jupyter_pipelines.orchestration.model import RunRecord, StepRecord, TableRecord
    from jupyter_pipelines.results.run import Run

MOST_STEPS = 200
MOST_METRICS = 12


def run_html(run: Run, graph: Pipeline | None = None) -> str:
    """The run as it is now; ``graph`` is its pipeline where that is known."""
    return framed(*run_parts(run, graph or graph_of(run)))


def run_parts(run: Run, graph: Pipeline | None, expected: Mapping[str, float] | None = None) -> list[str]:
    """What there is to see of it. ``expected`` is how long steps usually take, in seconds."""
    record = run.record
    states = {step.name: step.state for step in record.steps}
    parts = [_head(run), graph_svg(graph, states) if graph is not None else "", _steps(record, expected or {})]
    if metrics := _metrics(run):
        parts.append(metrics)
    parts += _tables(record)
    parts += [
        failure for step in record.steps if step.state not in {"skipped", "cancelled"} and (failure := _failure(step))
    ]
    if record.error and not any(step.error for step in record.steps):
        parts.append(f'<p class="failed">{text(record.error)}</p>')
    if record.state in {"failed", "crashed", "cancelled"}:
        short = text(record.id[:8])
        parts.append(
            f'<p class="muted">Reproduce it: <code>%pipeline debug {short}</code> · go on from there: '
            f"<code>jupyter pipelines resume {short}</code></p>"
        )
    return parts


def _head(run: Run) -> str:
    record = run.record
    given = ", ".join(f"{name} = {plain(value)}" for name, value in run.parameters.items())
    about = [f"run {record.id[:8]}", f"started {moment(record.started)}" if record.started else "not started"]
    about += [lasted(run.duration)] if record.started else []
    about += [f"as it was at {moment(time.time())}"] if record.state in GOING_ON else []
    about += [given] if given else []
    waiting = f" waits for {text(record.waiting)}" if record.waiting else ""
    return (
        f"<div><strong>{text(record.name)}</strong> {state(record.state)}{waiting} "
        f'<span class="muted">{text(" · ".join(about))}</span></div>'
    )


def _steps(record: RunRecord, expected: Mapping[str, float]) -> str:
    rows = []
    for step in record.steps[:MOST_STEPS]:
        took = step.ended - step.started if step.ended and step.started and step.state != "reused" else None
        usual = expected.get(step.name)
        left = "; ".join(f"{one.name}: {one.summary or one.type}" for one in step.outputs[:6])
        left += " …" if len(step.outputs) > 6 else ""
        time_text = lasted(took) if took is not None else _bar(step, usual)
        rows.append((text(step.name), state(step.state), time_text, text(lasted(usual)), text(step.waiting or left)))
    more = len(record.steps) - len(rows)
    if not any(row[3] for row in rows):
        shown = table(("step", "state", "time", "left"), [row[:3] + row[4:] for row in rows], [2])
    else:
        shown = table(("step", "state", "time", "usually", "left"), rows, [2, 3])
    return shown + (f'<p class="muted">and {more:,} more steps</p>' if more > 0 else "")


def _bar(step: StepRecord, usual: float | None) -> str:
    """How far a step that goes on may be, by how long it usually takes."""
    if step.state != "running" or not step.started:
        return ""
    so_far = time.time() - step.started
    if not usual:
        return text(lasted(so_far))
    share = min(0.99, so_far / usual)
    return f'<progress value="{share:.2f}" aria-label="{share:.0%}"></progress> {text(lasted(so_far))}'


def _metrics(run: Run) -> str:
    found = list(run.metrics.items())
    shown = ", ".join(f"{text(name)} <strong>{text(plain(value))}</strong>" for name, value in found[:MOST_METRICS])
    more = f" and {len(found) - MOST_METRICS} more" if len(found) > MOST_METRICS else ""
    return f"<p>{shown}{more}</p>" if found else ""


def _tables(record: RunRecord) -> list[str]:
    """The tables that were built, and the checks: those that have not passed, and how many have."""
    built = [
        (text(one.table), text(one.materialize), text(plain(one.rows)), text(_difference(one)))
        for step in record.steps
        for one in step.tables[:MOST_STEPS]
    ]
    parts = [table(("table", "", "rows", ""), built, [2])] if built else []
    checks = [one for step in record.steps for one in step.checks]
    if checks:
        passed = sum(one.status == "passed" for one in checks)
        parts.append(f"<p>{passed} of {len(checks)} checks passed</p>")
        told = [one for one in checks if one.status != "passed"]
        parts.append(checks_table(told[:MOST_STEPS], with_tables=True) if told else "")
    return parts


def _difference(built: TableRecord) -> str:
    counted = {"added": built.added, "changed": built.changed, "removed": built.removed}
    return ", ".join(f"{number:,} {what}" for what, number in counted.items() if number)


def _failure(step: StepRecord) -> str:
    if not step.error:
        return ""
    place = f" in cell {step.error_cell}" if step.error_cell else ""
    line = f": <code>{text(step.error_first_line)}</code>" if step.error_first_line else ""
    fix = f"<p>What to do: {text(step.fix)}</p>" if step.fix else ""
    return f"<h4>{text(step.name)} {state(step.state)}{place}{line}</h4><pre>{text(step.error, 4_000)}</pre>{fix}"


def graph_of(run: Run) -> Pipeline | None:
    """The pipeline that ran; ``None`` when what ran was cleaned away."""
    try:
        return run.graph()
    except PipelinesError:
        return None
