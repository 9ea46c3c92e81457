"""Patterns of files: ``*`` and ``?`` stand for what is within a name, ``**`` for folders, ``[ab]`` for one of these."""

from __future__ import annotations

import glob
import os
import re
from functools import lru_cache
from pathlib import Path

from jupyter_pipelines.errors import RequestError


def absolute(pattern: str, folder: Path | str) -> str:
    """``pattern`` from the root on; a relative one is about ``folder``. Raises :class:`RequestError`."""
    text = os.path.expanduser(pattern.strip())
    if not text or "\0" in text or text.endswith(os.sep):
        raise RequestError(f"{pattern!r} is no pattern of files.", 'Write for example "incoming/*.csv".')
    found = os.path.normpath(os.path.join(glob.escape(str(folder)), text))
    if os.path.exists(os.path.join(folder, text)):
        found = glob.escape(os.path.normpath(os.path.join(folder, text)))
    if found.endswith(f"{os.sep}**"):
        found += f"{os.sep}*"
    fixed = root(found)
    return os.path.join(os.path.realpath(fixed), os.path.relpath(found, fixed))


def root(pattern: str) -> str:
    """The folder below which all matching files are."""
    parts = pattern.split(os.sep)
    fixed = next((number for number, part in enumerate(parts) if glob.has_magic(part)), len(parts) - 1)
    return os.sep.join(parts[:fixed]) or os.sep


def find(pattern: str) -> list[str]:
    """The paths that match now, files and others; hidden ones only where the pattern names the dot."""
    return glob.glob(pattern, recursive=True)


def matches(path: str, pattern: str) -> bool:
    """Whether ``path`` would be found by ``pattern``."""
    return _expression(pattern).fullmatch(path) is not None


@lru_cache(256)
def _expression(pattern: str) -> re.Pattern[str]:
    parts = []
    for part in pattern.split(os.sep):
        if part == "**":
            parts.append(rf"(?:(?!\.)[^{_SEP}]+{_SEP})*")
        else:
            parts.append(("" if part.startswith(".") else r"(?!\.)") + _part(part) + _SEP)
    text = "".join(parts).removesuffix(_SEP)
    return re.compile(text, re.DOTALL)


_SEP = re.escape(os.sep)


def _part(part: str) -> str:
    """One name of a pattern as a regular expression."""
    text = ""
    for piece in re.findall(r"\[!?\]?[^\]]*\]|.", part, re.DOTALL):
        if piece == "*":
            text += f"[^{_SEP}]*"
        elif piece == "?":
            text += f"[^{_SEP}]"
        elif len(piece) > 1:
            inner = piece[1:-1].replace("\\", "\\\\")
            text += f"[^{inner[1:]}]" if inner.startswith("!") else f"[{inner}]"
        else:
            text += re.escape(piece)
    return text
