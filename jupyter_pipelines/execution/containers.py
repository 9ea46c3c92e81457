"""Values from the store, read in this process: to look at them and to compare them.

The format is in :mod:`jupyter_pipelines.execution.kernel_side.container`. Classes and functions of a notebook do not
exist here; values made with them are given with stand-ins that keep their state.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from jupyter_pipelines.errors import StoreError
from jupyter_pipelines.execution.kernel_side import container, reading, rebuild
from jupyter_pipelines.execution.model import Carried


def container_path(objects: Path, address: str) -> Path:
    """Where the container with this address is in a store's folder of objects."""
    return Path(container.path_of(os.fspath(objects), address))


def verify_container(objects: Path, address: str) -> None:
    """Check every byte of a container against its digests; raises :class:`StoreError`."""
    try:
        container.Container(os.fspath(objects), address).verify()
    except container.ContainerError as error:
        raise StoreError(str(error), "run the step that makes it again") from error


def load_values(objects: Path, carried: Mapping[str, Carried]) -> dict[str, object]:
    """The carried values, by the keys of ``carried``; raises :class:`StoreError`.

    Values that share objects share them here too. What the notebook defines is a :class:`StandIn`.
    """
    opened: dict[str, container.Container] = {}
    values: dict[str, object] = {}
    for key, place in carried.items():
        try:
            if place.container not in opened:
                opened[place.container] = container.Container(os.fspath(objects), place.container)
            held = opened[place.container]
            name = place.name if place.name in held.values else f"state:{place.name}"
            values[key] = held.load([name], _loads)[name]
        except container.ContainerError as error:
            raise StoreError(f"`{place.name}` cannot be read: {error}", "run the step that makes it again") from error
        except Exception as error:  # whatever a value's own unpickling raises
            raise StoreError(
                f"`{place.name}` ({place.type}) cannot be read here: {type(error).__name__}: {error}",
                "install here what the notebook's kernel has",
            ) from error
    return values


class StandIn:
    """An instance of a class that exists only in the notebook. Holds what it was made with and its state."""

    def __new__(cls, *arguments: object, **keywords: object) -> Self:
        made = super().__new__(cls)
        made.__dict__["made with"] = (arguments, keywords)
        return made

    def __init__(self, *arguments: object, **keywords: object) -> None: ...

    def __setstate__(self, state: Any) -> None:
        parts = state if isinstance(state, tuple) and len(state) == 2 else (state,)
        if all(part is None or isinstance(part, dict) for part in parts):
            for part in parts:
                self.__dict__.update(part or {})
        else:
            self.__dict__["state"] = state

    def __call__(self, *arguments: object, **keywords: object) -> object:
        raise TypeError(f"{self!r} cannot be called here")

    def append(self, item: object) -> None:
        self.__dict__.setdefault("items", []).append(item)

    def extend(self, items: Iterable[object]) -> None:
        self.__dict__.setdefault("items", []).extend(items)

    def __setitem__(self, key: object, value: object) -> None:
        self.__dict__.setdefault("entries", []).append((key, value))

    def __repr__(self) -> str:
        return f"<{type(self).__qualname__} of the notebook>"


_stand_ins: dict[str, type[StandIn]] = {}


def _stand_in(qualname: str) -> type[StandIn]:
    """The one stand-in of a class, so that two values of it have one type."""
    if qualname not in _stand_ins:
        _stand_ins[qualname] = type(qualname, (StandIn,), {"__module__": "__main__"})
    return _stand_ins[qualname]


def _function(code: bytes, module: str, name: str, qualname: str, cells: object) -> StandIn:
    return _stand_in(f"function {qualname}")(code, module, name, cells)


def _set_state(made: StandIn, state: dict[str, Any]) -> None:
    made.__dict__["state"] = state


def _class(_key: str, name: str, *_: object) -> type[StandIn]:
    return _stand_in(name)


def _named_tuple(key: str, module: str, name: str, qualname: str, fields: tuple[str, ...], defaults: Any) -> type:
    return rebuild.make_named_tuple(f"{key}{fields}{qualname}", module, name, qualname, fields, defaults)


def _no_state(made: object, state: object) -> None: ...


_INSTEAD: dict[str, object] = {
    "make_function": _function,
    "set_function_state": _set_state,
    "make_class": _class,
    "make_enum": _class,
    "make_named_tuple": _named_tuple,
    "make_object": lambda _key: _stand_in("object")(),
    "set_class_state": _no_state,
    "with_attributes": lambda definition, attributes: (definition, attributes),
    "shell": lambda: None,
}


class _FindsStandIns:
    def find_class(self, module: str, name: str) -> Any:
        if module == "__main__":
            return _stand_in(name)
        if module == rebuild.PICKLED_AS and name in _INSTEAD:
            return _INSTEAD[name]
        return super().find_class(module, name)  # type: ignore[misc]  # that of the unpickler


class _Unpickler(_FindsStandIns, reading.Unpickler): ...


class _PatientUnpickler(_FindsStandIns, reading.PatientUnpickler): ...


def _loads(stream: memoryview, buffers: Iterable[Any]) -> object:
    return reading.loads(stream, buffers=buffers, quick=_Unpickler, patient=_PatientUnpickler)
