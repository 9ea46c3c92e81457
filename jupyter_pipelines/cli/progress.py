"""Progress of a run on standard error: a live list of steps on a terminal, one plain line per event in a pipe."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from jupyter_pipelines.cli.output import clean, count, duration, is_terminal
from jupyter_pipelines.notebook.secrecy import HIDDEN

if TYPE_CHECKING:
    from jupyter_pipelines.graph.model import Pipeline
    from jupyter_pipelines.orchestration.model import RunEvent, StepRecord


@dataclass
class StepProgress:
    """Where one step is. ``cell`` is the number of the cell that runs, with its first line."""

    name: str
    cells: int
    state: str = "pending"
    started: float = 0.0
    done: int = 0
    cell: str = ""
    record: StepRecord | None = None


@dataclass
class RunProgress:
    """Where one run is, gathered from its events."""

    label: str
    steps: dict[str, StepProgress]
    started: float = field(default_factory=time.time)
    finished: bool = False
    failed: bool = False


class Progress:
    """Listens to a run's events and tells them as plain lines; :class:`LiveProgress` draws them instead."""

    def __init__(
        self,
        stream: TextIO,
        pipeline: Pipeline,
        parameters: Mapping[str, object],
        grid: Mapping[str, Sequence[object]],
    ) -> None:
        self.stream = stream
        self.pipeline = pipeline
        self.parameters = parameters
        self.grid = grid
        self.runs: dict[str, RunProgress] = {}
        self._lock = threading.RLock()
        self._graph_shown = False

    @property
    def run_ids(self) -> tuple[str, ...]:
        """The runs that have started so far."""
        return tuple(self.runs)

    def __enter__(self) -> Self:
        self.tell(self.heading())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def __call__(self, event: RunEvent) -> None:
        """Take one event; called from any thread."""
        with self._lock:
            if event.kind == "service":
                self.tell(event.message)
            else:
                self._show_graph_once()
                self.note(event)

    def heading(self) -> str:
        """What is going to run: notebook, number of steps, parameters."""
        text = f"{self.pipeline.document.name}: {count(len(self.pipeline.steps), 'step')}"
        if self.grid:
            number = 1
            for values in self.grid.values():
                number *= len(values)
            text += f", {count(number, 'run')}"
        secret = {parameter.name for parameter in self.pipeline.document.parameters if parameter.secret}
        given = ", ".join(f"{name} = {HIDDEN if name in secret else value}" for name, value in self.parameters.items())
        return f"{text}, {given}" if given else text

    def tell(self, text: str) -> None:
        """Print one line."""
        print(clean(text), file=self.stream, flush=True)

    def note(self, event: RunEvent) -> None:
        """Tell what has happened, and remember it."""
        self.update(event)
        run = f"{event.run_id[:8]} " if self.grid else ""
        if text := describe(event):
            self.tell(f"{time.strftime('%H:%M:%S')} {run}{text}")

    def update(self, event: RunEvent) -> None:
        """Bring ``runs`` up to date with ``event``."""
        run = self.runs.get(event.run_id)
        if run is None:
            steps = {step.name: StepProgress(step.name, len(step.cells)) for step in self.pipeline.steps}
            run = self.runs[event.run_id] = RunProgress(event.run_id[:8], steps)
        if event.kind == "run-finished":
            run.finished = True
        step = run.steps.get(event.step)
        if step is None:
            return
        if event.kind == "step-started":
            step.state, step.started, step.done, step.cell = "running", event.time or time.time(), 0, ""
        elif event.kind == "waiting":
            step.cell = event.message
        elif event.kind == "step-retry":
            step.state, step.cell = "retrying", event.message
        elif event.kind == "step-finished" and event.record is not None:
            step.state, step.record = event.record.state, event.record
            run.failed |= event.record.state not in {"completed", "reused", "skipped"}
        elif event.kind == "cell" and event.cell is not None and event.cell.cell is not None:
            cell = self.pipeline.document.cells[event.cell.cell]
            if event.cell.kind == "cell-started":
                step.cell = f"cell {cell.number}: {clean(cell.first_line)}"
            elif event.cell.kind == "cell-finished" and cell.step == step.name:
                step.done += 1

    def _show_graph_once(self) -> None:
        if self._graph_shown:
            return
        self._graph_shown = True
        from jupyter_pipelines.graph import render

        if len(self.pipeline.steps) > 1:
            self.show_graph("\n" + render(self.pipeline, "text").rstrip("\n") + "\n")

    def show_graph(self, drawing: str) -> None:
        """Print the graph."""
        self.tell(drawing)


def progress_on(
    stream: TextIO,
    pipeline: Pipeline,
    parameters: Mapping[str, object],
    *,
    grid: Mapping[str, Sequence[object]],
) -> Progress:
    """The progress display that suits ``stream``."""
    if not is_terminal(stream):
        return Progress(stream, pipeline, parameters, grid)
    from jupyter_pipelines.cli.live import LiveProgress

    return LiveProgress(stream, pipeline, parameters, grid)


def describe(event: RunEvent) -> str:
    """An event as one plain line; empty for those that are too small to be told one by one."""
    if event.kind == "waiting":
        return f"{event.step}: {event.message}" if event.step else event.message
    if event.kind == "run-started":
        return "run started"
    if event.kind == "step-started":
        return f"{event.step}: started"
    if event.kind == "step-retry":
        return f"{event.step}: retry: {event.message}"
    if event.kind == "step-finished" and event.record is not None:
        record = event.record
        text = f"{event.step}: {record.state}"
        if record.started and record.ended:
            text += f" in {duration(record.ended - record.started)}"
        return f"{text}: {_first_line(record.error)}" if record.error else text
    return ""


def _first_line(text: str) -> str:
    return text.strip().split("\n")[0]
