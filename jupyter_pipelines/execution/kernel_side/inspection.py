"""What the values of a live kernel are: their types, about how large they are, and whether a step can hand them over.

The source of this module is evaluated in the user's kernel, together with that of ``refusals``, in a namespace of its
own: it needs nothing of ours there, and leaves nothing behind. It calls no method of the user's own classes, reads no
property of theirs, and looks at a sample of what is large, within a bounded time.
"""

from __future__ import annotations

import sys
import time
import types
from collections.abc import Iterable, Mapping
from typing import Any

from .refusals import refusal

SECONDS = 0.5  # for all names together
SAMPLE = 100  # items of a container that are looked at
DEPTH = 4
LONGEST = 120  # characters of a summary

_PLAIN = (type(None), bool, int, float, complex, str, bytes)
_CONTAINERS = (list, tuple, set, frozenset, dict)
_NO_DATA = (types.ModuleType, types.FunctionType, type)
_LIBRARIES = ("numpy", "pandas", "polars", "pyarrow", "scipy", "torch")
_HEAP_TYPE = 1 << 9  # what a ``class`` statement makes


class Shown:
    """Gives Jupyter the findings as JSON, whatever else it asks for."""

    def __init__(self, found: dict[str, object]) -> None:
        self.found = found

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        return {"application/json": self.found}

    def __repr__(self) -> str:
        return ""


def show(namespace: Mapping[str, object], names: Iterable[str]) -> Shown:
    """``{name: {type, size, summary, carried, reason}}`` of those names that there are; an unknown size is None."""
    end = time.perf_counter() + SECONDS
    return Shown({name: _about(namespace[name], end) for name in names if name in namespace})


def _about(value: Any, end: float) -> dict[str, object]:
    kind = type(value)
    found: dict[str, object] = {"type": _name(kind), "size": None, "summary": "", "carried": True, "reason": ""}
    try:
        reason = _obstacle(value, end, DEPTH)
        found["carried"], found["reason"] = reason is None, reason or ""
        found["size"] = None if _is(kind, _NO_DATA) else _size(value, end, DEPTH, set())
        found["summary"] = _summary(value)[:LONGEST]
    except Exception:  # a library that is not as we know it
        return found
    return found


def _is(kind: type, kinds: Iterable[type]) -> bool:
    """Whether it is one of these, without asking a class of the user's whether it is equal."""
    return any(kind is one for one in kinds)


def _module(kind: type) -> str:
    module = type.__getattribute__(kind, "__module__")
    return module if isinstance(module, str) else ""


def _name(kind: type) -> str:
    module, name = _module(kind), str(type.__getattribute__(kind, "__qualname__"))
    return name[:LONGEST] if module in ("", "builtins", "__main__") else f"{module}.{name}"[:LONGEST]


def _library(kind: type) -> str:
    """The library that a type is of; "" for a class of the user's own, whatever it is made from."""
    name = _module(kind).partition(".")[0]
    return name if name in _LIBRARIES and name in sys.modules else ""


def _obstacle(value: Any, end: float, depth: int) -> str | None:
    """Why no other process can get the value; None when nothing stands against it."""
    kind = type(value)
    if _is(kind, _PLAIN) or _is(kind, _NO_DATA):
        return None
    refused = refusal(kind)
    if refused is not None:
        return refused[0]
    module = _module(kind)
    if module in ("builtins", "itertools", "_csv") and hasattr(kind, "__next__"):
        return "an iterator, which goes on only where it was started"
    if kind is memoryview:
        return "a view of another object's memory"
    if module.startswith("numpy") and kind.__name__ == "memmap":
        return "an array in a file"
    for item in _items(value) if depth and time.perf_counter() < end else ():
        reason = _obstacle(item, end, depth - 1)
        if reason is not None:
            return reason if reason.startswith("it holds") else f"it holds {reason}"
    return None


