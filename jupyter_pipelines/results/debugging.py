"""Time travel: a notebook with exactly what a step had when it began, and the way back from there.

Where that is which each step was given is on record with the run, by content; the notebook as it was is in the store.
So the past of a step can be brought back as long as its run is kept, whatever became of the notebook since.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_pipelines.errors import RequestError, StoreError
from jupyter_pipelines.orchestration.history import get_run
from jupyter_pipelines.orchestration.model import RunRecord, StepRecord, content_of
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store
from jupyter_pipelines.store.files import make_folder, write_atomically
from jupyter_pipelines.typed import typed

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from jupyter_pipelines.execution.model import StepRequest

KEY = "jupyter_pipelines"
_FAILED = {"failed", "timed-out", "crashed", "refused", "cancelled"}


@dataclass(frozen=True)
class DebugNotebook:
    """A notebook in which a step's past can be run. ``is_new``: it was made now, and not found with its changes."""

    path: Path
    run: str
    step: str
    is_new: bool = True

    def __repr__(self) -> str:
        found = "" if self.is_new else ", as you left it"
        return f"{self.path}{found}: step {self.step} of run {self.run[:8]}. Open it and run all its cells."

    def _repr_html_(self) -> str:
        from html import escape

        place = escape(self.path.name)
        return (
            f'<p>Open <a href="{place}" target="_blank">{place}</a> and run all its cells: they bring back what step '
            f"<strong>{escape(self.step)}</strong> of run <code>{escape(self.run[:8])}</code> had when it began.</p>"
        )


@dataclass(frozen=True)
class Applied:
    """What was put into the source notebook: the numbers of its cells, and the run that can go on now."""

    notebook: Path
    cells: tuple[int, ...]
    run: str

    def __str__(self) -> str:
        numbers = ", ".join(map(str, self.cells))
        return f"✓ cell{'s' if len(self.cells) > 1 else ''} {numbers} of {self.notebook.name} changed"


@typed
def debug(run: str = "last", step: str | None = None, *, output: Path | str | None = None) -> DebugNotebook:
    """Make a notebook that holds what a step had when it began; it is put beside the source, or at ``output``.

    ``run`` is an id, the beginning of one, or ``"last"``; ``step`` is the one that failed unless it is named. Asked for
    again, the notebook is given as it is, with what was changed in it. Raises :class:`RequestError` for a step that
    never began, and :class:`StoreError` when what it had was cleaned away.
    """
    from jupyter_pipelines.execution.debug_notebook import build_debug_notebook
    from jupyter_pipelines.execution.saving import write_notebook

    record = get_run(run)
    chosen = _choose(record, step)
    path = Path(output).expanduser() if output is not None else _beside(record, chosen.name)
    if _mark(path) == (record.id, chosen.name):
        return DebugNotebook(path, record.id, chosen.name, is_new=False)
    if path.exists():
        raise RequestError(f"{path} is there already, and is another notebook.", "Choose another path.")
    store = Store(Settings.load().store)
    request = _request(store, record, chosen.name)
    job = store.run_folder(record.id) / "debug" / re.sub(r"\W", "_", chosen.name) / "job.json"
    write_atomically(job, json.dumps(_job(_with_tables(request, chosen, job.parent))).encode())
    notebook = build_debug_notebook(
        request,
        job,
        about=_about(record, chosen, path),
        failed=chosen.error_cell - 1 if chosen.error_cell else None,
        error=chosen.error,
        mark={"run": record.id, "step": chosen.name, "notebook": record.notebook, "version": record.version},
    )
    try:
        write_notebook(notebook, str(path))
    except OSError as error:
        raise RequestError(f"{path} cannot be written: {error.strerror}.", "Choose another place: output=…") from None
    return DebugNotebook(path, record.id, chosen.name)


