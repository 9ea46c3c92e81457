"""The proof: the notebook as a pipeline against the notebook as a whole.

The pipeline runs first, in an empty store: nothing is reused, nothing is known from earlier runs, and no file that the
whole notebook wrote is there to hide a missing edge. Then the notebook runs from top to bottom in one kernel. As long
as something differs it is run again, up to :data:`MOST_REFERENCES` times, and what differs among these runs is chance.

What the first run of a pipeline shows makes the next run's graph another one: steps that were seen to leave their
inputs alone need not wait for each other any more. Where that is so the pipeline runs once more, as it will from then
on, and that is compared too.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_pipelines.notebook import coerce_parameters
from jupyter_pipelines.notebook.model import Role
from jupyter_pipelines.orchestration import load, run
from jupyter_pipelines.orchestration.model import OnRunEvent, RunEvent, RunRecord
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store
from jupyter_pipelines.store.files import write_atomically
from jupyter_pipelines.typed import typed
from jupyter_pipelines.verification.model import CellReport, Difference, Report, Status, ValueReport, Verdict
from jupyter_pipelines.verification.outputs import Shown, compare_outputs, shown
from jupyter_pipelines.verification.reference import ReferenceRun, run_reference
from jupyter_pipelines.verification.repeats import warnings_in, without_repeats
from jupyter_pipelines.verification.scratch import scratch_store
from jupyter_pipelines.verification.tables import Contents, Tables, scratch_tables
from jupyter_pipelines.verification.workspace import Workspace

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from jupyter_pipelines.graph.model import Pipeline

MOST_REFERENCES = 4


@typed
def verify(
    notebook: Path | str,
    parameters: Mapping[str, object] | None = None,
    *,
    on_event: OnRunEvent | None = None,
) -> Report:
    """Compare what the pipeline of ``notebook`` gives with what running the notebook as a whole gives.

    Compared are the outputs of every cell (text, data, errors by what they say, figures by their pixels) and every
    variable that one step hands to another, as it is when the step's last cell has run, and the content of every table
    that SQL cells write. A notebook that fails is
    equivalent when the pipeline fails in the same cell with the same error. Each run has a copy of the notebook's
    folder and of the warehouse, so that all find the same files and tables, and the author's own are left alone; a
    folder of more than two gigabytes is used as it is.

    Raises :class:`~jupyter_pipelines.errors.RequestError` for a file or parameters that cannot be used, and
    :class:`KeyboardInterrupt` also when its run is cancelled.
    """
    path = Path(notebook)
    tell = on_event or (lambda _: None)
    with scratch_store() as folder:
        pipeline = load(path)
        if pipeline.errors:
            reasons = "\n".join(error.render(path.name) for error in pipeline.errors)
            codes = tuple(dict.fromkeys(error.code for error in pipeline.errors))
            return Report(str(path), "refused", reasons, codes=codes)
        values = coerce_parameters(pipeline.document, parameters or {})
        with scratch_tables(pipeline, folder) as tables:
            workspace = Workspace(path, folder / "work")
            verification = _Verification(path, workspace, tables, pipeline, values, folder, tell)
            report = verification.of_a_run()
            if report.verdict == "equivalent" and _order(load(path)) != _order(pipeline):
                tell(RunEvent("service", message="Running the pipeline again, with what the first run has shown of it"))
                report = verification.of_a_run()
            return report


def _order(pipeline: Pipeline) -> set[tuple[str, str]]:
    return {(edge.source, edge.target) for edge in pipeline.edges}


def _refusal(record: RunRecord) -> tuple[str, str] | None:
    """Why a run was stopped before it could give another result, with the fix; ``None`` when it was not."""
    for step in record.steps:
        if step.state == "refused":
            return f"step {step.name}: {step.error}", step.fix
    if record.state == "failed" and not any(step.error and step.state != "skipped" for step in record.steps):
        return record.error, ""  # what the steps showed contradicts the order they ran in
    return None


class _Verification:
    """Compares finished runs, one by one, with as many reference runs as it takes."""

    record: RunRecord  # of the run in question
    executed: dict[int, NotebookNode]

    def __init__(
        self,
        path: Path,
        workspace: Workspace,
        tables: Tables,
        pipeline: Pipeline,
        parameters: Mapping[str, object],
        folder: Path,
        tell: OnRunEvent,
    ) -> None:
        self.path = path
        self.workspace = workspace
        self.tables = tables
        self.left: Contents = {}  # in tables, by the run in question
        self.pipeline = pipeline
        self.parameters = parameters
        self.folder = folder
        self.tell = tell
        self.carried: dict[str, dict[str, str]] = {}
        self.references: list[ReferenceRun] = []
        self.seconds: list[float] = []

    def of_a_run(self) -> Report:
        """Run the pipeline, and report on that."""
        self.workspace.renew()
        self.tables.renew()
        record = run(self.workspace.notebook, self.parameters, on_event=self.tell)
        self.left = self.tables.contents()
        return self.report_on(record)

    def report_on(self, record: RunRecord) -> Report:
        """Run the notebook as a whole until nothing differs from this run, or for as often as may be.

        What was compared with an earlier run's values is known, and not compared again where they are the same.
        """
        if record.state == "cancelled":
            raise KeyboardInterrupt  # which the run has taken for itself
        self.record = record
        self.seconds.append(record.ended - record.started)
        refusal = _refusal(record)
        if refusal is not None:
            return self._report("refused", *refusal)
        self.executed = _executed_cells(self.pipeline, Path(record.executed_notebook))
        before, self.carried = self.carried, _carried(record)
        known = all(names.items() <= before.get(step, {}).items() for step, names in self.carried.items())
        if self.references and known:
            return self._repeat(self._judge())
        self.references.clear()
        return self._repeat(self._compare_once_more())

    def _repeat(self, report: Report) -> Report:
        while report.verdict == "different" and len(self.references) < MOST_REFERENCES:
            report = self._compare_once_more()
        return report

    def _compare_once_more(self) -> Report:
        number = len(self.references) + 1
        again = "" if number == 1 else " again, to see what differs each time"
        self.tell(RunEvent("service", message=f"Running the notebook as a whole{again}", time=time.time()))
        own = Path(tempfile.mkdtemp(prefix=f"reference-{number}-", dir=self.folder))
        objects = Store(Settings.load().store).objects
        self.workspace.renew()
        self.tables.renew()
        place = self.workspace.notebook.absolute().parent
        reference = run_reference(self.pipeline, place, self.parameters, self.carried, objects, self.references, own)
        self.references.append(replace(reference, tables=self.tables.contents()))
        return self._judge()

    def _judge(self) -> Report:
        first = self.references[0]
        cells, values = self._cells(), self._values()
        different = "different" in {cell.status for cell in cells} | {value.status for value in values}
        failed = self.record.state != "completed"
        verdict: Verdict = "equivalent"
        reason, fix = "", ""
        if failed and first.error is None:
            step = next((step for step in self.record.steps if step.error), None)
            reason = f"the pipeline failed{f' in step {step.name}: {step.error}' if step else f': {self.record.error}'}"
            verdict = "different"
            fix = step.fix if step else ""
        elif first.error is not None and failed:
            reason = f"the notebook itself fails in cell {(first.failed or 0) + 1}: {first.error.message}"
            verdict = "reference-failed" if different or not self._fails_alike(first) else "equivalent"
        elif first.error is not None:
            place = "" if first.failed is None else f" in cell {first.failed + 1}"
            reason = f"the notebook as a whole fails{place}, the pipeline does not: {first.error.message}"
            verdict = "different"
        elif different:
            verdict = "different"
        return self._report(verdict, reason, fix, cells, values)

    def _report(
        self,
        verdict: Verdict,
        reason: str = "",
        fix: str = "",
        cells: tuple[CellReport, ...] = (),
        values: tuple[ValueReport, ...] = (),
    ) -> Report:
        return Report(
            str(self.path),
            verdict,
            reason,
            fix,
            cells,
            values,
            len(self.references),
            min((reference.seconds for reference in self.references), default=0.0),
            tuple(self.seconds),
            len(self.pipeline.steps),
            self._keep_notebooks() if verdict == "different" else "",
        )

    def _keep_notebooks(self) -> str:
        """Put the executed notebooks where they outlive the scratch store, for a look at them side by side."""
        import nbformat

        kept = Settings.load().home / "verify" / f"{self.path.stem}-{self.record.id[:8]}"
        write_atomically(kept / "pipeline.ipynb", Path(self.record.executed_notebook).read_bytes())
        write_atomically(kept / "whole.ipynb", nbformat.writes(self.references[0].notebook).encode())
        return str(kept)

    def _fails_alike(self, reference: ReferenceRun) -> bool:
        assert reference.error is not None
        return any(
            step.error_cell is not None and reference.failed == step.error_cell - 1 for step in self.record.steps
        )

    def _cells(self) -> tuple[CellReport, ...]:
        reports = []
        told: set[str] = set()  # the warnings of the reference so far
        end = min((reference.failed for reference in self.references if reference.failed is not None), default=None)
        for cell in self.pipeline.document.cells:
            if cell.role in {Role.TEXT, Role.SKIP} or not cell.source.strip():
                continue
            status: Status = "not-run"
            differences: tuple[Difference, ...] = ()
            if end is None or cell.index <= end:
                seen = [shown(reference.cells[cell.index].outputs) for reference in self.references]
                status, differences = self._compare_cell(cell.index, seen, told)
                told.update(*(warnings_in(reference.stderr) for reference in seen))
            reports.append(CellReport(cell.number, cell.first_line, cell.step or "", status, differences))
        return tuple(reports)

    def _compare_cell(
        self, index: int, seen: Sequence[Shown], told: Container[str]
    ) -> tuple[Status, tuple[Difference, ...]]:
        executed = self.executed[index]
        if executed.metadata["jupyter_pipelines"]["state"] in {"pending", "not-run"}:
            if self.record.state != "completed":
                return "not-run", ()
            return "different", (Difference("cell", "is run", "is not run"),)
        got = shown(executed.outputs)
        status, differences = compare_outputs(seen, got)
        if status == "different":
            status, differences = compare_outputs(seen, replace(got, stderr=without_repeats(got.stderr, told)))
        return status, differences

    def _values(self) -> tuple[ValueReport, ...]:
        found: dict[tuple[str, str], ValueReport] = {}
        types = {(step.name, output.name): output.type for step in self.record.steps for output in step.outputs}
        for reference in self.references:
            for entry in reference.compared:
                key = str(entry["step"]), str(entry["name"])
                found[key] = _better(found.get(key), _value_report(entry, types.get(key, "")))
        tables = self.tables.compare(self.left, [reference.tables for reference in self.references])
        return (*found.values(), *tables)


def _carried(record: RunRecord) -> dict[str, dict[str, str]]:
    """In which container each step left what it hands over, by step and name."""
    return {
        step.name: {output.name: output.container for output in step.outputs} for step in record.steps if step.outputs
    }


def _value_report(entry: Mapping[str, object], kind: str) -> ValueReport:
    step, name = str(entry["step"]), str(entry["name"])
    if "missing" in entry:
        return ValueReport(step, name, kind, "different", str(entry["missing"]))
    if "problem" in entry:
        return ValueReport(step, name, kind, "not-compared", str(entry["problem"]))
    if entry["pipeline"] is None:
        return ValueReport(step, name, kind, "same")
    others = entry["references"]
    if isinstance(others, list) and any(other is not None for other in others):
        return ValueReport(step, name, kind, "nondeterministic", str(entry["pipeline"]))
    return ValueReport(step, name, kind, "different", str(entry["pipeline"]))


def _better(one: ValueReport | None, other: ValueReport) -> ValueReport:
    """Of two comparisons of one value the one that is closer to *same*: it is enough to agree with one run."""
    order: Sequence[Status] = ("same", "nondeterministic", "not-compared", "different")
    return other if one is None or order.index(other.status) < order.index(one.status) else one


def _executed_cells(pipeline: Pipeline, path: Path) -> dict[int, NotebookNode]:
    """The cells of an executed notebook by their index in the author's, whatever was put between them."""
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    own = [cell for cell in notebook.cells if "state" in cell.metadata.get("jupyter_pipelines", {})]
    indices = [cell.index for cell in pipeline.document.cells if cell.role is not Role.TEXT]
    return dict(zip(indices, own, strict=True))
