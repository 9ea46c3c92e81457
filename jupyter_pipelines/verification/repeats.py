"""Warnings that a fresh kernel tells again.

Python tells a warning once per place and process. Run as a whole, a notebook has one process, so a later cell stays
silent about what an earlier one was warned of; a later step, in a process of its own, is warned again.
"""

from __future__ import annotations

import re
from collections.abc import Container

_WARNING = re.compile(r"^[^\n]*:\d+: \w*Warning: [^\n]*\n?(?:  [^\n]*(?:\n|\Z))?", re.MULTILINE)


def warnings_in(text: str) -> set[str]:
    """The warnings in what was written to standard error, each with the line of code below it."""
    return {match.group().strip() for match in _WARNING.finditer(text)}


def without_repeats(text: str, told: Container[str]) -> str:
    """``text`` without the warnings that were ``told`` before."""
    return _WARNING.sub(lambda match: "" if match.group().strip() in told else match.group(), text)
