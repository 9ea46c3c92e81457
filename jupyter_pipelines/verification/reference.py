"""Running the notebook as *Restart & Run All* does: every cell in order, in one fresh kernel."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_pipelines.notebook import parameters_source
from jupyter_pipelines.notebook.model import Role

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from jupyter_pipelines.execution.model import StepErrorInfo
    from jupyter_pipelines.graph.model import Pipeline

Kept = Mapping[str, Mapping[str, Mapping[str, str]]]  # step -> variable -> where its value is

_IN_KERNEL = Path(__file__).with_name("in_kernel.py")


@dataclass(frozen=True)
class ReferenceRun:
    """One run of the notebook. ``cells`` are the executed ones by index; ``compared`` is about values.

    ``failed`` is the index of the cell that failed, with ``error`` saying how.
    """

    notebook: NotebookNode
    cells: Mapping[int, NotebookNode]
    seconds: float
    error: StepErrorInfo | None = None
    kept: Kept = field(default_factory=dict)
    compared: Sequence[Mapping[str, object]] = ()
    tables: Mapping[str, str] = field(default_factory=dict)  # what it left in them, as fingerprints

    @property
    def failed(self) -> int | None:
        return None if self.error is None else self.error.cell


def run_reference(
    pipeline: Pipeline,
    directory: Path,
    parameters: Mapping[str, object],
    carried: Mapping[str, Mapping[str, str]],
    objects: Path,
    earlier: Sequence[ReferenceRun],
    folder: Path,
) -> ReferenceRun:
    """Run the notebook with ``parameters`` in ``directory``, and compare values with the pipeline's.

    ``carried`` says, per step, in which container of ``objects`` the pipeline left each variable. It is compared with
    the notebook's variable as it is when the step's last cell has run. ``earlier`` are the reference runs so far, to
    see what differs among them. ``folder`` is ours, for files.
    """
    from jupyter_pipelines.execution import kernel_side
    from jupyter_pipelines.execution.engine import KernelRequest, execute_cells
    from jupyter_pipelines.execution.step_notebook import replayable_names

    job, result = folder / "job.json", folder / "result.json"
    work = {
        "kernel_side": str(Path(kernel_side.__file__).parent),
        "objects": str(objects),
        "definitions": replayable_names(pipeline.document),
        "result": str(result),
        "steps": carried,
        "references": [run.kept for run in earlier],
    }
    job.write_text(json.dumps(work), encoding="utf-8")
    env = {name: value for step in pipeline.steps for name, value in step.options.env.items()}
    began = time.monotonic()
    outcome = execute_cells(
        _notebook(pipeline, parameters, carried if pipeline.document.is_python else {}, job),
        KernelRequest(pipeline.document.kernel_name, directory, env),
        on_cell=lambda *_: None,
        cancel=threading.Event(),
        timeout=None,
    )
    told = json.loads(result.read_text(encoding="utf-8")) if result.exists() else {}
    return ReferenceRun(
        outcome.notebook,
        {
            cell.metadata["jupyter_pipelines"]["index"]: cell
            for cell in outcome.notebook.cells
            if "index" in cell.metadata.get("jupyter_pipelines", {})
        },
        time.monotonic() - began,
        outcome.error,
        told.get("kept", {}),
        told.get("compared", ()),
    )


def _notebook(
    pipeline: Pipeline, parameters: Mapping[str, object], carried: Mapping[str, Mapping[str, str]], job: Path
) -> NotebookNode:
    from nbformat.v4 import new_code_cell, new_notebook

    document = pipeline.document
    ends = {step.cells[-1]: step.name for step in pipeline.steps if carried.get(step.name)}
    injected_after = max((cell.index for cell in document.cells if cell.role is Role.PARAMETERS), default=None)
    cells = []
    for cell in document.cells:
        if cell.role in {Role.TEXT, Role.SKIP}:
            continue
        metadata = {"tags": list(cell.tags), "jupyter_pipelines": {"index": cell.index}}
        cells.append(new_code_cell(cell.code, metadata=metadata))
        if cell.index == injected_after and parameters:
            cells.append(_hidden(parameters_source(document, parameters)))
        if cell.index in ends:
            cells.append(_hidden(_call("keep", job, ends[cell.index])))
    if ends:
        cells.append(_hidden(_call("compare", job, "")))
    kernelspec = {"name": document.kernel_name or "python3", "display_name": "", "language": document.language}
    notebook: NotebookNode = new_notebook(cells=cells, metadata={"kernelspec": kernelspec})
    return notebook


def _hidden(source: str) -> NotebookNode:
    from nbformat.v4 import new_code_cell

    cell: NotebookNode = new_code_cell(source, metadata={"jupyter_pipelines": {"hidden": True}})
    return cell


def _call(task: str, job: Path, step: str) -> str:
    # Leaves no name behind and relies on none that the notebook may have taken.
    names = {"__name__": "jupyter_pipelines_verification", "TASK": task, "JOB": str(job), "STEP": step}
    path = str(_IN_KERNEL)
    code = f"__import__('io').open({path!r}, encoding='utf-8').read()"
    return f"__import__('builtins').exec(__import__('builtins').compile({code}, {path!r}, 'exec'), {names!r})"
