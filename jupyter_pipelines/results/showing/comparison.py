"""Two runs beside each other: what differs first, and what is the same in a line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from jupyter_pipelines.results.showing.html import framed, lasted, moment, plain, state, table, text

if TYPE_CHECKING:
    from jupyter_pipelines.results.comparison import Pair, RunComparison
    from jupyter_pipelines.results.outputs import Output, OutputPair
    from jupyter_pipelines.results.run import Run

_STATUS = {
    "same": "the same",
    "different": "different",
    "only-first": "only here",
    "only-second": "only there",
    "not-compared": "not compared",
}
MOST_LINES = 400
MOST_OUTPUT_LINES = 30
MOST_OUTPUTS = 20  # cells whose outputs are shown
MOST_IMAGE_BYTES = 4_000_000  # of all figures together, as base64


def comparison_html(found: RunComparison) -> str:
    """Every part that has something to tell."""
    heads = ("", f"run {found.first.id[:8]}", f"run {found.second.id[:8]}")
    parts = [table(heads, _about(found.first, found.second))]
    parts.append(_pairs("Parameters", found.parameters, heads))
    parts.append(_pairs("Numbers", found.metrics, heads, change=True))
    parts.append(_values(found, heads))
    lengths = [
        (text(one.name), text(lasted(one.first)), text(lasted(one.second)), text(_times(one)))
        for one in found.durations
    ]
    parts.append("<h4>Durations</h4>" + table((*heads, "change"), lengths, [1, 2, 3]) if lengths else "")
    parts.append(_outputs(found.outputs, heads))
    parts.append(_cells(found))
    return framed(*parts)


def _about(*runs: Run) -> Iterable[Sequence[str]]:
    yield "state", *(state(run.state) for run in runs)
    yield "started", *(text(moment(run.record.started)) for run in runs)
    yield "time", *(text(lasted(run.duration)) for run in runs)


def _pairs(title: str, pairs: Sequence[Pair], heads: Sequence[str], *, change: bool = False) -> str:
    differ = [pair for pair in pairs if not pair.is_same]
    if not pairs:
        return ""
    same = ", ".join(pair.name for pair in pairs if pair.is_same)
    rows = [
        (
            text(pair.name),
            text(plain(pair.first)),
            text(plain(pair.second)),
            text(_change(pair)) if change else "",
        )
        for pair in differ
    ]
    shown = table((*heads, "change") if change else heads, [row if change else row[:3] for row in rows]) if rows else ""
    rest = f'<p class="muted">The same: {text(same)}</p>' if same else ""
    return f"<h4>{title}</h4>{shown}{rest}"


def _change(pair: Pair) -> str:
    if isinstance(pair.first, int | float) and isinstance(pair.second, int | float):
        change = pair.second - pair.first
        return f"{int(change):+,}" if float(change).is_integer() and abs(change) < 1e12 else f"{change:+.4g}"
    return ""


def _times(pair: Pair) -> str:
    if not pair.first or not pair.second:
        return ""
    return f"{pair.second / pair.first - 1:+.0%}"


def _values(found: RunComparison, heads: Sequence[str]) -> str:
    if not found.values:
        return ""
    differ = [one for one in found.values if one.status != "same"]
    rows = [
        (
            text(one.name),
            text(one.first),
            text(one.second),
            f"{_STATUS[one.status]}{': ' if one.detail else ''}{text(one.detail)}",
        )
        for one in differ
    ]
    same = ", ".join(one.name for one in found.values if one.status == "same")
    shown = table((*heads, "difference"), rows) if rows else ""
    rest = f'<p class="muted">The same: {text(same)}</p>' if same else ""
    return f"<h4>Values</h4>{shown}{rest}"


def _outputs(pairs: Sequence[OutputPair], heads: Sequence[str]) -> str:
    """Both side by side, figures too, as far as a page can hold them."""
    if not pairs:
        return ""
    both = "".join(f'<div class="muted">{text(head)}</div>' for head in heads[1:])
    parts, left = [f'<h4>Outputs</h4><div class="pair">{both}</div>'], MOST_IMAGE_BYTES
    for pair in pairs[:MOST_OUTPUTS]:
        sides = []
        for outputs in (pair.first, pair.second):
            shown = []
            for one in outputs:
                left -= len(one.content) if one.kind == "image" else 0
                shown.append(_output(one, fits=left > 0))
            sides.append(f"<div>{''.join(shown) or '<span class=muted>nothing</span>'}</div>")
        step = f' <span class="muted">{text(pair.step)}</span>' if pair.step else ""
        parts.append(f'<p>cell {pair.cell}{step}</p><div class="pair">{"".join(sides)}</div>')
    more = len(pairs) - MOST_OUTPUTS
    parts += [f'<p class="muted">and of {more:,} more cells</p>'] if more > 0 else []
    return "".join(parts)


def _output(one: Output, *, fits: bool) -> str:
    if one.kind == "image":
        if not fits:
            return '<p class="muted">a large figure</p>'
        return f'<img alt="a figure" src="data:{text(one.mime)};base64,{text(one.content, len(one.content))}">'
    lines = one.content.splitlines()
    shown = "\n".join(lines[:MOST_OUTPUT_LINES]) + ("\n…" if len(lines) > MOST_OUTPUT_LINES else "")
    return f"<pre{' class=failed' if one.kind == 'error' else ''}>{text(shown, 2_000)}</pre>"


def _cells(found: RunComparison) -> str:
    if not found.cells:
        told = "The same notebook ran."
        if found.first.record.version != found.second.record.version:
            told = "The notebooks that ran do not differ in their cells, or are not kept any more."
        return f'<h4>Notebook</h4><p class="muted">{told}</p>'
    parts, lines = [], 0
    for cell in found.cells:
        number = cell.after or cell.before
        lines += len(cell.lines)
        if lines > MOST_LINES:
            parts.append('<p class="muted">and more</p>')
            break
        body = "\n".join(cell.lines) + "".join(f"\n{one.name}: {one.before} → {one.after}" for one in cell.marks)
        told = "\n".join(text(line) for line in body.splitlines())
        shown = f"<pre>{told}</pre>" if told else ""
        parts.append(f"<p>cell {number} {cell.kind}: <code>{text(cell.first_line)}</code></p>{shown}")
    return "<h4>Notebook</h4>" + "".join(parts)
