"""What a cell does to the names of the notebook, given which version of each name reaches it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

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
    Use,
)
from jupyter_pipelines.graph.facts import ANY_FILE, CellFacts
from jupyter_pipelines.graph.functions import FunctionInterpreter
from jupyter_pipelines.graph.interpreter import Interpreter
from jupyter_pipelines.graph.observed import Seen
from jupyter_pipelines.graph.state import EVERY, Group, State
from jupyter_pipelines.graph.summaries import Summaries, Summary
from jupyter_pipelines.graph.values import HELD, NO_LINE, Definition, Place, Result, Site, Value, Version, in_order
from jupyter_pipelines.notebook.table_names import TableName

STATE = "~"  # marks a component of hidden state among the names
_ALONE: Mapping[str, bool] = MappingProxyType({})


class General(NamedTuple):
    """What holds for the whole notebook."""

    parameters: frozenset[str]
    seeded: frozenset[str]
    several_steps: bool
    caches_are_asked: bool  # whether the notebook looks at what cached functions remember
    searched: tuple[str, ...]  # names that may be found where definitions are searched for, if any code does that
    ends_are_seen: bool  # whether objects of the notebook do something when they are gone


class Circumstances(NamedTuple):
    """All but the state that decides what a cell does."""

    effect: CellEffects
    step: str | None
    enters: bool  # it is the first cell of its step
    leaves: bool  # it is the last one
    continues: bool  # the cell before it is of the same step
    reads: tuple[str, ...]  # the author's marks of the step
    writes: tuple[str, ...]
    unchanged: tuple[str, ...]
    seen: Seen  # what runs observed about the step
    promoted: tuple[str, ...]  # names the step must pass on so that objects stay shared
    last_read: tuple[str, ...]  # names that no later cell mentions


class Dataflow(Interpreter):
    """Looks at one cell after the other, given the state that the cells before it left."""

    def __init__(
        self,
        state: State,
        summaries: Summaries,
        general: General,
    ) -> None:
        super().__init__()
        self.state_of_walk, self.summaries = state, summaries
        (
            self.parameters,
            self.seeded,
            self.several_steps,
            self.caches_are_asked,
            self.searched,
            self.ends_are_seen,
        ) = general
        self.env, self.tied, self.own = state.env, state.tied, state.own
        self.site = Site(0)
        self.step: str | None = None
        self.facts = CellFacts()
        self.made: list[Version] = []  # by the cell at hand
        self.defined: list[Definition] = []
        self.statement: Statement | None = None
        self.definition: Definition | None = None
        self._closures: set[Definition] = set()  # whose later reads this cell has already made

    # -- the cell ------------------------------------------------------------------------------------------------

    def look_at(self, site: Site, here: Circumstances) -> CellFacts:
        """Do to the state what the cell does, and return what is noted down about it."""
        self.site, self.here, self.step = site, here, here.step
        self.facts, self.made, self.defined, self.maybe = CellFacts(), [], [], False
        self.statement = self.definition = None
        self.results, self.suspended = {}, {}
        self._closures.clear()
        if here.enters:
            self._enter_step()
        for statement in here.effect.statements:
            self._execute(statement)
        if here.leaves:
            self._leave_step()
        for name in here.last_read:
            self._untie(name)
        return self.facts

    def _report(self, finding: Callable[[Reporter], None]) -> None:
        self.facts.findings.append(finding)

    def _enter_step(self) -> None:
        start = self.place(1)
        for component in self.here.seen.state_set_up:
            if STATE + component not in self.env:
                self._set_by_setup(component)
        for name in self.state_of_walk.components.get(EVERY) or ():
            if name[1:] not in knowledge.RANDOM_COMPONENTS:
                self._use(self.env[name], start)
        self.facts.ambient = self.state_of_walk.ambients.get(EVERY) or ()
        for definition in self.facts.ambient:
            self._need(definition, start)
        for name in self.here.reads:
            self.read(Read(1, False, name))
        for name in self.here.seen.definitions_needed:
            if name in self.env and self.env[name].value.definition is not None:
                self.read(Read(1, False, name))

    def _set_by_setup(self, component: str) -> None:
        """A run has shown that setup sets a random generator, by a function whose doings are not known."""
        step, self.step = self.step, None
        self.set_state(component, NO_LINE)
        self.step = step

    def _leave_step(self) -> None:
        assert self.step is not None
        seen = self.here.seen
        for name in self.here.writes:
            if name in self.env and not self.env[name].value.immutable:
                self._change_name(name, True, 1)
            elif (self.step, name) not in self.own:
                self.env[name] = self._version(name, 1, Value(), self.env.get(name))
        for name in seen.changed:
            if name in self.env and self.env[name].value.kind is BindKind.VALUE:
                self._change_name(name, True, NO_LINE)
        for names in seen.aliases:
            self.tie([name for name in names if name in self.env])
        for component in seen.state_changed:
            self._move_on(component, NO_LINE, True)
        for name in self.here.promoted:
            if name in self.env and self.env[name].step != self.step:
                self._use(self.env[name], self.place(1))
                self._new_change(name, False, 1)

    def _execute(self, statement: Statement) -> None:
        self.statement = statement
        self.definition = None
        if statement.kind is not StatementKind.ORDINARY:
            self.definition = self._define(statement)
        self.run(statement.events)
        self.definition = None

    def _define(self, statement: Statement, *, replayable: bool = True) -> Definition:
        definition = Definition(self.site, len(self.defined), self.step, statement, replayable=replayable)
        self.defined.append(definition)
        return definition

    def place(self, line: int) -> Place:
        return Place(self.site, line)

    def _version(self, name: str, line: int, value: Value, previous: Version | None = None) -> Version:
        version = Version(name, self.step, self.site, line, value, previous)
        self.made.append(version)
        self.state_of_walk.before[version] = previous
        if self.step is not None:
            self.own[self.step, name] = version
        elif name in self.state_of_walk.used_by_steps:
            self._late_setup(name, line)
        return version

    def _late_setup(self, name: str, line: int) -> None:
        if LOCAL_MARK not in name and not name.startswith(STATE):
            place, used = self.place(line), self.state_of_walk.used_by_steps[name]
            self._report(lambda reporter: reporter.late_setup(name, place.location, used.location))

    # -- reading -------------------------------------------------------------------------------------------------

    def lookup(self, name: str) -> Value | None:
        version = self.env.get(name)
        value = version.value if version is not None else None
        self.summaries.note(name, value)
        return value

    def shares_of(self, name: str) -> dict[str, bool]:
        return {name: True}

    def read(self, event: Read) -> None:
        version = self.env.get(event.name)
        if version is not None:
            self._use(version, self.place(event.line), bound=event.bound, held=event.held)
        else:
            self._unresolved(event)

    def _use(self, version: Version, place: Place, *, bound: bool = False, held: bool = False) -> None:
        """A version is read; ``bound``: the step itself is sure to have made it; ``held``: see :class:`Read`."""
        value = version.value
        if value.module:
            self._check_settings(value, place)
        if self.definition is not None:
            self.definition.now.append((version, HELD if held else version.touched))
        step = self.step
        if step is None:
            if version.step is not None and LOCAL_MARK not in version.name and not version.name.startswith(STATE):
                self._report(lambda reporter: reporter.setup_reads_step(version, place.location))
        elif version.step != step:
            self._use_from_outside(step, version, place)
        elif not bound:
            before = self._before(version)  # what the name is where a branch was not taken
            while before is not None and before.step == step:
                before = self._before(before)
            if before is not None:
                self._use_from_outside(step, before, place, own=True)
        if value.definition is not None:
            self._need(value.definition, place)
        for definition in in_order(value.latent):
            self._need(definition, place)
            if step is not None and version.step not in {None, step}:
                self._check_current(step, definition, version, place)

    def _check_current(self, step: str, definition: Definition, holder: Version, place: Place) -> None:
        """What a loaded value was made with must still be what its name stands for."""
        for name in definition.statement.names:
            current: Version | None = self.env.get(name)
            while current is not None and current.value.definition is not definition:
                current = self._before(current)
            if current is None:
                self._report(partial(_report_redefined, step, name, holder, place))
            elif self.env[name].value.broken:
                self._report_broken(step, self.env[name], place)

    def _report_broken(self, step: str, version: Version, place: Place) -> None:
        self._report(lambda reporter: reporter.broken_definition(step, version, place.location))

    def _report_own(self, step: str, version: Version, place: Place) -> None:
        self._report(lambda reporter: reporter.read_after_own(step, version, place.location))

    def _use_from_outside(self, step: str, version: Version, place: Place, *, own: bool = False) -> None:
        """``own``: reached through a version of the step's own, which may not have replaced it."""
        name, value = version.name, version.value
        if name not in self.state_of_walk.used_by_steps:
            self.state_of_walk.used_by_steps[name] = place
        if value.broken:
            self._report_broken(step, version, place)
        if value.definition is not None:
            current: Version | None = version
            while current is not None:
                if current.value.definition is not None and current.step != step:
                    if current.value.definition.step is not None:
                        self.facts.definitions.append((current.value.definition, place))
                elif current.value.definition is None and current.step is not None:
                    self._report(lambda reporter: reporter.mixed_definition(step, version, place.location))
                    break
                current = self._before(current)
            if self.own.get((step, name)) is not None and not own:
                self._report_own(step, version, place)
            return
        if value.uncarriable and self._origin(version).step is None:
            self.facts.resources.append((name, value.uncarriable in knowledge.STATEFUL_KINDS, place))
        if version.step is None and name not in self.parameters:
            self.facts.setup_reads.append((name, place))
        known = self.state_of_walk.uses.get((step, name)) or ()
        if version not in known:
            versions = self.state_of_walk.uses[step, name] = (*known, version)
            self.facts.uses.append((name, version, place))
            if (step, name) in self.own and not own and not name.startswith(STATE):
                self._report_own(step, version, place)
            elif known:
                self._report(lambda reporter: reporter.two_versions(step, name, versions, place.location))

    def _before(self, version: Version) -> Version | None:
        """What the version was made from, as something the cell asks: a version stays the same when that changes."""
        return self.state_of_walk.before.get(version)

    def _is_object_of(self, earlier: Version, later: Version) -> bool:
        found: Version | None = later
        while found is not None and found is not earlier and found.is_change:
            found = self._before(found)
        return found is earlier

    def _origin(self, version: Version) -> Version:
        while version.is_change and (before := self._before(version)) is not None:
            version = before
        return version

    def _need(self, definition: Definition, place: Place) -> None:
        """A definition's object is at hand here: it must exist, and what it looks up when it is called too."""
        if definition in self._closures:
            return
        self._closures.add(definition)
        step = self.step
        if step is not None and definition.step not in {None, step} and definition.replayable:
            self.facts.definitions.append((definition, place))
            for module in _imported_modules(definition):
                if module not in knowledge.CAREFUL_PACKAGES:  # else it is no file of the notebook
                    self._note_imported_file(f"{module}.py", place.line)
        for bind in definition.statement.events:
            if not isinstance(bind, Bind):
                continue
            for info in _functions_of(bind):
                for read in info.reads:
                    self._read_later(read, place)
        for version, touched in definition.now:
            if version.value.definition is not None:
                self._need(version.value.definition, place)
            elif touched == HELD:
                current = self.env.get(version.name)
                if current is not None and self._is_object_of(version, current):
                    self._read_later(Read(place.line, False, version.name), place)

    def _read_later(self, read: Read, place: Place) -> None:
        held, self.definition = self.definition, None  # what a function reads later is not read by its definition
        version = self.env.get(read.name)
        if version is not None:
            self._use(version, place)
        else:
            self._unresolved(Read(place.line, True, read.name, read.quiet))
        self.definition = held

    def _unresolved(self, event: Read) -> None:
        name = event.name
        stars = self.state_of_walk.stars.get(EVERY)
        if stars and name not in knowledge.IPYTHON_NAMES:
            for star in stars:
                self._use(star, self.place(event.line))
            return
        if name in knowledge.BUILTINS or event.quiet or LOCAL_MARK in name:
            return
        if name in knowledge.IPYTHON_NAMES or _is_history(name):
            if name in knowledge.HISTORY_NAMES or _is_history(name) or name in {"_", "__", "___"}:
                self._history(name, event.line)
            return
        place = self.place(event.line)
        deleted = self.state_of_walk.deleted.get(name)
        if deleted is not None:
            self._report(lambda reporter: reporter.deleted_name(name, place.location, deleted.location, event.maybe))
        else:
            self._report(lambda reporter: reporter.undefined_name(name, place.location, event.maybe))

    def _history(self, name: str, line: int) -> None:
        if name in {"_", "__", "___"} and self.here.continues:
            return
        if self.several_steps:
            place = self.place(line)
            self._report(lambda reporter: reporter.history(name, place.location))

    # -- binding -------------------------------------------------------------------------------------------------

    def bind(self, event: Bind, result: Result) -> None:
        previous = self.env.get(event.name) if event.maybe else None
        value = self._bound_value(event, result)
        if previous is not None:
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
            if self.ends_are_seen:
                self._note_end(event.name, event.line)
            self._untie(event.name)
        version = self._version(event.name, event.line, value, previous)
        version.certain = True
        self.env[event.name] = version
        self.state_of_walk.deleted.pop(event.name)
        if value.kind is BindKind.VALUE and not value.immutable:
            for other, sure in inherited.items():
                self._tie(event.name, other, sure)

    def _note_end(self, name: str, line: int) -> None:
        """A name lets go of an object, whose ``__del__`` runs unless another name still holds it."""
        version = self.env.get(name)
        if version is None or version.step in {None, self.step}:
            return
        if any(self.find_method(cls, "__del__") for cls in self._classes_in(Result(value=version.value))):
            for holder in (name, *self._group(name)):
                held = self.env.get(holder)
                if held is not None and held.step not in {None, self.step}:
                    self._use(held, self.place(line))

    def _bound_value(self, event: Bind, result: Result) -> Value:
        definition = self._definition_here(event)
        if event.kind is BindKind.MODULE:
            if definition is None:
                definition = self._import_alone(event)
            maker = event.target.partition(".")[0]
            self._note_imported_file(f"{maker}.py", event.line)
            return Value(BindKind.MODULE, module=event.target, maker=maker, definition=definition)
        if event.kind is not BindKind.VALUE:
            broken = "" if definition is not None else "it is defined inside a statement that does other things too"
            if event.function is not None and definition is not None:
                self.state_of_walk.owners[event.function] = definition
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
        return self._define(statement)

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
        only = result.functions[0] if len(result.functions) == 1 else None
        return Value(BindKind.FUNCTION, function=only, definition=self.definition, latent=result.value.latent)

    def settle(self, event: Settle) -> None:
        version = self.env.get(event.name)
        if version is None or self._before(version) is None:
            return
        settled = Version(version.name, version.step, version.site, version.line, version.value)
        if version.value.definition is not None:
            return  # definitions of all branches are one statement anyhow
        self.made.append(settled)
        self.state_of_walk.before[settled] = None
        self.env[event.name] = settled
        if self.step is not None:
            self.own[self.step, event.name] = settled

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
        if self.ends_are_seen:
            self._note_end(name, line)
        self._untie(name)
        self.env.pop(name)
        self.state_of_walk.deleted[name] = self.place(line)
        if self.step is not None:
            self.own[self.step, name] = None

    # -- sharing -------------------------------------------------------------------------------------------------

    def _neighbours(self, shares: dict[str, bool], name: str, same: bool) -> dict[str, bool]:
        """All names whose objects the new value of ``name`` may share."""
        found: dict[str, bool] = {}
        for other, sure in shares.items():
            certain = sure and same
            if other != name:
                found[other] = found.get(other, False) or certain
            for further, known in self._group(other).items():
                if further != name:
                    found[further] = found.get(further, False) or (certain and known)
        return {other: sure for other, sure in found.items() if other in self.env}

    def _group(self, name: str) -> Mapping[str, bool]:
        return self.tied.get(name) or _ALONE

    def _group_to_change(self, name: str) -> Group:
        """The group of ``name`` as this cell's own, which nothing that was noted down before holds."""
        group = self.tied.written.get(name)
        if group is None:
            group = self.tied[name] = Group(self._group(name))
        return group

    def _untie(self, name: str) -> None:
        for other in self.tied.pop(name) or ():
            self._group_to_change(other).pop(name, None)

    def _tie(self, left: str, right: str, certain: bool) -> None:
        if left == right:
            return
        for one, other in ((left, right), (right, left)):
            group = self._group_to_change(one)
            group[other] = group.get(other, False) or certain
            self.facts.ties.setdefault(one, set()).add(other)

    def tie(self, names: Sequence[str]) -> None:
        """These names share objects from here on, and so do the names that share with them."""
        present = [name for name in names if name in self.env and not self.env[name].value.immutable]
        present = [name for name in present if self.env[name].value.kind is BindKind.VALUE]
        groups = [dict.fromkeys((name, *self._group(name))) for name in present]
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
                group = [name, *self._group(name)]
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
        for other, sure in list(self._group(name).items()):
            if other in self.env and not self.env[other].value.immutable:
                held = certain if partners_certain is None else partners_certain
                self._change_one(other, held and sure, line, self.env[other].value)

    def _change_one(self, name: str, certain: bool, line: int, value: Value) -> None:
        version, step = self.env[name], self.step
        if step is not None and not certain and self._seen_unchanged(name):
            self.facts.guarded.append(name)
            if version.step != step and not name.startswith(STATE):
                return
        if value.uncarriable and step is not None and self._origin(version).step is None:
            place = self.place(line)
            self.facts.resources.append((name, True, place))
            if version.step != step:
                self.facts.setup_reads.append((name, place))
                return  # stays setup's: kept in order, never carried
        self._new_change(name, certain, line, value)

    def identify(self, result: Result) -> None:
        self.facts.identified.update(result.shares)

    def _new_change(self, name: str, certain: bool, line: int, value: Value | None = None) -> None:
        version = self.env[name]
        if version.step == self.step and version.site is self.site and (version.certain or not certain):
            version.touched += 1
            if value is not None:
                version.value = value
        else:
            changed = self._version(name, line, value or version.value, version)
            changed.is_change, changed.certain = True, certain
            self.env[name] = changed
        if self.step is not None:
            self.facts.changes.add(name)

    def is_seen_to_change(self, name: str) -> bool:
        return name in self.here.seen.changed

    def _seen_unchanged(self, name: str) -> bool:
        return name in self.here.unchanged or name in self.here.seen.unchanged

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
        broken = self._version(name, line, replace(version.value, broken=self.place(line)), version)
        broken.is_change = True
        self.env[name] = broken

    def change_definition(self, definition: Definition, line: int) -> None:
        for name in definition.statement.names:
            version = self.env.get(name)
            if version is not None and version.value.definition is definition:
                self._break(name, line)

    def keep_latent(self, name: str, latent: frozenset[Definition], line: int) -> None:
        version = self.env.get(name)
        if version is not None and version.value.kind is BindKind.VALUE and latent - version.value.latent:
            self._new_change(name, False, line, replace(version.value, latent=version.value.latent | latent))

    def function_changed(self, info: FunctionInfo, line: int) -> None:
        definition = self.state_of_walk.owners.get(info)
        if definition is not None:
            self.change_definition(definition, line)

    # -- what functions do ---------------------------------------------------------------------------------------

    def summarise(self, info: FunctionInfo) -> Summary:
        return self.summaries.get(info, self.lookup, lambda: FunctionInterpreter(self, info).summarised())

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
        for component in sorted(summary.states):
            self.state(component, line)
        for drawn, sure in summary.draws.items():
            self.draw(drawn, line, sure and certain)
        for path, writes, sure in sorted(summary.files, key=str):
            self.file(path, writes, line, sure and certain)
        for table, use, what, sure in sorted(summary.tables, key=str):
            self.table(table, use, line, sure and certain, what)
        if summary.command:
            self.command(line)
        for definition in in_order(summary.changed_definitions):
            self.change_definition(definition, line)
        for info in sorted(summary.changed_functions, key=lambda info: (info.line, info.name)):
            self.function_changed(info, line)
        for root, latent in summary.stored.items():
            if LOCAL_MARK not in root:
                self.keep_latent(root, frozenset(latent), line)
        for what, error, fix, evaluates in summary.unknowable:
            self.unknowable(Unknowable(line, True, what, error, fix, evaluates))
        for what in sorted(summary.ambient):
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
        known = self.state_of_walk.components.get(EVERY) or ()
        if name not in known:
            self.state_of_walk.components[EVERY] = (*known, name)
        if self.step is not None:
            self.facts.changes.add(name)

    def draw(self, component: str | None, line: int, certain: bool) -> None:
        for drawn in [component] if component is not None else sorted(self.seeded):
            if drawn in self.seeded and STATE + drawn in self.env:
                self._move_on(drawn, line, certain)

    def _move_on(self, component: str, line: int, certain: bool) -> None:
        name = STATE + component
        if name not in self.env:
            if certain and (component not in knowledge.RANDOM_COMPONENTS or component in self.here.seen.state_set):
                self.set_state(component, line)
            return
        if component in self.here.seen.state_untouched and not certain:
            return
        if self.env[name].step != self.step:
            self._use(self.env[name], self.place(line))
        self._new_change(name, certain, line)

    def file(self, path: str | None, writes: bool, line: int, certain: bool = True) -> None:
        path = self._path_here(path)
        self.facts.files.append((path, writes, certain, self.place(line)))
        if writes and path is not None:
            self.state_of_walk.made_files[path.rpartition("/")[2]] = True

    def _note_imported_file(self, path: str, line: int) -> None:
        """An import reads a file that the notebook made before: by name, or by a command (``%%writefile``)."""
        if EVERY in self.state_of_walk.made_files or path in self.state_of_walk.made_files:
            self.file(path, False, line, False)

    def table(self, name: TableName | None, use: Use, line: int, certain: bool = True, what: str = "") -> None:
        if use is not Use.WRITE and name is not None and not name.schema and not name.catalog:
            version = self.env.get(name.table)
            certain = certain and (version is None or version.value.immutable)  # else a DataFrame is meant, as a rule
        self.facts.tables.append((name, use, what, certain, self.place(line)))

    def command(self, line: int) -> None:
        self.state_of_walk.made_files[EVERY] = True
        self.file(ANY_FILE, False, line, False)
        self.file(ANY_FILE, True, line, False)

    def star(self, event: StarImport) -> None:
        self._note_imported_file(f"{event.module.partition('.')[0]}.py", event.line)
        definition = self._definition_here(Bind(event.line, event.maybe, "*", FRESH))
        version = self._version("*", event.line, Value(BindKind.MODULE, module=event.module, definition=definition))
        self.state_of_walk.stars[EVERY] = (*(self.state_of_walk.stars.get(EVERY) or ()), version)
        place, in_setup, replayable = self.place(event.line), self.step is None, definition is not None
        self._report(lambda reporter: reporter.star_import(event.module, place.location, in_setup, replayable))

    def starred(self) -> Sequence[str]:
        return [version.value.module for version in self.state_of_walk.stars.get(EVERY) or ()]

    def unknowable(self, event: Unknowable) -> None:
        if self.several_steps:
            place, marked = self.place(event.line), bool(self.here.reads or self.here.writes)
            self._report(lambda reporter: reporter.unknowable(event.what, event.fix, place.location, marked))

    def setting(self, event: Call, dotted: str) -> None:
        registers = self.statement is not None and self.statement.kind is StatementKind.DEFINITION
        if event.discarded or (registers and dotted.rpartition(".")[2].startswith("register")):
            self._set_module(dotted, event.line)
        elif knowledge.surely_sets(dotted) and self.step is not None:
            self._cannot_repeat(dotted, event.line, self.step)

    def leave_in_module(self, dotted: str, line: int) -> None:
        if self.step is not None:
            self._cannot_repeat(dotted, line, self.step)

    def _set_module(self, dotted: str, line: int) -> None:
        """Repeated in every later step as it is, or else nothing of that package may be used there."""
        if self.step is None:
            return
        if self.definition is not None and not knowledge.is_seed(dotted):
            self._repeat_later(self.definition)
        else:
            self._cannot_repeat(dotted, line, self.step)

    def _repeat_later(self, definition: Definition) -> None:
        known = self.state_of_walk.ambients.get(EVERY) or ()
        if definition not in known:
            self.state_of_walk.ambients[EVERY] = (*known, definition)

    def _cannot_repeat(self, dotted: str, line: int, step: str) -> None:
        self.state_of_walk.unrepeatable[dotted.partition(".")[0]] = (dotted, self.place(line), step)

    def _check_settings(self, value: Value, place: Place) -> None:
        """Nothing may rely on a module's state that an earlier step set and this one cannot set again."""
        if self.step is None:
            return
        found = self.state_of_walk.unrepeatable.get(value.module.partition(".")[0])
        if found is not None and found[2] != self.step:
            step, (what, where, by) = self.step, found
            self._report(lambda reporter: reporter.module_state(step, what, where.location, by, place.location))

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
        self.summaries.depends()
        known = self.state_of_walk.lambdas.get(info)
        if known is None:
            bind = Bind(info.line, True, "", FRESH, BindKind.FUNCTION, function=info)
            statement = Statement(info.line, info.line, StatementKind.DEFINITION, (bind,))
            known = self.state_of_walk.lambdas[info] = self._define(statement, replayable=False)
        return known

    def ambient(self, line: int, what: str) -> None:
        if self.step is None:
            return
        definition = self.definition
        if definition is None or any(not self._is_stable(version) for version, _ in definition.now):
            if self.several_steps:
                place = self.place(line)
                self._report(lambda reporter: reporter.ambient(what, place.location))
            return
        self._repeat_later(definition)


def _report_redefined(step: str, name: str, holder: Version, place: Place, reporter: Reporter) -> None:
    reporter.redefined(step, name, holder, place.location)


def _functions_of(bind: Bind) -> list[FunctionInfo]:
    """The functions a definition brings: itself, or a class's methods."""
    if bind.cls is not None:
        return list(bind.cls.methods.values())
    return [bind.function] if bind.function is not None else []


def _imported_modules(definition: Definition) -> Iterator[str]:
    """The modules that a definition imports, without what is inside of packages."""
    for event in definition.statement.events:
        if isinstance(event, StarImport):
            yield event.module.partition(".")[0]
        elif isinstance(event, Bind) and event.kind is BindKind.MODULE:
            yield event.target.partition(".")[0]


def _is_history(name: str) -> bool:
    return name.startswith("_") and name.lstrip("_i").isdigit() and name[1:2] in {"i", *"0123456789"}


__all__ = ["STATE", "Dataflow"]
