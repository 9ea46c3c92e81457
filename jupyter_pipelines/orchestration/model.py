"""What is asked of a run, and its record. Plain data; the store keeps the record as JSON, and scripts read that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from jupyter_pipelines.execution.model import CellEvent

RunState = Literal["pending", "running", "completed", "failed", "cancelled", "crashed"]
StepState = Literal[
    "pending", "running", "completed", "reused", "skipped", "failed", "timed-out", "cancelled", "crashed", "refused"
]


@dataclass(frozen=True)
class RunRequest:
    """One run to be made.

    ``only``, ``from_step`` and ``until`` choose steps; what they leave out is taken from earlier runs where its
    source and inputs are unchanged, and refused otherwise. ``resume`` is the id of a failed run to continue.
    """

    notebook: Path
    parameters: Mapping[str, object] = field(default_factory=dict)
    output: Path | None = None  # a copy of the executed notebook is put here
    only: str | None = None
    from_step: str | None = None
    until: str | None = None
    reuse: bool = False
    resume: str | None = None
    max_parallel: int | None = None
    parent: str | None = None  # the id of the grid this run belongs to
    published: str | None = None  # the id of a published version, run instead of the file
    schedule: str | None = None  # the id of the schedule that asks for it
    scheduled_time: float = 0.0  # the occurrence's, in seconds since the epoch


@dataclass(frozen=True)
class OutputRecord:
    """A value that a step left: what people are shown of it, and where it is."""

    name: str
    type: str
    size: int
    summary: str
    container: str


@dataclass(frozen=True)
class StepRecord:
    """How one step of a run went. Times are seconds since the epoch, 0 when it has not come to that."""

    name: str
    state: StepState
    started: float = 0.0
    ended: float = 0.0
    attempts: int = 0
    outputs: tuple[OutputRecord, ...] = ()
    error: str = ""
    error_kind: str = ""
    error_cell: int | None = None  # number, 1-based
    error_first_line: str = ""
    fix: str = ""
    reused_from: str = ""  # the id of the run whose result was taken


@dataclass(frozen=True)
class RunRecord:
    """One run. ``id`` is the Prefect flow run's id."""

    id: str
    name: str
    notebook: str  # absolute path of the source at the time
    version: str  # content address of the notebook that was run
    state: RunState
    parameters: Mapping[str, object]
    started: float
    ended: float
    steps: tuple[StepRecord, ...]
    executed_notebook: str = ""  # path of the executed notebook, readable at any time
    error: str = ""
    resumed_from: str = ""
    parent: str = ""
    only: str = ""  # which part of the pipeline was asked for, as in :class:`RunRequest`
    from_step: str = ""
    until: str = ""
    published: str = ""  # the id of the published version that was run, if one was
    schedule: str = ""  # the id of the schedule that asked for it, if one did
    scheduled_time: float = 0.0  # when it was to run by that, in seconds since the epoch

    def step(self, name: str) -> StepRecord:
        """The record of the step called ``name``; raises :class:`KeyError`."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class RunEvent:
    """What happens while a run goes on. ``kind``:

    ``service`` (``message``: what is being started, said once), ``run-started``, ``step-started``, ``step-finished``
    (``record``), ``step-retry`` (``message``), ``cell`` (``cell`` event of execution), ``run-finished``.
    """

    kind: Literal["service", "run-started", "step-started", "step-retry", "cell", "step-finished", "run-finished"]
    run_id: str = ""
    step: str = ""
    message: str = ""
    time: float = 0.0
    record: StepRecord | None = None
    cell: CellEvent | None = None


OnRunEvent = Callable[[RunEvent], None]


def ignore(_: RunEvent) -> None:
    """Nobody listens."""
