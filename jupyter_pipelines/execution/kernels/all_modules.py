"""Spares forked kernels to go through all modules. Loaded by path, imports nothing of ours.

ipykernel and IPython, coming up, each note down what is imported. Who looks at a module in a forked process has the
memory that it lies in copied: with pandas and scikit-learn, that is a fifth of what a kernel's start costs. What is
imported is known before the fork.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator
from typing import Any


class AllModules:
    """What is imported at this moment, as ipykernel and IPython note it down."""

    def __init__(self) -> None:
        self.names = set(sys.modules)
        self.files = [file for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))]

    @contextlib.contextmanager
    def known(self, app: Any) -> Iterator[None]:
        """Have ``app`` come up without looking, and know it all the same. There must be no other thread yet."""
        places = [importlib.import_module(name) for name in ("ipykernel.ipkernel", "IPython.core.shellapp")]
        seeing = [place for place in places if getattr(place, "sys", None) is sys]
        for place in seeing:
            place.sys = _Sys({})  # type: ignore[attr-defined]  # what `import sys` has bound there
        try:
            yield
        finally:
            for place in seeing:
                place.sys = sys  # type: ignore[attr-defined]  # as above
        if seeing:
            app.shell._sys_modules_keys = self.names
            for holder, name in (
                (app.kernel, "_kernel_modules"),
                (getattr(app.kernel, "debugger", None), "kernel_modules"),
            ):
                if hasattr(holder, name):
                    setattr(holder, name, self.files)


class _Sys:
    """``sys``, but for the modules."""

    def __init__(self, modules: dict[str, Any]) -> None:
        vars(self)["modules"] = modules

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(sys, name, value)
