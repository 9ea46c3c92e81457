"""Names, order and the graph: what a notebook means as a pipeline. Pure, no I/O."""

from __future__ import annotations

from jupyter_pipelines.graph.compile import compile_pipeline
from jupyter_pipelines.graph.suggest import Suggestion, suggest

__all__ = ["Suggestion", "compile_pipeline", "suggest"]
