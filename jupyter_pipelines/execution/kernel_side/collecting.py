"""The garbage collector is paused where many objects are made at once, none of which is garbage yet.

Python looks for garbage after so many new objects. Each look takes what is just in use for long-lived, and as soon as
there is much of that, everything that the process holds is gone through.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Pauses:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._going_on = 0
        self._was_enabled = False

    def begin(self) -> None:
        with self._lock:
            if self._going_on == 0:
                self._was_enabled = gc.isenabled()
                gc.disable()
            self._going_on += 1

    def end(self) -> None:
        with self._lock:
            self._going_on -= 1
            if self._going_on == 0 and self._was_enabled:
                gc.enable()


_pauses = _Pauses()


@contextmanager
def without_collecting() -> Iterator[None]:
    """Collect nothing until this, and whatever else pauses it meanwhile in other threads, has ended.

    What the notebook has said about collecting holds.
    """
    _pauses.begin()
    try:
        yield
    finally:
        _pauses.end()
