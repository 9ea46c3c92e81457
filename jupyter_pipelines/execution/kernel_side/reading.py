"""Reads what :mod:`.pickling` has written."""

from __future__ import annotations

import contextlib
import importlib
import io
import math
import os
import pickle
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, cast

from .set_order import Recipe, make_set

# Not-a-numbers keep their identity, which `in` and dicts go by: they are pickled by a number, these two by their own.

MATH_NAN, NUMPY_NAN = -1, -2


class _ReadsWhatIsApart:
    """Makes what pickles refer to by number."""

    def __init__(self, stream: Any, buffers: Iterable[Any] | None) -> None:
        super().__init__(io.BytesIO(stream), buffers=buffers)  # type: ignore[call-arg]  # that of the unpickler
        self._nans: dict[int, float] = {MATH_NAN: math.nan}
        self._sets: dict[int, Any] = {}

    def persistent_load(self, number: Any) -> Any:
        """``number``: of a not-a-number; or a tuple of that of a set and, when it comes first, how to make it."""
        if isinstance(number, tuple):
            return self._set(*number)
        if number not in self._nans:
            self._nans[number] = _numpy_nan() if number == NUMPY_NAN else float("nan")
        return self._nans[number]

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name)  # type: ignore[misc]  # that of the unpickler
        if module == "matplotlib.figure":
            _show_figures()
        return found

    def _set(self, number: int, *recipe: Any) -> Any:
        if recipe:
            self._sets[number] = make_set(*recipe)
        return self._sets[number]


class Unpickler(_ReadsWhatIsApart, pickle.Unpickler):
    """Reads in C."""


_InPython: Any = pickle._Unpickler  # its methods may be replaced


class PatientUnpickler(_ReadsWhatIsApart, _InPython):  # type: ignore[misc]  # typeshed knows little of it
    """Fills sets and dicts at the end when their elements, which refer to them, have no hash before they are whole.

    Python's own unpickler cannot read these.
    """

    dispatch: ClassVar[dict[int, Callable[..., None]]] = dict(_InPython.dispatch)

    def __init__(self, stream: Any, buffers: Iterable[Any] | None) -> None:
        super().__init__(stream, buffers)
        self._later: list[Callable[[], None]] = []
        self._put_off: dict[int, Any] = {}  # what is filled later, by its id

    def load(self) -> Any:
        value = super().load()
        for fill in self._later:
            fill()
        return value

    def _set(self, number: int, *recipe: Any) -> Any:
        if recipe and number not in self._sets:
            try:
                return super()._set(number, *recipe)
            except Exception:
                if recipe[0]:
                    raise  # a frozenset cannot be filled
        made = self._sets.setdefault(number, set())
        if recipe:
            how = cast(Recipe, recipe)
            self._later.append(lambda: make_set(*how, into=made))
        return made

    def _fill(self, held: Any, fill: Callable[[], None]) -> None:
        try:
            if id(held) not in self._put_off:
                fill()
                return
        except Exception:
            self._put_off[id(held)] = held
        self._later.append(fill)

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        held = self.stack[-1]
        self._fill(held, lambda: held.__setitem__(key, value))

    def load_setitems(self) -> None:
        items = self.pop_mark()
        held = self.stack[-1]

        def fill() -> None:
            for key, value in zip(items[::2], items[1::2]):
                held[key] = value

        self._fill(held, fill)

    def load_additems(self) -> None:
        items = self.pop_mark()
        held = self.stack[-1]
        self._fill(held, lambda: held.update(items))

    dispatch[pickle.SETITEM[0]] = load_setitem
    dispatch[pickle.SETITEMS[0]] = load_setitems
    dispatch[pickle.ADDITEMS[0]] = load_additems


def _show_figures() -> None:
    """Have the kernel show figures as pictures, as it does from the first one on that pyplot makes."""
    backend = os.environ.get("MPLBACKEND", "").removeprefix("module://")
    if backend == "matplotlib_inline.backend_inline":
        with contextlib.suppress(ImportError):
            importlib.import_module(backend)


def _numpy_nan() -> float:
    try:
        found: float = importlib.import_module("numpy").nan
    except ImportError:
        return float("nan")
    return found


def loads(
    stream: Any,
    *,
    buffers: Iterable[Any] | None = None,
    quick: type[Unpickler] = Unpickler,
    patient: type[PatientUnpickler] = PatientUnpickler,
) -> Any:
    """The value in a pickle."""
    kept = None if buffers is None else list(buffers)
    try:
        return quick(stream, kept).load()
    except Exception as error:  # whatever a class says while it is made
        try:
            return patient(stream, kept).load()
        except Exception:
            raise error from None
