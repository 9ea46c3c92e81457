"""Runs one step in a kernel of its own and tells how it ended."""

from __future__ import annotations

import copy
import json
import math
import os
import threading
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import nbformat

from jupyter_pipelines.execution import later, step_errors, step_notebook
from jupyter_pipelines.execution.engine import KernelRequest, Outcome, execute_cells, prepare
from jupyter_pipelines.execution.kernels.processes import remove_folder, temporary_folder
from jupyter_pipelines.execution.model import (
    Carried,
    CellEvent,
    Observed,
    OnEvent,
    StepErrorInfo,
    StepRequest,
    StepResult,
)
from jupyter_pipelines.execution.modules import named_modules
from jupyter_pipelines.settings import Settings

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from jupyter_pipelines.graph.model import Pipeline, StepPlan

Json = dict[str, Any]
State = Literal["completed", "failed", "timed-out", "cancelled", "crashed", "refused"]

MOST_NOTES = 1_000  # of one kind, that a step puts on record
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "RAYON_NUM_THREADS",
    "POLARS_MAX_THREADS",
)
_STATES: dict[str, State] = {
    "error": "failed",
    "timeout": "timed-out",
    "cancelled": "cancelled",
    "kernel-died": "crashed",
    "refused": "refused",
}


def run_step(request: StepRequest, on_event: OnEvent, cancel: threading.Event) -> StepResult:
    """Run one step of a Python notebook in a fresh kernel. Blocking, safe to call from several threads.

    ``on_event`` is told about the step's cells as they run, from this thread. The kernel is killed when ``cancel`` is
    set or the step's timeout passes. Never raises for what the notebook did: that is in the result.
    """
    started = time.time()
    scratch = temporary_folder()
    try:
        job = scratch / "job.json"
        notebook = step_notebook.build(request, job)
        job.write_text(json.dumps(_job(request, notebook)), encoding="utf-8")
        progress = _Progress(request, notebook, on_event)
        progress.tell("step-started")
        outcome = execute_cells(
            notebook,
            _kernel(request),
            on_cell=progress.on_cell,
            cancel=cancel,
            timeout=request.step.options.timeout,
            is_at_rest=lambda: bool(_read_result(scratch).get("at_rest")),
        )
        result = replace(
            _result(request, outcome, progress, said := _read_result(scratch), started),
            metrics=_metrics(scratch, said),
            tables=tuple(_notes(scratch, "tables")),
            checks=tuple(_notes(scratch, "checks")),
            versions=tuple(int(note["version"]) for note in _notes(scratch, "versions")),
        )
        progress.tell("step-finished", ok=result.state == "completed")
        return result
    finally:
        remove_folder(scratch)


def prepare_kernels(pipeline: Pipeline, steps: Iterable[StepPlan], directory: Path) -> None:
    """Have kernels for ``steps`` made ready, so that :func:`run_step` need not wait for them. Returns at once."""
    document = pipeline.document
    if pipeline.sequential:
        return
    kinds = ((tuple(step.options.env.items()), step_notebook.imports_ahead(pipeline, step)) for step in steps)
    for (env, imports), count in Counter(kinds).items():
        prepare(KernelRequest(document.kernel_name, directory, dict(env), imports), count)


def _kernel(request: StepRequest) -> KernelRequest:
    imports = step_notebook.imports_ahead(request.pipeline, request.step)
    return KernelRequest(request.pipeline.document.kernel_name, request.directory, _environment(request), imports)


def _environment(request: StepRequest) -> dict[str, str]:
    threads = {} if request.threads is None else dict.fromkeys(_THREAD_VARIABLES, str(request.threads))
    return {**threads, **request.env, **request.step.options.env}


def _job(request: StepRequest, notebook: NotebookNode) -> Json:
    """What the code in the kernel is told; see ``kernel_side/session.py``."""
    step, document = request.step, request.pipeline.document
    counts = step_notebook.execution_counts(document)
    visible = [cell.metadata.jupyter_pipelines for cell in notebook.cells if cell.source.strip()]
    os.makedirs(request.objects, mode=0o700, exist_ok=True)
    return {
        "step": step.name,
        "about": {
            "run": request.run_id,
            "notebook": str(request.directory / document.name),
            "step": step.name,
            "backfill": request.backfill,
            "origin": request.origin or request.run_id,
            "version": request.version,
        },
        "objects": str(request.objects.absolute()),
        "directory": str(request.directory.absolute()),
        "env": _environment(request),
        "threads": request.threads,
        "counts": [counts[cell["index"]] for cell in visible if not cell["hidden"]],
        "replayed": step_notebook.replayed_names(request.pipeline),
        "definitions": step_notebook.replayable_names(document),
        "inputs": {
            given.name: asdict(request.inputs[given.name]) for given in step.inputs if given.name in request.inputs
        },
        "state": {name: asdict(request.state[name]) for name in step.state_inputs if name in request.state},
        "late_names": step_notebook.late_names(step),
        "outputs": list(step.outputs),
        "possibly_changed": list(step.possibly_changed),
        "guarded": list(step.guarded),
        "setup_names": list(step.setup_names),
        "state_outputs": list(step.state_outputs),
        "bound": step_notebook.bound_names(document, step),
        "modules_used": named_modules(request.pipeline, step),
        **later.relied_upon(request),
        "ignored": _ours(request),
    }


