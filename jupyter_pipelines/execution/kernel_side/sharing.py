"""Which names share objects that can be changed, and must therefore stay together."""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import pathlib
import re
import sys
import types
import uuid
from collections.abc import Collection, Iterable
from typing import Any

from .arrays import overlapping
from .pickling import Pickled

_IMMUTABLE: tuple[Any, ...] = (
    *(str, bytes, int, float, complex, tuple, frozenset, range, slice, type, type(None), type(...)),
    *(types.FunctionType, types.BuiltinFunctionType, types.ModuleType, types.CodeType, re.Pattern, enum.Enum),
    *(datetime.date, datetime.time, datetime.timedelta, datetime.tzinfo, decimal.Decimal, fractions.Fraction),
    *(pathlib.PurePath, uuid.UUID, type(NotImplemented)),
)

_IMMUTABLE_OF_LIBRARIES = {
    "numpy": ("dtype", "generic"),
    "pandas": ("Index", "Timedelta", "Timestamp", "Interval", "Period", "offsets.BaseOffset"),
    "pandas.api.extensions": ("ExtensionDtype",),
}

# These hold the user's values themselves.
_NO_LIBRARIES = {"__main__", "builtins", "IPython", "ipykernel", "traitlets", "_jupyter_pipelines_kernel"}


def groups(pickled: dict[str, Pickled]) -> list[tuple[str, ...]]:
    """Split names into groups, so that no two groups share an object that can be changed. Order is kept."""
    if len(pickled) < 2:
        return [(name,) for name in pickled]
    parent = {name: name for name in pickled}

    def root(name: str) -> str:
        while parent[name] != name:
            name = parent[name]
        return name

    changeable = _Changeable()
    holders: dict[int, list[str]] = {}
    kinds: set[type] = set()
    for name, value in pickled.items():
        for identity, held in value.objects():
            if changeable(held):
                holders.setdefault(identity, []).append(name)
            kinds.add(type(held))
    shared = {identity: names for identity, names in holders.items() if len(names) > 1}
    of_libraries = _of_libraries(shared.keys(), kinds)
    for identity, names in shared.items():
        if identity not in of_libraries:
            for name in names[1:]:
                parent[root(name)] = root(names[0])
    owners = {id(array): name for name, value in pickled.items() for array in value.arrays}
    for cluster in overlapping([array for value in pickled.values() for array in value.arrays]):
        for array in cluster[1:]:
            parent[root(owners[id(array)])] = root(owners[id(cluster[0])])
    found: dict[str, list[str]] = {}
    for name in pickled:
        found.setdefault(root(name), []).append(name)
    return [tuple(names) for names in found.values()]


class _Changeable:
    """Whether an object can be changed in place; remembers the answer by type."""

    def __init__(self) -> None:
        self._immutable = list(_IMMUTABLE)
        for module, names in _IMMUTABLE_OF_LIBRARIES.items():
            loaded = sys.modules.get(module)
            for name in names if loaded is not None else ():
                found: Any = loaded
                for part in name.split("."):
                    found = getattr(found, part, None)
                if isinstance(found, type):
                    self._immutable.append(found)
        self._answers: dict[type, bool] = {}

    def __call__(self, value: object) -> bool:
        kind = type(value)
        answer = self._answers.get(kind)
        if answer is None:
            named = str(kind.__module__).partition(".")[0] == "pyarrow" or kind.__name__.endswith(
                ("function_or_method", "ufunc")
            )
            answer = self._answers[kind] = (
                kind is not object and not named and not issubclass(kind, tuple(self._immutable))
            )
        return answer


def _of_libraries(identities: Collection[int], kinds: set[type]) -> set[int]:
    """Which ones are of the libraries that ``kinds`` come from; most often a class of theirs has it as attribute."""
    if not identities:
        return set()
    ours = {kind for kind in kinds if _package(kind) not in _NO_LIBRARIES}
    bases = {base for kind in ours for base in kind.__mro__ if _package(base) not in _NO_LIBRARIES}
    near = {id(held) for base in bases for held in vars(base).values()}
    if near.issuperset(identities):
        return near
    return near | _held_by({_package(kind) for kind in ours})


def _package(kind: type) -> str:
    return str(kind.__module__).partition(".")[0]


def _held_by(packages: set[str]) -> set[int]:
    """The ids of what modules and classes of ``packages`` hold: every kernel has its own of these.

    Not followed far, so that what users put into a library's registries stays theirs.
    """
    modules = [module for name, module in list(sys.modules.items()) if name.partition(".")[0] in packages]
    level = [held for module in modules for held in list(getattr(module, "__dict__", {}).values())]
    seen: set[int] = set()
    for _ in range(4):
        inner: list[Any] = []
        for held in level:
            if id(held) not in seen:
                seen.add(id(held))
                inner.extend(_insides(held, packages))
        level = inner
    return seen


def _insides(held: Any, packages: set[str]) -> Iterable[Any]:
    kind = type(held)
    if kind in (list, tuple, set, frozenset):
        return list(held)
    if issubclass(kind, dict):
        return list(dict.values(held))
    owner = held if isinstance(held, type) else kind
    if _package(owner) not in packages or isinstance(held, types.ModuleType):
        return ()
    if isinstance(held, type):
        return list(vars(held).values())
    attributes = getattr(held, "__dict__", None)
    return [attributes, *attributes.values()] if isinstance(attributes, dict) else ()
