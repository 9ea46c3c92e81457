"""The history of a pipeline: chosen by state, time and parameter, page by page; two of its runs compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from jupyter_pipelines.errors import PipelinesError, RequestError
from jupyter_pipelines.results.run import Run
from jupyter_pipelines.results.runs import STATES, Runs, runs
from jupyter_pipelines.results.showing.html import VIEW, framed, moment
from jupyter_pipelines.results.showing.runs import runs_html, runs_table
from jupyter_pipelines.results.showing.text import describe_runs
from jupyter_pipelines.results.showing.words import GLYPHS
from jupyter_pipelines.widgets.view import View, told

PAGE: Final = 20
_SINCE: Final = {
    "any time": "",
    "last 24 hours": "24h",
    "last 7 days": "7d",
    "last 30 days": "30d",
    "last year": "365d",
}


def show_history(pipeline: Path | str | None = None, **filters: Any) -> HistoryView:
    """A view of the runs that :func:`jupyter_pipelines.runs` gives for the same arguments."""
    return HistoryView(pipeline, filters)


class HistoryView(View):
    """Runs, newest first, twenty at a time: no more than that is read, or sent to the browser."""

    def __init__(self, pipeline: Path | str | None, filters: Mapping[str, Any]) -> None:
        self._pipeline = pipeline
        self._filters = dict(filters)
        self._page = 0
        self._box: Any = None
        self.runs: Runs = runs(pipeline, **self._filters)

    def html(self) -> str:
        return runs_html(self.runs)

    def text(self) -> str:
        return describe_runs(self.runs)

    def widget(self) -> Any:
        if self._box is None:
            self._box = self._made()
        return self._box

    def _made(self) -> Any:
        import ipywidgets

        narrow = {"width": "150px"}
        self._state = ipywidgets.Dropdown(
            options=[("any state", ""), *((state, state) for state in STATES)],
            value=self._filters.get("state") if self._filters.get("state") in STATES else "",
            layout=narrow,
        )
        self._since = ipywidgets.Dropdown(options=list(_SINCE.items()), layout=narrow)
        self._given = ipywidgets.Text(placeholder="parameter=value", continuous_update=False, layout=narrow)
        self._until = ipywidgets.DatePicker(tooltip="up to this day", layout=narrow)
        for one in (self._state, self._since, self._until, self._given):
            one.observe(self._chosen, "value")
        self._newer = self._button("Newer", lambda _: self._turn(-1))
        self._older = self._button("Older", lambda _: self._turn(1))
        self._table = ipywidgets.HTML()
        self._first = ipywidgets.Dropdown(layout={"width": "220px"})
        self._second = ipywidgets.Dropdown(layout={"width": "220px"})
        self._compare = self._button("Compare", self._compared)
        self._comparison = ipywidgets.HTML()
        self._told = ipywidgets.HTML()
        self._draw()
        until = ipywidgets.HBox([ipywidgets.Label("up to"), self._until])
        return ipywidgets.VBox(
            [
                ipywidgets.HBox(
                    [self._state, self._since, until, self._given, self._newer, self._older, self._told],
                    layout={"flex_flow": "row wrap"},
                ),
                self._table,
                ipywidgets.HBox([self._first, self._second, self._compare]),
                self._comparison,
            ]
        ).add_class(VIEW)

    def _button(self, name: str, pressed: Callable[[object], None]) -> Any:
        import ipywidgets

        made = ipywidgets.Button(description=name, layout={"width": "90px"})
        made.on_click(pressed)
        return made

    def _chosen(self, _: object) -> None:
        self._page = 0
        try:
            self.runs = runs(self._pipeline, **self._filters | self._wanted())
        except PipelinesError as error:
            self._told.value = told(error)
            return
        self._draw()

    def _wanted(self) -> dict[str, Any]:
        wanted: dict[str, Any] = {"state": self._state.value} if self._state.value else {}
        wanted |= {"since": self._since.value} if self._since.value else {}
        wanted |= {"until": self._until.value + timedelta(days=1)} if self._until.value else {}
        name, equals, value = self._given.value.partition("=")
        if self._given.value.strip() and not (equals and name.strip()):
            raise RequestError(f"{self._given.value.strip()!r} is no parameter with its value.", "Write NAME=VALUE.")
        if equals:
            wanted["parameters"] = {**self._filters.get("parameters", {}), name.strip(): read_value(value.strip())}
        return wanted

    def _turn(self, by: int) -> None:
        self._page = max(0, self._page + by)
        self._draw()

    def _draw(self) -> None:
        start = self._page * PAGE
        total = len(self.runs)
        found: list[Run] = self.runs[start : start + PAGE]
        self._table.value = framed(runs_table(found)) if found else runs_html(self.runs)
        last = start + len(found)
        told = f"{start + 1:,}–{last:,} of {total:,}" if found else ""
        self._told.value = f"<span style='white-space: nowrap'>{told}</span>"
        self._newer.disabled, self._older.disabled = self._page == 0, last >= total
        options = [(f"{run.id[:8]} {GLYPHS[run.state]} {moment(run.record.started)}", run.id) for run in found]
        for place, dropdown in enumerate((self._second, self._first)):
            dropdown.options = options
            dropdown.value = options[min(place, len(options) - 1)][1] if options else None
        self._compare.disabled = len(options) < 2

    def _compared(self, _: object) -> None:
        self._comparison.value = framed('<p class="muted">Comparing …</p>')
        try:
            found = self.runs[self._first.value].compare(self._second.value)
            self._comparison.value = found._repr_html_()
        except PipelinesError as error:
            self._comparison.value = told(error)


def read_value(given: str) -> object:
    """A parameter's value as people type it: JSON where it is JSON, else text."""
    import json

    try:
        return json.loads(given)
    except ValueError:
        return given.strip("'\"")
