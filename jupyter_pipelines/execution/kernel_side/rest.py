"""Whether a step has left something running or open in its kernel, which later steps may meet while that ends."""

from __future__ import annotations

import os
import threading


def holdings() -> set[str] | None:
    """What this process has open or running, as names to compare; ``None`` where that cannot be told."""
    try:
        found = {f"thread {thread.ident}" for thread in threading.enumerate()}
        found.add(f"exit functions {_exit_functions()}")
        for task in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{task}/children", encoding="ascii") as children:
                found.update(f"process {child}" for child in children.read().split())
        found.update(_open_files())
    except OSError:
        return None
    return found


def _exit_functions() -> int:
    import atexit
    import weakref

    return atexit._ncallbacks() + len(weakref.finalize._registry)  # type: ignore[attr-defined]  # undocumented


def _open_files() -> set[str]:
    """Files and network connections: not pipes, which end where one of our processes does."""
    found = set()
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{descriptor}")
        except OSError:
            continue  # the listing itself
        if target.startswith(("/", "socket:")):
            found.add(target)
    return found
