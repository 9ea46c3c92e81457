"""Keep one slow import out of every process that imports us.

``jupyter_events`` installs ``rfc3987_syntax``; jsonschema imports it when present, and it builds an Earley grammar
while it is imported: 1.5 to 2 seconds of CPU in each process that imports nbformat, prefect or papermill. A stand-in
offers the same names and becomes the module itself when one of them is used, which nothing of ours does.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from typing import Any

_SLOW = "rfc3987_syntax"


def _is_valid_syntax(term: str, value: str) -> bool:
    return bool(_become_itself("is_valid_syntax")(term, value))


def _become_itself(name: str) -> Any:
    if name.startswith("__"):  # what the import system asks of every module
        raise AttributeError(name)
    sys.modules.pop(_SLOW, None)
    return getattr(importlib.import_module(_SLOW), name)


def make_imports_fast() -> None:
    """Put the stand-in in place. Does nothing where the module is loaded already or is not installed."""
    if _SLOW in sys.modules:
        return
    spec = importlib.util.find_spec(_SLOW)
    if spec is None:
        return
    module = types.ModuleType(_SLOW)
    module.__spec__ = spec
    module.__dict__["is_valid_syntax"] = _is_valid_syntax  # jsonschema takes it when it is imported
    module.__dict__["__getattr__"] = _become_itself
    sys.modules[_SLOW] = module
