"""Many runs: one line for each, a sign for each step, how long they took."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from jupyter_pipelines.results.showing.html import framed, lasted, moment, plain, state, table, text
from jupyter_pipelines.results.showing.words import GLYPHS

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.model import RunRecord, StepRecord
    from jupyter_pipelines.results.run import Run
    from jupyter_pipelines.results.runs import Runs

SHOWN = 20
MOST_STEPS = 40
LONGEST_VALUE = 24
MOST_COLUMNS = 10  # steps that have a column each
LONGEST_STEP = 14  # characters of a step's name above its column
SPARK = (56, 14)  # pixels


def runs_html(runs: Runs) -> str:
    """The newest of them."""
    found = [run for run, _ in zip(runs, range(SHOWN), strict=False)]
    if not found:
        return framed('<p class="muted">No run on record fits.</p>')
    total = len(runs)
    more = f'<p class="muted">{len(found):,} of {total:,} runs</p>' if total > len(found) else ""
    return framed(runs_table(found), more)


def runs_table(found: Sequence[Run]) -> str:
    """A table of runs: with a column for each step, where they have few and much the same."""
    several = len({run.pipeline for run in found}) > 1
    steps = [] if several else _common_steps(found)
    longest = max((_seconds(run.record) for run in found), default=0.0)
    rows = []
    for run in found:
        record = run.record
        rows.append(
            (
                f"<code>{text(record.id[:8])}</code>",
                *([text(record.name)] if several else []),
                text(moment(record.started)),
                f"{_bar(_seconds(record), longest)}{text(lasted(run.duration))}",
                state(record.state),
                *([_cell(record, step) for step in steps] if steps else [steps_of(record)]),
                _given(run),
            )
        )
    front = ["run", *(["pipeline"] if several else []), "started", "time", "state"]
    lines = [_sparkline(found, step) for step in steps]
    names = [step if len(step) <= LONGEST_STEP else f"{step[: LONGEST_STEP - 1]}…" for step in steps]
    heads = [*front, *(names or ["steps"]), "parameters"]
    below = [*[""] * len(front), *(lines or [""]), ""]
    return f'<div class="rows runs">{table(heads, rows, [front.index("time")], below=below)}</div>'


def _common_steps(found: Sequence[Run]) -> list[str]:
    """The steps of these runs, in order; none where they are too many to have a column each."""
    steps = list(dict.fromkeys(step.name for run in found for step in run.record.steps))
    return steps if len(steps) <= MOST_COLUMNS else []


def _cell(record: RunRecord, name: str) -> str:
    """How a step went in one run, and how long it took."""
    step = next((one for one in record.steps if one.name == name), None)
    if step is None:
        return ""
    took = _took(step)
    return (
        f'<span class="{escape(step.state)}" title="{escape(name)}: {escape(step.state)}">'
        f"{GLYPHS.get(step.state, '')}</span>{f' {text(lasted(took))}' if took is not None else ''}"
    )


def _took(step: StepRecord) -> float | None:
    return step.ended - step.started if step.ended and step.started and step.state != "reused" else None


def _sparkline(found: Sequence[Run], name: str) -> str:
    """How long a step took in these runs, the oldest first: a bar for each in which it ran."""
    records = [run.record for run in reversed(found)]
    taken = [_took(step) for record in records for step in record.steps if step.name == name]
    lengths = [one for one in taken if one is not None]
    if len(lengths) < 2:
        return ""
    wide, most = SPARK[0] / len(lengths), max(lengths) or 1.0
    bars = "".join(
        f'<rect x="{at * wide:.1f}" y="{SPARK[1] * (1 - one / most):.1f}" width="{max(wide - 1, 1):.1f}" '
        f'height="{max(SPARK[1] * one / most, 1):.1f}"/>'
        for at, one in enumerate(lengths)
    )
    told = f"{name} took {lasted(min(lengths))} to {lasted(most)}, the oldest run first"
    return (
        f'<svg width="{SPARK[0]}" height="{SPARK[1]}" viewBox="0 0 {SPARK[0]} {SPARK[1]}" fill="currentColor" '
        f'opacity=".45" role="img" aria-label="{text(told)}"><title>{text(told)}</title>{bars}</svg>'
    )


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
        f'<svg width="50" height="8" style="display:inline-block;max-width:none;margin-right:6px" aria-hidden="true">'
        f'<rect x="0" y="0" width="{width:.0f}" height="8" rx="2" fill="currentColor" opacity=".35"/></svg>'
    )
