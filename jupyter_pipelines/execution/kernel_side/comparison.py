"""Whether two values are the same for every code that could look at them, and where they differ.

Values are compared by type and state, not by ``==``: NaN equals NaN, 1 differs from 1.0 and from True, the order of a
dict counts. State that lives in C is compared as pickle would write it; where nothing is known of it, two objects are
different. Caches that objects fill when they are read do not count. Objects that refer to themselves are fine.
"""

from __future__ import annotations

import array
import collections
import copyreg
import enum
import functools
import itertools
import math
import operator
import re
import struct
import sys
import types
from collections.abc import Callable
from typing import Any

from . import comparison_libraries
from .refusals import refusal

_EXACT = (int, str, bytes, bool, type(None), type(...), type(NotImplemented))
_CONTAINERS = (dict, list, tuple, set, frozenset, str, bytes, bytearray, int, float, complex, BaseException, object)
_CACHES = {  # attributes that libraries write when they only read, by the module of the class
    "IPython.utils.text": re.compile("_(SList|LSString)__"),
    "statsmodels.regression.linear_model": re.compile("(diagn|_nobs_int|het_scale)$"),
    "statsmodels.base.data": re.compile("predict_(start|end|dates)$"),
}
_MISSING = object()


def difference(first: object, second: object, path: str = "") -> str | None:
    """Where and how two values differ, as ``[3].name: 1 against 2``; ``None`` when they are the same."""
    limit = sys.getrecursionlimit()
    # From Python 3.11 on, calls from Python to Python need no room on the stack of C.
    sys.setrecursionlimit(max(limit, 50_000 if sys.version_info >= (3, 11) else 3_000))
    try:
        return Comparison().compare(first, second, path)
    finally:
        sys.setrecursionlimit(limit)


