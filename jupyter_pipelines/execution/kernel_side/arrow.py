"""Arrow arrays keep the bitmap that says that nothing in them is null: what takes memory is seen (``memory_usage``).

Arrow itself drops it when it restores an array that is said to have no nulls; one of which that is not known keeps it.
pandas drops it when it joins the pieces of a column, also where there is only one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .pickling import Reduction, ValuePickler

UNKNOWN = -1
ROUNDING = 64  # bytes that Arrow may have more than it counts


def reducer_of(kind: type) -> Callable[[ValuePickler, Any], Reduction] | None:
    """How an Arrow array, or a column of pandas that is one, is pickled; ``None`` for all else."""
    pyarrow, pandas = sys.modules.get("pyarrow"), sys.modules.get("pandas")
    if pyarrow is None:
        return None
    if issubclass(kind, getattr(pyarrow, "Array", ())):
        return _array
    if pandas is not None and hasattr(pandas, "arrays") and issubclass(kind, pandas.arrays.ArrowExtensionArray):
        return _column
    return None


def _column(pickler: ValuePickler, value: Any) -> Reduction:
    pieces = value._pa_array.chunks
    # A part of a longer one would take all of that with it.
    if len(pieces) != 1 or pieces[0].get_total_buffer_size() > pieces[0].nbytes + ROUNDING:
        return NotImplemented
    make, arguments, state, *others = value.__reduce_ex__(5)
    return make, arguments, {**state, "_pa_array": pieces[0]}, *others


def _array(pickler: ValuePickler, value: Any) -> Reduction:
    restore, arguments = value.__reduce__()
    return restore, tuple(_keeping(argument) for argument in arguments)


def _keeping(data: Any) -> Any:
    """What Arrow pickles of an array: type, length, number of nulls, offset, buffers, children, dictionary."""
    if not isinstance(data, tuple) or len(data) != 7:
        return data
    kind, length, nulls, offset, buffers, children, dictionary = data
    if nulls == 0 and buffers and buffers[0] is not None:
        nulls = UNKNOWN
    return kind, length, nulls, offset, buffers, [_keeping(child) for child in children], _keeping(dictionary)
