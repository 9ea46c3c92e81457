"""The graph of a run, each step in its state."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from jupyter_pipelines.graph.layout import layout
from jupyter_pipelines.graph.model import Pipeline
from jupyter_pipelines.results.showing.words import GLYPHS

HEIGHT, GAP_X, GAP_Y, CHARACTER = 26, 18, 22, 7.2
MOST = 80  # steps; more are a list


def graph_svg(pipeline: Pipeline, states: Mapping[str, str]) -> str:
    """An inline picture in the colours of the page around it; ``""`` for a graph that no picture helps with."""
    if not 1 < len(pipeline.steps) <= MOST:
        return ""
    arrangement = layout(pipeline)
    labels = {step.name: f"{GLYPHS.get(states.get(step.name, ''), '·')} {_short(step.name)}" for step in pipeline.steps}
    widths = {name: len(label) * CHARACTER + 20 for name, label in labels.items()}
    rows = [sum(widths[name] for name in row) + GAP_X * (len(row) - 1) for row in arrangement.levels]
    width, height = max(rows) + 2, len(rows) * (HEIGHT + GAP_Y) - GAP_Y + 2
    middle: dict[str, tuple[float, float]] = {}
    for level, (row, row_width) in enumerate(zip(arrangement.levels, rows, strict=True)):
        left = (width - row_width) / 2
        for name in row:
            middle[name] = (left + widths[name] / 2, 1 + level * (HEIGHT + GAP_Y) + HEIGHT / 2)
            left += widths[name] + GAP_X
    parts = []
    for source, target in arrangement.links:
        (x1, y1), (x2, y2) = middle[source], middle[target]
        y1, y2 = y1 + HEIGHT / 2, y2 - HEIGHT / 2
        bend = (y1 + y2) / 2
        path = f"M{x1:.0f} {y1:.0f}C{x1:.0f} {bend:.0f} {x2:.0f} {bend:.0f} {x2:.0f} {y2:.0f}"
        parts.append(f'<path d="{path}" fill="none" stroke="currentColor" opacity=".45"/>')
    for name, (x, y) in middle.items():
        state = states.get(name, "pending")
        parts.append(
            f'<g class="{escape(state)}"><title>{escape(name)}: {escape(state)}</title>'
            f'<rect x="{x - widths[name] / 2:.0f}" y="{y - HEIGHT / 2:.0f}" width="{widths[name]:.0f}" '
            f'height="{HEIGHT}" rx="6" fill="currentColor" fill-opacity=".08" stroke="currentColor"/>'
            f'<text x="{x:.0f}" y="{y + 4:.0f}" text-anchor="middle">{escape(labels[name])}</text></g>'
        )
    told = ", ".join(f"{name} {states.get(name, 'pending')}" for name in middle)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'role="img" aria-label="{escape(told[:500])}">{"".join(parts)}</svg>'
    )


def _short(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:23]}…"
