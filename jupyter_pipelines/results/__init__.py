"""Pipelines and runs as objects, for people who read results in a notebook.

:func:`pipeline` and :func:`runs` are where one begins. What they give asks the rooms below for plain data, such as
:class:`~jupyter_pipelines.orchestration.model.RunRecord`, which programs use as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_pipelines.lazy import lazy_names

if TYPE_CHECKING:
    from jupyter_pipelines.results.comparison import RunComparison, compare
    from jupyter_pipelines.results.pipeline import NotebookPipeline, pipeline
    from jupyter_pipelines.results.run import Run
    from jupyter_pipelines.results.runs import Runs, runs
    from jupyter_pipelines.results.trends import Trend

__all__ = ["NotebookPipeline", "Run", "RunComparison", "Runs", "Trend", "compare", "pipeline", "runs"]

__getattr__ = lazy_names(
    __name__,
    {
        **dict.fromkeys(("RunComparison", "compare"), f"{__name__}.comparison"),
        **dict.fromkeys(("NotebookPipeline", "pipeline"), f"{__name__}.pipeline"),
        "Run": f"{__name__}.run",
        **dict.fromkeys(("Runs", "runs"), f"{__name__}.runs"),
        "Trend": f"{__name__}.trends",
    },
)
