"""Turns values into bytes that give the same values back in another kernel of the same pipeline, or refuses.

Ordinary pickle (protocol 5, large buffers apart) with these differences. What the notebook defines by a ``def`` or
``class`` statement is named, not copied: it is replayed where the value goes, so that ``isinstance`` holds and
functions see the globals of today. Functions and classes that code made (lambdas, closures, ``namedtuple(…)``) are
copied. What lives in one process is refused. Attributes that a library's own pickling leaves out are kept.
"""

from __future__ import annotations

import builtins
import contextlib
import copyreg
import dis
import enum
import functools
import gc
import io
import marshal
import math
import pickle
import random
import struct
import sys
import types
from collections.abc import Callable, Collection, Iterator
from typing import Any

from . import arrays, arrow, formulas, identity, reading, rebuild, set_order
from .refusals import UncarriableError, advice, refusal

INLINE = 1 << 14  # buffers below this many bytes stay in the pickle

Reduction = Any  # what pickle accepts from a reducer: a tuple of two to six, a global's name, or NotImplemented
Reducer = Callable[["ValuePickler", Any], Reduction]


class Pickled:
    """A value as bytes, and what was noticed on the way."""

    def __init__(self, pickler: ValuePickler, stream: bytes) -> None:
        self.stream = stream
        self.buffers = pickler.buffers
        self.arrays = pickler.arrays
        self.needs = pickler.needs
        self.reads = pickler.reads
        self.has_code = pickler.has_code
        self.distrusted = pickler.distrusted
        self._pickler = pickler

    @property
    def size(self) -> int:
        return len(self.stream) + sum(buffer.nbytes for buffer in self.buffers)

    def objects(self) -> Iterator[tuple[int, object]]:
        """The objects that the value consists of, by their ids, which hold as long as this does."""
        for known in (self._pickler.memo.copy(), self._pickler.apart):
            for number, (_, value) in known.items():
                yield number, value


class ValuePickler(pickle.Pickler):
    """Pickles one value, or several that belong together.

    ``definitions`` are the names that ``def`` and ``class`` statements of the notebook bind, each in one cell only;
    ``None`` when that is not known: then whatever ``__main__`` has under its own name is named. ``links`` says which
    arrays share memory.
    """

    def __init__(
        self, definitions: Collection[str] | None, links: arrays.Links | None = None, sealed: bool = False
    ) -> None:
        self._stream = io.BytesIO()
        self.buffers: list[memoryview] = []
        # Not a method: nothing may hold the pickler, and with it the value, longer than whoever asked for the bytes.
        super().__init__(self._stream, protocol=5, buffer_callback=functools.partial(_keep_apart, self.buffers))
        self.definitions = definitions
        self.links = links
        self.sealed = sealed
        self.arrays: list[Any] = []  # the arrays met whose memory others may share
        self.needs: set[str] = set()  # names of `__main__` that must exist before loading
        self.reads: set[str] = set()  # globals that copied functions read when they are called
        self.has_code = False
        self.apart: dict[int, tuple[int, object]] = {}  # objects that are not in the memo: their number, by id
        self.distrusted: list[object] = []  # objects whose class has its own, unproven way of being pickled
        self.last: object = None
        self._reducers: dict[type, Reducer | None] = {}
        self._unmarked: list[type] = []  # classes of the notebook in which pickle has not noted their slots

    def reducer_override(self, value: Any) -> Reduction:
        kind = type(value)
        self.last = value
        try:
            reducer = self._reducers[kind]
        except KeyError:
            reducer = self._reducers[kind] = reducer_of(kind)
            if kind.__module__ == "__main__" and "__slotnames__" not in vars(kind):
                self._unmarked.append(kind)
        return NotImplemented if reducer is None else reducer(self, value)

    def dump_all(self, value: object) -> Pickled:
        """Pickle ``value``; raises :class:`UncarriableError`."""
        try:
            self.dump(value)
        except UncarriableError:
            raise
        except RecursionError:
            raise UncarriableError(
                value, "nested too deeply to be written", "hand over its data in a flat form (a list, a table)"
            ) from None
        except Exception as error:  # whatever a value's own pickling raises
            culprit = value if self.last is None else self.last
            raise UncarriableError(
                culprit, f"not something that can be written: {error}", advice(type(culprit))
            ) from error
        finally:
            for kind in self._unmarked:  # to the notebook a class looks as if it had not been pickled
                with contextlib.suppress(AttributeError, TypeError):
                    type.__delattr__(kind, "__slotnames__")
        return Pickled(self, self._stream.getvalue())

    def seal(self, value: object) -> Reduction:
        """Reduce ``value`` to a pickle of its own, so that nothing outside shares its insides."""
        inner = _pickled(value, self.definitions, sealed=True)
        return rebuild.unseal, (inner.stream, [pickle.PickleBuffer(buffer) for buffer in inner.buffers])


