"""From facts to plans: what each step loads, passes on and executes again."""

from __future__ import annotations

from dataclasses import dataclass, field

from jupyter_pipelines.graph.diagnose import Reporter
from jupyter_pipelines.graph.events import BindKind, StarImport
from jupyter_pipelines.graph.facts import Facts, StepFacts
from jupyter_pipelines.graph.model import Edge, EdgeKind, Input, Replay, StepPlan
from jupyter_pipelines.graph.values import HELD, NO_LINE, Definition, Place, Version, in_order, is_object_of
from jupyter_pipelines.notebook.model import NotebookDocument

STATE = "~"
_IMPORTED_BY = (
    f"{STATE}sys.path",
    f"{STATE}cwd",
    f"{STATE}os.environ",
)  # what an import finds, and what it finds there


@dataclass(slots=True, eq=False)
class Need:
    """A step loads a version that another step made.

    ``readers`` are the versions that definitions read which it executes again, and whether they hold the object; they
    may do with a later one. It is ``None`` where the step itself needs this very version.
    """

    version: Version
    place: Place
    readers: list[tuple[Version, bool]] | None = None

    def may_be(self, version: Version) -> bool:
        """Whether all that read it get the same from ``version``."""
        readers = self.readers
        return readers is not None and all(is_object_of(read, version, certain=held) for read, held in readers)


@dataclass(slots=True, eq=False)
class StepNeeds:
    """What one step's plan is made of."""

    inputs: dict[str, Need] = field(default_factory=dict)
    outputs: set[str] = field(default_factory=set)
    early: dict[Definition, Place] = field(default_factory=dict)
    late: dict[Definition, Place] = field(default_factory=dict)


class Planner:
    """Follows every need back to who made it, through steps that only passed it on."""

    def __init__(self, document: NotebookDocument, facts: Facts, reporter: Reporter) -> None:
        self.document, self.facts, self.reporter = document, facts, reporter
        self.needs = {name: StepNeeds() for name in facts.steps}

    def plan(self) -> None:
        for name, step in self.facts.steps.items():
            for versions in step.uses.values():
                for version, place in versions.items():
                    self.need(name, version, place)
            for definition, place in step.definitions.items():
                self.replay(name, definition, place)
            for definition in step.ambient:
                if definition.step != name:
                    self.replay(name, definition, step.start)
            self._guards(name, step)

    def _guards(self, name: str, step: StepFacts) -> None:
        """What was seen unchanged is loaded all the same, so that it can be compared."""
        for guarded in sorted(step.guarded):
            later = any(
                guarded in other.uses and any(version.cell < step.cells[-1] for version in other.uses[guarded])
                for other in self.facts.steps.values()
                if other.cells[0] > step.cells[0]
            )
            if later and guarded not in self.needs[name].inputs and guarded not in step.own:
                version = self._before(guarded, step)
                if version is not None and version.step not in {None, name}:
                    self.need(name, version, step.start)

    def _before(self, name: str, step: StepFacts) -> Version | None:
        version: Version | None = self.facts.latest.get(name)
        while version is not None and version.cell >= step.cells[0]:
            version = version.previous
        return version

    def need(self, step: str, version: Version, place: Place) -> None:
        """``step`` loads ``version``; whoever made it may have to load what it made it from."""
        maker = version.step
        if maker is None or maker == step:
            return
        inputs = self.needs[step].inputs
        known = inputs.get(version.name)
        if known is not None and known.version is version:
            known.readers = None
            return
        if known is not None and not known.may_be(version):
            self.reporter.two_versions(step, version.name, [known.version, version], place.location)
            return
        inputs[version.name] = Need(version, place)
        for definition in in_order(version.value.latent):
            self.replay(step, definition, place)
        self._check(step, version, place)
        self.needs[maker].outputs.add(version.name)
        before = version.previous
        while before is not None and before.step == maker:
            before = before.previous
        if before is None:
            return
        if before.value.definition is not None:
            if before.value.definition.step is not None:
                self.replay(maker, before.value.definition, version.place)
        else:
            self.need(maker, before, version.place)

    def _check(self, step: str, version: Version, place: Place) -> None:
        assert version.step is not None
        final = self.facts.steps[version.step].own.get(version.name)
        if final is not version:
            self.reporter.changed_later(step, version, final, place.location)
        if version.value.uncarriable and not version.name.startswith(STATE):
            made = version
            while made.previous is not None and made.is_change:
                made = made.previous
            self.reporter.uncarriable(step, version, made, place.location)

    def replay(self, step: str, definition: Definition, place: Place) -> bool:
        """``step`` executes ``definition`` again. Returns whether that has to wait for loaded values."""
        needs = self.needs[step]
        if definition.step is None or definition.step == step or not definition.replayable:
            return False
        if definition in needs.early or definition in needs.late:
            return definition in needs.late
        needs.early[definition] = place
        late = self._is_imported_by_state(step, definition)
        for version, touched in definition.now:
            value = version.value
            if value.definition is not None:
                late |= self.replay(step, value.definition, place)
                continue
            if version.step is None or version.name in definition.statement.names:
                continue
            if version.step == step:
                self.reporter.stale_definition(step, definition, version, place.location)
                continue
            final = self.facts.steps[version.step].own.get(version.name)
            current = needs.inputs.get(version.name)
            if not _is_as_it_was(version, touched, final, current.version if current is not None else None):
                self.reporter.stale_definition(step, definition, version, place.location)
                continue
            if current is None:
                self.need(step, final or version, place)
                current = needs.inputs[version.name]
                current.readers = []
            if current.readers is not None:
                current.readers.append((version, touched == HELD))
            late = True
        if late:
            del needs.early[definition]
            needs.late[definition] = place
        return late

    def _is_imported_by_state(self, step: str, definition: Definition) -> bool:
        """Whether it imports what depends on hidden state that an earlier step has left, and ``step`` is given."""
        events = definition.statement.events
        if not any(isinstance(one, StarImport) or getattr(one, "kind", None) is BindKind.MODULE for one in events):
            return False
        for name in _IMPORTED_BY:
            for version in self.facts.steps[step].uses.get(name, ()):
                before: Version | None = version
                while before is not None:
                    if before.step is not None and before.cell <= definition.cell:
                        return True
                    before = before.previous
        return False


