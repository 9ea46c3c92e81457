"""Tells what importing a module does to hidden state from what the notebook's own code does to it.

Importing scikit-learn sets environment variables and warning filters. That comes with the import wherever it is
replayed; it is no change that later steps have to wait for.
"""

from __future__ import annotations

import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, Callable

Snapshot = dict[str, Any]


class ImportWatcher:
    """Finds modules first, by asking the other finders, and watches the outermost imports.

    ``capture`` takes a snapshot of hidden state; ``told`` is given those from before and after each import, ``loaded``
    is called after each.
    """

    def __init__(
        self,
        capture: Callable[[], Snapshot],
        told: Callable[[Snapshot, Snapshot], None],
        loaded: Callable[[], None],
    ) -> None:
        self.capture = capture
        self.told = told
        self.loaded = loaded
        self.busy = False

    def start(self) -> None:
        """Watch from here on."""
        sys.meta_path.insert(0, self)  # type: ignore[arg-type,unused-ignore]  # finders are known by what they offer

    def stop(self) -> None:
        """Watch no more."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)  # type: ignore[arg-type,unused-ignore]

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The import system's question to a finder; ``None`` leaves it to the others."""
        if self.busy:
            return None
        self.busy = True
        try:
            finders = [finder for finder in sys.meta_path if finder is not self and hasattr(finder, "find_spec")]
            specs = (finder.find_spec(name, path, target) for finder in finders)
            spec = next((found for found in specs if found is not None), None)
        finally:
            self.busy = False
        if spec is not None and hasattr(spec.loader, "exec_module") and hasattr(spec.loader, "create_module"):
            watched: Any = _Loader(spec.loader, self)
            spec.loader = watched
        return spec


class _Loader:
    """A loader that steps aside as soon as the module is to run."""

    def __init__(self, loader: Any, watcher: ImportWatcher) -> None:
        self._loader = loader
        self._watcher = watcher
        self._before = watcher.capture()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        watcher = self._watcher
        outermost = not watcher.busy
        watcher.busy = True
        try:
            self._loader.exec_module(module)
        finally:
            if outermost:
                watcher.busy = False
        if outermost:
            watcher.told(self._before, watcher.capture())
            watcher.loaded()
