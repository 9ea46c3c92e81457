"""Not looking for garbage while a notebook is compiled.

Python looks for it after so many new objects. Compiling makes hundreds of thousands, nearly all of which go by
themselves; but each look in between takes those that are just in use for long-lived, and as soon as there are many of
these, everything that the server holds is gone through: more than half of the time from a key to the graph.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Collection:
    """Python's looking for garbage, in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._putting_off = 0
        self._was_enabled = False

    @contextmanager
    def put_off(self) -> Iterator[None]:
        """Look for none until this, and whatever else puts it off meanwhile in other threads, has ended."""
        with self._lock:
            if self._putting_off == 0:
                self._was_enabled = gc.isenabled()
                gc.disable()
            self._putting_off += 1
        try:
            yield
        finally:
            with self._lock:
                self._putting_off -= 1
                if self._putting_off == 0 and self._was_enabled:
                    gc.enable()


collection = Collection()
