"""Patterns of files: ``*`` and ``?`` stand for what is within a name, ``**`` for folders, ``[ab]`` for one of these."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.versions.identity import require_text

MOST_LOOKED_AT: Final = 200_000
"""Files and folders that are looked at for one pattern: a whole disk would take minutes, every minute."""


def absolute(pattern: str, folder: Path | str) -> str:
    """``pattern`` from the root on; a relative one is about ``folder``. Raises :class:`RequestError`."""
    text = os.path.expanduser(pattern.strip())
    if not text or "\0" in text or text.endswith(os.sep):
        raise RequestError(f"{pattern!r} is no pattern of files.", 'Write for example "incoming/*.csv".')
    require_text(text)
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
    """The paths that match now, files and others; hidden ones only where the pattern names the dot.

    Raises :class:`RequestError` when more than :data:`MOST_LOOKED_AT` are looked at for it.
    """
    folder = root(pattern)
    parts = os.path.relpath(pattern, folder).split(os.sep)
    return list(dict.fromkeys(_below(folder, parts, _Count(pattern), ())))


class _Count:
    """How many files and folders may still be looked at."""

    def __init__(self, pattern: str) -> None:
        self._left, self._pattern = MOST_LOOKED_AT, pattern

    def entries(self, folder: str) -> list[os.DirEntry[str]]:
        """What is in a folder; nothing where it cannot be read."""
        found: list[os.DirEntry[str]] = []
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                found.append(entry)
                self._left -= 1
                if self._left < 0:
                    raise RequestError(
                        f"More than {MOST_LOOKED_AT:,} files and folders would be looked at for {self._pattern}.",
                        "Begin it with the folder that the files are in, and write `**` only below that.",
                    )
        return found


def _below(folder: str, parts: list[str], count: _Count, way: tuple[tuple[int, int], ...]) -> Iterator[str]:
    """What matches the rest of a pattern; ``way`` are the folders gone through by links, so that none is twice."""
    part, *rest = parts
    if part != "**" and not glob.has_magic(part):
        path = os.path.join(folder, part)
        if rest:
            yield from _below(path, rest, count, way)
        elif os.path.lexists(path):
            yield path
        return
    if part == "**":
        yield from _below(folder, rest, count, way)
    expression = _expression("*" if part == "**" else part)
    for entry in count.entries(folder):
        if expression.fullmatch(entry.name) is None:
            continue
        if part != "**" and not rest:
            yield entry.path
        elif _is_folder(entry):
            following = way
            if entry.is_symlink():
                status = entry.stat()
                following = (*way, (status.st_dev, status.st_ino))
                if following[-1] in way:
                    continue
            yield from _below(entry.path, parts if part == "**" else rest, count, following)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads nowhere
        return False


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
