"""The log of a run as text: how its steps went, and what their cells printed.

It is put together from the run's record and its executed notebook, as they are by now: nothing is written twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from jupyter_pipelines.orchestration.history import get_run
from jupyter_pipelines.orchestration.model import RunRecord, StepRecord
from jupyter_pipelines.typed import typed

Kind = Literal["progress", "stdout", "stderr", "error"]
LONGEST: Final = 10_000  # characters of a line
LARGEST: Final = 100_000_000  # bytes of an executed notebook that is read
_ESCAPES: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_OURS: Final = {"pipeline-error-banner", "pipeline-error", "injected-parameters"}  # ids of cells that no author wrote


@dataclass(frozen=True)
class LogLine:
    """One line. ``time`` is when its step, or its cell, began or ended; seconds since the epoch, 0 where unknown."""

    time: float
    kind: Kind
    text: str
    step: str = ""
    cell: int | None = None  # number in the author's notebook


@typed
def run_log(run_id: str) -> list[LogLine]:
    """What there is to read of a run so far, in the order of time. Raises :class:`RequestError` when there is none."""
    record = get_run(run_id)
    lines = [*_progress(record), *_printed(Path(record.executed_notebook) if record.executed_notebook else None)]
    return sorted(lines, key=lambda line: line.time)


def plain(text: str) -> str:
    """``text`` as a terminal would leave it: without colours, and of what was written over only the last."""
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in _ESCAPES.sub("", text).split("\n"))


def _progress(record: RunRecord) -> Iterator[LogLine]:
    """How the run and its steps went."""
    if record.started:
        yield LogLine(record.started, "progress", f"Run {record.id} started")
    elif record.waiting:
        yield LogLine(0.0, "progress", f"Run {record.id} waits for {record.waiting}")
    heard = max((step.ended for step in record.steps), default=0.0) or record.ended or record.started
    for step in record.steps:
        yield from _of_step(step, heard)
    if record.ended:
        took = f" in {record.ended - record.started:.1f} s" if record.started else ""
        yield LogLine(record.ended, "progress", f"Run {record.id} {record.state}{took}")
        if not any(step.error for step in record.steps):
            yield from _lines(record.ended, "error", record.error)


def _of_step(step: StepRecord, heard: float) -> Iterator[LogLine]:
    """``heard`` is when a step has ended last: those that are skipped have no times of their own."""
    if step.started and step.state != "reused":
        again = f", attempt {step.attempts}" if step.attempts > 1 else ""
        yield LogLine(step.started, "progress", f"Step {step.name} started{again}", step.name)
    elif step.waiting:
        yield LogLine(0.0, "progress", f"Step {step.name} waits for {step.waiting}", step.name)
    if step.state in {"pending", "running"}:
        return
    took = f" in {step.ended - step.started:.1f} s" if step.ended and step.started and step.state != "reused" else ""
    origin = f" from run {step.reused_from}" if step.reused_from else ""
    place = f" in cell {step.error_cell}" if step.error_cell else ""
    end = step.ended or step.started or heard
    if step.state == "skipped":
        why = f": {step.error}" if step.error else ""
        yield LogLine(end, "progress", f"Step {step.name} skipped{why}", step.name)
        return
    state = step.state.replace("-", " ")
    why = f": {plain(step.error).strip().splitlines()[0]}" if step.error.strip() else ""
    yield LogLine(end, "progress", f"Step {step.name} {state}{place}{took}{origin}{why}", step.name, step.error_cell)
    if step.error_kind != "error":  # else the cell has its traceback
        yield from _lines(end, "error", step.error, step.name, step.error_cell)
    yield from _lines(end, "error", f"Fix: {step.fix}" if step.fix else "", step.name, step.error_cell)


def _printed(path: Path | None) -> Iterator[LogLine]:
    """What the cells of the executed notebook have printed, and the errors they ended with."""
    try:
        if path is None or path.stat().st_size > LARGEST:
            return
        cells = json.loads(path.read_bytes())["cells"]
    except (OSError, ValueError, KeyError, TypeError):  # not written yet
        return
    for number, cell in enumerate((cell for cell in cells if cell.get("id") not in _OURS), 1):
        own = cell.get("metadata", {}).get("jupyter_pipelines", {})
        step, begun, ended = str(own.get("step") or ""), _seconds(own.get("start")), _seconds(own.get("end"))
        for output in cell.get("outputs", ()):
            kind, text = _read(output)
            yield from _lines((ended or begun) if kind == "error" else begun, kind, text, step, number)


def _read(output: Mapping[str, Any]) -> tuple[Kind, str]:
    if output.get("output_type") == "stream":
        return ("stderr" if output.get("name") == "stderr" else "stdout"), _text(output.get("text"))
    if output.get("output_type") == "error":
        return "error", "\n".join(map(str, output.get("traceback") or ()))
    return "stdout", ""


def _lines(time: float, kind: Kind, text: str, step: str = "", cell: int | None = None) -> Iterator[LogLine]:
    for line in plain(text).rstrip("\n").split("\n") if text.strip() else ():
        yield LogLine(time, kind, line if len(line) <= LONGEST else f"{line[:LONGEST]} …", step, cell)


def _text(value: object) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _seconds(moment: object) -> float:
    try:
        return datetime.fromisoformat(str(moment)).timestamp()
    except ValueError:
        return 0.0
