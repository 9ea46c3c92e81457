"""Noticing that this installation was changed: what the service has loaded is not what its runs would load now."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

WATCHED = ("jupyter_pipelines", "prefect")
EVERY = 15.0  # seconds between two looks
TRIAL = "import jupyter_pipelines.orchestration.service.launcher, prefect"
TRIAL_SECONDS = 60.0

Stamp = tuple[tuple[int, int], ...]


def installed_stamp() -> Stamp:
    """What is another after an installation, also of the same version; empty while one goes on."""
    stamps = []
    for name in WATCHED:
        try:
            found = importlib.util.find_spec(name)
            status = Path(found.origin).stat() if found is not None and found.origin is not None else None
        except (OSError, ValueError, ImportError):
            status = None
        if status is None:
            return ()
        stamps.append((status.st_ino, status.st_ctime_ns))
    return tuple(stamps)


class Renewal:
    """Says when the service must start anew to be what is installed: when that has changed, is whole, and loads."""

    def __init__(self, stamp: Callable[[], Stamp] = installed_stamp) -> None:
        self._stamp = stamp
        self._loaded = stamp()
        self._last = self._loaded
        self._next = 0.0

    def is_due(self) -> bool:
        """Whether it must, now. What is seen must stand still from one look to the next."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + EVERY
        last, self._last = self._last, self._stamp()
        if not self._last or self._last == self._loaded or self._last != last:
            return False
        if _loads():
            return True
        self._loaded = self._last  # nothing to change to; what comes after it is looked at again
        return False


def _loads() -> bool:
    try:
        return subprocess.run([sys.executable, "-P", "-c", TRIAL], check=False, timeout=TRIAL_SECONDS).returncode == 0
    except subprocess.TimeoutExpired:
        return False
