"""Where a notebook is run to be verified: a copy of its folder, made anew for each run.

Each run finds the files as they were, and the author's own folder is only read. The copy has the neighbours that the
folder has, by links, so that ``../data/flights.csv`` is found.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

LARGE_FILE = 200_000_000  # bytes; larger files are linked, not copied
LARGEST_COPY = 2_000_000_000  # bytes in all; a larger folder is not copied
MOST_FILES = 20_000  # in all; a folder with more is not copied either
LINKED = {".git", ".hg", ".svn", ".venv", "venv", "node_modules", ".ipynb_checkpoints", "__pycache__"}
LEVELS = 2  # folders above the notebook's whose entries are linked


class Workspace:
    """A copy of the folder of ``notebook`` below ``scratch``; :meth:`renew` puts it back to what it was.

    ``notebook`` is the path to run. It is the author's own where the folder is too large to copy.
    """

    def __init__(self, notebook: Path, scratch: Path) -> None:
        self._source = notebook.absolute().parent
        self.copied = _fits(self._source)
        self._copy = scratch.joinpath("copy", *self._source.relative_to(self._source.anchor).parts[-LEVELS - 1 :])
        self.notebook = self._copy / notebook.name if self.copied else notebook

    def renew(self) -> None:
        """Make the copy as the author's folder is now."""
        if not self.copied:
            return
        if self._copy.exists():
            shutil.rmtree(self._copy)
        else:
            self._link_neighbours()
        _copy_folder(self._source, self._copy)

    def _link_neighbours(self) -> None:
        own, copy = self._source, self._copy
        for _ in range(min(LEVELS, len(own.parts) - 1)):
            copy.parent.mkdir(parents=True, exist_ok=True)
            for neighbour in _entries(own.parent):
                target = copy.parent / neighbour.name
                if neighbour.name != own.name and not target.exists():
                    target.symlink_to(neighbour.path)
            own, copy = own.parent, copy.parent


def _copy_folder(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for entry in _entries(source):
        copy = target / entry.name
        if entry.is_symlink() or entry.name in LINKED:
            copy.symlink_to(entry.path)
        elif entry.is_dir():
            _copy_folder(Path(entry.path), copy)
        elif entry.is_file():
            if entry.stat().st_size > LARGE_FILE:
                copy.symlink_to(entry.path)
            else:
                shutil.copy2(entry.path, copy)


def _fits(source: Path) -> bool:
    """Whether the folder is small enough to be copied; looks no further once it is not."""
    size = files = 0
    waiting = [source]
    while waiting:
        for entry in _entries(waiting.pop()):
            if entry.is_symlink() or entry.name in LINKED:
                continue
            if entry.is_dir():
                waiting.append(Path(entry.path))
            elif entry.is_file() and entry.stat().st_size <= LARGE_FILE:
                size += entry.stat().st_size
                files += 1
        if size > LARGEST_COPY or files > MOST_FILES:
            return False
    return True


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []  # not ours to read