def _ours(request: StepRequest) -> list[str]:
    """Folders and files that are ours: who asks for earlier runs in a step touches them, and that orders nothing.

    A folder that the notebook works below is not taken for ours alone. Of a warehouse these are the files beside it, by
    which its owner is found: what steps do to its tables the graph knows.
    """
    settings = Settings.load()
    kept = (request.objects.absolute().parent, settings.home)
    ours = [folder for folder in kept if not request.directory.absolute().is_relative_to(folder)]
    beside = [f"{settings.warehouse}{ending}" for ending in (".lock", ".owner", ".log")]
    return [*(str(folder) for folder in (Path(__file__).parent, *ours)), *beside]


def _read_result(scratch: Path) -> Json:
    try:
        found: Json = json.loads((scratch / "result.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found


def _metrics(scratch: Path, said: Json) -> dict[str, float | None]:
    """The numbers that the step has bound to names, and those that it gave names to by ``jp.metric``, which count."""
    found = {name: _finite(value) for name, value in said.get("numbers", {}).items()}
    for note in _notes(scratch, "metrics"):
        found.update((name, _finite(value)) for name, value in note.items())
    return found


def _notes(scratch: Path, kind: str) -> list[Json]:
    """What the step has put on record while it ran."""
    try:
        lines = (scratch / f"{kind}.jsonl").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    found = []
    for line in lines[:MOST_NOTES]:
        with suppress(ValueError):  # the last line of a kernel that died
            found.append(json.loads(line))
    return found


def _finite(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


class _Progress:
    """Turns what happens to the step's notebook into events about the author's cells."""

    def __init__(self, request: StepRequest, notebook: NotebookNode, on_event: OnEvent) -> None:
        self._request = request
        self._step = request.step.name
        self._on_event = on_event
        self._places = [cell.metadata.jupyter_pipelines for cell in notebook.cells]
        self.started: set[int] = set()

    def tell(self, kind: Literal["step-started", "step-finished"], *, ok: bool = True) -> None:
        self._on_event(CellEvent(kind, self._step, time=time.time(), ok=ok))

    def on_cell(self, kind: str, position: int, payload: object) -> None:
        place = self._places[position]
        if place["hidden"] or place["index"] is None:
            return
        index: int = place["index"]
        now = time.time()
        if kind == "started":
            self.started.add(index)
            self._on_event(CellEvent("cell-started", self._step, index, now))
        elif kind == "output" and isinstance(payload, dict):
            self._on_event(CellEvent("output", self._step, index, now, output=payload))
        elif kind == "finished" and isinstance(payload, dict):
            cell = _executed_cell(self._request, index, nbformat.from_dict(payload))
            failed = any(output.output_type == "error" for output in cell.outputs)
            self._on_event(CellEvent("cell-finished", self._step, index, now, ok=not failed, executed=cell))


def _result(request: StepRequest, outcome: Outcome, progress: _Progress, said: Json, started: float) -> StepResult:
    error = _error(request, outcome, said)
    outputs = {name: _carried(value) for name, value in said.get("outputs", {}).items()}
    state_outputs = {name: _carried(value) for name, value in said.get("state_outputs", {}).items()}
    for name in request.step.state_outputs:
        if name not in state_outputs and name in request.state:
            state_outputs[name] = request.state[name]  # its module was not even imported
    return StepResult(
        step=request.step.name,
        state="completed" if error is None else _STATES[error.kind],
        cells=_executed_cells(request, outcome.notebook, progress.started),
        outputs=outputs if error is None else {},
        state_outputs=state_outputs if error is None else {},
        setup_digests=said.get("setup_digests", {}),
        observed=_observed(said),
        error=error,
        started=started,
        ended=time.time(),
        kernel_seconds=outcome.kernel_seconds,
        widgets=outcome.notebook.metadata.get("widgets", {}),
    )


def _error(request: StepRequest, outcome: Outcome, said: Json) -> StepErrorInfo | None:
    refused = said.get("refused")
    if refused is not None:
        return step_errors.refusal(request, refused)
    if outcome.error is not None:
        return step_errors.explained(request, outcome)
    unmade = step_errors.unmade(request, outcome)
    if unmade is not None:
        return step_errors.refusal(request, unmade)
    if "observed" not in said:
        return StepErrorInfo("error", f"step {request.step.name} ended without saying what it made", "run it again")
    changed = step_errors.changed_setup(request, said["observed"]["changed"])
    return step_errors.refusal(request, changed) if changed is not None else None


def _carried(value: Json) -> Carried:
    return Carried(**{field: value[field] for field in ("name", "container", "type", "size", "digest", "summary")})


def _observed(said: Json) -> Observed:
    seen = said.get("observed", {})
    aliases = tuple(tuple(names) for names in seen.pop("aliases", ()))
    return Observed(aliases=aliases, **{name: tuple(values) for name, values in seen.items()})


def _executed_cells(request: StepRequest, notebook: NotebookNode, started: set[int]) -> dict[int, NotebookNode]:
    """The author's cells that were run, by their index."""
    places = ((cell.metadata.jupyter_pipelines, cell) for cell in notebook.cells)
    return {
        place["index"]: _executed_cell(request, place["index"], cell)
        for place, cell in places
        if not place["hidden"] and place["index"] in started
    }


def _executed_cell(request: StepRequest, index: int, executed: NotebookNode) -> NotebookNode:
    """The author's cell, source and metadata his own, with what it put out and when."""
    count = step_notebook.execution_counts(request.pipeline.document).get(index)
    cell: NotebookNode = copy.deepcopy(request.notebook.cells[index])
    cell["outputs"] = executed.outputs
    cell["execution_count"] = count if executed.execution_count is not None else None
    for output in cell["outputs"]:
        if output.output_type == "execute_result":
            output["execution_count"] = count
    if "execution" in executed.metadata:
        cell.metadata["execution"] = executed.metadata["execution"]
    return cell
