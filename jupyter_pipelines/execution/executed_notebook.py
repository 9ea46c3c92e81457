"""The executed notebook of a run: the author's cells in the author's order, with everything the steps left in them.

It is the log, the report and the debugger of a run, and can be opened at any time while the run goes on: each write
is atomic and valid. Writing is done by one thread, at most twice a second and for a small share of the time; only
cells that changed since the last write are serialised again.
"""

from __future__ import annotations

import copy
import json
import logging
import threading
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, upgrade
from nbformat.v4.rwbase import split_lines

from jupyter_pipelines.errors import StoreError
from jupyter_pipelines.execution.model import StepErrorInfo, StepResult
from jupyter_pipelines.execution.saving import Debounced, replace_file
from jupyter_pipelines.execution.stream import StreamOutput
from jupyter_pipelines.graph.model import Pipeline
from jupyter_pipelines.notebook.model import Role
from jupyter_pipelines.store.files import make_folder

logger = logging.getLogger(__name__)

KEY = "jupyter_pipelines"  # our part of the metadata of cells and of the notebook
INJECTED_TAG = "injected-parameters"  # these two tags are papermill's, so that its tools know the cells
ERROR_TAG = "papermill-error-cell-tag"
ERROR_ANCHOR = "papermill-error-cell"


class ExecutedNotebook:
    """Assembles and writes the executed notebook of one run. Safe to call from the threads of its steps.

    A cell's state in ``metadata.jupyter_pipelines`` is ``pending``, ``running``, ``completed``, ``failed``,
    ``not-run`` (behind a failure) or ``skipped`` (the author's `skip` cells, which keep no outputs). Setup cells run
    in every step; they show what the first step saw, or the step that failed in them.
    """

    def __init__(
        self,
        source: NotebookNode,
        path: Path,
        pipeline: Pipeline,
        *,
        run_id: str,
        parameters: Mapping[str, object] | None = None,
        parameters_source: str = "",
    ) -> None:
        """``source`` is copied, not changed. ``parameters_source`` is the injected cell's code, "" for none."""
        self.path = path
        self._pipeline = pipeline
        self._notebook = _blank(source)
        self._injected = _injected_cell(parameters_source) if parameters_source else None
        self._counts = _run_all_counts(pipeline)
        self._owners: dict[int, str] = {}  # the step whose run of a cell is shown
        self._streams: dict[int, StreamOutput] = {}
        self._fragments: dict[int, str] = {}  # cell index -> its JSON, until it changes
        self._error: StepErrorInfo | None = None
        self._error_step = ""
        self._steps: dict[str, dict[str, object]] = {}
        self._run: dict[str, object] = {
            "run_id": run_id,
            "pipeline": pipeline.document.name,
            "parameters": json.loads(json.dumps(dict(parameters or {}), default=str)),
            "state": "running",
            "start": _iso(time.time()),
            "end": None,
            "steps": self._steps,
        }
        self._changed = threading.Condition(threading.RLock())
        self._debounced = Debounced(self._write)
        self._dirty = True
        self._finished = False
        for cell in pipeline.document.cells:
            state = "skipped" if cell.role is Role.SKIP else "pending"
            if cell.role is not Role.TEXT:
                self._mark(cell.index, state=state, **({"step": cell.step} if cell.step else {}))
        self._writer = threading.Thread(target=self._keep_written, name="executed-notebook", daemon=True)
        self._writer.start()

    # What happens, told from outside -------------------------------------------------------------------------------

    def step_started(self, step: str) -> None:
        """A step, or a new attempt at it, begins: what its cells showed is gone."""
        with self._changed:
            self._steps[step] = {"state": "running", "start": _iso(time.time()), "end": None}
            for index in self._pipeline.step(step).cells:
                self._reset(index, "pending")
            self._notify()

    def cell_started(self, step: str, index: int) -> None:
        """A cell begins to run."""
        with self._changed:
            if self._owns(step, index):
                self._reset(index, "running")
                self._mark(index, step=step, start=_iso(time.time()))
                self._notify()

    def output(self, step: str, index: int, output: Mapping[str, object]) -> None:
        """A running cell has put out something; pieces of a stream are joined."""
        with self._changed:
            if not self._owns(step, index):
                return
            node = nbformat.from_dict(output)
            outputs = self._notebook.cells[index].outputs
            stream = self._streams.get(index)
            self._fragments.pop(index, None)
            self._notify()
            if node.output_type != "stream":
                outputs.append(node)
            elif stream and outputs and outputs[-1] is stream.output and stream.output["name"] == node.name:
                stream.append(node.text)
            else:
                self._streams[index] = StreamOutput(node)
                outputs.append(node)

    def cell_finished(self, step: str, index: int, cell: NotebookNode) -> None:
        """A cell has ended: ``cell`` is the executed one, the truth about its outputs."""
        with self._changed:
            if self._owns(step, index):
                self._take(step, index, cell, _cell_state(cell))
                self._notify()

    def step_finished(self, result: StepResult, *, reused_from: str = "") -> None:
        """A step has ended, or its result was taken from the run ``reused_from``."""
        with self._changed:
            failed = result.error.cell if result.error is not None else None
            for index, cell in result.cells.items():
                if index == failed:
                    self._owners[index] = result.step
                if self._owns(result.step, index):
                    self._take(result.step, index, cell, "failed" if index == failed else _cell_state(cell))
            for index in self._pipeline.step(result.step).cells:
                if self._state(index) in {"pending", "running"}:
                    self._mark(index, state="failed" if index == failed else "not-run")
            self._steps[result.step] = {
                "state": "reused" if reused_from else result.state,
                "start": _iso(result.started),
                "end": _iso(result.ended),
                **({"reused_from": reused_from} if reused_from else {}),
                **({"error": result.error.message} if result.error is not None else {}),
            }
            if result.error is not None and self._error is None:
                self._error, self._error_step = result.error, result.step
            self._merge_widgets(result.widgets)
            self._notify()

    def finish(self, state: str, error: str = "") -> None:
        """The run is over: write all that is left and stop. Raises :class:`StoreError` if it cannot be written."""
        with self._changed:
            if self._finished:
                return
            self._run.update(state=state, end=_iso(time.time()), **({"error": error} if error else {}))
            for cell in self._pipeline.document.cells:
                if self._state(cell.index) in {"pending", "running"}:
                    self._mark(cell.index, state="not-run")
            self._finished = True
            self._changed.notify_all()
        self._writer.join()
        try:
            self._write()
        except OSError as failure:
            raise StoreError(f"the executed notebook cannot be written to {self.path}: {failure}") from failure

    # Cells ---------------------------------------------------------------------------------------------------------

    def _owns(self, step: str, index: int) -> bool:
        return self._owners.setdefault(index, step) == step

    def _reset(self, index: int, state: str) -> None:
        cell = self._notebook.cells[index]
        if cell.cell_type != "code":
            return
        cell.outputs, cell.execution_count = [], None
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        self._streams.pop(index, None)
        self._mark(index, state=state, start=None, end=None)

    def _take(self, step: str, index: int, executed: NotebookNode, state: str) -> None:
        cell = self._notebook.cells[index]
        self._streams.pop(index, None)
        cell.outputs = copy.deepcopy(executed.get("outputs", []))
        ran = executed.get("execution_count") is not None
        cell.execution_count = self._counts.get(index) if ran else None
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = cell.execution_count
        for key in ("papermill", "execution"):
            if key in executed.metadata:
                cell.metadata[key] = copy.deepcopy(executed.metadata[key])
        timing = executed.metadata.get("papermill", {})
        self._mark(index, step=step, state=state, start=timing.get("start_time"), end=timing.get("end_time"))

    def _mark(self, index: int, **values: object) -> None:
        own = self._notebook.cells[index].metadata.setdefault(KEY, NotebookNode())
        own.update(values)
        self._fragments.pop(index, None)

    def _state(self, index: int) -> str:
        return str(self._notebook.cells[index].metadata.get(KEY, {}).get("state", ""))

    def _merge_widgets(self, widgets: Mapping[str, object]) -> None:
        for kind, content in widgets.items():
            merged = self._notebook.metadata.setdefault("widgets", NotebookNode()).setdefault(kind, NotebookNode())
            if isinstance(content, Mapping):
                states = {**merged.get("state", {}), **content.get("state", {})}
                merged.update(content, state=states)

    # Writing -------------------------------------------------------------------------------------------------------

    def _notify(self) -> None:
        self._dirty = True
        self._changed.notify_all()

    def _keep_written(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._dirty or self._finished)
                # Waiting out the interval, changes go on arriving; only the end cuts it short.
                self._changed.wait_for(lambda: self._finished, timeout=self._debounced.wait)
                if self._finished:
                    return
            try:
                self._debounced.flush()
            except Exception:
                logger.warning("The executed notebook %s cannot be written now", self.path, exc_info=True)

    def _write(self) -> None:
        with self._changed:
            self._dirty = False
            text = self._serialise()
        make_folder(self.path.parent)
        replace_file(self.path, text, private=True)

    def _serialise(self) -> str:
        for index, stream in self._streams.items():
            stream.settle()
            self._fragments.pop(index, None)
        metadata = {**self._notebook.metadata, KEY: self._run, "papermill": self._papermill_metadata()}
        rest = {"metadata": metadata, "nbformat": 4, "nbformat_minor": self._notebook.nbformat_minor}
        cells = ",\n  ".join(self._cell_fragments())
        return '{\n "cells": [' + (f"\n  {cells}\n " if cells else "") + "],\n" + _json(rest).partition("\n")[2] + "\n"

    def _cell_fragments(self) -> Iterable[str]:
        if self._error is not None:
            yield _fragment(_banner(self._error, self._error_step))
        parameters = next((cell.index for cell in self._pipeline.document.cells if cell.role is Role.PARAMETERS), -1)
        if parameters == -1 and self._injected is not None:
            yield _fragment(self._injected)
        for index, cell in enumerate(self._notebook.cells):
            if self._error is not None and index == self._error.cell:
                yield _fragment(_anchor())
            if index not in self._fragments:
                self._fragments[index] = _fragment(cell)
            yield self._fragments[index]
            if index == parameters and self._injected is not None:
                yield _fragment(self._injected)

    def _papermill_metadata(self) -> dict[str, object]:
        start, end = self._run["start"], self._run["end"]
        duration = None
        if isinstance(start, str) and isinstance(end, str):
            duration = (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
        return {
            "parameters": self._run["parameters"],
            "start_time": start,
            "end_time": end,
            "duration": duration,
            "exception": True if self._error is not None else None,
        }


def _blank(source: NotebookNode) -> NotebookNode:
    notebook: NotebookNode = upgrade(copy.deepcopy(source))
    notebook.nbformat_minor = max(notebook.nbformat_minor, 5)
    _, notebook = nbformat.validator.normalize(notebook, strip_invalid_metadata=True)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def _run_all_counts(pipeline: Pipeline) -> dict[int, int]:
    """The number in brackets that each cell gets when the notebook is run from top to bottom."""
    executed = (
        cell.index
        for cell in pipeline.document.cells
        if cell.role not in {Role.TEXT, Role.SKIP} and cell.source.strip()
    )
    return {index: count for count, index in enumerate(executed, start=1)}


def _cell_state(cell: NotebookNode) -> str:
    status = cell.metadata.get("papermill", {}).get("status")
    if status == "failed":
        return "failed"
    return "pending" if status == "pending" else "completed"


def _injected_cell(source: str) -> NotebookNode:
    cell: NotebookNode = new_code_cell(source, metadata={"tags": [INJECTED_TAG]})
    cell.id = "injected-parameters"
    return cell


def _banner(error: StepErrorInfo, step: str) -> NotebookNode:
    place = f'in <a href="#{ERROR_ANCHOR}">cell {error.cell + 1}</a>' if error.cell is not None else ""
    what = {"timeout": "ran out of time", "cancelled": "was cancelled"}.get(error.kind, "failed")
    text = f'<strong style="color: var(--jp-error-color1, #b71c1c)">Step {_html(step)} {what} {place}</strong>'
    text += f"\n\n<pre>{_html(error.message)}</pre>"
    if error.fix:
        text += f"\n\n{_html(error.fix)}"
    return _marker(text, "pipeline-error-banner")


def _anchor() -> NotebookNode:
    return _marker(f'<span id="{ERROR_ANCHOR}"><strong>The pipeline stopped here:</strong></span>', "pipeline-error")


def _marker(text: str, identity: str) -> NotebookNode:
    cell: NotebookNode = new_markdown_cell(text, metadata={"tags": [ERROR_TAG]})
    cell.id = identity
    return cell


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _fragment(cell: NotebookNode) -> str:
    whole = split_lines(new_notebook(cells=[copy.deepcopy(cell)]))
    return _json(whole.cells[0]).replace("\n", "\n  ")


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)


def _iso(seconds: float) -> str | None:
    return datetime.fromtimestamp(seconds, UTC).isoformat() if seconds else None
