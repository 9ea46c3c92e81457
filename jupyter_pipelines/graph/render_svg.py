"""The graph as one self-contained SVG that follows the reader's light or dark theme."""

from __future__ import annotations

from html import escape

from jupyter_pipelines.graph.layout import layout
from jupyter_pipelines.graph.model import Pipeline

_CHARACTER, _HEIGHT, _GAP_X, _GAP_Y, _MARGIN = 7.8, 36, 28, 52, 16  # pixels
_STYLE = """
.node rect { fill: #eef4ff; stroke: #3b6fd4; } .node text { fill: #14284d; } .link { stroke: #6b7a90; fill: none; }
.order { stroke-dasharray: 5 4; } .head { fill: #6b7a90; }
text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; text-anchor: middle; }
@media (prefers-color-scheme: dark) {
.node rect { fill: #1d2a44; stroke: #7ea6f4; } .node text { fill: #e6eefc; } .link { stroke: #93a1b8; }
.head { fill: #93a1b8; } }
"""
_HEAD = """<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
<path class="head" d="M0 0L8 4L0 8z"/></marker></defs>"""


def render_svg(pipeline: Pipeline) -> str:
    """Steps by level, top to bottom; what a step waits for stands above it. Needs nothing but an SVG viewer."""
    arrangement = layout(pipeline)
    widths = {step.name: max(56.0, len(step.name) * _CHARACTER + 24) for step in pipeline.steps}
    rows = [sum(widths[name] for name in row) + _GAP_X * (len(row) - 1) for row in arrangement.levels]
    width = max(rows, default=120.0) + 2 * _MARGIN
    height = max(1, len(rows)) * (_HEIGHT + _GAP_Y) - _GAP_Y + 2 * _MARGIN
    middle: dict[str, tuple[float, float]] = {}
    for level, (row, row_width) in enumerate(zip(arrangement.levels, rows, strict=True)):
        left = (width - row_width) / 2
        for name in row:
            middle[name] = (left + widths[name] / 2, _MARGIN + level * (_HEIGHT + _GAP_Y) + _HEIGHT / 2)
            left += widths[name] + _GAP_X
    values = {(edge.source, edge.target) for edge in pipeline.edges if edge.kind.passes_on}
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
    title = f"<title>{escape(pipeline.document.name)}</title><style>{_STYLE}</style>"
    parts = [f'{opening}height="{height:.0f}" role="img">{title}', _HEAD]
    for source, target in arrangement.links:
        (x1, y1), (x2, y2) = middle[source], middle[target]
        y1, y2 = y1 + _HEIGHT / 2, y2 - _HEIGHT / 2
        bend = (y1 + y2) / 2
        kind = "link" if (source, target) in values else "link order"
        path = f"M{x1:.1f} {y1:.1f}C{x1:.1f} {bend:.1f} {x2:.1f} {bend:.1f} {x2:.1f} {y2:.1f}"
        reasons = "\n".join(e.explain() for e in pipeline.edges if (e.source, e.target) == (source, target))
        parts.append(f'<path class="{kind}" marker-end="url(#head)" d="{path}"><title>{escape(reasons)}</title></path>')
    for name, (x, y) in middle.items():
        box = f'<rect x="{x - widths[name] / 2:.1f}" y="{y - _HEIGHT / 2:.1f}" width="{widths[name]:.1f}" '
        label = f'<text x="{x:.1f}" y="{y + 4.5:.1f}">{escape(name)}</text>'
        parts.append(f'<g class="node">{box}height="{_HEIGHT}" rx="7"/>{label}</g>')
    return "\n".join([*parts, "</svg>", ""])
