"""Parsing Python, from any thread.

CPython before 3.11.8 and 3.12.2 keeps one recursion depth for all threads that turn their trees into objects: two at
once can end in ``SystemError: AST constructor recursion depth mismatch`` (https://github.com/python/cpython/issues/106905).
Ours take turns; other packages parse, too, so it is tried again.
"""

from __future__ import annotations

import ast
import threading
from typing import Any, Literal, overload

TRIES = 5

_turn = threading.Lock()


@overload
def parse_python(source: str, mode: Literal["exec"] = "exec", *, top_level_await: bool = False) -> ast.Module: ...


@overload
def parse_python(source: str, mode: Literal["eval"], *, top_level_await: bool = False) -> ast.Expression: ...


def parse_python(source: str, mode: str = "exec", *, top_level_await: bool = False) -> Any:
    """As :func:`ast.parse`; ``top_level_await`` allows what notebooks allow. Raises what that raises."""
    flags = ast.PyCF_ONLY_AST | (ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if top_level_await else 0)
    for _ in range(TRIES):
        try:
            with _turn:
                return compile(source, "<unknown>", mode, flags, dont_inherit=True)
        except SystemError:
            continue
    return ast.parse(source, mode=mode)
