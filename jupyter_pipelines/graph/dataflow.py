"""The notebook in its own order: which version of each name reaches which step, and what changes it on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from jupyter_pipelines.diagnostics import Location
from jupyter_pipelines.graph import knowledge
from jupyter_pipelines.graph.diagnose import Reporter
from jupyter_pipelines.graph.events import (
    FRESH,
    LOCAL_MARK,
    Augment,
    Bind,
    BindKind,
    Call,
    CellEffects,
    FunctionInfo,
    Read,
    Settle,
    StarImport,
    Statement,
    StatementKind,
    Unknowable,
)
from jupyter_pipelines.graph.facts import Facts, FileUse, ResourceUse, StepFacts
from jupyter_pipelines.graph.functions import FunctionInterpreter
from jupyter_pipelines.graph.interpreter import Interpreter
from jupyter_pipelines.graph.model import Observations
from jupyter_pipelines.graph.summaries import Summary
from jupyter_pipelines.graph.values import Definition, Result, Value, Version
from jupyter_pipelines.notebook.model import Cell, NotebookDocument, Role

STATE = "~"  # marks a component of hidden state among the names


class Dataflow(Interpreter):
    """Walks the cells once. ``promoted`` pairs a step with names it must pass on so that objects stay shared."""

    def __init__(
        self,
        document: NotebookDocument,
        effects: dict[int, CellEffects],
        facts: Facts,
        observations: Observations,
        promoted: frozenset[tuple[str, str]],
        seeded: frozenset[str],
        reporter: Reporter,
    ) -> None:
        super().__init__()
        self.document, self.effects, self.facts, self.observations = document, effects, facts, observations
        self.promoted, self.seeded, self.reporter = promoted, seeded, reporter
        self.env: dict[str, Version] = {}
        self.tied: dict[str, dict[str, bool]] = {}
        self.deleted: dict[str, Location] = {}
        self.stars: list[Version] = []
        self.ambients: list[Definition] = []
        self.step: StepFacts | None = None
        self.cell: Cell = document.cells[0]
        self.statement: Statement | None = None
        self.definition: Definition | None = None
        self.order = 0
        self.parameters = frozenset(parameter.name for parameter in document.parameters)
        self.bound_anywhere = {name: index for index, effect in reversed(effects.items()) for name in effect.bound}
        self.owners: dict[FunctionInfo, Definition] = {}
        self._summaries: dict[FunctionInfo, Summary] = {}
        self._commands = False  # whether a shell command or a cell of another language has come
        self._read_by_functions: set[str] = set()
        self._closures: set[Definition] = set()  # whose later reads this cell has already made
        self._used_by_steps: dict[str, Location] = {}
        self._last_reads = self._find_last_reads()
        self.caches_are_asked = any("cache_info" in (cell.python or "") for cell in document.cells)
        self._lambdas: dict[FunctionInfo, Definition] = {}
        self._unrepeatable: dict[str, tuple[str, Location, StepFacts]] = {}  # settings, by package

    def _find_last_reads(self) -> dict[int, list[str]]:
        """By cell: names that no later cell mentions. Functions read later than they stand, so theirs never end."""
        last: dict[str, int] = {}
        lasting: set[str] = set()
        for index, effect in self.effects.items():
            for name in effect.read:
                last[name] = index
            lasting |= effect.read_later
        for options in self.document.steps.values():
            lasting.update(options.reads, options.writes)
        ends: dict[int, list[str]] = {}
        for name, index in last.items():
            if name not in lasting:
                ends.setdefault(index, []).append(name)
        return ends

    # -- the walk ------------------------------------------------------------------------------------------------

    def walk(self) -> None:
        last = {name: facts.cells[-1] for name, facts in self.facts.steps.items() if facts.cells}
        first = {name: facts.cells[0] for name, facts in self.facts.steps.items() if facts.cells}
        for index, effect in self.effects.items():
            self.cell = self.document.cells[index]
            self.step = self.facts.steps.get(self.cell.step or "") if self.cell.role is Role.STEP else None
            self._closures.clear()
            if self.step is not None and first[self.step.name] == index:
                self._enter_step(self.step)
            for statement in effect.statements:
                self._execute(statement)
            if self.step is not None and last[self.step.name] == index:
                self._leave_step(self.step)
            for name in self._last_reads.get(index, ()):
                self._untie(name)
        self.facts.latest = self.env

    def _enter_step(self, step: StepFacts) -> None:
        for name in list(self.env):
            if name.startswith(STATE) and name[1:] not in knowledge.RANDOM_COMPONENTS:
                self._use(self.env[name], self.place(1))
        step.ambient = list(self.ambients)
        for definition in self.ambients:
            self._need(definition, self.place(1))
        for name in self.document.steps[step.name].reads:
            self.read(Read(1, False, name))

    def _leave_step(self, step: StepFacts) -> None:
        digest, observed = step.digest, self.observations
        for name in self.document.steps[step.name].writes:
            if name in self.env and not self.env[name].value.immutable:
                self._change_name(name, True, 1)
            elif name not in step.own:
                self.env[name] = self._version(name, 1, Value(), self.env.get(name))
        for known, name in sorted(observed.changed):
            if known == digest and name in self.env and self.env[name].value.kind is BindKind.VALUE:
                self._change_name(name, True, 1)
        for known, names in sorted(observed.aliases, key=lambda pair: sorted(pair[1])):
            if known == digest:
                self.tie(sorted(name for name in names if name in self.env))
        for known, component in sorted(observed.state_changed):
            if known == digest:
                self._move_on(component, 1, True)
        for owner, name in sorted(self.promoted):
            if owner == step.name and name in self.env and self.env[name].step != step.name:
                self._use(self.env[name], self.place(1))
                self._new_change(name, False, 1)

    def _execute(self, statement: Statement) -> None:
        self.statement = statement
        self.order += 1
        replayed = statement.kind is not StatementKind.ORDINARY
        self.definition = None
        if replayed:
            step = self.step.name if self.step is not None else None
            self.definition = Definition(self.order, self.cell.index, step, statement)
        self.run(statement.events)
        self.definition = None

    def place(self, line: int) -> Location:
        return Location(self.cell.index + 1, line)

    def _version(self, name: str, line: int, value: Value, previous: Version | None = None) -> Version:
        step = self.step.name if self.step is not None else None
        version = Version(name, step, self.cell.index, line, value, previous)
        if self.step is not None:
            self.step.own[name] = version
        elif name in self._used_by_steps:
            self._late_setup(name, line)
        return version

    def _late_setup(self, name: str, line: int) -> None:
        if LOCAL_MARK not in name and not name.startswith(STATE):
            self.reporter.late_setup(name, self.place(line), self._used_by_steps[name])

    # -- reading -------------------------------------------------------------------------------------------------

    def lookup(self, name: str) -> Value | None:
        version = self.env.get(name)
        return version.value if version is not None else None

    def shares_of(self, name: str) -> dict[str, bool]:
        return {name: True}

    def read(self, event: Read) -> None:
        version = self.env.get(event.name)
        if version is not None:
            self._use(version, self.place(event.line), bound=event.bound)
        else:
            self._unresolved(event)

    def _use(self, version: Version, place: Location, *, bound: bool = False) -> None:
        """A version is read; ``bound``: the step itself is sure to have made it."""
        value = version.value
        self._check_settings(value, place)
        if self.definition is not None:
            self.definition.now.append((version, version.touched))
        step = self.step
        if step is None:
            if version.step is not None and LOCAL_MARK not in version.name and not version.name.startswith(STATE):
                self.reporter.setup_reads_step(version, place)
        elif version.step != step.name:
            self._use_from_outside(step, version, place)
        elif not bound:
            before = version.previous  # what the name is where a branch was not taken
            while before is not None and before.step == step.name:
                before = before.previous
            if before is not None:
                self._use_from_outside(step, before, place, own=True)
        if value.definition is not None:
            self._need(value.definition, place)
        for definition in value.latent:
            self._need(definition, place)
            if step is not None and version.step not in {None, step.name}:
                self._check_current(step, definition, version, place)

    def _check_current(self, step: StepFacts, definition: Definition, holder: Version, place: Location) -> None:
        """What a loaded value was made with must still be what its name stands for."""
        for name in definition.statement.names:
            current: Version | None = self.env.get(name)
            while current is not None and current.value.definition is not definition:
                current = current.previous
            if current is None:
                self.reporter.redefined(step.name, name, holder, place)
            elif self.env[name].value.broken:
                self.reporter.broken_definition(step.name, self.env[name], place)

    def _use_from_outside(self, step: StepFacts, version: Version, place: Location, *, own: bool = False) -> None:
        """``own``: reached through a version of the step's own, which may not have replaced it."""
        name, value = version.name, version.value
        if name not in self._used_by_steps:
            self._used_by_steps[name] = place
        if value.broken:
            self.reporter.broken_definition(step.name, version, place)
        if value.definition is not None:
            current: Version | None = version
            while current is not None:
                if current.value.definition is not None and current.step != step.name:
                    if current.value.definition.step is not None:
                        step.definitions.setdefault(current.value.definition, place)
                elif current.value.definition is None and current.step is not None:
                    self.reporter.mixed_definition(step.name, version, place)
                    break
                current = current.previous
            if step.own.get(name) is not None and not own:
                self.reporter.read_after_own(step.name, version, place)
            return
        if value.uncarriable and self._origin(version).step is None:
            uses = ResourceUse(step.name, name, value.uncarriable in knowledge.STATEFUL_KINDS, place)
            self.facts.resources.append(uses)
        if version.step is None:
            if name not in self.parameters:
                step.setup_reads.setdefault(name, place)
        known = step.uses.setdefault(name, {})
        if version not in known:
            known[version] = place
            if name in step.own and not own and not name.startswith(STATE):
                self.reporter.read_after_own(step.name, version, place)
            elif len(known) > 1:
                self.reporter.two_versions(step.name, name, list(known), place)

    @staticmethod
    def _origin(version: Version) -> Version:
        while version.previous is not None and version.is_change:
            version = version.previous
        return version

    def _need(self, definition: Definition, place: Location) -> None:
        """A definition's object is at hand here: it must exist, and what it looks up when it is called too."""
        if definition in self._closures:
            return
        self._closures.add(definition)
        step = self.step
        if step is not None and definition.step not in {None, step.name} and definition.replayable:
            step.definitions.setdefault(definition, place)
        for bind in definition.statement.events:
            if not isinstance(bind, Bind):
                continue
            for info in _functions_of(bind):
                for read in info.reads:
                    self._read_later(read, place)
        for version, _ in definition.now:
            if version.value.definition is not None:
                self._need(version.value.definition, place)

    def _read_later(self, read: Read, place: Location) -> None:
        held, self.definition = self.definition, None  # what a function reads later is not read by its definition
        version = self.env.get(read.name)
        if version is not None:
            self._use(version, place)
        else:
            self._unresolved(Read(place.line, True, read.name, read.quiet))
        self.definition = held

    def _unresolved(self, event: Read) -> None:
        name = event.name
        if self.stars and (name not in knowledge.IPYTHON_NAMES):
            for star in self.stars:
                self._use(star, self.place(event.line))
            return
        if name in knowledge.BUILTINS or event.quiet or LOCAL_MARK in name:
            return
        if name in knowledge.IPYTHON_NAMES or _is_history(name):
            if name in knowledge.HISTORY_NAMES or _is_history(name) or name in {"_", "__", "___"}:
                self._history(name, event.line)
            return
        place = self.place(event.line)
        if name in self.deleted:
            self.reporter.deleted_name(name, place, self.deleted[name], event.maybe)
        else:
            self.reporter.undefined_name(name, place, self.bound_anywhere.get(name), event.maybe)

    def _history(self, name: str, line: int) -> None:
        if name in {"_", "__", "___"} and self.step is not None:
            position = self.step.cells.index(self.cell.index)
            before = [index for index in self.effects if index < self.cell.index]
            if position > 0 and before and before[-1] == self.step.cells[position - 1]:
                return
        if len(self.facts.steps) > 1:
            self.reporter.history(name, self.place(line))

    # -- binding -------------------------------------------------------------------------------------------------

    def bind(self, event: Bind, result: Result) -> None:
        previous = self.env.get(event.name)
        value = self._bound_value(event, result)
        if event.maybe and previous is not None:
            old = previous.value
            value = replace(
                value,
                latent=value.latent | old.latent,
                uncarriable=value.uncarriable or old.uncarriable,
                immutable=value.immutable and (old.immutable or old.kind is not BindKind.VALUE),
                constant=None,
            )
        inherited = self._neighbours(result.shares, event.name, event.flow.same is not None and not event.element)
        if not event.maybe:
            self._untie(event.name)
        version = self._version(event.name, event.line, value, previous if event.maybe else None)
        version.certain = True
        self.env[event.name] = version
        self.deleted.pop(event.name, None)
        if value.kind is not BindKind.VALUE or event.name in self._read_by_functions:
            self._summaries.clear()
        if value.kind is BindKind.VALUE and not value.immutable:
            for other, sure in inherited.items():
                self._tie(event.name, other, sure)

    def _bound_value(self, event: Bind, result: Result) -> Value:
        definition = self._definition_here(event)
        if event.kind is BindKind.MODULE:
            if definition is None:
                definition = self._import_alone(event)
            maker = event.target.partition(".")[0]
            self._note_imported_file(f"{maker}.py", event.line)
            return Value(BindKind.MODULE, module=event.target, maker=maker, definition=definition)
        if event.kind is not BindKind.VALUE:
            self._note_reads(event)
            broken = "" if definition is not None else "it is defined inside a statement that does other things too"
            if event.function is not None and definition is not None:
                self.owners[event.function] = definition
            return Value(event.kind, function=event.function, cls=event.cls, definition=definition, broken=broken)
        value = result.value
        if definition is not None:  # namedtuple(...), Enum(...), TypeVar(...)
            return Value(BindKind.CLASS, definition=definition)
        made = self._made_by_factory(event, result)
        if made is not None:
            return made
        if value.kind is not BindKind.VALUE or value.definition is not None:  # another name for a definition
            holds = {value.definition} if value.definition is not None and value.kind is not BindKind.MODULE else set()
            if value.kind is BindKind.MODULE:
                return replace(value, definition=None, kind=BindKind.VALUE, uncarriable="a module", immutable=True)
            return Value(latent=value.latent | holds, immutable=True, maker=value.maker)
        if event.element:
            return replace(value, uncarriable=None, constant=None, separate=False)
        return replace(value, separate=False)

    def _definition_here(self, event: Bind) -> Definition | None:
        if self.statement is None or self.statement.kind is not StatementKind.DEFINITION:
            return None
        return self.definition if LOCAL_MARK not in event.name else None

    def _import_alone(self, event: Bind) -> Definition | None:
        """An import among other work: importing again harms nothing, so it is replayed by itself."""
        if self.statement is None or LOCAL_MARK in event.name or not event.text:
            return None
        source = f"try:\n    {event.text}\nexcept ImportError:\n    pass"
        statement = Statement(event.line, event.line, StatementKind.DEFINITION, (), (event.name,), source)
        return Definition(self.order, self.cell.index, self.step.name if self.step else None, statement)

    def _note_reads(self, event: Bind) -> None:
        for info in _functions_of(event):
            self._read_by_functions.update(read.name for read in info.reads)

    def _made_by_factory(self, event: Bind, result: Result) -> Value | None:
        """``add3 = make_adder(3)``: a function that a function of the notebook made."""
        direct = event.flow.direct
        if not result.functions or direct is None or direct not in self.results:
            return None
        if any(info.nonlocal_writes for info in result.functions):
            return replace(result.value, uncarriable="a function with a memory of its own")
        factory = self.lookup(direct.root) if direct.root is not None else None
        if (
            self.statement is None
            or self.statement.kind is not StatementKind.FACTORY
            or self.definition is None
            or factory is None
            or factory.function is None
            or direct.attributes
        ):
            return replace(result.value, uncarriable="a function made by another function")
        summary = self.summarise(factory.function)
        if summary.changes or summary.binds or summary.command or summary.files:
            return replace(result.value, uncarriable="a function made by another function")
        for info in result.functions:
            self._read_by_functions.update(read.name for read in info.reads)
        only = result.functions[0] if len(result.functions) == 1 else None
        return Value(BindKind.FUNCTION, function=only, definition=self.definition, latent=result.value.latent)

    def settle(self, event: Settle) -> None:
        version = self.env.get(event.name)
        if version is None or version.previous is None:
            return
        settled = Version(version.name, version.step, version.cell, version.line, version.value)
        if version.value.definition is not None:
            return  # definitions of all branches are one statement anyhow
        self.env[event.name] = settled
        if self.step is not None:
            self.step.own[event.name] = settled

    def augment(self, event: Augment, result: Result) -> None:
        version = self.env.get(event.name)
        if version is None:
            return
        old = version.value
        if old.immutable:
            value = Value(immutable=result.value.immutable, latent=result.value.latent)
            previous = version if event.maybe else None
            self.env[event.name] = self._version(event.name, event.line, value, previous)
            return
        self._change_name(event.name, True, event.line, partners_certain=False)
        stored = dict.fromkeys(result.shares, False)
        for other, sure in self._neighbours(stored, event.name, False).items():
            self._tie(event.name, other, sure)

    def delete(self, name: str, maybe: bool, line: int) -> None:
        if maybe:
            return
        self._untie(name)
        self.env.pop(name, None)
        self.deleted[name] = self.place(line)
        if self.step is not None:
            self.step.own[name] = None

    # -- sharing -------------------------------------------------------------------------------------------------

    def _neighbours(self, shares: dict[str, bool], name: str, same: bool) -> dict[str, bool]:
        """All names whose objects the new value of ``name`` may share."""
        found: dict[str, bool] = {}
        for other, sure in shares.items():
            certain = sure and same
            if other != name:
                found[other] = found.get(other, False) or certain
            for further, known in self.tied.get(other, {}).items():
                if further != name:
                    found[further] = found.get(further, False) or (certain and known)
        return {other: sure for other, sure in found.items() if other in self.env}

    def _untie(self, name: str) -> None:
        for other in self.tied.pop(name, {}):
            self.tied[other].pop(name, None)

    def _tie(self, left: str, right: str, certain: bool) -> None:
        if left == right:
            return
        for one, other in ((left, right), (right, left)):
            group = self.tied.setdefault(one, {})
            group[other] = group.get(other, False) or certain
            self.facts.ties.setdefault(one, {}).setdefault(other, set()).add(self.step.name if self.step else None)

    def tie(self, names: Sequence[str]) -> None:
        """These names share objects from here on, and so do the names that share with them."""
        present = [name for name in names if name in self.env and not self.env[name].value.immutable]
        present = [name for name in present if self.env[name].value.kind is BindKind.VALUE]
        groups = [{name, *self.tied.get(name, {})} for name in present]
        for position, group in enumerate(groups):
            for other in groups[position + 1 :]:
                for left in group:
                    for right in other:
                        self._tie(left, right, False)

    # -- changing ------------------------------------------------------------------------------------------------

    def change(self, result: Result, certain: bool, line: int, stored: Result | None = None) -> None:
        if not result.shares:
            for name in result.names:
                value = self.lookup(name)
                if certain and value is not None and (value.is_definition or value.module):
                    self._definition_changed(name, value, result, line)
            return
        for name, sure in result.shares.items():
            if name in self.env:
                self._change_name(name, certain and sure, line, stored=stored)
        if stored is not None and stored.shares:
            for name in result.shares:
                group = [name, *self.tied.get(name, {})]
                for other in self._neighbours(stored.shares, name, False):
                    for member in group:
                        self._tie(member, other, False)

    def _change_name(
        self, name: str, certain: bool, line: int, stored: Result | None = None, partners_certain: bool | None = None
    ) -> None:
        version = self.env[name]
        value = version.value
        if value.immutable or value.kind is not BindKind.VALUE:
            return
        if stored is not None and stored.value.latent - value.latent:
            value = replace(value, latent=value.latent | stored.value.latent)
        self._change_one(name, certain, line, value)
        for other, sure in list(self.tied.get(name, {}).items()):
            if other in self.env and not self.env[other].value.immutable:
                held = certain if partners_certain is None else partners_certain
                self._change_one(other, held and sure, line, self.env[other].value)

    def _change_one(self, name: str, certain: bool, line: int, value: Value) -> None:
        version, step = self.env[name], self.step
        if step is not None and not certain and self._seen_unchanged(step, name):
            step.guarded.add(name)
            if version.step != step.name and not name.startswith(STATE):
                return
        if value.uncarriable and step is not None and self._origin(version).step is None:
            self.facts.resources.append(ResourceUse(step.name, name, True, self.place(line)))
            if version.step != step.name:
                step.setup_reads.setdefault(name, self.place(line))
                return  # stays setup's: kept in order, never carried
        self._new_change(name, certain, line, value)

    def _new_change(self, name: str, certain: bool, line: int, value: Value | None = None) -> None:
        version = self.env[name]
        here = self.step.name if self.step is not None else None
        if version.step == here and version.cell == self.cell.index and (version.certain or not certain):
            version.touched += 1
            if value is not None:
                version.value = value
        else:
            changed = self._version(name, line, value or version.value, version)
            changed.is_change, changed.certain = True, certain
            self.env[name] = changed
        if self.step is not None:
            self.step.changes.setdefault(name, []).append(self.place(line))

    def _seen_unchanged(self, step: StepFacts, name: str) -> bool:
        if name in self.document.steps[step.name].unchanged:
            return True
        return (step.digest, name) in self.observations.unchanged

    def _definition_changed(self, name: str, value: Value, result: Result, line: int) -> None:
        """``module.option = …``, ``Class.method = …``, ``function.attribute = …`` at top level."""
        if value.module:
            component = knowledge.component_of(value.module, result.attributes)
            if component is not None:
                self.state(component, line)
                return
        statement = self.statement
        if statement is not None and statement.kind is StatementKind.ATTACH and self.definition is not None:
            if all(self._is_stable(read) for read, _ in self.definition.now):
                if value.module:
                    self.ambient(line, name)
                    return
                self.attach(name, line)
                return
        self._break(name, line)

    def _is_stable(self, version: Version) -> bool:
        return version.value.is_definition or (version.value.immutable and version.step is None)

    def _break(self, name: str, line: int) -> None:
        version = self.env[name]
        if version.value.broken or self.step is None:
            return
        reason = f"cell {self.cell.number} line {line} changes it"
        broken = self._version(name, line, replace(version.value, broken=reason), version)
        broken.is_change = True
        self.env[name] = broken

    def change_definition(self, definition: Definition, line: int) -> None:
        for name in definition.statement.names:
            version = self.env.get(name)
            if version is not None and version.value.definition is definition:
                self._break(name, line)

    def keep_latent(self, name: str, latent: frozenset[Definition]) -> None:
        version = self.env.get(name)
        if version is not None and version.value.kind is BindKind.VALUE and latent - version.value.latent:
            self._new_change(name, False, version.line, replace(version.value, latent=version.value.latent | latent))

    def function_changed(self, info: FunctionInfo, line: int) -> None:
        definition = self.owners.get(info)
        if definition is not None:
            self.change_definition(definition, line)

    # -- what functions do ---------------------------------------------------------------------------------------

    def summarise(self, info: FunctionInfo) -> Summary:
        known = self._summaries.get(info)
        if known is None:
            self._summaries[info] = Summary(immutable=True)  # what a recursive call sees
            known = FunctionInterpreter(self, info).summarised()
            self._summaries[info] = known
        return known

    def apply_globals(self, summary: Summary, line: int, certain: bool) -> None:
        for root, (sure, attributes) in list(summary.changes.items()):
            if LOCAL_MARK not in root and root in self.env:
                self._use(self.env[root], self.place(line))
                if self.env[root].value.kind is BindKind.VALUE:
                    self._change_name(root, sure and certain, line)
                elif sure:
                    self._definition_changed(root, self.env[root].value, Result(attributes=attributes), line)
        for name, result in summary.binds.items():
            self.bind(Bind(line, True, name, FRESH), Result(value=replace(result.value, definition=None)))
        for component in summary.states:
            self.state(component, line)
        for drawn, sure in summary.draws.items():
            self.draw(drawn, line, sure and certain)
        for path, writes, sure in summary.files:
            self.file(path, writes, line, sure and certain)
        if summary.command:
            self.command(line)
        for definition in summary.changed_definitions:
            self.change_definition(definition, line)
        for info in summary.changed_functions:
            self.function_changed(info, line)
        for root, latent in summary.stored.items():
            if LOCAL_MARK not in root:
                self.keep_latent(root, frozenset(latent))
        for what, error, fix, evaluates in summary.unknowable:
            self.unknowable(Unknowable(line, True, what, error, fix, evaluates))
        for what in summary.ambient:
            self.ambient(line, what)
        for dotted in sorted(summary.settings):
            self._set_module(dotted, line)

    # -- hidden state, files, the unknowable -----------------------------------------------------------------------

    def set_state(self, component: str, line: int) -> None:
        name = STATE + component
        previous = self.env.get(name)
        keeps = component not in knowledge.RANDOM_COMPONENTS or self.maybe
        if keeps and previous is not None:
            self._use(previous, self.place(line))
        self.env[name] = self._version(name, line, Value(), previous if keeps else None)
        if self.step is not None:
            self.step.changes.setdefault(name, []).append(self.place(line))

    def draw(self, component: str | None, line: int, certain: bool) -> None:
        for drawn in [component] if component is not None else sorted(self.seeded):
            if drawn in self.seeded and STATE + drawn in self.env:
                self._move_on(drawn, line, certain)

    def _move_on(self, component: str, line: int, certain: bool) -> None:
        name = STATE + component
        if name not in self.env:
            if certain and component not in knowledge.RANDOM_COMPONENTS:
                self.set_state(component, line)
            return
        step = self.step
        if step is not None and (step.digest, component) in self.observations.state_untouched and not certain:
            return
        if self.env[name].step != (step.name if step else None):
            self._use(self.env[name], self.place(line))
        self._new_change(name, certain, line)

    def file(self, path: str | None, writes: bool, line: int, certain: bool = True) -> None:
        step = self.step.name if self.step is not None else None
        self.facts.files.append(FileUse(step, path, writes, certain, self.place(line)))

    def _note_imported_file(self, path: str, line: int) -> None:
        """An import reads a file that the notebook made before: by name, or by a command (``%%writefile``)."""
        made = (use for use in self.facts.files if use.writes)
        if self._commands or any(use.path is not None and use.path.rpartition("/")[2] == path for use in made):
            self.file(path, False, line, False)

    def command(self, line: int) -> None:
        self._commands = True
        self.file(None, False, line, False)
        self.file(None, True, line, False)

    def star(self, event: StarImport) -> None:
        definition = self._definition_here(Bind(event.line, event.maybe, "*", FRESH))
        version = self._version("*", event.line, Value(BindKind.MODULE, definition=definition))
        self.stars.append(version)
        self.reporter.star_import(event.module, self.place(event.line), self.step is None, definition is not None)

    def unknowable(self, event: Unknowable) -> None:
        if len(self.facts.steps) < 2:
            return
        marked = False
        if self.step is not None:
            options = self.document.steps[self.step.name]
            marked = bool(options.reads or options.writes)
            self.step.unknowable = True
        self.reporter.unknowable(event.what, event.fix, self.place(event.line), marked)

    def setting(self, event: Call, dotted: str) -> None:
        registers = self.statement is not None and self.statement.kind is StatementKind.DEFINITION
        if event.discarded or (registers and dotted.rpartition(".")[2].startswith("register")):
            self._set_module(dotted, event.line)
        elif knowledge.surely_sets(dotted) and self.step is not None:
            self._unrepeatable[dotted.partition(".")[0]] = (dotted, self.place(event.line), self.step)

    def _set_module(self, dotted: str, line: int) -> None:
        """Repeated in every later step as it is, or else nothing of that package may be used there."""
        if self.step is None:
            return
        if self.definition is not None and not knowledge.is_seed(dotted):
            if self.definition not in self.ambients:
                self.ambients.append(self.definition)
        else:
            self._unrepeatable[dotted.partition(".")[0]] = (dotted, self.place(line), self.step)

    def _check_settings(self, value: Value, place: Location) -> None:
        """Nothing may rely on a module's state that an earlier step set and this one cannot set again."""
        package = value.module.partition(".")[0]
        if package not in self._unrepeatable or self.step is None:
            return
        what, where, step = self._unrepeatable[package]
        if step is not self.step:
            self.reporter.module_state(self.step.name, what, where, step.name, place)

    def attach(self, name: str, line: int) -> bool:
        if self.definition is None or name not in self.env:
            return False
        if not all(self._is_stable(read) for read, _ in self.definition.now):
            return False
        version = self.env[name]
        attached = self._version(name, line, replace(version.value, definition=self.definition), version)
        attached.is_change = True
        self.env[name] = attached
        return True

    def anonymous(self, info: FunctionInfo) -> Definition | None:
        if info not in self._lambdas:
            bind = Bind(info.line, True, "", FRESH, BindKind.FUNCTION, function=info)
            statement = Statement(info.line, info.line, StatementKind.DEFINITION, (bind,))
            step = self.step.name if self.step is not None else None
            self._lambdas[info] = Definition(self.order, self.cell.index, step, statement, replayable=False)
            self._note_reads(bind)
        return self._lambdas[info]

    def ambient(self, line: int, what: str) -> None:
        if self.step is None:
            return
        definition = self.definition
        if definition is None or any(not self._is_stable(version) for version, _ in definition.now):
            if len(self.facts.steps) > 1:
                self.reporter.ambient(what, self.place(line))
            return
        if definition not in self.ambients:
            self.ambients.append(definition)


def _functions_of(bind: Bind) -> list[FunctionInfo]:
    """The functions a definition brings: itself, or a class's methods."""
    if bind.cls is not None:
        return list(bind.cls.methods.values())
    return [bind.function] if bind.function is not None else []


def _is_history(name: str) -> bool:
    return name.startswith("_") and name.lstrip("_i").isdigit() and name[1:2] in {"i", *"0123456789"}


__all__ = ["STATE", "Dataflow"]
