"""Keep one slow import out of every process we start.

``jupyter_events`` installs ``rfc3987_syntax``; jsonschema imports it when present, and it builds an Earley grammar
while it is imported: 1.5 to 2 seconds of CPU in each process that imports prefect or papermill. A stand-in offers the
same function and builds the grammar at its first call, which no pipeline makes.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types

_SLOW = "rfc3987_syntax"


def _is_valid_syntax(term: str, value: str) -> bool:
    sys.modules.pop(_SLOW, None)
    return bool(importlib.import_module(_SLOW).is_valid_syntax(term, value))


def make_imports_fast() -> None:
    """Put the stand-in in place. Does nothing where the module is loaded already or is not installed."""
    if _SLOW in sys.modules or importlib.util.find_spec(_SLOW) is None:
        return
    module = types.ModuleType(_SLOW)
    module.__dict__["is_valid_syntax"] = _is_valid_syntax
    sys.modules[_SLOW] = module
