"""The pipeline of a notebook as an object: what it is made of, and what can be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.loading import load
from jupyter_pipelines.results.run import Run
from jupyter_pipelines.results.runs import Runs, runs
from jupyter_pipelines.typed import typed

if TYPE_CHECKING:
    from jupyter_pipelines.diagnostics import Diagnostic
    from jupyter_pipelines.graph.model import Edge, Pipeline, StepPlan
    from jupyter_pipelines.notebook.model import Parameter
    from jupyter_pipelines.orchestration.backfills import Backfill
    from jupyter_pipelines.orchestration.pipelines import PipelineStatus
    from jupyter_pipelines.orchestration.scheduling import ScheduleRecord
    from jupyter_pipelines.orchestration.tables import Upstream
    from jupyter_pipelines.orchestration.versions import Version
    from jupyter_pipelines.results.lineage import Lineage
    from jupyter_pipelines.results.trends import Trend
    from jupyter_pipelines.verification.model import Report


@typed
def pipeline(notebook: Path | str) -> NotebookPipeline:
    """The pipeline of a notebook. Raises :class:`RequestError` when the file cannot be read."""
    return NotebookPipeline(notebook)


class NotebookPipeline:
    """What a notebook means as a pipeline, as it was last saved.

    It is compiled again when the file has changed; :attr:`graph` is what :func:`jupyter_pipelines.load` gives.
    """

    def __init__(self, notebook: Path | str) -> None:
        self.path = Path(notebook).expanduser()
        self._graph = load(self.path)
        self._stamp = self._changed()

    @property
    def name(self) -> str:
        """The name that the notebook gives it, else that of the file."""
        return self.graph.document.options.name or self.path.stem

    @property
    def graph(self) -> Pipeline:
        """The compiled notebook."""
        stamp = self._changed()
        if stamp != self._stamp:
            self._graph, self._stamp = load(self.path), stamp
        return self._graph

    @property
    def steps(self) -> tuple[StepPlan, ...]:
        return self.graph.steps

    @property
    def edges(self) -> tuple[Edge, ...]:
        """Every reason why a step runs after another; each can ``explain()`` itself."""
        return self.graph.edges

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return self.graph.document.parameters

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What is wrong with it, or might be; of its SQL also what DuckDB would say, given the warehouse as it is."""
        from jupyter_pipelines.results.checking import with_findings

        return with_findings(self.graph).diagnostics

    @typed
    def explain(self, name: str | None = None) -> str:
        """Why its steps need the others: all of them, one of them, or those that hand on this variable, file or table.

        Raises :class:`RequestError` for a name that is none of these.
        """
        from jupyter_pipelines.graph.explain import explain, explain_name

        steps = [step.name for step in self.steps]
        if name is None or name in steps:
            return explain(self.graph, name)
        if told := explain_name(self.graph, name):
            return told
        raise RequestError(
            f"There is no step {name!r}, and no name {name!r} that steps hand on.",
            f"The steps are: {', '.join(steps) or 'none'}.",
        )

    @typed
    def lineage(self, table: str | None = None) -> Lineage:
        """Of which columns the tables that it builds in SQL are made; of ``table``, and of what that is made of, only.

        Raises :class:`RequestError` for a table that it does not build.
        """
        from jupyter_pipelines.graph.lineage import table_lineage
        from jupyter_pipelines.notebook.table_names import read_table_name
        from jupyter_pipelines.results.lineage import Lineage

        found = table_lineage(self.graph)
        if table is None:
            return Lineage(found)
        name = read_table_name(table)
        if name is None or name not in {built.name for built in found.tables}:
            known = ", ".join(dict.fromkeys(str(built.name) for built in found.tables)) or "none"
            raise RequestError(f"{self.path.name} builds no table {table}.", f"Those that it builds are: {known}.")
        return Lineage(found.of(name))

    def run(self, parameters: Mapping[str, object] | None = None, **options: Any) -> Run:
        """Run it and wait for its end; ``options`` are those of :func:`jupyter_pipelines.run`, which see."""
        from jupyter_pipelines.orchestration.runs import run

        return Run(run(self.path, parameters, **options))

    def submit(self, parameters: Mapping[str, object] | None = None, **options: Any) -> Run:
        """Have the service run it; ``options`` are those of :func:`jupyter_pipelines.submit`."""
        from jupyter_pipelines.orchestration.history import get_run
        from jupyter_pipelines.orchestration.submission import submit

        return Run(get_run(submit(self.path, parameters, **options)))

    def verify(self, parameters: Mapping[str, object] | None = None) -> Report:
        """Prove that it gives what *Restart & Run All* gives."""
        from jupyter_pipelines.verification import verify

        return verify(self.path, parameters)

    def publish(self, message: str = "") -> Version:
        """Freeze it as a version."""
        from jupyter_pipelines.orchestration.versions import publish

        return publish(self.path, message=message)

    def schedule(self, when: str, parameters: Mapping[str, object] | None = None, **options: Any) -> ScheduleRecord:
        """Have the service run it then; ``options`` are those of :func:`jupyter_pipelines.schedule`."""
        from jupyter_pipelines.orchestration.scheduling import schedule

        return schedule(self.path, when, parameters, **options)

    def backfill(self, first: date | str, last: date | str, **options: Any) -> Backfill:
        """Have the service run it for each data window; ``options`` are those of :func:`jupyter_pipelines.backfill`."""
        from jupyter_pipelines.orchestration.backfills import backfill

        return backfill(self.path, first, last, **options)

    def runs(self, **filters: Any) -> Runs:
        """Its runs, newest first; ``filters`` are those of :func:`jupyter_pipelines.runs`."""
        return runs(self.path, **filters)

    @typed
    def trend(self, name: str) -> Trend:
        """What a number was over its runs: ``duration``, ``STEP.duration``, a metric, or ``STEP.METRIC``."""
        return self.runs().trend(name)

    @property
    def schedules(self) -> list[ScheduleRecord]:
        from jupyter_pipelines.orchestration.scheduling import schedules

        return schedules(self.path)

    @property
    def versions(self) -> list[Version]:
        from jupyter_pipelines.orchestration.versions import versions

        return versions(self.path)

    @property
    def upstream(self) -> tuple[Upstream, ...]:
        """The tables it reads that other pipelines build, with who does."""
        return self.status.upstream

    @property
    def status(self) -> PipelineStatus:
        """How it stands: its last runs, its next one, what is wrong."""
        from jupyter_pipelines.orchestration.pipelines import pipelines

        return pipelines(self.path)[0]

    def __repr__(self) -> str:
        from jupyter_pipelines.graph import render

        return render(self.graph, "text").rstrip("\n")

    def _repr_mimebundle_(self, **_options: object) -> dict[str, str]:
        from jupyter_pipelines.graph import render

        return {"image/svg+xml": render(self.graph, "svg"), "text/plain": repr(self)}

    def _changed(self) -> int:
        try:
            return self.path.stat().st_mtime_ns
        except OSError:
            return self._stamp  # it is gone: what it was last is still to be seen
