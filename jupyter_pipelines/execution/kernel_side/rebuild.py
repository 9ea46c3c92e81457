"""What pickles call to make values again. Pickles name these functions, so they keep their names and meaning for ever.

They are pickled under one module name, wherever the package was loaded from.
"""

from __future__ import annotations

import collections
import enum
import importlib
import marshal
import random
import re
import sys
import types
from collections.abc import Callable
from typing import Any

from .reading import loads

PICKLED_AS = "_jupyter_pipelines_kernel.rebuild"
EMPTY_CELL = "<empty cell>"

origin = ""  # which step this kernel runs; tells the classes of one step from those of another
_dynamic: dict[str, Any] = {}  # classes and bare objects that code made, by the key they are pickled under
_keys: dict[Any, str] = {}
_of_notebook: set[Any] = set()  # those of them that cells of the notebook made in this kernel


class Missing:
    """Stands for a closure variable that has no value."""


# Functions and classes


def make_function(
    code: bytes, module: str, name: str, qualname: str, cells: tuple[types.CellType, ...] | None
) -> types.FunctionType:
    """A function from its code (marshalled, same Python), on the live globals of ``module``."""
    live = importlib.import_module(module).__dict__
    function = types.FunctionType(marshal.loads(code), live, name, None, cells)
    function.__qualname__ = qualname
    return function


def set_function_state(function: types.FunctionType, state: dict[str, Any]) -> None:
    for cell, value in zip(function.__closure__ or (), state.pop("cells")):
        if value is not Missing:
            cell.cell_contents = value
    attributes = state.pop("__dict__")
    for name, value in state.items():
        setattr(function, name, value)
    function.__dict__.update(attributes)


def kept_as(module: str, name: str, attribute: str) -> Any:
    """A library's function or class, by another name than its own."""
    found = getattr(importlib.import_module(module), name)
    return getattr(found, attribute) if attribute else found


def make_cell() -> types.CellType:
    return types.CellType()


def make_class(key: str, name: str, bases: tuple[type, ...], metaclass: type, fixed: dict[str, Any]) -> type:
    """A class made by code, not by a ``class`` statement: the one this kernel has under ``key``, or a new one."""
    if key not in _dynamic:

        def fill(namespace: dict[str, Any]) -> None:
            namespace.update(fixed)

        made = types.new_class(name, bases, {} if metaclass is type else {"metaclass": metaclass}, fill)
        register(key, made)
    found: type = _dynamic[key]
    return found


def make_enum(
    key: str, name: str, bases: tuple[type, ...], members: list[tuple[str, Any]], module: str, qualname: str
) -> type:
    if key not in _dynamic:
        metaclass: Any = type(bases[-1]) if bases else enum.EnumMeta
        namespace = metaclass.__prepare__(name, bases)
        namespace.update({"__module__": module, "__qualname__": qualname})
        for member, value in members:
            namespace[member] = value
        register(key, metaclass(name, bases, namespace))
    found: type = _dynamic[key]
    return found


def plain_named_tuple(fields: tuple[str, ...], defaults: Any = None) -> Any:
    """A named tuple class with these fields and nothing else."""
    make: Any = getattr(collections, "namedtuple")  # noqa: B009  (the fields are known only now)
    return make("Plain", fields, defaults=defaults)


def make_named_tuple(
    key: str, module: str, name: str, qualname: str, fields: tuple[str, ...], defaults: dict[str, Any]
) -> type:
    if key not in _dynamic:
        made = plain_named_tuple(fields, list(defaults.values()))
        made.__module__, made.__name__, made.__qualname__ = module, name, qualname
        register(key, made)
    found: type = _dynamic[key]
    return found


def make_object(key: str) -> object:
    """A bare ``object()``, which is nothing but itself: the one this kernel has under ``key``, or a new one."""
    if key not in _dynamic:
        register(key, object())
    found: object = _dynamic[key]
    return found


