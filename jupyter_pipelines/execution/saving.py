"""Writing notebooks while they run: atomically, and seldom enough that writing never costs more than running."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_pipelines.store.files import hold

if TYPE_CHECKING:
    from nbformat import NotebookNode

INTERVAL = 0.5
"""Seconds between two writes at least."""

SHARE = 0.05
"""The share of the time that may go into writing."""


class Debounced:
    """Calls ``write`` for changes, at most every :data:`INTERVAL` and for at most :data:`SHARE` of the time."""

    def __init__(self, write: Callable[[], None]) -> None:
        self._write = write
        self._dirty = False
        self._next = 0.0

    def changed(self) -> None:
        """Something is to be written: now, if it is time, else at a later :meth:`tick`."""
        self._dirty = True
        self.tick()

    def tick(self) -> None:
        """Write if something changed and it is time."""
        if self._dirty and time.monotonic() >= self._next:
            self.flush()

    @property
    def wait(self) -> float:
        """Seconds until the next write may happen."""
        return max(0.0, self._next - time.monotonic())

    def flush(self) -> None:
        """Write now."""
        self._dirty = False
        began = time.monotonic()
        try:
            self._write()
        finally:
            ended = time.monotonic()
            self._next = ended + max(INTERVAL, (ended - began) / SHARE)


def write_notebook(notebook: NotebookNode, path: str) -> None:
    """Write ``notebook`` to a local path (atomically) or to any address that papermill can write to."""
    import nbformat

    if "://" in path or path == "-":
        from papermill.iorw import papermill_io

        papermill_io.write(nbformat.writes(notebook), path)
        return
    replace_file(Path(path), nbformat.writes(notebook) + "\n")


def replace_file(path: Path, text: str, *, private: bool = False) -> None:
    """Replace a file's content so that a reader sees the old or the new one, whole. Keeps the file's mode.

    A new file that is ``private`` is its owner's alone, any other gets the mode that this process gives its files.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            hold(descriptor)
            file.write(text)
        try:
            mode = path.stat().st_mode & 0o777
        except OSError:
            mode = 0o600 if private else 0o666 & ~umask()
        with contextlib.suppress(OSError):
            os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def umask() -> int:
    """The mode bits that new files of this process do not get."""
    # Reading the mask means setting it, which other threads would see: Linux tells it elsewhere.
    with contextlib.suppress(OSError, ValueError), open("/proc/self/status") as status:
        for line in status:
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    return 0o022
