"""What is asked of one step's execution, and what comes back. Plain data; JSON-able where it says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from nbformat import NotebookNode

from jupyter_pipelines.graph.model import Pipeline, StepPlan


@dataclass(frozen=True, slots=True)
class CellEvent:
    """Progress of a step, told as it happens.

    ``cell`` is the index in the author's notebook. ``output`` is an nbformat output for ``kind == "output"``,
    ``executed`` the cell with all its outputs for ``kind == "cell-finished"``.
    """

    kind: Literal["step-started", "cell-started", "output", "cell-finished", "step-finished"]
    step: str
    cell: int | None = None
    time: float = 0.0  # seconds since the epoch
    ok: bool = True
    output: Mapping[str, object] | None = None
    executed: NotebookNode | None = None


@dataclass(frozen=True, slots=True)
class Carried:
    """Where a value is: ``container`` is the content address of the step's container in the store."""

    name: str
    container: str
    type: str  # qualified name, for people
    size: int  # bytes
    digest: str  # of the value itself: equal digests, equal values
    summary: str = ""  # "336,776 rows x 19 columns", "ndarray (3, 4) float64", …


@dataclass(frozen=True)
class Observed:
    """What one run of a step saw about its source (JSON-able through ``dataclasses.asdict``)."""

    unchanged: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()  # inputs changed in place although the graph did not say so
    aliases: tuple[tuple[str, ...], ...] = ()  # groups of outputs (and inputs) that share objects
    state_changed: tuple[str, ...] = ()
    state_untouched: tuple[str, ...] = ()
    files_read: tuple[str, ...] = ()  # absolute paths
    files_written: tuple[str, ...] = ()
    state_set: tuple[str, ...] = ()  # random generators that were set, not drawn from alone
    state_set_up: tuple[str, ...] = ()  # the same, by setup
    definitions_needed: tuple[str, ...] = ()  # by what it was handed, which it had not been given
    modules_lent: tuple[str, ...] = ()  # loaded for it, because it took them for loaded
    modules_loaded: tuple[str, ...] = ()  # of those that later steps name, what is loaded at its end


@dataclass(frozen=True)
class StepRequest:
    """Everything needed to run one step, on this machine or another.

    ``inputs`` and ``state`` say where each input is; ``parameters`` are the values given from outside, already
    coerced; ``directory`` is the working directory (the notebook's own); ``attempt`` counts from 1.
    """

    run_id: str
    pipeline: Pipeline
    step: StepPlan
    notebook: NotebookNode  # the whole source notebook of the version
    parameters: Mapping[str, object]
    inputs: Mapping[str, Carried]
    state: Mapping[str, Carried]
    directory: Path
    objects: Path  # the store's local folder of content-addressed containers
    env: Mapping[str, str] = field(default_factory=dict)
    attempt: int = 1
    backfill: str = ""  # the id of the backfill that the run is a part of
    origin: str = ""  # the first of the runs that continue each other, of which it is the last; empty: it is the first
    version: str = ""  # of the notebook
    threads: int | None = None  # BLAS/OpenMP threads this step may use; None: leave as it is


@dataclass(frozen=True)
class StepResult:
    """How a step ended.

    ``cells`` holds the executed cells by their index in the author's notebook (setup and parameter cells included).
    ``error`` is set unless ``state == "completed"``.
    """

    step: str
    state: Literal["completed", "failed", "timed-out", "cancelled", "crashed", "refused"]
    cells: Mapping[int, NotebookNode]
    outputs: Mapping[str, Carried] = field(default_factory=dict)
    state_outputs: Mapping[str, Carried] = field(default_factory=dict)
    setup_digests: Mapping[str, str] = field(default_factory=dict)  # by name, for values that can be hashed
    observed: Observed = field(default_factory=Observed)
    error: StepErrorInfo | None = None
    started: float = 0.0
    ended: float = 0.0
    kernel_seconds: float = 0.0  # spent waiting for a kernel
    metrics: Mapping[str, float | None] = field(default_factory=dict)  # numbers to keep; None: not a finite one
    tables: tuple[Mapping[str, object], ...] = ()  # that it has built, as the kernel tells it (JSON values)
    checks: tuple[Mapping[str, object], ...] = ()  # how checks came out, likewise
    versions: tuple[int, ...] = ()  # of a lake: that the step has found, and those that it has made
    widgets: Mapping[str, object] = field(default_factory=dict)  # `metadata.widgets` of the step's executed notebook


@dataclass(frozen=True)
class StepErrorInfo:
    """A step's error as data: the fields of :class:`jupyter_pipelines.errors.StepError`."""

    kind: str
    message: str
    fix: str = ""
    cell: int | None = None  # index
    first_line: str = ""
    line: int | None = None  # of the cell, 1-based: where it failed
    source: str = ""  # what stands there
    ename: str = ""
    evalue: str = ""
    traceback: tuple[str, ...] = ()


OnEvent = Callable[[CellEvent], None]
