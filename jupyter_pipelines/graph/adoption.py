"""A cell that was looked at again, because it was edited, mostly leaves what it left before.

What it made anew is compared with what it made the last time; where nothing but the line is another, the earlier
object is kept, so that the cells below find what they found and need not be looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from jupyter_pipelines.graph.events import Bind, BindKind, FunctionInfo, Statement
from jupyter_pipelines.graph.values import Definition, Value, Version

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_PLAIN = ("kind", "immutable", "uncarriable", "maker", "module", "in_memory", "separate", "broken")


class Adoption:
    """Pairs the versions a cell made with those it made before, and the definitions that they need."""

    def __init__(self, made: Sequence[Version], defined: Sequence[Definition], before: Sequence[Version]) -> None:
        earlier: dict[str, list[Version]] = {}
        for version in before:
            earlier.setdefault(version.name, []).append(version)
        self.versions: dict[Version, Version] = {}
        self.definitions: dict[Definition, Definition] = {}
        self._looked_alike: dict[Definition, bool] = {}
        for version in made:
            candidates = earlier.get(version.name)
            if candidates:
                self.versions[version] = candidates.pop(0)
        self._refute()
        self._keep()
        for version in made:
            if version not in self.versions:
                self._refer(version)
        for definition in defined:
            if definition not in self.definitions:
                definition.now = [(self.version(version), touched) for version, touched in definition.now]

    def _refute(self) -> None:
        """All pairs are taken to be equal until it turns out that two are not, and what relies on them is not."""
        settled = False
        while not settled:
            known = len(self.definitions)
            different = [pair[0] for pair in self.versions.items() if not self._same_version(*pair)]
            settled = not different and known == len(self.definitions)
            for version in different:
                del self.versions[version]
            for definition in [pair[0] for pair in self.definitions.items() if not self._read_the_same(*pair)]:
                del self.definitions[definition]
                settled = False
        ordinals = [same.ordinal for _, same in sorted(self.definitions.items(), key=lambda pair: pair[0].ordinal)]
        if ordinals != sorted(ordinals):  # they are told apart by their order
            self.versions.clear()
            self.definitions.clear()

    def _keep(self) -> None:
        """Tell what is kept where it stands now."""
        for version, kept in self.versions.items():
            kept.line = version.line
        for definition, same in self.definitions.items():
            same.ordinal = definition.ordinal
            if _only_imports(same.statement):
                same.statement = definition.statement

    def version(self, version: Version) -> Version:
        """The earlier one that is to be kept instead, if there is one."""
        return self.versions.get(version, version)

    def definition(self, definition: Definition) -> Definition:
        """The earlier one that is to be kept instead, if there is one."""
        return self.definitions.get(definition, definition)

    def functions(self) -> Iterator[tuple[FunctionInfo, Definition]]:
        """The functions of definitions that are kept."""
        for definition in self.definitions.values():
            for event in definition.statement.events:
                if isinstance(event, Bind) and event.function is not None and definition.replayable:
                    yield event.function, definition

    def _refer(self, version: Version) -> None:
        """Have a version that stays refer to what is kept."""
        value = version.value
        if value.definition in self.definitions or not value.latent.isdisjoint(self.definitions):
            definition = self.definition(value.definition) if value.definition is not None else None
            latent = frozenset(self.definition(one) for one in value.latent)
            version.value = replace(value, definition=definition, latent=latent)

    def _same_version(self, one: Version, other: Version) -> bool:
        return (
            one.site is other.site
            and (one.step, one.is_change, one.certain, one.touched)
            == (other.step, other.is_change, other.certain, other.touched)
            and self._same_value(one.value, other.value)
        )

    def _paired(self, one: Version | None, other: Version | None) -> bool:
        return one is not None and other is not None and self.versions.get(one) is other

    def _same_value(self, one: Value, other: Value) -> bool:
        if one is other:
            return True
        return (
            all(getattr(one, name) == getattr(other, name) for name in _PLAIN)
            and type(one.constant) is type(other.constant)
            and one.constant == other.constant
            and self._same_definition(one.definition, other.definition)
            and len(one.latent) == len(other.latent)
            and all(any(self._same_definition(own, its) for its in other.latent) for own in one.latent)
            and _alike(one.function, other.function)
            and _alike(one.cls, other.cls)
        )

    def _same_definition(self, one: Definition | None, other: Definition | None) -> bool:
        if one is other:
            return True
        if one is None or other is None or one.site is not other.site:
            return False
        if one not in self._looked_alike:
            alike = (one.step, one.replayable) == (other.step, other.replayable)
            self._looked_alike[one] = alike and _alike_statements(one.statement, other.statement)
            if self._looked_alike[one]:
                self.definitions[one] = other
        return self.definitions.get(one) is other

    def _read_the_same(self, one: Definition, other: Definition) -> bool:
        return len(one.now) == len(other.now) and all(
            touched == known and (version is before or self._paired(version, before))
            for (version, touched), (before, known) in zip(one.now, other.now, strict=True)
        )


def _only_imports(statement: Statement) -> bool:
    return bool(statement.events) and all(
        isinstance(event, Bind) and event.kind is BindKind.MODULE for event in statement.events
    )


def _alike_statements(one: Statement, other: Statement) -> bool:
    """Whether they say the same; on the same lines, unless they only import."""
    if (one.kind, one.names, one.source) != (other.kind, other.names, other.source):
        return False
    return (_only_imports(one) and _only_imports(other) and bool(one.source)) or _alike(one, other)


def _alike(one: object, other: object) -> bool:
    """Whether two pieces of what was read from source are the same throughout, lines included."""
    return _compare(one, other, set())


def _compare(one: object, other: object, under_way: set[tuple[int, int]]) -> bool:
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(
            _compare(left, right, under_way) for left, right in zip(one, other, strict=True)
        )
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(_compare(one[key], other[key], under_way) for key in one)
    if not is_dataclass(one) or isinstance(one, type):
        return one == other
    pair = (id(one), id(other))
    if pair in under_way:
        return True
    under_way.add(pair)
    return all(_compare(getattr(one, name), getattr(other, name), under_way) for name in _names(type(one)))


@cache
def _names(kind: type[DataclassInstance]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))