def _items(value: Any) -> list[object]:
    """A sample of what is in a container, or in an object of a class of the user's own."""
    if type(value) is dict:
        pairs = [pair for pair, _ in zip(value.items(), range(SAMPLE))]
        return [item for pair in pairs for item in pair]
    if type(value) is list or type(value) is tuple:
        return list(value[:SAMPLE])
    if type(value) is set or type(value) is frozenset:
        return [item for item, _ in zip(value, range(SAMPLE))]
    return list(_attributes(value).values())[:SAMPLE]


def _attributes(value: Any) -> dict[str, object]:
    """What an object of a class of the user's own keeps."""
    kind = type(value)
    own = [type.__getattribute__(one, "__dict__").get("__dict__") for one in type.__getattribute__(kind, "__mro__")]
    if not type.__getattribute__(kind, "__flags__") & _HEAP_TYPE or _library(kind):
        return {}
    if not all(isinstance(one, (type(None), types.GetSetDescriptorType)) for one in own):
        return {}  # a property of that name
    try:
        found = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return found if type(found) is dict else {}


def _size(value: Any, end: float, depth: int, seen: set[int]) -> int | None:
    """About how many bytes it takes; None when nobody knows."""
    if id(value) in seen:
        return 0
    seen.add(id(value))
    kind = type(value)
    if _library(kind):
        return _size_of_library(value)
    if _is(kind, (*_PLAIN, bytearray)) or _module(kind) in ("datetime", "decimal", "fractions", "pathlib", "uuid"):
        return sys.getsizeof(value)
    items = _items(value)
    if not _is(kind, _CONTAINERS):
        if not items:
            return None
        whole, own = len(_attributes(value)), object.__sizeof__(value)
    else:
        whole, own = len(value), sys.getsizeof(value)
    if not items or not depth or time.perf_counter() > end:
        return own
    sample = len(items) // 2 if kind is dict else len(items)
    return own + sum(_size(item, end, depth - 1, seen) or 0 for item in items) * whole // sample


def _size_of_library(value: Any) -> int | None:
    kind, library = type(value), _library(type(value))
    if library == "pandas" and kind.__name__ in ("DataFrame", "Series"):
        return _size_of_pandas(value)
    if library == "polars":
        found = value.estimated_size() if hasattr(kind, "estimated_size") else None
    elif library == "torch":
        found = value.element_size() * value.nelement() if hasattr(kind, "nelement") else None
    elif library == "scipy":
        found = 2 * getattr(getattr(value, "data", None), "nbytes", 0) or None  # with the places of what it holds
    else:
        found = getattr(value, "nbytes", None)
    return None if found is None else int(found)


def _size_of_pandas(value: Any) -> int:
    """With what Python objects in it take, by a sample of their rows."""
    frame = value if type(value).__name__ == "DataFrame" else value.to_frame()
    number = min(frame.shape[1], SAMPLE)
    total = 0
    for at in range(number):
        column = frame.iloc[:, at]
        total += int(column.nbytes)
        if column.dtype == object and len(column):
            sample = column.iloc[:: max(1, len(column) // SAMPLE)].tolist()
            total += sum(sys.getsizeof(one) for one in sample if _is(type(one), _PLAIN)) * len(column) // len(sample)
    total = total * frame.shape[1] // max(1, number)
    return int(total + frame.index.nbytes)


def _summary(value: Any) -> str:
    """``336,776 × 19``, ``12 items``, or a plain value itself, shortened."""
    kind = type(value)
    if _library(kind):
        shape = getattr(value, "shape", None)
        text = " × ".join(f"{int(length):,}" for length in shape) if isinstance(shape, tuple) else ""
        dtype = str(getattr(value, "dtype", "")) if _library(kind) in ("numpy", "torch") else ""
        return f"{text} {dtype}".strip()
    if type(value) is str or type(value) is bytes:
        short = repr(value[:60])
        return short if len(value) <= 60 else f"{short}… ({len(value):,} long)"
    if type(value) is int and value.bit_length() > 200:
        return f"{value.bit_length():,} bits"
    if _is(kind, _PLAIN):
        return repr(value)
    if _is(kind, _CONTAINERS):
        count = len(value)
        return f"{count:,} item" + ("" if count == 1 else "s")
    return ""