@typed
def apply_fix(notebook: Path | str, ran: Mapping[str, str] | None = None) -> Applied:
    """Put what was changed in a debug notebook into the notebook that it is from. Nothing is run.

    ``ran`` is what a kernel has run of it, by the ids of its cells: what was run is what is saved, or it is refused.
    Raises :class:`RequestError` also when the source was changed meanwhile, and then nothing is written.
    """
    import nbformat

    from jupyter_pipelines.execution.saving import replace_file

    path = Path(notebook)
    debugged = _read(path)
    mark = debugged.metadata.get(KEY, {}).get("debug")
    if not isinstance(mark, dict):
        raise RequestError(f"{path.name} is no notebook that debugs a step.", "Make one: %pipeline debug")
    source = Path(str(mark["notebook"]))
    before = nbformat.reads(Store(Settings.load().store).get_notebook(str(mark["version"])).decode(), as_version=4)
    changes = _changes(debugged, before, ran or {}, path)
    if source.suffix != ".ipynb":
        raise RequestError(f"{source.name} is no .ipynb file.", "Copy what you changed by hand.")
    present = _read(source)
    for index, new in changes.items():
        cell = _same_cell(present, before.cells[index], index)
        if cell is None or cell.source not in {before.cells[index].source, new}:
            raise RequestError(
                f"Cell {index + 1} of {source.name} was changed since the run, so nothing was written.",
                "Copy your fix by hand, or debug a newer run.",
            )
        cell.source = new
    text = nbformat.writes(present)
    replace_file(source, text if text.endswith("\n") else f"{text}\n")
    return Applied(source, tuple(index + 1 for index in changes), str(mark["run"]))


def _choose(record: RunRecord, step: str | None) -> StepRecord:
    """The step that is meant."""
    found = {one.name: one for one in record.steps}
    if step is None:
        failed = [one for one in record.steps if one.state in _FAILED]
        if failed:
            return failed[0]
        raise RequestError(
            f"No step of run {record.id[:8]} has failed.",
            f"Name one of its steps: {', '.join(found) or 'it has none'}.",
        )
    if step not in found:
        raise RequestError(f"Run {record.id[:8]} has no step {step!r}.", f"Its steps are: {', '.join(found)}.")
    return found[step]


def _request(store: Store, record: RunRecord, step: str) -> StepRequest:
    """What the step was asked to do, as far as its kernel needs it."""
    import nbformat

    from jupyter_pipelines.execution.model import Carried, StepRequest
    from jupyter_pipelines.notebook import coerce_parameters
    from jupyter_pipelines.orchestration.loading import load_runnable
    from jupyter_pipelines.orchestration.redaction import unseal
    from jupyter_pipelines.orchestration.versions.folders import working_folder

    known = (store.load_run(record.id) or {}).get("given")
    given = known.get(step) if isinstance(known, dict) else None
    if not isinstance(given, dict):
        raise RequestError(
            f"Step {step} of run {record.id[:8]} never began, or an earlier version of this package ran it.",
            "Choose a step that has run.",
        )
    inputs, state = (
        {name: Carried(**one) for name, one in given.get(kind, {}).items()} for kind in ("inputs", "state")
    )
    gone = [name for name, one in {**inputs, **state}.items() if not store.has_object(one.container)]
    if gone:
        raise StoreError(f"What step {step} was given was cleaned away: {', '.join(gone)}.", "Debug a newer run.")
    source = store.get_notebook(record.version)
    path = Path(record.notebook)
    pipeline = load_runnable(source, path.name, store)
    if pipeline.sequential:
        raise RequestError(f"{path.name} is not Python: its steps share one kernel.", "Run it in that kernel.")
    plan = pipeline.step(step)
    names = tuple(one for one in plan.inputs if one.name in inputs)
    return StepRequest(
        run_id=record.id,
        pipeline=pipeline,
        step=replace(plan, inputs=names),
        notebook=nbformat.reads(source.decode(), as_version=4),
        parameters=coerce_parameters(pipeline.document, unseal(store, pipeline.document, record.parameters)),
        inputs=inputs,
        state=state,
        directory=working_folder(store, content_of(record), path),
        objects=store.objects,
        env=plan.options.env,
    )


def _with_tables(request: StepRequest, step: StepRecord, folder: Path) -> StepRequest:
    """The request with tables of its own: a copy of those in the lake, as the step has found them."""
    if step.version_found is None:
        return request
    from jupyter_pipelines.graph.reach import reachable_tables
    from jupyter_pipelines.warehouse.databases.declared import CATALOG
    from jupyter_pipelines.warehouse.warehouse import Warehouse, warehouse

    # A new one each time: somebody may be at work in an earlier one.
    copy = Warehouse(make_folder(folder) / f"tables-{secrets.token_hex(4)}{CATALOG}")
    tables = reachable_tables(request.pipeline.document)
    warehouse().copy_to(copy.path, only=tables, version=step.version_found)
    return replace(request, env={**request.env, "JUPYTER_PIPELINES_WAREHOUSE": str(copy.path)})


