"""The state of modules that lie beside the notebook: a later step imports them anew, as if they had never been used."""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Iterator
from typing import Any

from .definitions import Parts, difference, parts_of

_LIBRARY = os.path.dirname(os.__file__)
_OTHERS = tuple(folder + os.sep for folder in (_LIBRARY, os.path.realpath(_LIBRARY), os.path.dirname(__file__)))
_installed: set[str] = set()  # modules that are known not to lie beside any notebook
_NOT_STATE = (types.ModuleType, types.FunctionType, type)


class LocalModules:
    """Modules below ``folder`` that are not installed there, as importing them has left them."""

    def __init__(self, folder: str) -> None:
        self._folder = os.path.realpath(folder) + os.sep
        self._seen: set[str] = set()
        self._states: dict[str, Parts] = {}
        self.look()

    def look(self) -> None:
        """Take down the state of modules that have been imported since the last time."""
        new = sys.modules.keys() - self._seen - _installed
        self._seen |= new
        for name in new:
            module: Any = sys.modules.get(name)
            if not _is_installed(module) and os.path.realpath(module.__file__).startswith(self._folder):
                self._states[name] = _state(module)

    def changed(self) -> Iterator[tuple[str, str]]:
        """The modules whose state is another now, and where."""
        for name, before in self._states.items():
            module = sys.modules.get(name)
            if module is not None:
                where = difference(before, _state(module))
                if where is not None:
                    yield name, where.partition(" (")[0]


def know_installed() -> None:
    """Look at what is imported already, so that kernels which are forked from here need not."""
    _installed.update(name for name, module in list(sys.modules.items()) if _is_installed(module))


def _is_installed(module: Any) -> bool:
    """Whether it lies where no notebook is, or in no file that somebody writes."""
    file = getattr(module, "__file__", None)
    if not isinstance(file, str) or not file.endswith(".py"):
        return True
    return file.startswith(_OTHERS) or "site-packages" in file


def _state(module: types.ModuleType) -> Parts:
    """What the module's own names hold, apart from what it defines and imports."""
    found: Parts = {}
    for name, value in list(vars(module).items()):
        if not name.startswith("__") and not isinstance(value, _NOT_STATE):
            found.update(parts_of(f"{module.__name__}.{name}", value, module.__name__))
    return found
