"""How arrays, frames and tensors are pickled.

Pickle copies the memory of every array it meets; a view and the array it looks into would part. :class:`Links` keeps
them together. Libraries are used only where the user has imported them.
"""

from __future__ import annotations

import mmap
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import rebuild
from .refusals import UncarriableError

if TYPE_CHECKING:
    from .pickling import ValuePickler

Reduction = Any
OWNING = 1 << 14  # arrays below this many bytes come back owning their memory, so that they can be resized
MANY = 64  # object arrays from this length on are looked at for strings

_MASKED_ATTRIBUTES = {
    "_mask", "_fill_value", "_data", "_hardmask", "_sharedmask", "_isfield", "_baseclass", "_optinfo", "_basedict"
}  # fmt: skip
FRAME_ATTRIBUTES = {"_mgr", "_attrs", "_flags", "_item_cache", "_is_copy", "_name", "_typ", "_cacher", "_metadata"}


def reducer_of(kind: type) -> Callable[[ValuePickler, Any], Reduction] | None:
    """How a library's values are pickled; ``None``: the way they say themselves."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and issubclass(kind, getattr(numpy, "ndarray", ())):
        if numpy.ma.MaskedArray in kind.__mro__:
            return _masked if kind is numpy.ma.MaskedArray else None
        if issubclass(kind, numpy.memmap):
            return _memory_map
        return _array if kind is numpy.ndarray else _array_subclass
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None and issubclass(kind, numpy_random.RandomState):
        return _numpy_random
    pandas = sys.modules.get("pandas")
    if pandas is not None and hasattr(pandas, "Index"):
        if issubclass(kind, pandas.Index):
            return _index
        if issubclass(kind, pandas.core.generic.NDFrame):
            return _frame
        if issubclass(kind, pandas.core.internals.blocks.Block):
            return _block
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "Tensor") and issubclass(kind, torch.Tensor):
        return _tensor
    return None


# numpy


def _array(pickler: ValuePickler, value: Any) -> Reduction:
    linked = None if pickler.links is None or pickler.sealed else pickler.links.find(value)
    if linked is not None and linked[0] is not value:
        memory, offset = linked
        arguments = (memory, offset, value.shape, value.strides, value.dtype, type(value))
        if value.flags.writeable:
            return rebuild.array_view, arguments
        return rebuild.array_view, arguments, False, None, None, rebuild.set_array_flags
    if not pickler.sealed:
        pickler.arrays.append(value)
    if value.dtype.kind == "O" and value.size >= MANY:
        text = _as_text(value)
        if text is not None:
            return text
    if value.nbytes < OWNING and value.flags.writeable and not value.dtype.hasobject:
        return value.__reduce__()
    return NotImplemented


def _array_subclass(pickler: ValuePickler, value: Any) -> Reduction:
    numpy = sys.modules["numpy"]
    if type(value).__reduce__ is not numpy.ndarray.__reduce__:
        return NotImplemented
    if pickler.links is not None and not vars(value) and pickler.links.find(value) is not None:
        return _array(pickler, value)
    pickler.arrays.append(value)
    attributes = dict(getattr(value, "__dict__", {}))
    make, arguments, state = value.__reduce__()
    if not value.flags.writeable:
        return make, arguments, (state, attributes), None, None, rebuild.set_read_only_array_state
    if not attributes:
        return NotImplemented
    return make, arguments, (state, attributes), None, None, rebuild.set_state_and_extras


def _masked(pickler: ValuePickler, value: Any) -> Reduction:
    nomask = sys.modules["numpy"].ma.nomask
    mask = None if value._mask is nomask else value._mask
    state = {name: attribute for name, attribute in vars(value).items() if name not in _MASKED_ATTRIBUTES}
    return rebuild.masked_array, (type(value), value.data, mask, value._fill_value, value._hardmask, state)


def _memory_map(pickler: ValuePickler, value: Any) -> Reduction:
    if value.filename is None or not isinstance(value.base, mmap.mmap) or value.mode == "c":  # not as in the file
        return NotImplemented
    if value.mode != "r":
        value.flush()
    order = "C" if value.flags.c_contiguous else "F"
    arguments = (type(value), str(value.filename), value.dtype, value.mode, value.offset, value.shape, order)
    return rebuild.memory_map, arguments


def _numpy_random(pickler: ValuePickler, value: Any) -> Reduction:
    return (rebuild.global_numpy_random, ()) if value is rebuild.global_numpy_random() else NotImplemented


def _as_text(array: Any) -> Reduction:
    """An object array of strings (and missing values) as one text, which is written and read at the speed of text."""
    elements = array.ravel()
    sample = elements[:: max(1, elements.size // 1000)].tolist()
    if len(set(map(id, sample))) < len(sample) // 2:
        return None  # few objects, often repeated: pickle writes each once
    elements = elements.tolist()
    kinds = set(map(type, elements))
    if str not in kinds or not kinds <= {str, type(None), float}:
        return None
    others = []
    if len(kinds) > 1:
        others = [(place, value) for place, value in enumerate(elements) if type(value) is not str]
    if len(others) > len(elements) // 4:
        return None
    for place, _ in others:
        elements[place] = ""
    for separator in ("\x1f", "\n", "\x00"):
        text = separator.join(elements)
        if text.count(separator) == len(elements) - 1:
            return rebuild.text_array, (text, separator, others, array.shape)
    return None


# pandas


def _index(pickler: ValuePickler, value: Any) -> Reduction:
    # Immutable, and shared by most frames that come from one another: apart, or everything would belong together.
    return NotImplemented if pickler.sealed else pickler.seal(value)


def _frame(pickler: ValuePickler, value: Any) -> Reduction:
    known = FRAME_ATTRIBUTES.union(value._metadata)
    extras = {name: attribute for name, attribute in vars(value).items() if name not in known}
    if not extras:
        return NotImplemented
    make, arguments, state = value.__reduce_ex__(5)[:3]
    return make, arguments, (state, extras), None, None, rebuild.set_state_and_extras


def _block(pickler: ValuePickler, value: Any) -> Reduction:
    """Blocks that several frames refer to are copied by pandas before it changes one: they are not shared in effect."""
    refs = getattr(value, "refs", None)
    if pickler.sealed or refs is None or not refs.has_reference() or not _copies_on_write():
        return NotImplemented
    make, (values, placement, dimensions) = value.__reduce__()
    if values.dtype == object:
        return make, (values.copy(), placement, dimensions)
    return make, (_Sealed(values, pickler), placement, dimensions)


class _Sealed:
    """Pickles as the value it holds, in a pickle of its own."""

    def __init__(self, value: object, pickler: ValuePickler) -> None:
        self.reduction = pickler.seal(value)

    def __reduce__(self) -> Reduction:
        return self.reduction


def _copies_on_write() -> bool:
    pandas = sys.modules["pandas"]
    if int(pandas.__version__.split(".")[0]) >= 3:
        return True
    return pandas.get_option("mode.copy_on_write") is True


# torch


def _tensor(pickler: ValuePickler, value: Any) -> Reduction:
    torch = sys.modules["torch"]
    if value.grad_fn is not None:
        raise UncarriableError(
            value, "a tensor that is part of a computation graph", "hand over its .detach(), or compute it again"
        )
    parameter = type(value) is torch.nn.Parameter
    plain = (parameter or type(value) is torch.Tensor) and value.device.type == "cpu" and value.layout is torch.strided
    if not plain or value.grad is not None or vars(value) or value.is_conj() or value.is_neg():
        return NotImplemented
    try:
        memory = value.detach().numpy()
    except (TypeError, RuntimeError):
        return NotImplemented  # a dtype that numpy does not have
    return rebuild.tensor, (memory, value.requires_grad, parameter)


# Shared memory


class Links:
    """Which arrays look into the same memory, and where in it each lies."""

    def __init__(self, arrays: list[Any]) -> None:
        self._places: dict[tuple[Any, ...], tuple[Any, int]] = {}
        for cluster in overlapping(arrays):
            self._link(cluster)

    def __bool__(self) -> bool:
        return bool(self._places)

    def find(self, array: Any) -> tuple[Any, int] | None:
        """The memory that ``array`` shares with others and its offset in it, in bytes."""
        return self._places.get(_layout(array))

    def _link(self, cluster: list[Any]) -> None:
        numpy = sys.modules["numpy"]
        if len({_layout(array) for array in cluster}) < 2 and len({id(array) for array in cluster}) < 2:
            return
        bounds = [_byte_bounds(array) for array in cluster]
        low, high = min(low for low, _ in bounds), max(high for _, high in bounds)
        for root in map(_root, cluster):
            start, end = _byte_bounds(root)
            if start > low or end < high or not (root.flags.c_contiguous or root.flags.f_contiguous):
                continue
            flat = root.view(numpy.ndarray).reshape(-1, order="A")
            if _can_be_base(root) and any(array is root for array in cluster):
                memory, low = root, start  # the others look into it, so that their `base` is it
            elif root.dtype.hasobject:
                size = root.itemsize
                first, last = (low - start) // size, -((start - high) // size)
                memory, low = flat[first:last], start + first * size
            else:
                memory = flat.view(numpy.uint8)[low - start : high - start]
            for array in cluster:
                self._places[_layout(array)] = memory, array.__array_interface__["data"][0] - low
            return
        raise UncarriableError(
            cluster[0], "an array that shares memory with another in a way that cannot be kept", "hand over a .copy()"
        )


def _can_be_base(root: Any) -> bool:
    plain = type(root) is sys.modules["numpy"].ndarray and root.base is None and not root.dtype.hasobject
    return bool(plain and root.flags.c_contiguous and root.flags.writeable)


def _layout(array: Any) -> tuple[Any, ...]:
    return array.__array_interface__["data"][0], array.shape, array.strides, array.dtype.str, type(array)


def _root(array: Any) -> Any:
    ndarray = sys.modules["numpy"].ndarray
    while isinstance(array.base, ndarray):
        array = array.base
    return array


def _byte_bounds(array: Any) -> tuple[int, int]:
    numpy = sys.modules["numpy"]
    bounds = numpy.lib.array_utils.byte_bounds if hasattr(numpy.lib, "array_utils") else numpy.byte_bounds
    low, high = bounds(array)
    return int(low), int(high)


def overlapping(arrays: list[Any]) -> list[list[Any]]:
    """Clusters of different arrays whose memory overlaps."""
    if len(arrays) < 2:
        return []
    spans = sorted((*_byte_bounds(array), number) for number, array in enumerate(arrays) if array.nbytes)
    clusters: list[list[Any]] = []
    end = -1
    for low, high, number in spans:
        if low < end:
            clusters[-1].append(arrays[number])
        else:
            clusters.append([arrays[number]])
        end = max(end, high)
    return [cluster for cluster in clusters if len({id(array) for array in cluster}) > 1]
