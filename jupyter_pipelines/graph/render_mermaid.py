"""The graph as a Mermaid flowchart, for READMEs and merge requests."""

from __future__ import annotations

from jupyter_pipelines.graph.model import Edge, EdgeKind, Pipeline


def render_mermaid(pipeline: Pipeline) -> str:
    """One node per step; arrows carry the names of what is passed on, dashed where nothing but order matters."""
    ids = {step.name: f"s{position}" for position, step in enumerate(pipeline.steps)}
    lines = ["flowchart TD", *(f'  {ids[step.name]}["{_escape(step.name)}"]' for step in pipeline.steps)]
    grouped: dict[tuple[str, str], list[Edge]] = {}
    for edge in pipeline.edges:
        if edge.source in ids and edge.target in ids:
            grouped.setdefault((edge.source, edge.target), []).append(edge)
    for (source, target), edges in grouped.items():
        names = [_escape(edge.name) for edge in edges if edge.kind is not EdgeKind.ORDER]
        label = ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
        arrow = "-->" if any(edge.kind.passes_on for edge in edges) else "-.->"
        lines.append(
            f'  {ids[source]} {arrow}|"{label}"| {ids[target]}' if label else f"  {ids[source]} {arrow} {ids[target]}"
        )
    return "\n".join(lines) + "\n"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