def make_plan(document: NotebookDocument, step: StepFacts, needs: StepNeeds) -> StepPlan:
    """The plan of one step, everything in a stable order."""
    values = {name: need for name, need in needs.inputs.items() if not name.startswith(STATE)}
    states = {name[1:]: need for name, need in needs.inputs.items() if name.startswith(STATE)}
    outputs = sorted(name for name in needs.outputs if not name.startswith(STATE))
    possibly = [name for name in outputs if name in values and _only_possibly(step.own.get(name), step.name)]
    guarded = [name for name in values if name not in step.own or (name in step.guarded and name not in outputs)]
    return StepPlan(
        name=step.name,
        cells=step.cells,
        options=document.steps[step.name],
        definitions=_replays(needs.early),
        late_definitions=_replays(needs.late),
        inputs=tuple(Input(name, need.version.step or "") for name, need in sorted(values.items())),
        outputs=tuple(outputs),
        possibly_changed=tuple(possibly),
        guarded=tuple(sorted(guarded)),
        state_inputs={name: need.version.step or "" for name, need in sorted(states.items())},
        state_outputs=tuple(sorted(name[1:] for name in needs.outputs if name.startswith(STATE))),
        setup_names=tuple(sorted(name for name in step.setup_reads if not name.startswith(STATE))),
        digest=step.digest,
    )


def _is_as_it_was(version: Version, touched: int, final: Version | None, current: Version | None) -> bool:
    """Whether a definition that read ``version`` gets the same from what there is of it now.

    ``final`` is what its step has left, ``current`` what the step that needs the definition loads. That another step
    changes it possibly does not count: it would see that it did.
    """
    held = touched == HELD
    if held:
        left = final is not None and is_object_of(version, final)
    else:
        left = final is version and version.touched == touched
    return left and (current is None or is_object_of(version, current, certain=held))


def _only_possibly(version: Version | None, step: str) -> bool:
    while version is not None and version.step == step:
        if not version.is_change or version.certain:
            return False
        version = version.previous
    return True


def _replays(definitions: dict[Definition, Place]) -> tuple[Replay, ...]:
    ordered = sorted(definitions, key=lambda definition: definition.order)
    return tuple(
        Replay(definition.cell, definition.statement.line, definition.statement.source, definition.statement.names)
        for definition in ordered
    )


def value_edges(needs: dict[str, StepNeeds], facts: Facts) -> list[Edge]:
    """An edge per loaded value or state component, with its reasons."""
    edges = []
    for step, needed in needs.items():
        for name, need in needed.inputs.items():
            made, changes = _history(need.version)
            observed = [version.step for version in (made, *changes) if version.line == NO_LINE and version.step]
            observed += [step] if need.place.line == NO_LINE else []
            changes = [change for change in changes if change.line != NO_LINE]
            state = name.startswith(STATE)
            edges.append(
                Edge(
                    source=need.version.step or "",
                    target=step,
                    kind=EdgeKind.STATE if state else EdgeKind.VALUE,
                    name=name[1:] if state else name,
                    certain=not _only_possibly(need.version, need.version.step or ""),
                    written=made.location if made.line != NO_LINE else None,
                    changed=tuple(change.location for change in changes),
                    read=need.place.location if need.place.line != NO_LINE else None,
                    writer=made.step or "setup",
                    changers=tuple(change.step or "setup" for change in changes),
                    observed=tuple((name, _numbers(facts.steps[name])) for name in dict.fromkeys(observed)),
                )
            )
    return edges


def _numbers(step: StepFacts) -> tuple[int, ...]:
    return tuple(index + 1 for index in step.cells)


def _history(version: Version) -> tuple[Version, list[Version]]:
    """The version that was bound, and the changes after it in order, one per place."""
    changes: dict[Place, Version] = {}
    while version.is_change and version.previous is not None:
        changes[version.place] = version
        version = version.previous
    return version, list(reversed(changes.values()))
