"""Notebooks in another language than Python: all steps in one kernel of that language, in notebook order.

We do not understand the language, so nothing is inferred and nothing carried. A step is then a stretch of cells whose
progress and outcome are told apart.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from nbformat import NotebookNode

from jupyter_pipelines.execution.engine import KernelRequest, execute_cells
from jupyter_pipelines.execution.model import CellEvent, OnEvent, StepErrorInfo, StepResult
from jupyter_pipelines.graph.model import Pipeline
from jupyter_pipelines.notebook.model import Role


class Sequence:
    """One kernel for all steps of a notebook. It starts with the first step that is waited for."""

    def __init__(
        self,
        pipeline: Pipeline,
        notebook: NotebookNode,
        directory: Path,
        env: Mapping[str, str],
        on_event: OnEvent,
        cancel: threading.Event,
    ) -> None:
        self._document = pipeline.document
        self._steps = [step.name for step in pipeline.steps]
        self._owner = {index: step.name for step in pipeline.steps for index in step.cells}
        self._notebook = notebook
        self._kernel = KernelRequest(pipeline.document.kernel_name, directory, dict(env))
        self._on_event = on_event
        self._cancel = cancel
        self._results: dict[str, StepResult] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def wait_for(self, step: str) -> StepResult:
        """Wait until ``step`` has ended; the kernel is started by the first call."""
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="sequence", daemon=True)
                self._thread.start()
            self._changed.wait_for(lambda: step in self._results)
            return self._results[step]

    def _run(self) -> None:
        done: dict[str, dict[int, NotebookNode]] = {name: {} for name in self._steps}
        started: dict[str, float] = {}
        kept = self._cells()
        position = {index: number for number, index in enumerate(kept)}
        last = {name: max(index for index in kept if self._step_of(index) == name) for name in self._steps}

        def on_cell(kind: str, place: int, payload: object) -> None:
            index = kept[place]
            name = self._step_of(index)
            if kind == "started":
                if name not in started:
                    started[name] = time.time()
                self._on_event(CellEvent("cell-started", name, index, time.time()))
            elif kind == "output" and isinstance(payload, Mapping):
                self._on_event(CellEvent("output", name, index, time.time(), output=payload))
            elif kind == "finished" and isinstance(payload, NotebookNode):
                done[name][index] = payload
                ok = not any(output.output_type == "error" for output in payload.outputs)
                self._on_event(CellEvent("cell-finished", name, index, time.time(), ok=ok, executed=payload))
                if ok and index == last[name]:
                    self._end(StepResult(name, "completed", done[name], started=started[name], ended=time.time()))

        nb = copy.copy(self._notebook)
        nb.cells = [self._cell(index) for index in kept]
        outcome = execute_cells(nb, self._kernel, on_cell=on_cell, cancel=self._cancel, timeout=None)
        error = outcome.error
        for name in self._steps:
            if name in self._results:
                continue
            for index in (index for index in kept if self._step_of(index) == name):
                if index not in done[name] and outcome.notebook.cells[position[index]].get("outputs"):
                    done[name][index] = outcome.notebook.cells[position[index]]
            self._end(_failure(name, error, done[name], started.get(name, 0.0)))
            error = error or StepErrorInfo("error", "the kernel ended before this step")

    def _end(self, result: StepResult) -> None:
        with self._changed:
            self._results[result.step] = result
            self._changed.notify_all()

    def _cells(self) -> list[int]:
        return [cell.index for cell in self._document.cells if cell.role not in (Role.TEXT, Role.SKIP)]

    def _step_of(self, index: int) -> str:
        """The step a cell counts to; setup and parameters to the first."""
        return self._owner.get(index, self._steps[0])

    def _cell(self, index: int) -> NotebookNode:
        cell: NotebookNode = copy.deepcopy(self._notebook.cells[index])
        cell.source = self._document.cells[index].code
        cell.metadata["jupyter_pipelines"] = {"index": index, "hidden": False, "phase": "step"}
        return cell


def _failure(name: str, error: StepErrorInfo | None, cells: Mapping[int, NotebookNode], started: float) -> StepResult:
    states = {"timeout": "timed-out", "cancelled": "cancelled", "kernel-died": "crashed"}
    state = states.get(error.kind, "failed") if error is not None else "failed"
    return StepResult(
        name,
        state,  # type: ignore[arg-type]  # the values of `states` are states
        cells,
        error=error or StepErrorInfo("error", "the kernel ended before this step had"),
        started=started,
        ended=time.time(),
    )
