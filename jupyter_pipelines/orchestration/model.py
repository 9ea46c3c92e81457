"""What is asked of a run, and its record. Plain data; the store keeps the record as JSON, and scripts read that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

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
    frozen: str | None = None  # the same of what was frozen for a backfill, and not published
    schedule: str | None = None  # the id of the schedule or trigger that asks for it
    triggered: bool = False  # by a trigger
    scheduled_time: float = 0.0  # the occurrence's, in seconds since the epoch
    backfill: str | None = None  # the id of the backfill that asks for it
    upstream: str | None = None  # the id of the run that a trigger answers
    timeout: float | None = None  # seconds after which it is stopped; unless given, what the notebook says
    attempt: int = 0  # the how-manieth at the same, where that is not the first

    def options(self) -> dict[str, Any]:
        """What of it travels through Prefect as :class:`RunOptions`: what is not as by default."""
        names = (field.name for field in fields(RunOptions))
        return {name: value for name in names if (value := getattr(self, name, None))}


@dataclass(frozen=True)
class RunOptions:
    """The options of a run that travel through Prefect, in JSON form; see :class:`RunRequest`."""

    only: str | None = None
    from_step: str | None = None
    until: str | None = None
    reuse: bool = False
    resume: str | None = None
    max_parallel: int | None = None
    parent: str | None = None
    published: str | None = None
    frozen: str | None = None
    schedule: str | None = None
    triggered: bool = False
    scheduled_time: float = 0.0
    backfill: str | None = None
    upstream: str | None = None
    timeout: float | None = None
    attempt: int = 0
    asked: float = 0.0  # when it was asked for, in seconds since the epoch, where that was not when it began
    store: str | None = None  # where the version is; by default where the settings of the process that runs it say


@dataclass(frozen=True)
class OutputRecord:
    """A value that a step left: what people are shown of it, and where it is."""

    name: str
    type: str
    size: int
    summary: str
    container: str


@dataclass(frozen=True)
class InputRecord:
    """A value that a step loaded, and which step it is from."""

    name: str
    producer: str
    type: str
    size: int
    summary: str


@dataclass(frozen=True)
class TableRecord:
    """A table that a step has built. ``rows`` is ``None`` for a view."""

    table: str
    materialize: str
    rows: int | None
    added: int = 0
    changed: int = 0
    removed: int = 0
    version: int | None = None  # of the warehouse, that it has made; where versions are kept


@dataclass(frozen=True)
class CheckRecord:
    """How a check of a table came out: ``passed``, ``warned`` or ``failed``. ``sample`` is some of what broke it."""

    table: str
    name: str
    status: str
    violations: int = 0
    rows: int = 0  # of the table
    value: float | None = None  # the number that was looked at, where it was one
    message: str = ""
    sample_columns: tuple[str, ...] = ()
    sample: tuple[tuple[str, ...], ...] = ()


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
    error_line: int | None = None  # within that cell, 1-based
    error_source: str = ""  # what stands there
    fix: str = ""
    reused_from: str = ""  # the id of the run whose result was taken
    waiting: str = ""  # what it waits for before it begins, while it does
    files_written: tuple[str, ...] = ()  # absolute paths
    metrics: Mapping[str, float | None] = field(default_factory=dict)  # numbers it left; None: not a finite one
    inputs: tuple[InputRecord, ...] = ()
    tables: tuple[TableRecord, ...] = ()
    checks: tuple[CheckRecord, ...] = ()
    version_found: int | None = None  # of a lake, when its first statement came
    version_left: int | None = None  # after its last one


def not_reached(steps: Iterable[StepRecord]) -> tuple[StepRecord, ...]:
    """The steps of a run that has ended: what still waited will not run."""
    return tuple(replace(step, state="skipped", waiting="") if step.state == "pending" else step for step in steps)


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
    frozen: str = ""  # the id of the file's content as it was frozen for a backfill, if that was run
    schedule: str = ""  # the id of the schedule or trigger that asked for it, if one did
    scheduled_time: float = 0.0  # when it was to run by that, in seconds since the epoch
    backfill: str = ""  # the id of the backfill that it is a part of, if it is
    pipeline: str = ""  # what its pipeline is called; "" when that is the notebook's path
    upstream: str = ""  # the id of the run that it answers, if a trigger asked for it
    waiting: str = ""  # what it waits for before it begins, while it does
    attempt: int = 1  # the how-manieth at an occurrence of a schedule or trigger: each continues the one before it
    triggered: bool = False  # what asked for it, by the id in ``schedule``, is a trigger

    @classmethod
    def pending(
        cls,
        run_id: str,
        name: str,
        notebook: str,
        version: str,
        parameters: Mapping[str, object],
        options: RunOptions,
        steps: Iterable[str],
        executed_notebook: str = "",
        pipeline: str = "",
    ) -> RunRecord:
        """The record of a run that has not begun."""
        return cls(
            id=run_id,
            name=name,
            notebook=notebook,
            version=version,
            state="pending",
            parameters=parameters,
            started=0.0,
            ended=0.0,
            steps=tuple(StepRecord(step, "pending") for step in steps),
            executed_notebook=executed_notebook,
            pipeline=pipeline,
            resumed_from=options.resume or "",
            parent=options.parent or "",
            only=options.only or "",
            from_step=options.from_step or "",
            until=options.until or "",
            published=options.published or "",
            frozen=options.frozen or "",
            schedule=options.schedule or "",
            triggered=options.triggered,
            scheduled_time=options.scheduled_time,
            backfill=options.backfill or "",
            upstream=options.upstream or "",
            attempt=options.attempt or 1,
        )

    def step(self, name: str) -> StepRecord:
        """The record of the step called ``name``; raises :class:`KeyError`."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)


def content_of(run: RunRequest | RunOptions | RunRecord) -> str | None:
    """The id of what is run instead of the notebook's file, if something is."""
    return run.published or run.frozen or None


@dataclass(frozen=True, slots=True)
class RunEvent:
    """What happens while a run goes on. ``kind``:

    ``service`` (``message``: what is being started, said once), ``waiting`` (``message``: what the step, or the run,
    waits for), ``run-started``, ``step-started``, ``step-finished`` (``record``), ``step-retry`` (``message``),
    ``cell`` (``cell`` event of execution), ``run-finished``.
    """

    kind: Literal[
        "service", "waiting", "run-started", "step-started", "step-retry", "cell", "step-finished", "run-finished"
    ]
    run_id: str = ""
    step: str = ""
    message: str = ""
    time: float = 0.0
    record: StepRecord | None = None
    cell: CellEvent | None = None


OnRunEvent = Callable[[RunEvent], None]


def ignore(_: RunEvent) -> None:
    """Nobody listens."""
