"""One run, followed while it goes on: its graph, progress, log, and a button that cancels it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

from jupyter_pipelines.errors import PipelinesError
from jupyter_pipelines.results.run import GOING_ON, Run
from jupyter_pipelines.results.showing.html import framed, text
from jupyter_pipelines.results.showing.run import graph_of, run_html, run_parts
from jupyter_pipelines.results.showing.text import describe_run
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store
from jupyter_pipelines.store.run_index import RunIndex
from jupyter_pipelines.widgets.view import View, told

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.model import RunRecord

LOOK: Final = 0.4  # seconds between two looks at a run that goes on
TICK: Final = 1.0  # seconds after which times are written anew
LOG_LINES: Final = 40


def show_run(run: Run | str) -> RunView:
    """A view of a run, or of the one with this id."""
    from jupyter_pipelines.orchestration.history import get_run

    return RunView(run if isinstance(run, Run) else Run(get_run(run)))


class RunView(View):
    """A view of one run. What was displayed while it went on becomes plain HTML when it ends."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._graph = graph_of(run)
        self._expected = _usual(run)
        self._box: Any = None
        self._follower: threading.Thread | None = None

    def html(self) -> str:
        return run_html(self.run, self._graph)

    def text(self) -> str:
        return describe_run(self.run)

    def widget(self) -> Any:
        if self.run.state not in GOING_ON:
            return None
        if self._box is None:
            self._box = self._made()
        return self._box

    def wait(self) -> Run:
        """Wait for the end of the run, and until it is shown."""
        run = self.run.wait()
        if self._follower is not None:
            self._follower.join()
        return run

    def _ipython_display_(self) -> None:
        from IPython.display import display

        live = self.widget() is not None
        handle: Any = display(self._repr_mimebundle_(), raw=True, display_id=True)  # type: ignore[no-untyped-call]
        if live:
            self._follower = threading.Thread(
                target=self._follow, args=(handle,), name="pipelines-run-view", daemon=True
            )
            self._follower.start()

    def _made(self) -> Any:
        import ipywidgets

        self._picture = ipywidgets.HTML()
        self._log = ipywidgets.HTML(layout={"display": "none"})
        self._cancel = ipywidgets.Button(description="Cancel", icon="stop", tooltip="Stop the run and all it started")
        self._cancel.on_click(self._on_cancel)
        self._show_log = ipywidgets.ToggleButton(description="Log", icon="align-left", tooltip="What its cells print")
        self._show_log.observe(self._on_log, "value")
        self._told = ipywidgets.HTML()
        buttons = ipywidgets.HBox([self._cancel, self._show_log, self._told])
        self._draw()
        return ipywidgets.VBox([self._picture, buttons, self._log])

    def _follow(self, handle: Any) -> None:
        """Draw what changes, until the run has ended; then leave its end behind as HTML."""
        drawn: RunRecord | None = None
        last = 0.0
        while self.run.state in GOING_ON:
            record = self.run.record
            if record is not drawn or time.monotonic() - last > TICK:
                drawn, last = record, time.monotonic()
                self._draw()
            time.sleep(LOOK)
        self._draw()
        if handle is not None:
            handle.update({"text/plain": self.text(), "text/html": self.html()}, raw=True)
        for one in (*self._box.children, self._box):
            one.close()

    def _draw(self) -> None:
        self._picture.value = framed(*run_parts(self.run, self._graph, self._expected))
        if self._show_log.value:
            lines = self.run.logs().splitlines()[-LOG_LINES:]
            self._log.value = framed(f"<pre>{text(chr(10).join(lines), 8_000)}</pre>")

    def _on_log(self, change: Any) -> None:
        self._log.layout.display = "block" if change["new"] else "none"
        self._draw()

    def _on_cancel(self, _: object) -> None:
        self._cancel.disabled = True
        self._told.value = framed('<span class="muted">Cancelling …</span>')
        threading.Thread(target=self._cancel_run, name="pipelines-cancel", daemon=True).start()

    def _cancel_run(self) -> None:
        from jupyter_pipelines.orchestration.submission import cancel

        try:
            cancel(self.run.id)
        except PipelinesError as error:
            self._told.value = told(error)
            self._cancel.disabled = False


def _usual(run: Run) -> dict[str, float]:
    return RunIndex(Store(Settings.load().store).root).usual_seconds(run.pipeline)
