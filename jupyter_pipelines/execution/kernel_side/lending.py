"""Modules inside of packages that a step takes for loaded, because an earlier step has had them loaded.

``import matplotlib`` does not bring ``matplotlib.pyplot``, but in one kernel it is there as soon as anything has loaded
it: pandas, where it draws. What a step names so and has not is loaded when it asks for it, and noted down: whether an
earlier step has had it too, the run knows.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.machinery
import sys
import types
from collections.abc import Iterable
from typing import Any


class Lending:
    """Gives packages those of the ``modules`` (by their full names) that they have not, when they are asked for."""

    def __init__(self, modules: Iterable[str]) -> None:
        self.lent: list[str] = []
        self._wanted: dict[str, set[str]] = {}
        for module in modules:
            package, _, name = module.rpartition(".")
            self._wanted.setdefault(package, set()).add(name)
        self._prepared: list[tuple[types.ModuleType, Any]] = []  # with how they give what they have not
        self._on = True

    def look(self) -> None:
        """Prepare the packages that are loaded by now."""
        for name in [name for name in self._wanted if self._on and name in sys.modules]:
            package, wanted = sys.modules[name], self._wanted.pop(name)
            path = getattr(package, "__path__", None)
            if path is not None and any(self._is_missing(package, inner, path) for inner in wanted):
                own = vars(package).get("__getattr__")
                self._prepared.append((package, own))
                vars(package)["__getattr__"] = self._giving(package, wanted, own)

    def stop(self) -> None:
        """Leave the packages as they were."""
        self._on = False
        for package, own in self._prepared:
            if own is None:
                vars(package).pop("__getattr__", None)
            else:
                vars(package)["__getattr__"] = own

    @staticmethod
    def _is_missing(package: types.ModuleType, name: str, path: Any) -> bool:
        if name in vars(package):
            return False
        return importlib.machinery.PathFinder.find_spec(f"{package.__name__}.{name}", path) is not None

    def _giving(self, package: types.ModuleType, wanted: set[str], own: Any) -> Any:
        def give(name: str) -> Any:
            if own is not None:
                with contextlib.suppress(AttributeError):
                    return own(name)
            if name not in wanted or not self._is_missing(package, name, getattr(package, "__path__", ())):
                raise AttributeError(f"module {package.__name__!r} has no attribute {name!r}")
            self.lent.append(f"{package.__name__}.{name}")
            found = importlib.import_module(f"{package.__name__}.{name}")
            self.look()
            return found

        return give
