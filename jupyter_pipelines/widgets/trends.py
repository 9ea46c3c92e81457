"""Numbers of a pipeline over its runs, one after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_pipelines.results.runs import runs
from jupyter_pipelines.results.showing.html import VIEW
from jupyter_pipelines.results.trends import Trend
from jupyter_pipelines.widgets.view import View


def show_trends(pipeline: Path | str, name: str = "duration", **filters: Any) -> TrendsView:
    """A view of what :meth:`Runs.trend` gives; ``filters`` are those of :func:`jupyter_pipelines.runs`."""
    return TrendsView(pipeline, name, filters)


class TrendsView(View):
    """The trend of one number, and a list of the others to choose from."""

    def __init__(self, pipeline: Path | str, name: str, filters: dict[str, Any]) -> None:
        self._runs = runs(pipeline, **filters)
        self.trend: Trend = self._runs.trend(name)
        self._box: Any = None

    def html(self) -> str:
        return self.trend._repr_html_()

    def text(self) -> str:
        return repr(self.trend)

    def widget(self) -> Any:
        if self._box is None:
            import ipywidgets

            names = list(dict.fromkeys([self.trend.name, *self.trend.known]))
            chosen = ipywidgets.Dropdown(options=names, value=self.trend.name, layout={"width": "260px"})
            self._picture = ipywidgets.HTML(self.html())
            chosen.observe(self._chosen, "value")
            self._box = ipywidgets.VBox([chosen, self._picture]).add_class(VIEW)
        return self._box

    def _chosen(self, change: Any) -> None:
        self.trend = self._runs.trend(change["new"])
        self._picture.value = self.html()
