"""Where a run stands: which steps may start now, and what a graph that was learnt about meanwhile contradicts.

Pure bookkeeping, no Prefect and no kernels, so that the order of a run can be reasoned about and tested alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.execution.model import Carried, StepResult
from jupyter_pipelines.execution.modules import cell_that_names
from jupyter_pipelines.graph.model import Edge, EdgeKind, Pipeline, StepPlan


@dataclass(frozen=True)
class Selection:
    """Which steps a run executes; ``required`` are their ancestors, to be taken from earlier runs."""

    chosen: frozenset[str]
    required: frozenset[str] = frozenset()


def select(pipeline: Pipeline, *, only: str | None, from_step: str | None, until: str | None) -> Selection:
    """The steps that ``--only``, ``--from`` and ``--until`` name. Raises :class:`RequestError` for unknown ones."""
    names = [step.name for step in pipeline.steps]
    for wanted in (only, from_step, until):
        if wanted is not None and wanted not in names:
            raise RequestError(f"There is no step {wanted!r}.", f"The steps are: {', '.join(names)}.")
    if only is not None and (from_step or until):
        raise RequestError("--only cannot be combined with --from or --until.", "Leave one of them out.")
    if only is not None:
        chosen = {only}
    else:
        chosen = set(names)
        if from_step is not None:
            chosen &= {from_step} | _reach(from_step, pipeline.downstream)
        if until is not None:
            chosen &= {until} | _reach(until, pipeline.upstream)
        if not chosen:
            raise RequestError(f"{until} does not come after {from_step}, so there is nothing to run.")
    ancestors = {above for name in chosen for above in _reach(name, pipeline.upstream)}
    return Selection(frozenset(chosen), frozenset(ancestors - chosen))


@dataclass(frozen=True)
class Start:
    """What was true when a step started: the values it got, the steps that had ended, and what it was to hand on."""

    inputs: Mapping[str, Carried]
    state: Mapping[str, Carried]
    ended: frozenset[str]
    outputs: frozenset[str]
    state_outputs: frozenset[str]


@dataclass(frozen=True)
class Contradiction:
    """A step that started too early, as a recompiled graph says, and ``why``."""

    step: str
    why: str

    def __str__(self) -> str:
        return self.why


def _used_too_early(edge: Edge) -> Contradiction:
    what = {
        EdgeKind.VALUE: f"`{edge.name}`, which {edge.source} changes",
        EdgeKind.FILE: f"the file {edge.name}, which {edge.source} touches too",
        EdgeKind.TABLE: f"the table {edge.name}, which {edge.source} touches too",
        EdgeKind.STATE: f"{edge.name}, which {edge.source} changes",
    }.get(edge.kind, f"{edge.name} of {edge.source}")
    return Contradiction(edge.target, f"{edge.target} uses {what}, but it ran before {edge.source} had ended")


@dataclass
class Progress:
    """The bookkeeping of one run. Not thread-safe: the run's own loop is the only one to touch it."""

    pipeline: Pipeline
    selection: Selection
    started: dict[str, Start] = field(default_factory=dict)
    results: dict[str, StepResult] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)

    def ready(self) -> list[StepPlan]:
        """The steps that may start now, in notebook order."""
        wanted = self.selection.chosen | self.selection.required
        return [
            step
            for step in self.pipeline.steps
            if step.name in wanted
            and step.name not in self.started
            and step.name not in self.failed
            and all(above in self.results for above in self.pipeline.upstream(step.name) if above in wanted)
        ]

    @property
    def running(self) -> frozenset[str]:
        """The steps that started and have not ended."""
        return frozenset(self.started) - frozenset(self.results) - self.failed

    def blocked(self) -> dict[str, str]:
        """Steps that will never start, each with the failed step that is in their way."""
        found: dict[str, str] = {}
        for failure in self.failed:
            for name in _reach(failure, self.pipeline.downstream) & self.selection.chosen:
                if name not in self.started:
                    found.setdefault(name, failure)
        return found

    def inputs_of(self, step: StepPlan) -> dict[str, Carried]:
        """Where the inputs of a ready step are; a name that its producer came to leave unbound has none."""
        given = {needed.name: self.results[needed.producer].outputs.get(needed.name) for needed in step.inputs}
        return {name: carried for name, carried in given.items() if carried is not None}

    def state_of(self, step: StepPlan) -> dict[str, Carried]:
        """Where the hidden state of a ready step is; a producer that left a component as it was has none to give."""
        given = {name: self.results[producer].state_outputs.get(name) for name, producer in step.state_inputs.items()}
        return {name: carried for name, carried in given.items() if carried is not None}

    def start(self, step: StepPlan) -> Start:
        """Note that ``step`` starts now, with what it is given."""
        to_come = frozenset(step.outputs), frozenset(step.state_outputs)
        start = Start(self.inputs_of(step), self.state_of(step), frozenset(self.results), *to_come)
        self.started[step.name] = start
        return start

    def finish(self, result: StepResult) -> None:
        """Note how a step ended."""
        if result.state == "completed":
            self.results[result.step] = result
        else:
            self.failed.add(result.step)

    def taken_back(self, names: Iterable[str]) -> frozenset[str]:
        """What has to run again when these steps do: they, and all that started with their results."""
        taken = set(names)
        for name in list(taken):
            taken |= _reach(name, self.pipeline.downstream) & self.started.keys()
        return frozenset(taken)

    def forget(self, names: Iterable[str]) -> frozenset[str]:
        """Take back steps, none of which may be running still, so that they run again; returns which."""
        taken = self.taken_back(names)
        for name in taken:
            self.started.pop(name, None)
            self.results.pop(name, None)
            self.failed.discard(name)
        return taken

    def unfounded(self) -> str:
        """What a step took for loaded although nothing before it loads it, once that is known; "" for nothing."""
        loaded: set[str] = set()
        for step in self.pipeline.steps:
            if step.name not in self.selection.chosen | self.selection.required:
                continue
            result = self.results.get(step.name)
            if result is None:
                return ""
            for module in result.observed.modules_lent:
                if module not in loaded:
                    cell = cell_that_names(self.pipeline, step, module)
                    place = f" in cell {cell.number} ({cell.first_line})" if cell else ""
                    return (
                        f"Step {step.name} asks for {module}{place}, which nothing before it loads: Restart & Run "
                        f"All has it not there. Put `import {module}` into setup."
                    )
            loaded.update((*result.observed.modules_lent, *result.observed.modules_loaded))
        return ""

    def contradictions(self) -> list[Contradiction]:
        """The steps that started too early according to the graph as it is known now."""
        return [
            *(
                _used_too_early(edge)
                for edge in self.pipeline.edges
                if edge.target in self.started and self._contradicts(edge, self.started[edge.target])
            ),
            *self._not_handed_on(),
        ]

    def _not_handed_on(self) -> Iterator[Contradiction]:
        """Steps that ended before it was known that they hand on what others take from them.

        Values are for those that are to start; hidden state also for those that have started without it.
        """
        for step in self.pipeline.steps:
            if step.name not in self.selection.chosen:
                continue
            for needed in step.inputs if step.name not in self.started else ():
                if needed.producer in self.results and needed.name not in self.started[needed.producer].outputs:
                    why = f"{needed.producer} hands on `{needed.name}` to {step.name}, but it ran before that was known"
                    yield Contradiction(needed.producer, why)
            for component, producer in step.state_inputs.items():
                result, start = self.results.get(producer), self.started.get(producer)
                if result is None or start is None or component in start.state_outputs | result.state_outputs.keys():
                    continue
                why = f"{producer} hands on {component} to {step.name}, but it ran before that was known"
                yield Contradiction(producer, why)

    def _contradicts(self, edge: Edge, start: Start) -> bool:
        if edge.source not in self.selection.chosen | self.selection.required:
            return False
        if edge.kind is EdgeKind.VALUE:
            source = self.results.get(edge.source)
            if source is None:
                return edge.source not in start.ended
            given, used = source.outputs.get(edge.name), start.inputs.get(edge.name)
            return used is not None and given is not None and given.digest != used.digest
        if edge.kind is EdgeKind.STATE and edge.source in start.ended:
            given, used = self.results[edge.source].state_outputs.get(edge.name), start.state.get(edge.name)
            return given is not None and (used is None or used.digest != given.digest)
        return edge.source not in start.ended


def _reach(name: str, neighbours: Callable[[str], frozenset[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for other in neighbours(waiting.pop()):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found
