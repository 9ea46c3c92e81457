"""Runs as widgets: live while something goes on, and HTML for whoever reads the saved notebook.

>>> from jupyter_pipelines import widgets
>>> widgets.show_run(jp.runs("flights.ipynb")[0])   # the graph, progress, log, cancel
>>> widgets.show_history("flights.ipynb")           # filters; pick two and compare them
>>> widgets.show_trends("flights.ipynb")            # metrics, durations and row counts over runs
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_pipelines.lazy import lazy_names

if TYPE_CHECKING:
    from jupyter_pipelines.widgets.history import HistoryView, show_history
    from jupyter_pipelines.widgets.run import RunView, show_run
    from jupyter_pipelines.widgets.trends import TrendsView, show_trends

__all__ = ["HistoryView", "RunView", "TrendsView", "show_history", "show_run", "show_trends"]

__getattr__ = lazy_names(
    __name__,
    {
        **dict.fromkeys(("HistoryView", "show_history"), f"{__name__}.history"),
        **dict.fromkeys(("RunView", "show_run"), f"{__name__}.run"),
        **dict.fromkeys(("TrendsView", "show_trends"), f"{__name__}.trends"),
    },
)