def _keep_apart(buffers: list[memoryview], buffer: pickle.PickleBuffer) -> bool:
    """Take a buffer that is large enough out of the stream; says whether it stays in there."""
    raw = buffer.raw()
    if raw.nbytes < INLINE:
        return True
    buffers.append(raw)
    return False


def pickle_value(
    value: object, definitions: Collection[str] | None = None, links: arrays.Links | None = None
) -> Pickled:
    """One variable's value as bytes."""
    return _pickled(_as_variable(value, definitions), definitions, links)


def pickle_together(
    values: dict[str, object], definitions: Collection[str] | None = None, links: arrays.Links | None = None
) -> Pickled:
    """Several variables that share objects, as one pickle of a dict."""
    variables = {name: _as_variable(value, definitions) for name, value in values.items()}
    return _pickled(variables, definitions, links)


def _pickled(
    value: object, definitions: Collection[str] | None, links: arrays.Links | None = None, sealed: bool = False
) -> Pickled:
    pickled = ValuePickler(definitions, links, sealed).dump_all(value)
    if any(opcodes in pickled.stream for opcodes in _INEXACT):  # asked of each object, what a few are would cost a lot
        pickled = _ExactPickler(definitions, links, sealed).dump_all(value)
    return pickled


_NAN = pickle.BINFLOAT + struct.pack(">d", math.nan)
_INEXACT = _NAN, pickle.EMPTY_SET + pickle.MEMOIZE, pickle.FROZENSET + pickle.MEMOIZE


class _ExactPickler(ValuePickler):
    """Keeps the identity of not-a-numbers, which `in` and dicts go by, and the order in which sets iterate."""

    def __init__(self, definitions: Collection[str] | None, links: arrays.Links | None, sealed: bool) -> None:
        super().__init__(definitions, links, sealed)
        self._nans: dict[int, tuple[int, float]] = {id(math.nan): (reading.MATH_NAN, math.nan)}  # kept: ids stay theirs
        numpy = sys.modules.get("numpy")
        if numpy is not None and hasattr(numpy, "nan"):
            self._nans[id(numpy.nan)] = reading.NUMPY_NAN, numpy.nan
        self._ordinary: dict[int, object] = {}  # sets that pickle makes as they are, by their ids

    def persistent_id(self, value: Any) -> int | tuple[Any, ...] | None:
        kind = type(value)
        if kind is float:
            return self._nans.setdefault(id(value), (len(self._nans), value))[0] if math.isnan(value) else None
        if kind is set or kind is frozenset:
            return self._set_id(value)
        return None

    def _set_id(self, value: Any) -> tuple[Any, ...] | None:
        """The number of a set that pickle would make iterate in another order, the first time with how to make it."""
        identity = id(value)
        if identity in self.apart:
            return (self.apart[identity][0],)
        recipe = None if identity in self._ordinary else set_order.recipe_for(value)
        if recipe is None:
            self._ordinary[identity] = value
            return None
        self.apart[identity] = len(self.apart), value
        return self.apart[identity][0], *recipe


class _ChangedDefinition:
    """A function or class of the notebook that is carried itself, because code gave it attributes."""

    def __init__(self, definition: object, attributes: dict[str, object]) -> None:
        self.definition, self.attributes = definition, attributes

    def __reduce__(self) -> Reduction:
        return rebuild.with_attributes, (self.definition, self.attributes)


def _as_variable(value: object, definitions: Collection[str] | None) -> object:
    if not isinstance(value, (type, types.FunctionType)) or not _is_replayed(value, definitions):
        return value
    if isinstance(value, types.FunctionType):
        attributes: dict[str, object] = dict(value.__dict__)
        attributes.update(
            (name, getattr(value, name)) for name in ("__defaults__", "__kwdefaults__") if getattr(value, name)
        )
    elif isinstance(value, enum.EnumMeta):
        attributes = {}
    else:
        attributes = {
            name: attribute
            for name, attribute in vars(value).items()
            if not (name.startswith(("__", "_abc_")) or hasattr(attribute, "__get__"))
        }
    return _ChangedDefinition(value, attributes) if attributes else value


