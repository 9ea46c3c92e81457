"""What went wrong in a step, told to its author: which cell, what, and what to do next."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jupyter_pipelines.errors import FIX
from jupyter_pipelines.execution.client import failing_line
from jupyter_pipelines.execution.model import StepErrorInfo
from jupyter_pipelines.execution.step_notebook import assigned_names
from jupyter_pipelines.notebook.model import Cell, Role

if TYPE_CHECKING:
    from jupyter_pipelines.execution.engine import Outcome
    from jupyter_pipelines.execution.model import StepRequest

_OURS = {"begin": "prepared", "load": "given its inputs", "save": "finished"}


def refusal(request: StepRequest, refused: Mapping[str, Any]) -> StepErrorInfo:
    """A refusal of the code in the kernel, at the cell it names, or the step's last that speaks of the variable."""
    cells = [request.pipeline.document.cells[index] for index in request.step.cells]
    run = [cell for cell in cells if cell.code.strip()]
    place = refused.get("cell")
    cell = (
        run[place] if place is not None and place < len(run) else _last_cell_with(request, refused.get("variable", ""))
    )
    return StepErrorInfo(
        "refused",
        refused["message"],
        refused["fix"],
        cell=None if cell is None else cell.index,
        first_line="" if cell is None else cell.first_line,
    )


def changed_setup(request: StepRequest, changed: Iterable[str]) -> dict[str, str] | None:
    """A value of setup that the step changed and a later step reads as setup makes it: refused."""
    steps = [step.name for step in request.pipeline.steps]
    later = request.pipeline.steps[steps.index(request.step.name) + 1 :] if request.step.name in steps else ()
    for name in changed:
        reader = next((step.name for step in later if name in step.setup_names), None)
        if name in request.step.setup_names and reader is not None:
            return {
                "message": f"`{name}`, which setup makes, was changed in place by step {request.step.name}, which "
                f"nothing in its cells tells, and step {reader} reads it as setup makes it",
                "fix": f"run it again: {reader} will now take `{name}` from {request.step.name}; "
                f"or change a copy of `{name}`",
                "variable": name,
            }
    return None


def unmade(request: StepRequest, outcome: Outcome) -> dict[str, object] | None:
    """A definition below the error of a cell that may fail, so that nothing has made it, which a later step needs."""
    replays = [
        (step.name, replay) for step in request.pipeline.steps for replay in (*step.definitions, *step.late_definitions)
    ]
    place = -1  # among the step's cells that run
    for cell in outcome.notebook.cells:
        own = cell.metadata.jupyter_pipelines
        if own["hidden"] or own["phase"] != "step" or not cell.source.strip():
            continue
        place += 1
        error = next((output for output in cell.get("outputs", ()) if output.output_type == "error"), None)
        line = failing_line(error.traceback, cell.source) if error is not None else None
        for reader, replay in replays if error is not None else ():
            if replay.cell == own["index"] and replay.line > (line or 0) and replay.names:
                name = replay.names[0]
                return {
                    "message": f"the cell may fail, and does so before it defines `{name}`: Restart & Run All has no "
                    f"`{name}` when step {reader} needs it",
                    "fix": f"put the definition of `{name}` into a cell of its own",
                    "cell": place,
                }
    return None


def explained(request: StepRequest, outcome: Outcome) -> StepErrorInfo:
    """The engine's error, with the author's cell and, where we know one, a fix."""
    assert outcome.error is not None
    error = outcome.error
    message, _, fix = error.message.partition(FIX)  # an error of ours, that a cell raised
    error = replace(error, message=message, fix=error.fix or fix)
    phase = _phase_that_failed(outcome)
    cells = request.pipeline.document.cells
    if error.cell is not None:
        error = replace(error, first_line=cells[error.cell].first_line)
    if error.kind == "error" and phase in _OURS:
        message = f"step {request.step.name} could not be {_OURS[phase]}: {error.message}"
        return replace(error, message=message, fix=error.fix or _fix_of_machine(error))
    if error.kind == "error" and phase == "definitions" and error.cell is not None:
        message = (
            f"a definition of cell {error.cell + 1}, repeated in step {request.step.name}, failed: {error.message}"
        )
        error = replace(error, message=message)
    if not error.fix:
        error = replace(error, fix=_fix(request, error))
    return error


def _phase_that_failed(outcome: Outcome) -> str:
    """The phase of the cell that has the error output, "" when no cell has it."""
    for cell in reversed(outcome.notebook.cells):
        if any(output.output_type == "error" for output in cell.get("outputs", ())):
            return str(cell.metadata.jupyter_pipelines["phase"])
    return ""


def _fix(request: StepRequest, error: StepErrorInfo) -> str:
    quoted = re.search(r"'([^']+)'", error.evalue)
    name = quoted.group(1) if quoted else ""
    if error.ename == "ModuleNotFoundError" and name:
        kernel = request.pipeline.document.kernel_name or "python3"
        return f"install {name.partition('.')[0]} into the environment of the kernel {kernel}"
    if error.ename == "NameError" and name:
        return _fix_for_name(request, name)
    return ""


def _fix_of_machine(error: StepErrorInfo) -> str:
    """What to do about an error in our own code: the machine's fault where the system says so, else ours."""
    number = re.match(r"\[Errno (\d+)\]", error.evalue)
    known = {
        errno.ENOSPC: "free space on the disk, for instance with `jupyter pipelines gc --older-than 30d`",
        errno.EDQUOT: "free space: your quota of the disk is used up; `jupyter pipelines gc --older-than 30d` may help",
        errno.EMFILE: "close the files that the step opens, or allow more of them (`ulimit -n`)",
        errno.EROFS: "make the disk of the store writable, or choose another (JUPYTER_PIPELINES_STORE)",
    }
    if error.ename == "MemoryError":
        return "the memory is used up: run fewer steps at a time (--max-parallel 1), or on a larger machine"
    return known.get(int(number.group(1)) if number else 0, "this is not your notebook's doing: please report it")


def _fix_for_name(request: StepRequest, name: str) -> str:
    own = set(request.step.cells)
    for cell in reversed(request.pipeline.document.cells):
        if cell.index in own or cell.role is Role.TEXT or name not in assigned_names(cell):
            continue
        if cell.role is Role.SKIP:
            return f"cell {cell.number} sets `{name}` and is skipped: take away its skip, or set `{name}` elsewhere"
        if cell.step is not None:
            return (
                f"cell {cell.number} in step {cell.step} sets `{name}`: move it to a setup cell, "
                f"or say that step {request.step.name} reads {name}"
            )
    return f"set `{name}` before it is used: in this step, in an earlier one, or in a setup cell"


def _last_cell_with(request: StepRequest, variable: str) -> Cell | None:
    cells = [request.pipeline.document.cells[index] for index in request.step.cells]
    if not variable:
        return None
    word = re.compile(rf"(?<!\w){re.escape(variable)}(?!\w)")
    return next((cell for cell in reversed(cells) if word.search(cell.code)), None)