def _job(request: StepRequest) -> dict[str, Any]:
    """What the code in the kernel is told; see ``kernel_side/session.py``."""
    from jupyter_pipelines.execution.modules import named_modules
    from jupyter_pipelines.execution.step_notebook import late_names
    from jupyter_pipelines.notebook import parameters_source

    document = request.pipeline.document
    secret = {one.name for one in document.parameters if one.secret}
    values = {name: value for name, value in request.parameters.items() if name in secret}
    return {
        "debugged": True,
        "step": request.step.name,
        "objects": str(request.objects),
        "directory": str(request.directory),
        "env": dict(request.env),
        "threads": None,
        "counts": [],
        "definitions": [],
        "setup_names": [],
        "flags_later": False,
        "modules_used": named_modules(request.pipeline, request.step),
        "late_names": late_names(request.step),
        "ignored": [],
        "inputs": {name: asdict(one) for name, one in request.inputs.items()},
        "state": {name: asdict(one) for name, one in request.state.items()},
        "secrets": parameters_source(document, values) if values else "",
    }


def _about(record: RunRecord, step: StepRecord, path: Path) -> str:
    from jupyter_pipelines.results.showing.html import moment

    how = "It failed; the cell that did is marked." if step.state in _FAILED else f"It ended as {step.state}."
    return (
        f"# Step `{step.name}`, as it was\n\n"
        f"Run `{record.id[:8]}` of `{Path(record.notebook).name}`, {moment(record.started)}. {how}\n\n"
        "1. **Run all cells.** What the step was given is brought back: the folder, the environment, parameters, "
        f"setup, definitions, hidden state and values. Then its own cells run.{_about_tables(step)}\n"
        "2. **Change** its cells until they do what they should. Cells that you add are for trying things out.\n"
        "3. **Apply** it with the last cell: what you have changed is put into the notebook, and the run resumes from "
        "there.\n\n"
        f"`{path.name}` can be deleted at any time."
    )


def _about_tables(step: StepRecord) -> str:
    if step.version_found is None:
        return ""
    return f" Tables are those of version {step.version_found}, in a copy: what is written here, nobody else sees."


def _beside(record: RunRecord, step: str) -> Path:
    source = Path(record.notebook)
    name = re.sub(r"[^\w-]", "_", step)[:40]
    return source.with_name(f"{source.stem}.debug-{name}-{record.id[:8]}.ipynb")


def _mark(path: Path) -> tuple[str, str]:
    """Which run and step a debug notebook is about; empty when it is none."""
    try:
        mark = json.loads(path.read_bytes())["metadata"][KEY]["debug"]
        return str(mark["run"]), str(mark["step"])
    except (OSError, ValueError, KeyError, TypeError):
        return "", ""


def _read(path: Path) -> NotebookNode:
    import nbformat

    try:
        found: NotebookNode = nbformat.read(path, as_version=4)
    except (OSError, ValueError) as error:
        raise RequestError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    return found


def _changes(debugged: NotebookNode, before: NotebookNode, ran: Mapping[str, str], path: Path) -> dict[int, str]:
    """The new sources of the author's cells, by index. Raises :class:`RequestError`."""
    changes: dict[int, str] = {}
    for cell in debugged.cells:
        own = cell.metadata.get(KEY, {})
        index = own.get("index")
        if "source" in own and cell.source != own["source"] and "%pipeline apply" not in cell.source:
            raise RequestError(
                f"A cell that brings back what the step had was changed: {cell.source.strip().splitlines()[:1]}.",
                "Undo that. What other steps define is changed in their own cells of the notebook.",
            )
        if not isinstance(index, int) or not 0 <= index < len(before.cells):
            continue
        if ran.get(cell.get("id", ""), cell.source) != cell.source:
            raise RequestError(
                f"Cell {index + 1} is saved otherwise than it was run.",
                f"Save {path.name}, or run the cell again; then apply.",
            )
        if cell.source != before.cells[index].source:
            changes[index] = cell.source
    if not changes:
        raise RequestError(f"Nothing is changed in {path.name}, as it is saved.", "Save it (Ctrl S), then apply.")
    return changes


def _same_cell(present: NotebookNode, cell: NotebookNode, index: int) -> NotebookNode | None:
    """The cell of the notebook as it is now that ``cell`` was."""
    name = cell.get("id")
    if name:
        return next((one for one in present.cells if one.get("id") == name), None)
    return present.cells[index] if index < len(present.cells) else None