class Comparison:
    """One comparison; remembers the pairs it has been at."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, int], tuple[object, object]] = {}
        self._libraries = comparison_libraries.known()

    def compare(self, first: Any, second: Any, path: str) -> str | None:
        """Where the two differ, or ``None``."""
        if first is second:
            return None
        kind = type(first)
        if kind is not type(second) and not _same_class(kind, type(second)):
            return f"{path}: {_type(first)} against {_type(second)}"
        if kind in _EXACT:
            return None if first == second else _unlike(path, first, second)
        if kind is float:
            return None if _same_float(first, second) else _unlike(path, first, second)
        if kind is complex:
            same = _same_float(first.real, second.real) and _same_float(first.imag, second.imag)
            return None if same else _unlike(path, first, second)
        if kind is object:
            return _unlike(path, first, second)
        pair = id(first), id(second)
        if pair in self._seen:
            return None
        self._seen[pair] = first, second  # kept, so that the ids stay theirs
        try:
            return self._compare_objects(first, second, path)
        except RecursionError:
            return f"{path}: too deep to compare"

    def _compare_objects(self, first: Any, second: Any, path: str) -> str | None:
        for kind, compare in self._libraries:
            if isinstance(first, kind):
                return compare(self, first, second, path)
        if isinstance(first, type):
            return None if _same_class(first, second) else _unlike(path, first, second)
        if isinstance(first, enum.Enum):
            return None if first.name == second.name and first.value == second.value else _unlike(path, first, second)
        if isinstance(first, types.ModuleType):
            return None if first.__name__ == second.__name__ else _unlike(path, first, second)
        if isinstance(first, types.FunctionType):
            return self._functions(first, second, path)
        if isinstance(first, (types.BuiltinFunctionType, types.MethodType)) and first.__self__ is not None:
            parts = [("name", first.__name__, second.__name__), ("self", first.__self__, second.__self__)]
            return self.all_of(path, parts)
        if isinstance(first, types.CodeType):
            return None if _same_code(first, second) else _unlike(path, first, second)
        parts_of = _PARTS.get(type(first))
        if parts_of is not None:
            return self.all_of(path, [(name, part(first), part(second)) for name, part in parts_of])
        content = self._content(first, second, path)
        return content or self._attributes(first, second, path)

    def all_of(self, path: str, parts: Any) -> str | None:
        """The first difference among ``(name, first, second)``."""
        for name, first, second in parts:
            found = self.compare(first, second, f"{path}.{name}" if path else name)
            if found is not None:
                return found
        return None

    # Built-in containers and classes made from them

    def _content(self, first: Any, second: Any, path: str) -> str | None:
        if isinstance(first, dict):
            return self._dicts(first, second, path)
        if isinstance(first, (list, tuple, collections.deque)):
            return self.sequences(first, second, path)
        if isinstance(first, (set, frozenset)):
            return self._sets(first, second, path)
        if isinstance(first, array.array):
            parts = [("typecode", first.typecode, second.typecode), ("items", first.tolist(), second.tolist())]
            return self.all_of(path, parts)
        for base in (str, bytes, bytearray, int):
            if isinstance(first, base):
                return None if vars(base)["__eq__"](first, second) is True else _unlike(path, first, second)
        if isinstance(first, (float, complex)):
            same = _same_float(first.real, second.real) and _same_float(first.imag, second.imag)
            return None if same else _unlike(path, first, second)
        return None

    def sequences(self, first: Any, second: Any, path: str) -> str | None:
        """Compare element by element."""
        if len(first) != len(second):
            return f"{path}: {len(first):,} items against {len(second):,}"
        kinds = set(map(type, first))
        plain = kinds <= {str, int, bool, type(None)} and list(map(type, first)) == list(map(type, second))
        if plain and all(map(operator.eq, first, second)):
            return None
        for place, (one, other) in enumerate(zip(first, second)):
            if one is not other:
                found = self.compare(one, other, f"{path}[{place}]")
                if found is not None:
                    return found
        return None

    def _dicts(self, first: dict[Any, Any], second: dict[Any, Any], path: str) -> str | None:
        if len(first) != len(second):
            return f"{path}: {len(first):,} entries against {len(second):,}"
        # The order of an OrderedDict is not that of the dict below.
        items: Any = collections.OrderedDict.items if isinstance(first, collections.OrderedDict) else dict.items
        for (key, one), (other_key, other) in zip(items(first), items(second)):
            if self.compare(key, other_key, "key") is not None:
                return f"{path}: key {_show(key)} against {_show(other_key)}"
            found = self.compare(one, other, f"{path}[{_show(key)}]")
            if found is not None:
                return found
        return None

    def _sets(self, first: Any, second: Any, path: str) -> str | None:
        if len(first) != len(second):
            return f"{path}: {len(first):,} elements against {len(second):,}"
        plain = {(type(value), value) for value in second if _is_plain(value)}
        rest = [value for value in second if not _is_plain(value) or value not in first]
        for value in first:
            if _is_plain(value) and (type(value), value) in plain:
                continue
            match = next((other for other in rest if Comparison().compare(value, other, "") is None), _MISSING)
            if match is _MISSING:
                return f"{path}: {_show(value)} is in one only"
            rest = [other for other in rest if other is not match]
        return None

    # Functions and objects

    def _functions(self, first: Any, second: Any, path: str) -> str | None:
        if not _same_code(first.__code__, second.__code__):
            return f"{path}: the code of {first.__qualname__} differs"
        parts: list[tuple[str, Any, Any]] = [
            (name, getattr(first, name), getattr(second, name))
            for name in ("__defaults__", "__kwdefaults__", "__dict__")
        ]
        cells = zip(first.__code__.co_freevars, first.__closure__ or (), second.__closure__ or ())
        parts += [(name, _contents(one), _contents(other)) for name, one, other in cells]
        return self.all_of(path, parts)

    def _attributes(self, first: Any, second: Any, path: str) -> str | None:
        one, other = attributes_of(first) or {}, attributes_of(second) or {}
        for name in [*one, *(name for name in other if name not in one)]:
            if is_cache(type(first), name):
                found = self._caches(one.get(name), other.get(name), f"{path}.{name}")
            elif name in one and name in other:
                found = self.compare(one[name], other[name], f"{path}.{name}")
            else:
                found = f"{path}: attribute {name!r} is in one only"
            if found is not None:
                return found
        if isinstance(first, BaseException):
            names = ("args", "__cause__", "__context__", "__suppress_context__")
            found = self.all_of(path, [(name, getattr(first, name), getattr(second, name)) for name in names])
            if found is not None:
                return found
        kind: Any = type(first)
        return self._reductions(first, second, path) if _has_hidden_state(kind) else None

    def _caches(self, first: Any, second: Any, path: str) -> str | None:
        """What reading has added to a cache is no difference; what is in both must be the same."""
        if not isinstance(first, dict) or not isinstance(second, dict):
            return None
        return self.all_of(path, [(_show(key), one, second[key]) for key, one in first.items() if key in second])

    def _reductions(self, first: Any, second: Any, path: str) -> str | None:
        """Compare what pickle would write: the state of objects that live in C."""
        if refusal(type(first)) is not None:
            return None  # locks and the like are never carried, nor is there anything in them to compare
        try:
            one, other = _reduced(first), _reduced(second)
        except Exception:  # whatever an object's own pickling raises
            return f"{path}: {_type(first)} cannot be compared"
        if isinstance(one, str) or isinstance(other, str):
            return None if one == other else _unlike(path, first, second)
        return self.sequences(one, other, path)


def attributes_of(value: object) -> dict[str, Any] | None:
    """What an object holds in its ``__dict__``, slots and members of its C structure; ``None`` when it has none."""
    found: dict[str, Any] | None = None
    for base in type(value).__mro__:
        for name, member in base.__dict__.items():
            if isinstance(member, types.MemberDescriptorType) and not name.startswith("__"):
                found = {} if found is None else found
                try:
                    found.setdefault(name, member.__get__(value))
                except AttributeError:  # it has no value
                    continue
    try:
        own = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return found
    return {**(found or {}), **own} if isinstance(own, dict) else found


@functools.lru_cache(maxsize=1000)
def _has_hidden_state(kind: type) -> bool:
    """Whether instances are larger than their known content, ``__dict__`` and slots account for: there is more in C."""
    base = next(base for base in kind.__mro__ if base in _CONTAINERS)
    known = base.__basicsize__
    in_object = kind.__dictoffset__ > 0 or kind.__itemsize__  # otherwise it may lie before it
    if kind.__dictoffset__ and in_object and not base.__dictoffset__:
        known += struct.calcsize("P")
    if kind.__weakrefoffset__ > 0 and not base.__weakrefoffset__:
        known += struct.calcsize("P")
    for holder in kind.__mro__:
        slots = holder.__dict__.get("__slots__", ())
        names = (slots,) if isinstance(slots, str) else tuple(slots)
        known += struct.calcsize("P") * sum(name not in ("__dict__", "__weakref__") for name in names)
    return kind.__basicsize__ > known or (kind.__itemsize__ != 0 and base is object)


def _reduced(value: Any) -> str | tuple[Any, ...]:
    reduce = copyreg.dispatch_table.get(type(value))
    reduction: str | tuple[Any, ...] = reduce(value) if reduce is not None else value.__reduce_ex__(4)
    if isinstance(reduction, str):
        return reduction
    padded = (*reduction, None, None, None)[:5]
    items = [list(itertools.islice(part, 10_000_000)) if part is not None else None for part in padded[3:5]]
    return (*padded[:3], *items)


_VIEWS: tuple[Any, ...] = (type({}.keys()), type({}.values()), type({}.items()))
_PARTS: dict[Any, list[tuple[str, Callable[[Any], Any]]]] = {
    range: [(name, operator.attrgetter(name)) for name in ("start", "stop", "step")],
    property: [(name, operator.attrgetter(name)) for name in ("fget", "fset", "fdel", "__doc__")],
    **{kind: [("__func__", operator.attrgetter("__func__"))] for kind in (classmethod, staticmethod)},
    types.CellType: [("cell_contents", lambda cell: getattr(cell, "cell_contents", None))],
    types.MappingProxyType: [("mapping", dict)],
    memoryview: [
        ("layout", lambda view: (view.format, view.shape, view.strides, view.readonly)),
        ("content", lambda view: view.tobytes()),
    ],
    **{kind: [("items", list)] for kind in _VIEWS},
}


def is_cache(kind: type, name: str) -> bool:
    """Whether an attribute only keeps what reading has computed.

    Not for classes of the notebook: what their caches keep may not be what they would compute later.
    """
    if kind.__module__ == "__main__":
        return False
    for base in kind.__mro__:
        held = vars(base).get(name)
        if isinstance(held, functools.cached_property) or type(held).__name__ in ("cached_property", "CachedProperty"):
            return True
        known = _CACHES.get(base.__module__)
        if known is not None and known.match(name):
            return True
    return name.startswith("_") and name.endswith("_cache")


def _same_class(first: type, second: type) -> bool:
    """Whether two classes are one, also when each of them was made anew from the same source."""
    if first is second:
        return True
    if (first.__module__, first.__qualname__) != (second.__module__, second.__qualname__):
        return False
    found: object = sys.modules.get(first.__module__)
    for part in first.__qualname__.split("."):
        found = getattr(found, part, None)
    return first.__module__ == "__main__" or found not in (first, second)


def _same_code(first: types.CodeType, second: types.CodeType) -> bool:
    if (first.co_code, first.co_names, first.co_varnames) != (second.co_code, second.co_names, second.co_varnames):
        return False
    if len(first.co_consts) != len(second.co_consts):
        return False
    for one, other in zip(first.co_consts, second.co_consts):
        if isinstance(one, types.CodeType) and isinstance(other, types.CodeType):
            if not _same_code(one, other):
                return False
        elif type(one) is not type(other) or repr(one) != repr(other):
            return False
    return True


def _contents(cell: types.CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _same_float(first: float, second: float) -> bool:
    return (math.isnan(first) and math.isnan(second)) or struct.pack("d", first) == struct.pack("d", second)


def _is_plain(value: object) -> bool:
    return type(value) in (int, str, bytes, bool, type(None), float)


def _type(value: object) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _show(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # a user's repr may raise anything
        return f"<{_type(value)}>"
    return text if len(text) <= 60 else text[:57] + "..."


def _unlike(path: str, first: object, second: object) -> str:
    return f"{path}: {_show(first)} against {_show(second)}"
