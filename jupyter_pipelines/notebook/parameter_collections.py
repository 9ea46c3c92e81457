"""The types of parameters that are made of others: lists, objects, choices, Enums, unions."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from jupyter_pipelines.notebook.parameter_types import (
    ANY,
    UNKNOWN,
    Bool,
    Float,
    Int,
    NoneType,
    ParameterType,
    Str,
)
from jupyter_pipelines.notebook.plain_values import MismatchError, collection_source, plain, plain_json


def _given_items(value: object, *, from_text: bool) -> tuple[list[object], bool] | None:
    """The items of a collection and whether they are texts still to be read: ``[1, 2]`` is JSON, ``a,b`` is not."""
    if from_text and isinstance(value, str):
        text = value.strip()
        if text.startswith("["):
            try:
                items = json.loads(text)
            except (ValueError, RecursionError):
                return None
            return (items, False) if isinstance(items, list) else None
        if text.startswith(("(", "{")) and text.endswith((")", "}")):
            return None  # Python, not JSON: its brackets would become part of the first and last item
        return [one.strip() for one in text.split(",")] if text else [], True
    if isinstance(value, list | tuple | set | frozenset):
        return list(value), from_text
    if type(value).__module__ == "numpy" and callable(convert := getattr(value, "tolist", None)):
        converted = convert()
        return (converted, False) if isinstance(converted, list) else None
    return None


@dataclass(frozen=True)
class Collection(ParameterType):
    """A ``list``, ``tuple``, ``set`` or ``frozenset`` of one type of item. As text: JSON, or items between commas."""

    kind: type
    item: ParameterType = ANY

    @property
    def name(self) -> str:
        if self.item is ANY:
            return self.kind.__name__
        return f"{self.kind.__name__}[{self.item.name}{', ...' if self.kind is tuple else ''}]"

    @property
    def expected(self) -> str:
        return "a list" if self.item is ANY else f"a list, each item {self.item.expected}"

    def schema(self) -> dict[str, object]:
        schema: dict[str, object] = {"type": "array"}
        if self.item is not ANY:
            schema["items"] = self.item.schema()
        if self.kind in (set, frozenset):
            schema["uniqueItems"] = True
        return schema

    def coerce(self, value: object, *, from_text: bool = False) -> object:
        given = _given_items(value, from_text=from_text)
        if given is None:
            raise self._mismatch()
        items, texts = given
        try:
            return self.kind(self.item.coerce(one, from_text=texts) for one in items)
        except TypeError:  # an item that a set cannot hold
            raise self._mismatch() from None
        except MismatchError:
            raise self._mismatch() from None

    def source(self, value: object) -> str:
        assert isinstance(value, list | tuple | set | frozenset)
        return collection_source(value, [self.item.source(one) for one in value])

    def to_json(self, value: object) -> object:
        assert isinstance(value, list | tuple | set | frozenset)
        return [self.item.to_json(one) for one in value]


@dataclass(frozen=True)
class FixedTuple(ParameterType):
    """A tuple with a type for each place: ``tuple[int, str]``."""

    items: tuple[ParameterType, ...]

    @property
    def name(self) -> str:
        return f"tuple[{', '.join(item.name for item in self.items)}]"

    @property
    def expected(self) -> str:
        return f"a list of {len(self.items)}: {', '.join(item.expected for item in self.items)}"

    def schema(self) -> dict[str, object]:
        count = len(self.items)
        prefix = [item.schema() for item in self.items]
        return {"type": "array", "prefixItems": prefix, "minItems": count, "maxItems": count}

    def coerce(self, value: object, *, from_text: bool = False) -> object:
        given = _given_items(value, from_text=from_text)
        if given is None or len(given[0]) != len(self.items):
            raise self._mismatch()
        try:
            return tuple(item.coerce(one, from_text=given[1]) for item, one in zip(self.items, given[0], strict=True))
        except MismatchError:
            raise self._mismatch() from None

    def source(self, value: object) -> str:
        assert isinstance(value, tuple)
        parts = [item.source(one) for item, one in zip(self.items, value, strict=True)]
        return collection_source(value, parts)

    def to_json(self, value: object) -> object:
        assert isinstance(value, tuple)
        return [item.to_json(one) for item, one in zip(self.items, value, strict=True)]


@dataclass(frozen=True)
class Object(ParameterType):
    """A ``dict``. As text it is JSON; keys of another type than text are read from JSON's texts."""

    key: ParameterType = ANY
    value: ParameterType = ANY

    @property
    def name(self) -> str:
        return "dict" if self.key is ANY and self.value is ANY else f"dict[{self.key.name}, {self.value.name}]"

    @property
    def expected(self) -> str:
        return "an object" if self.value is ANY else f"an object, each value {self.value.expected}"

    def schema(self) -> dict[str, object]:
        schema: dict[str, object] = {"type": "object"}
        if self.value is not ANY:
            schema["additionalProperties"] = self.value.schema()
        return schema

    def coerce(self, value: object, *, from_text: bool = False) -> object:
        if from_text and isinstance(value, str):
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                raise MismatchError(f'{self.expected}, written as JSON such as {{"a": 1}}') from None
        if not isinstance(value, Mapping):
            raise self._mismatch()
        try:
            return {self._coerce_key(key): self.value.coerce(one) for key, one in value.items()}
        except MismatchError:
            raise self._mismatch() from None

    def _coerce_key(self, key: object) -> object:
        if self.key is ANY:
            return plain(key)
        return self.key.coerce(key, from_text=isinstance(key, str))

    def source(self, value: object) -> str:
        assert isinstance(value, dict)
        pairs = [f"{self.key.source(key)}: {self.value.source(one)}" for key, one in value.items()]
        return "{" + ", ".join(pairs) + "}"

    def to_json(self, value: object) -> object:
        assert isinstance(value, dict)
        return {str(plain_json(key)): self.value.to_json(one) for key, one in value.items()}


