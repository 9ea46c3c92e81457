"""Values in a few words, for people."""

from __future__ import annotations

import reprlib
import sys

_CONTAINERS = {list, tuple, dict, set, frozenset}
_PLAIN = {int, float, complex, str, bytes, bool, type(None)}
_short = reprlib.Repr()
_short.maxstring = _short.maxother = 60


def type_name(value: object) -> str:
    """The qualified name of a value's type, without the module where everybody knows it."""
    kind = type(value)
    if kind.__module__ in ("builtins", "__main__"):
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def summarize(value: object) -> str:
    """``336,776 rows x 19 columns``, ``(3, 4) float64``, ``12 items``, or the value itself, shortened. Never raises."""
    try:
        return _summarize(value)
    except Exception:  # a value's own repr or len may raise anything
        return ""


def _summarize(value: object) -> str:
    kind = type(value)
    library = str(kind.__module__).partition(".")[0]
    if library in ("pandas", "polars", "pyarrow", "numpy", "scipy", "torch") and library in sys.modules:
        shape = getattr(value, "shape", None)
        if isinstance(shape, tuple) and library in ("pandas", "polars", "pyarrow") and shape:
            rows = f"{shape[0]:,} row" + ("s" if shape[0] != 1 else "")
            columns = "" if len(shape) < 2 else f" x {shape[1]:,} column" + ("s" if shape[1] != 1 else "")
            return rows + columns
        if isinstance(shape, tuple) and shape:
            return f"{tuple(shape)} {getattr(value, 'dtype', '')}".strip()
    if isinstance(value, (list, tuple, dict, set, frozenset)):
        text = _short.repr(value) if len(value) <= 4 and _is_plain(value) else ""
        return text if text and _is_short(text) else f"{len(value):,} item" + ("s" if len(value) != 1 else "")
    if kind in (str, bytes) and isinstance(value, (str, bytes)) and len(value) > 60:
        return f"{_short.repr(value)} ({len(value):,} long)"
    if kind in _PLAIN:
        return _short.repr(value)
    # What the notebook itself defines may take a minute to describe itself, or do something else meanwhile.
    own = kind.__module__ == "__main__" or str(kind.__module__).partition(".")[0] == "collections"
    text = "" if own or kind.__repr__ is object.__repr__ else repr(value)
    return text if _is_short(text) else ""


def _is_plain(value: object, depth: int = 3) -> bool:
    """Whether nobody's code runs when the value is written down."""
    kind = type(value)
    if kind in _CONTAINERS and isinstance(value, (list, tuple, dict, set, frozenset)):
        parts = [*value, *value.values()] if isinstance(value, dict) else list(value)
        return depth > 0 and len(parts) <= 8 and all(_is_plain(part, depth - 1) for part in parts)
    if kind.__module__ == "numpy":
        return getattr(value, "shape", None) == ()
    return kind in _PLAIN or kind.__module__ in ("datetime", "decimal", "pathlib")


def _is_short(text: str) -> bool:
    return len(text) <= 60 and "\n" not in text