# Which way a type is pickled


def reducer_of(kind: type) -> Reducer | None:
    """How instances of ``kind`` are pickled; ``None``: the way they say themselves."""
    if kind is object:
        return identity.bare_object
    refused = refusal(kind)
    if refused is not None:
        return lambda pickler, value: _refuse(value, *refused)
    for known, reducer in _REDUCERS:
        if issubclass(kind, known):
            return reducer
    library = formulas.reducer_of(kind) or arrays.reducer_of(kind) or arrow.reducer_of(kind)
    if library is not None:
        return library
    if issubclass(kind, BaseException) and kind.__reduce__ is BaseException.__reduce__:
        return _exception
    if any(base.__module__ == "__main__" and _OWN_PICKLING & vars(base).keys() for base in kind.__mro__):
        return _distrust
    if kind.__module__ == "__main__" and kind in copyreg.dispatch_table:
        return _distrust
    if kind.__name__.endswith("InteractiveShell") and hasattr(kind, "user_ns"):
        return lambda pickler, value: (rebuild.shell, ())
    return identity.constant if identity.constants_of(kind) else None


_OWN_PICKLING = {"__getstate__", "__setstate__", "__reduce__", "__reduce_ex__", "__getnewargs__", "__getnewargs_ex__"}


def _refuse(value: object, why: str, fix: str) -> Reduction:
    raise UncarriableError(value, why, fix)


def _distrust(pickler: ValuePickler, value: object) -> Reduction:
    pickler.distrusted.append(value)
    return NotImplemented


def _exception(pickler: ValuePickler, value: BaseException) -> Reduction:
    state = {name: getattr(value, name) for name in ("__cause__", "__context__", "__suppress_context__")}
    return (
        rebuild.make_exception,
        (type(value), value.args),
        {**state, **vars(value)},
        None,
        None,
        rebuild.set_exception_state,
    )


def _module(pickler: ValuePickler, value: types.ModuleType) -> Reduction:
    if sys.modules.get(value.__name__) is not value:
        raise UncarriableError(value, "a module that cannot be imported by its name", "import it in a setup cell")
    return rebuild.module, (value.__name__,)


def _dict_view(pickler: ValuePickler, value: Any) -> Reduction:
    kind = type(value).__name__.replace("odict_", "").replace("dict_", "")
    mapping = next((held for held in gc.get_referents(value) if isinstance(held, dict)), None)
    return NotImplemented if mapping is None else (rebuild.dict_view, (kind, mapping))


def _mapping_proxy(pickler: ValuePickler, value: Any) -> Reduction:
    return rebuild.mapping_proxy, (next(held for held in gc.get_referents(value)),)


def _memory_view(pickler: ValuePickler, value: memoryview) -> Reduction:
    if (
        value.obj is None
        or value.ndim != 1
        or value.nbytes != len(value)
        or value.nbytes != memoryview(value.obj).nbytes
    ):
        raise UncarriableError(value, "a view of another object's memory", "hand over bytes(…) of it")
    return memoryview, (value.obj,)


def _random(pickler: ValuePickler, value: random.Random) -> Reduction:
    return (rebuild.global_random, ()) if value is rebuild.global_random() else NotImplemented


def _property(pickler: ValuePickler, value: property) -> Reduction:
    return rebuild.property_of, (value.fget, value.fset, value.fdel, value.__doc__)


def _wrapping(pickler: ValuePickler, value: Any) -> Reduction:
    return type(value), (value.__func__,)


# Functions and classes


def _is_replayed(value: Any, definitions: Collection[str] | None) -> bool:
    """Whether the notebook defines ``value`` by a statement, so that it is there under its name wherever it goes."""
    if getattr(value, "__module__", None) != "__main__":
        return False
    qualname = value.__qualname__
    known = definitions is None or qualname.partition(".")[0] in definitions
    return known and _find("__main__", qualname) is value


def _find(module: str, qualname: str) -> object:
    found: object = sys.modules.get(module)
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return found


def _is_named(pickler: ValuePickler, value: Any) -> bool:
    module, qualname = getattr(value, "__module__", None), value.__qualname__
    if module == "__main__":
        if not _is_replayed(value, pickler.definitions):
            return False
        pickler.needs.add(qualname.partition(".")[0])
        return True
    return isinstance(module, str) and _find(module, qualname) is value


