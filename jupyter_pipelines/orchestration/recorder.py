"""The record of a run, written to the store at every change, so that a kill at any moment leaves the truth behind.

Its begin and its end are on disk when they are told, and survive a power cut, too. Steps are written beside the run,
within milliseconds: the next step need not wait for the disk.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import psutil

from jupyter_pipelines.orchestration.model import (
    CheckRecord,
    InputRecord,
    OnRunEvent,
    OutputRecord,
    RunEvent,
    RunRecord,
    RunState,
    StepRecord,
    StepState,
    TableRecord,
    not_reached,
)
from jupyter_pipelines.orchestration.records import notes_from
from jupyter_pipelines.store import Store

if TYPE_CHECKING:
    from jupyter_pipelines.execution.model import Carried, StepResult
    from jupyter_pipelines.graph.model import StepPlan

MOST_FILES = 500  # that a step has written are on record


class Recorder:
    """Keeps the record of one run and tells ``on_event`` of each change. Thread-safe."""

    def __init__(self, store: Store, record: RunRecord, on_event: OnRunEvent) -> None:
        self._store = store
        self._steps = {step.name: step for step in record.steps}
        self._record = record
        self._given: dict[str, object] = {}  # where exactly that is which each step has loaded
        self._on_event = on_event
        self._process = process_identity()
        self._lock = threading.Lock()
        self._saving = threading.Lock()  # who holds it writes what is true by then
        self._writer = ThreadPoolExecutor(1, "jupyter-pipelines-record")
        self._write: Future[None] | None = None

    @property
    def record(self) -> RunRecord:
        """The record as it is now."""
        with self._lock:
            return replace(self._record, steps=tuple(self._steps.values()))

    def waits(self, step: str, what: str) -> None:
        """The step, or the run for ``""``, waits for ``what`` before it begins."""
        if step:
            self._put(replace(self._steps[step], waiting=what))
        else:
            self._begin(waiting=what)
        self._tell(RunEvent("waiting", self._record.id, step, what, time.time()))

    def run_started(self) -> None:
        """The run begins."""
        self._begin(state="running", started=time.time(), waiting="")
        self._tell(RunEvent("run-started", run_id=self._record.id, time=time.time()))

    def run_finished(self, state: RunState, error: str = "") -> RunRecord:
        """The run has ended; returns the final record. It stays marked as active until Prefect knows it, too."""
        self._writer.shutdown()
        with self._lock:
            self._steps = {step.name: step for step in not_reached(self._steps.values())}
        self._change(state=state, ended=time.time(), error=error, waiting="")
        self._tell(RunEvent("run-finished", run_id=self._record.id, message=error, time=time.time()))
        return self.record

    def step_loads(self, step: StepPlan, values: Mapping[str, Carried], state: Mapping[str, Carried]) -> None:
        """What a step, which begins soon, loads: values, and hidden ``state``."""
        inputs = tuple(
            InputRecord(name, one.producer, value.type, value.size, value.summary)
            for one in step.inputs
            if (value := values.get(name := one.name)) is not None
        )
        with self._lock:
            if step.name in self._steps:  # else only its earlier result is needed
                self._steps[step.name] = replace(self._steps[step.name], inputs=inputs)
                self._given[step.name] = {
                    "inputs": {name: asdict(one) for name, one in values.items()},
                    "state": {name: asdict(one) for name, one in state.items()},
                }

    def step_started(self, name: str, attempt: int) -> None:
        """A step begins its ``attempt``-th attempt (from 1)."""
        step = replace(self._steps[name], state="running", attempts=attempt, waiting="")
        self._put(step if attempt > 1 else replace(step, started=time.time(), ended=0.0))
        self._tell(RunEvent("step-started", self._record.id, name, time=time.time()))

    def step_will_retry(self, name: str, message: str) -> None:
        """A step failed and will be tried again."""
        self._tell(RunEvent("step-retry", self._record.id, name, message, time.time()))

    def step_finished(self, result: StepResult, reused_from: str = "") -> None:
        """A step has ended, or its result was taken from the run ``reused_from``."""
        state: StepState = "reused" if reused_from else result.state
        step = replace(
            self._steps[result.step],
            state=state,
            ended=time.time(),
            started=self._steps[result.step].started or time.time(),
            reused_from=reused_from,
            outputs=_outputs(result),
            waiting="",
            files_written=() if reused_from else result.observed.files_written[:MOST_FILES],
            metrics=result.metrics,
            tables=notes_from(TableRecord, result.tables),
            checks=notes_from(CheckRecord, result.checks),
            version_found=result.versions[0] if result.versions else None,
            version_left=max(result.versions, default=None),
        )
        if result.error is not None:
            error = result.error
            step = replace(
                step,
                error=error.message,
                error_kind=error.kind,
                error_cell=None if error.cell is None else error.cell + 1,
                error_first_line=error.first_line,
                error_line=error.line,
                error_source=error.source,
                fix=error.fix,
            )
        self._put(step)
        self._tell(RunEvent("step-finished", self._record.id, result.step, time=time.time(), record=step))

    def step_skipped(self, name: str, why: str) -> None:
        """A step will not run."""
        step = replace(self._steps[name], state="skipped", error=why, waiting="")
        self._put(step)
        self._tell(RunEvent("step-finished", self._record.id, name, why, time.time(), record=step))

    def step_taken_back(self, name: str, why: str) -> None:
        """A step that started too early will run again."""
        if name in self._steps:
            self._put(StepRecord(name, "pending", started=self._steps[name].started))
            self._tell(RunEvent("step-retry", self._record.id, name, why, time.time()))

    def _put(self, step: StepRecord) -> None:
        with self._lock:
            self._steps[step.name] = step
            if self._write is None or self._write.running() or self._write.done():  # else it is going to write this too
                self._raise_failure()
                self._write = self._writer.submit(self._save, sync=False)

    def _raise_failure(self) -> None:
        """Raise what the last write has raised: a full disk, say."""
        if self._write is not None and self._write.done():
            self._write.result()

    def _begin(self, **changes: object) -> None:
        """Change the record, which is marked as active before and after: somebody may have settled it in between."""
        self._store.mark_active(self._record.id, True)
        self._change(**changes)
        if not self._store.active_since(self._record.id):
            self._store.mark_active(self._record.id, True)

    def _change(self, **changes: object) -> None:
        with self._lock:
            self._record = replace(self._record, **changes)  # type: ignore[arg-type]  # names are checked by dataclasses
        self._save(sync=True)

    def _save(self, *, sync: bool) -> None:
        with self._saving:
            record = self.record
            more = {"process": self._process, "given": dict(self._given)}
            self._store.save_run(record.id, (asdict(record) if sync else vars(record)) | more, sync=sync)

    def _tell(self, event: RunEvent) -> None:
        self._on_event(event)


def process_identity() -> dict[str, object]:
    """What identifies this process, also after its number is given to another, or the clock was set."""
    known: dict[str, object] = {"pid": os.getpid(), "created": psutil.Process().create_time()}
    begun = _begun(os.getpid())
    return known | _place() | ({"begun": begun} if begun else {})


def is_elsewhere(process: object) -> bool:
    """Whether the process with this identity is of another machine or container: from here nobody sees it."""
    if not isinstance(process, dict) or "host" not in process:
        return False
    here = _place()
    if process["host"] != here["host"]:
        return True
    same_boot = str(process.get("begun")).partition(" ")[0] == _begun(os.getpid()).partition(" ")[0]
    return same_boot and process.get("processes") != here["processes"]


def is_alive(process: object) -> bool:
    """Whether the process with this identity still runs."""
    if not isinstance(process, dict):
        return False
    try:
        pid = int(process["pid"])
        found = psutil.Process(pid)
        if "begun" in process:
            same = process["begun"] == _begun(pid)
        else:
            same = abs(found.create_time() - float(process["created"])) < 1.0
        return bool(same and found.status() != psutil.STATUS_ZOMBIE)
    except (psutil.Error, KeyError, ValueError, TypeError, OverflowError):
        return False


def _place() -> dict[str, object]:
    """Where the number of a process means it: this machine, and on Linux this container of it."""
    try:
        numbered = os.readlink("/proc/self/ns/pid")
    except OSError:
        numbered = ""
    return {"host": socket.gethostname(), "processes": numbered}


def _begun(pid: int) -> str:
    """When a process began, by the ticks of this boot, which no clock changes; ``""`` where that cannot be told."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as boot, open(f"/proc/{pid}/stat", "rb") as stat:
            return f"{boot.read().strip()} {int(stat.read().rpartition(b')')[2].split()[19])}"
    except (OSError, ValueError, IndexError):
        return ""


def _outputs(result: StepResult) -> tuple[OutputRecord, ...]:
    return tuple(
        OutputRecord(carried.name, carried.type, carried.size, carried.summary, carried.container)
        for carried in result.outputs.values()
    )
