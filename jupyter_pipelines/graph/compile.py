"""From a notebook to a pipeline. Pure: source and observations in, plans, edges and findings out."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace

from jupyter_pipelines.graph.cycles import order_edges, report_cycles
from jupyter_pipelines.graph.diagnose import Reporter
from jupyter_pipelines.graph.digests import executed_cells, step_digests
from jupyter_pipelines.graph.events import CellEffects
from jupyter_pipelines.graph.facts import ANY_FILE, Facts
from jupyter_pipelines.graph.files import file_edges
from jupyter_pipelines.graph.model import Edge, Observations, Pipeline, StepPlan
from jupyter_pipelines.graph.observed import NOTHING_SEEN, seen_by_digest
from jupyter_pipelines.graph.replay import Planner, make_plan, value_edges
from jupyter_pipelines.graph.resources import resource_edges, resource_names
from jupyter_pipelines.graph.sharing import lost_sharing
from jupyter_pipelines.graph.skipped import note_skipped, report_skipped
from jupyter_pipelines.graph.sql_findings import report_statements
from jupyter_pipelines.graph.tables import table_edges, with_tables
from jupyter_pipelines.graph.walk import Memory, Walk
from jupyter_pipelines.notebook.model import NotebookDocument, Role

_ROUNDS = 8  # of passing on shared objects; each adds at least one, and few notebooks need any
_MOST_MEMORIES = 8  # notebooks that are worked on at once


class _Memories:
    """What compiling left behind for the notebooks of late, each lent to one compilation at a time."""

    def __init__(self) -> None:
        self._kept: list[Memory] = []
        self._lock = threading.Lock()

    def take(self, document: NotebookDocument) -> Memory:
        """The one that knows most of the document's cells, which nobody else gets until it is put back."""
        identities = {cell.id for cell in document.cells}
        with self._lock:
            best = max(self._kept, key=lambda memory: len(identities & memory.sites.keys()), default=None)
            if best is None or identities.isdisjoint(best.sites):
                return Memory()
            self._kept.remove(best)
            return best

    def put_back(self, memory: Memory) -> None:
        with self._lock:
            self._kept = [*self._kept[-_MOST_MEMORIES + 1 :], memory]


_memories = _Memories()
_memories_of_trials = _Memories()


def compile_pipeline(
    document: NotebookDocument,
    observations: Observations = Observations(),
    *,
    sources: frozenset[str] = frozenset(),
    trial: bool = False,
) -> Pipeline:
    """Compile a notebook into steps and edges.

    Never raises for what the notebook contains: whatever is wrong is in the result's ``diagnostics``, those of the
    document included. ``observations`` are what earlier runs saw; they can only drop or add *possible* changes.
    ``sources`` are the names of external sources, whose tables are only read.

    A function of its arguments alone, and fast enough for every keystroke: cells that nothing has changed for since
    the notebook was last compiled are not looked at again. A ``trial`` is of an edit that nobody has made yet, and
    does not make the next compilation of the notebook as it is any slower.
    """
    memories = _memories_of_trials if trial else _memories
    memory = memories.take(document)
    pipeline = compile_with(memory, document, observations, sources)
    memories.put_back(memory)
    return pipeline


def compile_with(
    memory: Memory, document: NotebookDocument, observations: Observations, sources: frozenset[str] = frozenset()
) -> Pipeline:
    """Compile with what ``memory`` knows, which changes how long it takes and nothing else."""
    if not document.is_python:
        return _sequential(document)
    if not document.cells:
        return Pipeline(document, (), (), document.diagnostics)
    effects = executed_cells(document)
    digests = step_digests(document, effects)
    seen = seen_by_digest(observations)
    about = [seen.get(digest, NOTHING_SEEN) for digest in digests.values()]
    observed = {component for one in about for component in (*one.state_set, *one.state_set_up)}
    seeded = frozenset(_seeded_components(document, effects)) | observed
    walk = Walk(document, effects, digests, seen, seeded, memory)
    promoted: frozenset[tuple[str, str]] = frozenset()
    for _ in range(_ROUNDS):
        reporter = Reporter(document, effects)
        note_skipped(document, reporter)
        facts = walk.go(promoted, reporter)
        planner = Planner(document, facts, reporter)
        planner.plan()
        lost = lost_sharing(facts, planner) - promoted
        if not lost:
            break
        promoted |= lost
    memory.walks = walk.walks
    report_skipped(document, facts, reporter)
    report_statements(document, reporter, sources)
    edges: list[Edge] = [
        *value_edges(planner.needs, facts),
        *order_edges(document, reporter),
        *file_edges(facts, observations, reporter),
        *table_edges(document, facts, reporter),
        *resource_edges(facts, reporter),
    ]
    report_cycles(facts, edges, reporter)
    resources = resource_names(facts)
    plans = [
        _with_files(_with_resources(make_plan(document, step, planner.needs[name]), resources), facts)
        for name, step in facts.steps.items()
    ]
    plans = with_tables(plans, facts)
    order = {name: number for number, name in enumerate(document.steps)}
    return Pipeline(
        document,
        tuple(plans),
        tuple(sorted(edges, key=lambda edge: (order[edge.target], order[edge.source], edge.kind.value, edge.name))),
        (*document.diagnostics, *reporter.diagnostics),
        seeded=tuple(sorted(seeded)),
        remedies=reporter.remedies,
    )


def _with_resources(plan: StepPlan, resources: set[str]) -> StepPlan:
    used = tuple(name for name in plan.setup_names if name in resources)
    return replace(plan, resources=used, setup_names=tuple(name for name in plan.setup_names if name not in resources))


def _with_files(plan: StepPlan, facts: Facts) -> StepPlan:
    named = [use for use in facts.files if use.step == plan.name and use.path not in {None, ANY_FILE}]
    read, written = ({str(use.path) for use in named if use.writes is writes} for writes in (False, True))
    return replace(plan, files_read=tuple(sorted(read)), files_written=tuple(sorted(written)))


def _cells_of(document: NotebookDocument, step: str) -> tuple[int, ...]:
    return tuple(cell.index for cell in document.cells if cell.role is Role.STEP and cell.step == step)


def _sequential(document: NotebookDocument) -> Pipeline:
    """Another language: one kernel, notebook order."""
    reporter = Reporter(document)
    reporter.other_language()
    names = [name for name in document.steps if _cells_of(document, name)]
    plans = tuple(StepPlan(name, _cells_of(document, name), document.steps[name]) for name in names)
    edges = order_edges(document, reporter, sequential=names)
    return Pipeline(document, plans, tuple(edges), (*document.diagnostics, *reporter.diagnostics), sequential=True)


def _seeded_components(document: NotebookDocument, effects: dict[int, CellEffects]) -> Iterable[str]:
    """Random generators the notebook seeds somewhere; by the words of the call, so that functions count too."""
    for cell in document.cells:
        if cell.index not in effects or cell.python is None:
            continue
        text = cell.python
        if "seed" not in text and "set_state" not in text and "setstate" not in text:
            continue
        if "manual_seed" in text:
            yield "torch.random"
        if "random.seed" in text or "np.random" in text or "set_state" in text or "import seed" in text:
            yield from ("random", "numpy.random")