def _function(pickler: ValuePickler, value: types.FunctionType) -> Reduction:
    if _is_named(pickler, value):
        return NotImplemented
    elsewhere = identity.kept_as(value)
    if elsewhere is not None:
        return rebuild.kept_as, elsewhere
    module = value.__globals__.get("__name__")
    if not isinstance(module, str) or getattr(sys.modules.get(module), "__dict__", None) is not value.__globals__:
        raise UncarriableError(value, "a function whose globals are not a module's", "define it in a setup cell")
    pickler.has_code = True
    if module == "__main__":
        pickler.reads |= global_names(value.__code__)
    cells = value.__closure__ or ()
    state: dict[str, Any] = {
        "cells": [_cell_contents(cell) for cell in cells],
        "__dict__": dict(value.__dict__),
        "__defaults__": value.__defaults__,
        "__kwdefaults__": value.__kwdefaults__,
        "__doc__": value.__doc__,
        # One string where they are equal: after unpickling they are so, too, and a digest tells whether they are one.
        "__module__": module if value.__module__ == module else value.__module__,
    }
    annotations = getattr(value, "__annotations__", None)
    if annotations:
        state["__annotations__"] = annotations
    made = (marshal_code(value.__code__), module, value.__name__, value.__qualname__, cells or None)
    return rebuild.make_function, made, state, None, None, rebuild.set_function_state


def _cell_contents(cell: types.CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:
        return rebuild.Missing


def _cell(pickler: ValuePickler, value: types.CellType) -> Reduction:
    return rebuild.make_cell, ()  # its contents belong to the state of the functions that use it


def marshal_code(code: types.CodeType) -> bytes:
    """A code object as bytes that depend on nothing but the code (newer formats depend on reference counts)."""
    try:
        return marshal.dumps(code, 2)
    except ValueError:  # constants that format 2 does not know
        return marshal.dumps(code)


def global_names(code: types.CodeType) -> set[str]:
    """The globals that ``code`` reads when it runs, builtins apart."""
    names = {
        instruction.argval
        for instruction in dis.get_instructions(code)
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME") and not hasattr(builtins, instruction.argval)
    }
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= global_names(constant)
    return names


def _class(pickler: ValuePickler, value: Any) -> Reduction:
    set_state = rebuild.set_class_state
    if _is_named(pickler, value) or value.__module__ == "builtins":
        return NotImplemented
    elsewhere = identity.kept_as(value)
    if elsewhere is not None:
        return rebuild.kept_as, elsewhere
    pickler.has_code = True
    key = rebuild.key_of(value)
    if isinstance(value, enum.EnumMeta):
        enumeration: Any = value
        members = [(name, member._value_) for name, member in enumeration.__members__.items()]
        bases = tuple(value.__bases__)
        return rebuild.make_enum, (key, value.__name__, bases, members, value.__module__, value.__qualname__)
    if value.__bases__ == (tuple,) and hasattr(value, "_field_defaults"):
        plain = vars(rebuild.plain_named_tuple(value._fields)).keys() - {"__doc__"}
        own = {name: held for name, held in vars(value).items() if name not in plain}
        names = (value.__module__, value.__name__, value.__qualname__)
        return rebuild.make_named_tuple, (key, *names, value._fields, value._field_defaults), own, None, None, set_state
    namespace = {name: held for name, held in vars(value).items() if name not in ("__dict__", "__weakref__")}
    slots = namespace.get("__slots__", ())
    for name in (slots,) if isinstance(slots, str) else tuple(slots):
        namespace.pop(name, None)
    fixed = {
        name: namespace.pop(name)
        for name in ("__slots__", "__module__", "__qualname__", "__doc__")
        if name in namespace
    }
    fixed.setdefault("__qualname__", value.__qualname__)
    namespace = {name: held for name, held in namespace.items() if not name.startswith("_abc_")}
    made = (key, value.__name__, value.__bases__, type(value), fixed)
    return rebuild.make_class, made, namespace, None, None, set_state


_REDUCERS: list[tuple[Any, Reducer]] = [
    (types.FunctionType, _function),
    (type, _class),
    (types.ModuleType, _module),
    (types.CellType, _cell),
    ((type({}.keys()), type({}.values()), type({}.items())), _dict_view),
    (types.MappingProxyType, _mapping_proxy),
    (memoryview, _memory_view),
    (random.Random, _random),
    (property, _property),
    ((classmethod, staticmethod), _wrapping),
]