@dataclass(frozen=True)
class Choice(ParameterType):
    """``Literal[...]``: one of a few values, of exactly that type."""

    values: tuple[object, ...]

    @property
    def name(self) -> str:
        return f"Literal[{', '.join(map(repr, self.values))}]"

    @property
    def expected(self) -> str:
        return f"one of {', '.join(map(repr, self.values))}"

    def schema(self) -> dict[str, object]:
        return {"enum": [plain_json(value) for value in self.values]}

    def coerce(self, value: object, *, from_text: bool = False) -> object:
        value = _plain_or_none(value)
        for choice in self.values:
            if type(choice) is type(value) and choice == value:
                return choice
        if from_text and isinstance(value, str):
            for choice in self.values:
                if str(choice) == value or (isinstance(choice, bool) and str(choice).lower() == value.lower()):
                    return choice
        raise self._mismatch()


def _plain_or_none(value: object) -> object:
    try:
        return plain(value)
    except MismatchError:
        return UNKNOWN


@dataclass(frozen=True)
class Member(ParameterType):
    """An Enum of the notebook. Values are known by their member's name; a member's own value is accepted too."""

    enum: str
    members: tuple[
        tuple[str, object], ...
    ]  # name and value; the value is UNKNOWN when only the notebook can compute it

    @property
    def name(self) -> str:
        return self.enum

    @property
    def expected(self) -> str:
        return f"one of {', '.join(name for name, _ in self.members)}"

    def schema(self) -> dict[str, object]:
        return {"type": "string", "enum": [name for name, _ in self.members]}

    def coerce(self, value: object, *, from_text: bool = False) -> object:
        if isinstance(value, Enum) and any(value.name == name for name, _ in self.members):
            return value.name
        value = _plain_or_none(value)
        if isinstance(value, str):
            given = value.removeprefix(f"{self.enum}.")
            if any(given == name for name, _ in self.members):
                return given
        for name, own in self.members:
            if own is not UNKNOWN and type(own) is type(value) and own == value:
                return name
            if own is not UNKNOWN and from_text and str(own) == value:
                return name
        raise self._mismatch()

    def source(self, value: object) -> str:
        return f"{self.enum}[{value!r}]"

    def to_json(self, value: object) -> object:
        return value


@dataclass(frozen=True)
class Union(ParameterType):
    """One of several types; the narrowest that takes the value wins, text last."""

    members: tuple[ParameterType, ...]

    @property
    def name(self) -> str:
        return " | ".join(member.name for member in self.members)

    @property
    def expected(self) -> str:
        return " or ".join(member.expected for member in self.members)

    def schema(self) -> dict[str, object]:
        return {"anyOf": [member.schema() for member in self.members]}

    def _narrowest_first(self, value: object) -> list[ParameterType]:
        order = [NoneType, Bool, Float, Int] if isinstance(value, float) else [NoneType, Bool, Int, Float]
        last = [Str, ParameterType]

        def rank(member: ParameterType) -> int:
            if type(member) in order:
                return order.index(type(member))
            return len(order) + (1 + last.index(type(member)) if type(member) in last else 0)

        return sorted(self.members, key=rank)

    def coerce(self, value: object, *, from_text: bool = False) -> object:
        for member in self._narrowest_first(value):
            try:
                return member.coerce(value, from_text=from_text)
            except MismatchError:
                continue
        raise self._mismatch()

    def _holder(self, value: object) -> ParameterType:
        for member in self._narrowest_first(value):
            try:
                if (isinstance(value, float) and math.isnan(value)) or member.coerce(value) == value:
                    return member
            except MismatchError:
                continue
        return ANY

    def source(self, value: object) -> str:
        return self._holder(value).source(value)

    def to_json(self, value: object) -> object:
        return self._holder(value).to_json(value)
