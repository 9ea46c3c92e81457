"""The live view of a run on a terminal: one line per step, what runs now with its cell, all of it calm."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from jupyter_pipelines.cli.output import clean, console, duration
from jupyter_pipelines.cli.progress import Progress, RunProgress, StepProgress
from jupyter_pipelines.cli.report import STATES, built, checked, produced

if TYPE_CHECKING:
    from rich.console import RenderableType

    from jupyter_pipelines.graph.model import Pipeline
    from jupyter_pipelines.orchestration.model import RunEvent


class LiveProgress(Progress):
    """Draws the steps in place; the drawing goes away at the end, where the report takes over."""

    def __init__(
        self,
        stream: TextIO,
        pipeline: Pipeline,
        parameters: Mapping[str, object],
        grid: Mapping[str, Sequence[object]],
    ) -> None:
        super().__init__(stream, pipeline, parameters, grid)
        self._console = console(stream)
        self._waiting_for = "starting"
        self._spinner = Spinner("dots", style="cyan")
        self._began = time.time()
        self._live = Live(
            console=self._console,
            get_renderable=self._draw,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        name, _, rest = self.heading().partition(": ")
        self._console.print(Text.assemble((name, "bold"), "  ", (rest, "dim")))
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def __call__(self, event: RunEvent) -> None:
        if event.kind == "service":
            self._waiting_for = event.message
        super().__call__(event)

    def tell(self, text: str) -> None:
        self._console.print(Text(clean(text)))

    def show_graph(self, drawing: str) -> None:
        self._console.print(Text(clean(drawing)), no_wrap=True, overflow="ellipsis")  # a wrapped line breaks it

    def note(self, event: RunEvent) -> None:
        self.update(event)
        if event.kind in {"step-retry", "waiting"}:
            self.tell(f"{event.step}: {event.message}" if event.step else event.message)

    def _draw(self) -> RenderableType:
        with self._lock:
            if not self.runs:
                waited = duration(time.time() - self._began)
                return self._row(self._spinner, Text(""), Text(waited, "dim"), Text("starting", "dim"))
            if self.grid:
                return self._draw_grid()
            return self._draw_steps(next(iter(self.runs.values())))

    def _row(self, *cells: RenderableType) -> Table:
        table = _table()
        table.add_row(*cells)
        return table

    def _draw_steps(self, run: RunProgress) -> Table:
        table = _table()
        steps = list(run.steps.values())
        room = max(self._console.height - 4, 5)
        if len(steps) > room:
            table.add_row("", _counts(run), "", "")
            steps = [step for step in steps if step.state in {"running", "retrying", "failed"}][: room - 1]
        for step in steps:
            table.add_row(*self._step(step))
        return table

    def _step(self, step: StepProgress) -> tuple[RenderableType, Text, Text, Text]:
        name = Text(clean(step.name))
        if step.state == "pending":
            name.stylize("dim")
            return Text("·", "dim"), name, Text(""), Text("")
        if step.state in {"running", "retrying"}:
            passed = Text(duration(time.time() - step.started), "cyan")
            told = f"{step.done}/{step.cells}  {step.cell}" if step.cells > 1 else step.cell
            return self._spinner, name, passed, Text(told, "dim")
        glyph, style = STATES[step.state]
        passed, text = Text(""), Text("")
        if step.record is not None:
            if step.record.started and step.record.ended:
                passed = Text(duration(step.record.ended - step.record.started), "dim")
            left = [*map(produced, step.record.outputs), *map(built, step.record.tables), checked(step.record)]
            text = Text(" · ".join(filter(None, left)), "dim")
        return Text(glyph, style), name, passed, text

    def _draw_grid(self) -> Table:
        table = _table()
        for run in self.runs.values():
            glyph: RenderableType = self._spinner
            if run.finished:
                shown, style = STATES["failed" if run.failed else "completed"]
                glyph = Text(shown, style)
            running = ", ".join(step.name for step in run.steps.values() if step.state == "running")
            table.add_row(glyph, Text(run.label), _counts(run), Text(clean(running), "dim"))
        return table


def _table() -> Table:
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(width=1)
    table.add_column(no_wrap=True, max_width=28)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    return table


def _counts(run: RunProgress) -> Text:
    ended = sum(step.state not in {"pending", "running", "retrying"} for step in run.steps.values())
    return Text(f"{ended} of {len(run.steps)} steps", "dim")
