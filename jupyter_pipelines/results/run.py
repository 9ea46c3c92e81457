"""A run as an object: how it went, what it left, and what can be done with it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.notebook.table_names import read_table_name
from jupyter_pipelines.orchestration.history import get_run
from jupyter_pipelines.orchestration.model import (
    CheckRecord,
    OutputRecord,
    RunRecord,
    RunState,
    StepRecord,
    TableRecord,
)
from jupyter_pipelines.orchestration.records import read_record
from jupyter_pipelines.orchestration.redaction import shown_parameters
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store
from jupyter_pipelines.store.run_numbers import numbers_of
from jupyter_pipelines.typed import typed

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from jupyter_pipelines.graph.model import Pipeline
    from jupyter_pipelines.notebook.sql_magic import FrameForm
    from jupyter_pipelines.results.comparison import RunComparison

GOING_ON = {"pending", "running"}
LOOK = 0.2  # seconds between two looks at a run that is waited for


class Log(str):
    """Lines of text that are shown as they are."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class Run:
    """One run of a pipeline. While it goes on, what it says is how it is now.

    ``record`` is all that is on record, as plain data. Two runs are equal when they are the same run.
    """

    def __init__(self, record: RunRecord) -> None:
        self._record = record
        self._seen = 0

    @property
    def record(self) -> RunRecord:
        """What is on record by now."""
        if self._record.state in GOING_ON:
            store = Store(Settings.load().store)
            with_time = _changed(store, self._record.id)
            if with_time != self._seen:
                self._record, self._seen = read_record(store, self._record.id) or self._record, with_time
        return self._record

    @property
    def id(self) -> str:
        return self._record.id

    @property
    def name(self) -> str:
        return self._record.name

    @property
    def pipeline(self) -> str:
        """What its pipeline is called: a name, or the path of its notebook."""
        return self._record.pipeline or self._record.notebook

    @property
    def state(self) -> RunState:
        """``pending``, ``running``, ``completed``, ``failed``, ``cancelled`` or ``crashed``."""
        return self.record.state

    @property
    def parameters(self) -> Mapping[str, object]:
        """The values that it was given, without secrets."""
        return shown_parameters(self._record.parameters)

    @property
    def version(self) -> str:
        """The id of the published version that ran; ``""`` when it was the notebook as it was then."""
        return self._record.published

    @property
    def started(self) -> datetime | None:
        return _moment(self.record.started)

    @property
    def ended(self) -> datetime | None:
        return _moment(self.record.ended)

    @property
    def duration(self) -> timedelta | None:
        """How long it took, or has taken until now; ``None`` before it has started."""
        record = self.record
        return timedelta(seconds=(record.ended or time.time()) - record.started) if record.started else None

    @property
    def error(self) -> str:
        """Why it did not complete; ``""`` when it did, or goes on."""
        return self.record.error

    @property
    def steps(self) -> tuple[StepRecord, ...]:
        """How each step went, in the notebook's order."""
        return self.record.steps

    @typed
    def step(self, name: str) -> StepRecord:
        """How one step went. Raises :class:`RequestError` when there is none of that name."""
        for step in self.steps:
            if step.name == name:
                return step
        names = ", ".join(step.name for step in self.steps)
        raise RequestError(f"Run {self.id[:8]} has no step {name!r}.", f"Its steps are: {names or 'none'}.")

    @property
    def checks(self) -> tuple[CheckRecord, ...]:
        """How the checks of its steps came out, in the notebook's order."""
        return tuple(check for step in self.steps for check in step.checks)

    @property
    def tables(self) -> tuple[TableRecord, ...]:
        """The tables that its steps have built."""
        return tuple(table for step in self.steps for table in step.tables)

    def table(self, name: str, *, form: FrameForm = "arrow") -> Any:
        """All rows of a table of the warehouse that this run has built: ``run.table("mart.daily")``.

        It is an Arrow table, or a ``"pandas"`` or ``"polars"`` frame. In a lake it is as this run has left it, and one
        that the run has not built is as its last step has found it. Else a table is what its last build has made of it:
        raises :class:`RequestError` for one that was built again since, or that this run has not built.
        """
        from jupyter_pipelines.warehouse.warehouse import warehouse

        if form not in {"arrow", "pandas", "polars"}:
            raise RequestError(f"There is no form {form!r}.", "Choose arrow, pandas or polars.")
        wanted = read_table_name(name)
        built = [(step, one) for step in self.steps for one in step.tables if read_table_name(one.table) == wanted]
        version = max((one.version for _, one in built if one.version is not None), default=None)
        if version is None:
            version = max((step.version_left for step in self.steps if step.version_left is not None), default=None)
        if wanted is not None and version is not None and warehouse().keeps_versions:
            runs = {self.id, *(step.reused_from for step in self.steps)}
            if built and not any(one.number == version and one.run in runs for one in warehouse().versions()):
                raise RequestError(
                    f"The warehouse {warehouse().path} does not have what run {self.id[:8]} has built (any more).",
                    "Set JUPYTER_PIPELINES_WAREHOUSE to the lake that it worked in, or choose a newer run.",
                )
            return warehouse().sql(f"FROM {wanted.sql} AT (VERSION => {version})", form=form)
        if wanted is not None and built:
            step, table = built[0]
            return warehouse().as_built(table.table, {self.id, step.reused_from} - {""}, form=form)
        known = ", ".join(one.table for one in self.tables)
        raise RequestError(f"Run {self.id[:8]} has built no table {name}.", f"It has built: {known or 'none'}.")

    @property
    def metrics(self) -> dict[str, float | None]:
        """The numbers that its steps left: by ``jp.metric``, bound to a name, and how many rows frames had.

        A name that several steps gave is told for each of them, too: ``train.loss``.
        """
        found: dict[str, float | None] = {}
        several: dict[str, dict[str, float | None]] = {}
        for step in self.steps:
            for name, value in numbers_of(asdict(step)).items():
                several.setdefault(name, {})[step.name] = value
                found[name] = value
        for name, by_step in several.items():
            if len(by_step) > 1:
                found |= {f"{step}.{name}": value for step, value in by_step.items()}
        return found

    @property
    def values(self) -> dict[str, str]:
        """What can be had by :meth:`value`: ``STEP.NAME``, each in a few words."""
        return {f"{step.name}.{one.name}": one.summary or one.type for step in self.steps for one in step.outputs}

    @typed
    def value(self, name: str) -> object:
        """A value that a step handed over: ``"model"``, as the last step that has it left it, or ``"train.model"``.

        Classes and functions of the notebook do not exist here: what is made with them is given as a stand-in that has
        its state. Raises :class:`RequestError` for a name that no step handed over, :class:`StoreError` for a value
        that is gone or cannot be read here.
        """
        from jupyter_pipelines.execution.containers import load_values
        from jupyter_pipelines.execution.model import Carried

        output = self.output(name)
        carried = Carried(output.name, output.container, output.type, output.size, "", output.summary)
        return load_values(Store(Settings.load().store).objects, {name: carried})[name]

    @typed
    def output(self, name: str) -> OutputRecord:
        """What is on record of a value; ``name`` and errors are as for :meth:`value`."""
        step, _, own = name.rpartition(".")
        found = [one for each in self.steps if step in {"", each.name} for one in each.outputs if one.name == own]
        if found:
            return found[-1]
        known = list(self.values)
        some = f"{', '.join(known[:8])}{' …' if len(known) > 8 else ''}"
        raise RequestError(
            f"No step of run {self.id[:8]} has handed over {name!r}.",
            f"There is {some}." if known else "Values are kept when a later step reads them.",
        )

    def logs(self) -> Log:
        """What there is to read of it: how its steps went, and what their cells printed."""
        from jupyter_pipelines.orchestration.run_log import run_log

        return Log("\n".join(line.text for line in run_log(self.id)))

    def notebook(self) -> NotebookNode:
        """Its executed notebook, as it is by now. Raises :class:`RequestError` before there is one."""
        import nbformat

        path = Path(self.record.executed_notebook) if self.record.executed_notebook else None
        if path is None or not path.is_file():
            raise RequestError(f"Run {self.id[:8]} has no executed notebook.", "There is one once a step has begun.")
        found: NotebookNode = nbformat.read(path, as_version=4)
        return found

    def graph(self) -> Pipeline:
        """The pipeline that ran, compiled from the notebook as it was."""
        from jupyter_pipelines.notebook import read_notebook
        from jupyter_pipelines.orchestration.loading import compile_with_memory

        store = Store(Settings.load().store)
        name = Path(self._record.notebook).name
        return compile_with_memory(read_notebook(store.get_notebook(self._record.version), name), store)

    @typed
    def compare(self, other: Run | str) -> RunComparison:
        """What differs between this run and another, or its id."""
        from jupyter_pipelines.results.comparison import compare

        return compare(self, other if isinstance(other, Run) else Run(get_run(other)))

    @typed
    def wait(self, timeout: float | None = None) -> Run:
        """Wait for its end, for at most ``timeout`` seconds; gives the run itself."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.state in GOING_ON and (deadline is None or time.monotonic() < deadline):
            time.sleep(LOOK)
            if self.state in GOING_ON:
                self._record = get_run(self.id)  # sees, too, that its process was killed
        return self

    def cancel(self) -> Run:
        """Cancel it, and wait for its end."""
        from jupyter_pipelines.orchestration.submission import cancel

        self._record = cancel(self.id)
        return self

    def resume(self) -> Run:
        """Continue it from where it failed, as a new run that is waited for."""
        from jupyter_pipelines.orchestration.runs import resume

        return Run(resume(self.id))

    def keep(self, keep: bool = True) -> None:
        """Have cleaning leave it alone, or no longer."""
        from jupyter_pipelines.orchestration.retention import keep as mark

        mark(self.id, keep)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        from jupyter_pipelines.results.showing.text import describe_run

        return describe_run(self)

    def _repr_html_(self) -> str:
        from jupyter_pipelines.results.showing.run import run_html

        return run_html(self)


def _moment(seconds: float) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC).astimezone() if seconds else None


def _changed(store: Store, run: str) -> int:
    try:
        return (store.run_folder(run) / "run.json").stat().st_mtime_ns
    except OSError:
        return 0
