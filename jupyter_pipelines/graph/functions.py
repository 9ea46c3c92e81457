"""Summaries of the notebook's functions: one pass over the body in terms of parameters and the notebook's names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from jupyter_pipelines.graph import knowledge
from jupyter_pipelines.graph.events import (
    LOCAL_MARK,
    Augment,
    Bind,
    BindKind,
    Call,
    Flow,
    FunctionInfo,
    Unknowable,
    Use,
)
from jupyter_pipelines.graph.interpreter import Interpreter
from jupyter_pipelines.graph.summaries import Summary
from jupyter_pipelines.graph.values import NOTHING, Definition, Result, Value
from jupyter_pipelines.notebook.table_names import TableName

_PASSES = 2  # so that what a loop's body leaves reaches its beginning


class FunctionInterpreter(Interpreter):
    """Looks at one function's body. Its locals are a matter of this body; all else is the notebook's."""

    def __init__(self, outer: Interpreter, info: FunctionInfo) -> None:
        super().__init__()
        self.outer = outer
        self.info = info
        self.summary = Summary()
        self.caches_are_asked, self.searched = outer.caches_are_asked, outer.searched
        parameters = (*info.parameters, *info.keyword_only, *info.variadic)
        self.locals: dict[str, Result] = {name: Result({name: True}) for name in parameters}

    def summarised(self) -> Summary:
        for _ in range(_PASSES):
            self.run(self.info.events)
        summary = self.summary
        returns = [self.resolve(flow) for flow in self.info.returns]
        for result in returns:
            summary.returned.update(result.shares)
            summary.latent |= result.value.latent
            summary.functions += tuple(info for info in result.functions if info not in summary.functions)
            summary.maker = summary.maker or result.value.maker
        summary.immutable = all(result.value.immutable for result in returns) and not summary.functions
        if len(returns) == 1:
            summary.uncarriable = returns[0].value.uncarriable
        return summary

    # -- names ---------------------------------------------------------------------------------------------------

    def lookup(self, name: str) -> Value | None:
        if LOCAL_MARK in name:
            result = self.locals.get(name)
            return result.value if result is not None else NOTHING
        return self.outer.lookup(name)

    def shares_of(self, name: str) -> dict[str, bool]:
        if LOCAL_MARK in name:
            result = self.locals.get(name)
            return result.shares if result is not None else {name: True}
        return {name: True}

    def nested(self, name: str) -> tuple[FunctionInfo, ...]:
        result = self.locals.get(name)
        return result.functions if result is not None else ()

    def _widen(self, name: str, result: Result) -> None:
        old = self.locals.get(name)
        if old is None:
            self.locals[name] = result
            return
        shares = dict(old.shares)
        for key, sure in result.shares.items():
            shares.setdefault(key, sure)
        value = replace(
            result.value,
            immutable=old.value.immutable and result.value.immutable,
            latent=old.value.latent | result.value.latent,
            maker=old.value.maker or result.value.maker,
            remembered=old.value.remembered,
        )
        functions = old.functions + tuple(info for info in result.functions if info not in old.functions)
        self.locals[name] = Result(shares, value, (), functions)

    def bind(self, event: Bind, result: Result) -> None:
        if event.function is not None:
            result = Result(functions=(event.function,))
            # A function within may be called by whoever gets it.
            self.call_function(_somewhere(event.line), event.function, [], False)
        if event.kind is BindKind.MODULE:
            result = Result(
                value=Value(kind=BindKind.MODULE, module=event.target, maker=event.target.partition(".")[0])
            )
        if LOCAL_MARK in event.name:
            if event.name not in self.locals or event.kind is BindKind.MODULE:
                self.locals[event.name] = result
            else:
                self._widen(event.name, result)
        else:
            self.summary.binds[event.name] = result

    def augment(self, event: Augment, result: Result) -> None:
        target = self.resolve(Flow((event.name,), same=event.name))
        if not target.value.immutable:
            self.change(target, False, event.line, result)
        if LOCAL_MARK not in event.name:
            self.summary.binds[event.name] = Result({event.name: False}, target.value)

    def delete(self, name: str, maybe: bool, line: int) -> None:
        if LOCAL_MARK not in name:
            self.summary.deletes.add(name)

    def is_seen_to_change(self, name: str) -> bool:
        return self.outer.is_seen_to_change(name)

    def function_changed(self, info: FunctionInfo, line: int) -> None:
        self.summary.changed_functions.add(info)

    def keep_latent(self, name: str, latent: frozenset[Definition], line: int) -> None:
        for root in self.shares_of(name) if LOCAL_MARK in name else (name,):
            self.summary.stored.setdefault(root, set()).update(latent)
            self.summary.changes.setdefault(root, (False, ()))

    def change(self, result: Result, certain: bool, line: int, stored: Result | None = None) -> None:
        if certain and not result.shares:
            for name in result.names:
                self._change_definition_named(name, result, line)
        for root, sure in result.shares.items():
            known = self.summary.changes.get(root)
            certainly = (certain and sure) or (known is not None and known[0])
            self.summary.changes[root] = (certainly, result.attributes)
            if stored is not None:
                self.summary.ties.update((root, other) for other in stored.shares if other != root)
                self.summary.stored.setdefault(root, set()).update(stored.value.latent)
        if stored is not None:
            for name in result.names:
                if LOCAL_MARK in name and name in self.locals:
                    loose = Result(dict.fromkeys(stored.shares, False), stored.value, (), stored.functions)
                    self._widen(name, Result(loose.shares, replace(loose.value, immutable=False, uncarriable=None)))

    def _change_definition_named(self, name: str, result: Result, line: int) -> None:
        value = self.lookup(name)
        if value is None:
            return
        component = knowledge.component_of(value.module, result.attributes)
        if component is not None:
            self.state(component, line)
        elif value.definition is not None and not value.module:
            self.summary.changed_definitions.add(value.definition)

    def tie(self, names: Sequence[str]) -> None:
        roots = [set(self.shares_of(name)) if LOCAL_MARK in name else {name} for name in names]
        joined = {root: False for group in roots for root in group}
        for name in names:
            if LOCAL_MARK in name and name in self.locals:
                self._widen(name, Result(joined, self.locals[name].value))
        for position, group in enumerate(roots):
            for other in roots[position + 1 :]:
                self.summary.ties.update((left, right) for left in group for right in other if left != right)

    # -- what is passed on to whoever calls ------------------------------------------------------------------------

    def unknowable(self, event: Unknowable) -> None:
        entry = (event.what, event.error, event.fix, event.evaluates)
        if entry not in self.summary.unknowable:
            self.summary.unknowable.append(entry)

    def ambient(self, line: int, what: str) -> None:
        self.summary.ambient.add(what)

    def set_state(self, component: str, line: int) -> None:
        self.summary.states.add(component)

    def draw(self, component: str | None, line: int, certain: bool) -> None:
        self.summary.draws[component] = self.summary.draws.get(component, False) or certain

    def file(self, path: str | None, writes: bool, line: int, certain: bool = True) -> None:
        self.summary.files.add((self._path_here(path), writes, certain))

    def table(self, name: TableName | None, use: Use, line: int, certain: bool = True, what: str = "") -> None:
        self.summary.tables.add((name, use, what, certain))

    def command(self, line: int) -> None:
        self.summary.command = True

    def setting(self, event: Call, dotted: str) -> None:
        if event.discarded or knowledge.surely_sets(dotted):
            self.summary.settings.add(dotted)

    def anonymous(self, info: FunctionInfo) -> Definition | None:
        return self.outer.anonymous(info)

    def change_definition(self, definition: Definition, line: int) -> None:
        self.summary.changed_definitions.add(definition)

    def summarise(self, info: FunctionInfo) -> Summary:
        return self.outer.summarise(info)

    def apply_globals(self, summary: Summary, line: int, certain: bool) -> None:
        mine = self.summary
        for root, (sure, attributes) in summary.changes.items():
            if LOCAL_MARK not in root:
                known = mine.changes.get(root)
                mine.changes[root] = ((sure and certain) or (known is not None and known[0]), attributes)
            elif root in self.locals:
                self.change(Result(self.locals[root].shares, NOTHING, attributes, (), (root,)), sure and certain, line)
        for name, result in summary.binds.items():
            mine.binds.setdefault(name, Result(value=result.value))
        mine.deletes |= summary.deletes
        mine.states |= summary.states
        for component, sure in summary.draws.items():
            self.draw(component, line, sure and certain)
        mine.files |= summary.files
        mine.tables |= summary.tables
        mine.command |= summary.command
        mine.ambient |= summary.ambient
        mine.settings |= summary.settings
        mine.changed_definitions |= summary.changed_definitions
        mine.changed_functions |= summary.changed_functions
        for root, latent in summary.stored.items():
            if LOCAL_MARK not in root or root in self.locals:
                self.keep_latent(root, frozenset(latent), line)
        for entry in summary.unknowable:
            if entry not in mine.unknowable:
                mine.unknowable.append(entry)


def _somewhere(line: int) -> Call:
    return Call(line, True, None, (), Flow(), ())
