"""Many runs: one line for each, a sign for each step, how long they took."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from jupyter_pipelines.results.showing.html import framed, lasted, moment, plain, state, table, text
from jupyter_pipelines.results.showing.words import GLYPHS

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.model import RunRecord
    from jupyter_pipelines.results.run import Run
    from jupyter_pipelines.results.runs import Runs

SHOWN = 20
MOST_STEPS = 40
LONGEST_VALUE = 24


def runs_html(runs: Runs) -> str:
    """The newest of them."""
    found = [run for run, _ in zip(runs, range(SHOWN), strict=False)]
    if not found:
        return framed('<p class="muted">No run on record fits.</p>')
    total = len(runs)
    more = f'<p class="muted">{len(found):,} of {total:,} runs</p>' if total > len(found) else ""
    return framed(runs_table(found), more)


def runs_table(found: Sequence[Run]) -> str:
    """A table of runs."""
    longest = max((_seconds(run.record) for run in found), default=0.0)
    rows = []
    for run in found:
        record = run.record
        rows.append(
            (
                f"<code>{text(record.id[:8])}</code>",
                text(record.name),
                text(moment(record.started)),
                f"{_bar(_seconds(record), longest)}{text(lasted(run.duration))}",
                state(record.state),
                steps_of(record),
                _given(run),
            )
        )
    return table(("run", "pipeline", "started", "time", "state", "steps", "parameters"), rows, [3])


def _given(run: Run) -> str:
    """What it was given; long values are whole where the pointer rests."""
    values = {name: plain(value) for name, value in run.parameters.items()}
    whole = ", ".join(f"{name} = {value}" for name, value in values.items())
    brief = ", ".join(
        f"{name} = {value if len(value) <= LONGEST_VALUE else f'{value[: LONGEST_VALUE - 1]}…'}"
        for name, value in values.items()
    )
    return text(whole) if brief == whole else f'<span title="{text(whole)}">{text(brief)}</span>'


def steps_of(record: RunRecord) -> str:
    """A sign for each step."""
    signs = "".join(
        f'<span class="{escape(step.state)}" title="{escape(step.name)}: {escape(step.state)}">'
        f"{GLYPHS.get(step.state, '')}</span>"
        for step in record.steps[:MOST_STEPS]
    )
    return signs + (f"+{len(record.steps) - MOST_STEPS}" if len(record.steps) > MOST_STEPS else "")


def _seconds(record: RunRecord) -> float:
    return record.ended - record.started if record.ended and record.started else 0.0


def _bar(seconds: float, longest: float) -> str:
    """How long a run took beside the others."""
    if not seconds or not longest:
        return ""
    width = max(1.0, 48 * seconds / longest)
    return (
        f'<svg width="50" height="8" style="display:inline-block;margin-right:6px" aria-hidden="true">'
        f'<rect x="0" y="0" width="{width:.0f}" height="8" rx="2" fill="currentColor" opacity=".35"/></svg>'
    )
