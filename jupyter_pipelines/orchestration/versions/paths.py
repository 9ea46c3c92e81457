"""Which names of files may stand in a version: those that stay below the notebook's folder, on every system."""

from __future__ import annotations

import os
from pathlib import Path

IGNORED = frozenset(
    {".git", ".hg", ".svn", ".venv", "venv", "node_modules", ".ipynb_checkpoints", "__pycache__", ".DS_Store"}
)
"""Files and folders that are no part of anybody's pipeline, whatever pattern matches them."""


def is_safe(path: object) -> bool:
    """Whether ``path`` is a relative path that, below any folder and on any system, leads to a file below it."""
    if not isinstance(path, str) or "\\" in path or "\0" in path or path.startswith("/"):
        return False
    try:
        path.encode()
    except UnicodeEncodeError:  # a name that is not text
        return False
    parts = path.split("/")
    return not any(part in {"", ".", ".."} or (len(part) > 1 and part[1] == ":") for part in parts)


def is_below(path: Path, folder: Path) -> bool:
    """Whether ``path`` lies in ``folder``, all links followed."""
    real, root = os.path.realpath(path), os.path.realpath(folder)
    return real == root or real.startswith(root.rstrip(os.sep) + os.sep)
