"""What a notebook means as a pipeline: names, order, the graph. Pure: no I/O, nothing is run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from jupyter_pipelines.graph.compile import compile_pipeline
from jupyter_pipelines.graph.digests import step_digests
from jupyter_pipelines.graph.explain import ancestors, explain
from jupyter_pipelines.graph.to_json import to_json

if TYPE_CHECKING:
    from jupyter_pipelines.graph.fixes import check
    from jupyter_pipelines.graph.model import Pipeline
    from jupyter_pipelines.graph.suggestion import suggest

__all__ = ["ancestors", "check", "compile_pipeline", "explain", "render", "step_digests", "suggest", "to_json"]


def render(pipeline: Pipeline, format: Literal["text", "mermaid", "svg", "json"] = "text") -> str:  # noqa: A002
    """The graph as text for a terminal, Mermaid, SVG or JSON. Raises :class:`ValueError` for another format."""
    if format == "text":
        from jupyter_pipelines.graph.render_text import render_text

        return render_text(pipeline)
    if format == "mermaid":
        from jupyter_pipelines.graph.render_mermaid import render_mermaid

        return render_mermaid(pipeline)
    if format == "svg":
        from jupyter_pipelines.graph.render_svg import render_svg

        return render_svg(pipeline)
    if format == "json":
        import json

        return json.dumps(to_json(pipeline), indent=2, ensure_ascii=False) + "\n"
    raise ValueError(f"unknown format {format!r}: use text, mermaid, svg or json")


def __getattr__(name: str) -> object:
    if name == "check":
        from jupyter_pipelines.graph.fixes import check

        return check
    if name == "suggest":  # reads and rewrites notebooks, which most users of the graph never do
        from jupyter_pipelines.graph.suggestion import suggest

        return suggest
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