def constant_of(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


def set_class_state(made: type, attributes: dict[str, Any]) -> None:
    """Set what a class's ``__dict__`` holds, on a class that this unpickling made or that is replayed."""
    for name, value in attributes.items():
        if made in _of_notebook and (name.startswith("__") or hasattr(value, "__get__")):
            continue  # it has its own
        try:
            setattr(made, name, value)
        except AttributeError:  # a read-only one that making the class has set already
            if name not in made.__dict__:
                raise


def register(key: str, made: Any) -> None:
    _dynamic[key] = made
    _keys[made] = key


def key_of(made: Any) -> str:
    """The key that a dynamic class or bare object is pickled under: the one it came with, or a new one of this step."""
    if made not in _keys:
        kind = made if isinstance(made, type) else type(made)
        register(f"{kind.__module__}.{kind.__qualname__}:{origin}:{len(_keys)}", made)
    return _keys[made]


def is_known(made: Any) -> bool:
    """Whether a dynamic class or bare object has a key."""
    return made in _keys


def take_stock(names: dict[str, Any]) -> None:
    """Know dynamic classes and bare objects by the names that the notebook gives them wherever the step's cells run."""
    for name, value in names.items():
        if type(value) is not object and not (isinstance(value, type) and _is_dynamic(value)):
            continue
        key = f"__main__:{name}"
        if not re.fullmatch(r"_*i*[0-9]*", name) and key not in _dynamic and value not in _keys:
            register(key, value)
            _of_notebook.add(value)


def _is_dynamic(kind: type) -> bool:
    return kind.__module__ == "__main__" or getattr(sys.modules.get(kind.__module__), kind.__name__, None) is None


def with_attributes(definition: Any, attributes: dict[str, Any]) -> Any:
    """A replayed function or class, with the attributes that running code has given it."""
    for name, value in attributes.items():
        setattr(definition, name, value)
    return definition


def property_of(fget: Any, fset: Any, fdel: Any, doc: str | None) -> property:
    return property(fget, fset, fdel, doc)


# Objects as a whole


def set_state_and_extras(value: Any, state: tuple[Any, dict[str, Any]]) -> None:
    """Set an object's own state, then the attributes which its pickle leaves out."""
    own, extras = state
    if own is not None:
        if hasattr(value, "__setstate__"):
            value.__setstate__(own)
        else:
            value.__dict__.update(own)
    for name, attribute in extras.items():
        object.__setattr__(value, name, attribute)


def make_exception(kind: type, arguments: tuple[Any, ...]) -> BaseException:
    """An exception without calling its ``__init__``, whose arguments are not known."""
    made: BaseException = kind.__new__(kind, *arguments)
    made.args = arguments
    return made


def set_exception_state(made: BaseException, state: dict[str, Any]) -> None:
    made.__cause__ = state.pop("__cause__")
    made.__context__ = state.pop("__context__")
    made.__suppress_context__ = state.pop("__suppress_context__")
    made.__dict__.update(state)


def formula_environment(kind: Any, spaces: list[dict[str, Any] | None], flags: int) -> Any:
    """patsy's view of the variables that a formula names; ``None`` stands for the notebook's."""
    return kind([sys.modules["__main__"].__dict__ if space is None else space for space in spaces], flags)


def unseal(data: bytes, buffers: list[Any]) -> Any:
    """A value that was pickled by itself, because nothing outside may come to share its insides."""
    return loads(data, buffers=buffers)


def module(name: str) -> types.ModuleType:
    return importlib.import_module(name)


def dict_view(kind: str, mapping: dict[Any, Any]) -> Any:
    return getattr(mapping, kind)()


def mapping_proxy(mapping: dict[Any, Any]) -> Any:
    return types.MappingProxyType(mapping)


def shell() -> Any:
    from IPython import get_ipython

    return get_ipython()  # type: ignore[no-untyped-call,unused-ignore]  # IPython's types differ between versions


def global_random() -> random.Random:
    inst: random.Random = random.random.__self__  # type: ignore[attr-defined]  # a bound method, which stubs do not say
    return inst


def global_numpy_random() -> Any:
    return importlib.import_module("numpy.random").mtrand._rand


# Arrays and tensors


def array_view(
    memory: Any, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], dtype: Any, kind: Any
) -> Any:
    """A view of ``memory`` (``offset`` in bytes), as a read-write array of class ``kind``."""
    numpy = importlib.import_module("numpy")
    if dtype.hasobject:
        start = memory[offset // memory.itemsize :]
        view = numpy.lib.stride_tricks.as_strided(start, shape, strides)
        view = view if view.dtype == dtype else view.view(dtype)
    else:
        memory = memory.reshape(-1).view(numpy.uint8)  # dates and times cannot be looked into otherwise
        view = numpy.ndarray(shape, dtype, buffer=memory, offset=offset, strides=strides)
    return view if kind is numpy.ndarray else view.view(kind)


def set_array_flags(array: Any, writeable: bool) -> None:
    array.flags.writeable = writeable


def set_read_only_array_state(array: Any, state: tuple[Any, dict[str, Any]]) -> None:
    set_state_and_extras(array, state)
    array.flags.writeable = False


def masked_array(kind: Any, data: Any, mask: Any, fill_value: Any, hard: bool, state: dict[str, Any]) -> Any:
    ma = importlib.import_module("numpy.ma")
    made = kind.__new__(kind, data, mask=ma.nomask if mask is None else mask, copy=False, hard_mask=hard)
    made.__dict__.update(state)
    if fill_value is not None:
        made._fill_value = fill_value
    return made


def memory_map(kind: Any, filename: str, dtype: Any, mode: str, offset: int, shape: tuple[int, ...], order: str) -> Any:
    return kind(filename, dtype, "r+" if mode == "w+" else mode, offset, shape, order)


def text_array(text: str, separator: str, others: list[tuple[int, Any]], shape: tuple[int, ...]) -> Any:
    """An object array of strings, written as one text; ``others`` are the elements that are no strings."""
    numpy = importlib.import_module("numpy")
    made = numpy.array(text.split(separator), dtype=object)
    for place, value in others:
        made[place] = value
    return made.reshape(shape)


def tensor(array: Any, requires_grad: bool, parameter: bool) -> Any:
    torch = importlib.import_module("torch")
    made = torch.from_numpy(array)
    return torch.nn.Parameter(made, requires_grad) if parameter else made.requires_grad_(requires_grad)


def _pickle_under_one_name() -> None:
    this = sys.modules[__name__]
    sys.modules.setdefault(PICKLED_AS.partition(".")[0], sys.modules[__package__])
    sys.modules.setdefault(PICKLED_AS, this)
    for value in list(vars(this).values()):
        if getattr(value, "__module__", None) == __name__ and isinstance(value, (types.FunctionType, type)):
            value.__module__ = PICKLED_AS


Rebuilder = Callable[..., Any]
_pickle_under_one_name()
