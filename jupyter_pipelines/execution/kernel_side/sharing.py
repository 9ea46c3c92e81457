"""Which names share objects that can be changed, and must therefore stay together."""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import gc
import pathlib
import re
import sys
import types
import uuid
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
    first_holder: dict[int, str] = {}
    for name, value in pickled.items():
        for identity, held in value.objects():
            if changeable(held):
                holder = first_holder.setdefault(identity, name)
                if root(holder) != root(name) and not _belongs_to_module(held):
                    parent[root(name)] = root(holder)
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
            arrow = kind.__module__.partition(".")[0] == "pyarrow"
            answer = self._answers[kind] = not arrow and not issubclass(kind, tuple(self._immutable))
        return answer


def _belongs_to_module(value: object) -> bool:
    """Whether a module of a library holds ``value`` under a name: then every kernel has its own."""
    for referrer in gc.get_referrers(value):
        name = referrer.get("__name__") if isinstance(referrer, dict) else None
        if isinstance(name, str) and name != "__main__" and name in sys.modules and vars(sys.modules[name]) is referrer:
            return True
    return False
