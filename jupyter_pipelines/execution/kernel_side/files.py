"""Which files the code of a step reads, writes, makes and removes, seen by Python's audit hook.

What libraries open by themselves, outside of Python, is not seen.
"""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Callable, Iterable
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

# Events with one path, that change what is there.
_CHANGING = {"os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.mkfifo", "os.utime", "shutil.rmtree"}
# Events with two paths: what is at the first goes to the second.
_MOVING = {"os.rename", "os.link", "os.symlink", "shutil.move", "shutil.copyfile", "shutil.copytree"}


class FileRecorder:
    """Records real paths while it is on. Its hook stays for the life of the process: hooks cannot be removed."""

    def __init__(self, ignored: Iterable[str]) -> None:
        self.on = False
        self.read: dict[str, None] = {}
        self.written: dict[str, None] = {}
        self.others: dict[str, Callable[[types.FrameType], None]] = {}  # who is told of further events, and from where
        system = (
            "/proc",
            "/dev",
            "/sys",
            "/etc",
            "/usr/lib",
            "/usr/share/zoneinfo",
            "/usr/share/fonts",
            sys.prefix,
            sys.base_prefix,
            sys.exec_prefix,
            os.path.dirname(os.__file__),
        )
        home = (".cache", ".config", ".ipython", ".jupyter", ".local/share/jupyter", ".matplotlib", ".local/lib")
        folders = (*system, *(os.path.join(os.path.expanduser("~"), name) for name in home), *ignored)
        self._ignored = tuple(os.path.realpath(folder) + os.sep for folder in folders)
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event == "open":
            path, mode, flags = arguments
            # `mode` is missing for os.open; for open() the flags are those of the call that follows.
            writing = any(letter in mode for letter in "wax+") if isinstance(mode, str) else bool(flags & _WRITING)
            reading = "r" in mode or "+" in mode if isinstance(mode, str) else flags & os.O_WRONLY == 0
            self._note(path, reading, writing)
        elif event in _CHANGING:
            self._note(arguments[0], False, True)
        elif event in _MOVING:
            copying = event.startswith("shutil.copy") or event in ("os.link", "os.symlink")
            self._note(arguments[0], True, not copying)
            self._note(arguments[1], False, True)
        elif event == "sqlite3.connect":
            self._note(arguments[0], True, True)
        elif event in self.others:
            self.others[event](sys._getframe(1))

    def _note(self, path: object, reading: bool, writing: bool) -> None:
        real = self._real(path)
        if real is None:
            return
        if writing:
            self.written[real] = None
        if reading:
            self.read[real] = None

    def _real(self, path: object) -> str | None:
        if isinstance(path, (bytes, os.PathLike)):
            try:
                path = os.fsdecode(path)
            except Exception:  # an object's own __fspath__; the call itself will say so
                return None
        if not isinstance(path, str) or not path or path == ":memory:" or "\0" in path:
            return None
        on, self.on = self.on, False
        try:
            real = os.path.realpath(path)
        except OSError:
            return None
        finally:
            self.on = on
        if (
            f"{real}{os.sep}".startswith(self._ignored)
            or f"{os.sep}__pycache__{os.sep}" in real
            or "site-packages" in real
        ):
            return None
        return real
