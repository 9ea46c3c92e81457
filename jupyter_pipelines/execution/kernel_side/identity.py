"""How objects are pickled that are nothing but themselves, to be compared with ``is``."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any

from . import rebuild
from .comparison import attributes_of

if TYPE_CHECKING:
    from .pickling import ValuePickler

Reduction = Any


def bare_object(pickler: ValuePickler, value: object) -> Reduction:
    """An ``object()`` is made to be compared with ``is``: it is the one of a library, or one of the notebook."""
    if not rebuild.is_known(value):
        for module in list(sys.modules.values()):
            if isinstance(module, types.ModuleType) and module.__name__ not in ("__main__", "builtins"):
                name = next((name for name, held in list(vars(module).items()) if held is value), None)
                if name is not None and sys.modules.get(module.__name__) is module:
                    return rebuild.constant_of, (module.__name__, name)
    return rebuild.make_object, (rebuild.key_of(value),)


def constants_of(kind: type) -> dict[int, str]:
    """The objects of a library's class that its own module has as constants, such as ``dataclasses.MISSING``."""
    module = sys.modules.get(kind.__module__)
    own = any(name in vars(base) for base in kind.__mro__[:-1] for name in ("__reduce__", "__reduce_ex__"))
    if own or not isinstance(module, types.ModuleType) or kind.__module__ in ("__main__", "builtins"):
        return {}
    return {
        id(held): name
        for name, held in list(vars(module).items())
        if type(held) is kind and (kind.__module__ == "dataclasses" or not attributes_of(held))
    }


def constant(pickler: ValuePickler, value: Any) -> Reduction:
    module = type(value).__module__
    name = constants_of(type(value)).get(id(value))
    return NotImplemented if name is None else (rebuild.constant_of, (module, name))


def kept_as(value: Any) -> tuple[str, str, str] | None:
    """Where a library keeps a function or class that is not to be found under its own name.

    The module, the name it has there, and, where it is only an attribute of what has that name, the attribute.
    """
    for module in _modules_of(value):
        for name, held in list(vars(module).items()):
            if held is value:
                return module.__name__, name, ""
            if isinstance(held, types.FunctionType):
                for attribute, inner in vars(held).items():
                    if inner is value:
                        return module.__name__, name, attribute
    return None


def _modules_of(value: Any) -> list[types.ModuleType]:
    """The library's modules that may keep it: its own, or, while nobody has imported that, where its code stands.

    ``numpy.recarray`` says that it is of ``numpy.rec``, which NumPy imports when somebody asks for it.
    """
    names = {value.__module__: None}
    if value.__module__ not in sys.modules:
        functions = [value, *vars(value).values()]
        names = {one.__globals__.get("__name__"): None for one in functions if isinstance(one, types.FunctionType)}
    modules = [sys.modules.get(name) for name in names if name not in (None, "__main__", "builtins")]
    return [module for module in modules if isinstance(module, types.ModuleType)]
