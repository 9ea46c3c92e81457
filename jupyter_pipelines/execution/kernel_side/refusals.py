"""What is never carried, although some of it can be pickled: things that live in one process."""

from __future__ import annotations

import io
import mmap
import sys
import types
import weakref

REOPEN = "open it in the step that uses it, or in a setup cell, which runs at the start of every step"
FINISH = "turn it into a list in the step that makes it, or use it up in the same step"
SAME_STEP = "use it in the step that makes it, and hand over the data it gives"
SETUP = "make it in a setup cell, which runs at the start of every step"


class UncarriableError(Exception):
    """A value that would not come back the same.

    ``culprit`` is the object inside the value that is to blame; ``why`` and ``fix`` are for the author.
    """

    def __init__(self, culprit: object, why: str, fix: str) -> None:
        super().__init__(why)
        self.culprit = culprit
        self.why = why
        self.fix = fix


_BY_TYPE: list[tuple[tuple[type, ...], str, str]] = [
    ((types.GeneratorType, types.AsyncGeneratorType), "a generator, which goes on only where it was started", FINISH),
    ((types.CoroutineType,), "a coroutine, which belongs to a running event loop", "await it in the same step"),
    ((types.FrameType, types.TracebackType), "part of a running program", SAME_STEP),
    (
        (weakref.ReferenceType, weakref.ProxyType, weakref.CallableProxyType, weakref.finalize),
        "a weak reference, which means something only beside the object it points to",
        "keep the object itself",
    ),
    ((mmap.mmap,), "a memory-mapped file", REOPEN),
]

# Types of modules that are there only if the user imported them.
_BY_NAME: list[tuple[str, tuple[str, ...], str, str]] = [
    ("_thread", ("LockType", "RLock", "lock"), "a lock, which belongs to one process", SETUP),
    ("threading", ("Thread", "Event", "Condition", "Semaphore", "Barrier", "local"), "tied to threads", SETUP),
    ("socket", ("socket",), "an open network connection", REOPEN),
    ("ssl", ("SSLContext",), "part of a network connection", SETUP),
    ("sqlite3", ("Connection", "Cursor"), "an open database connection", REOPEN),
    ("duckdb", ("DuckDBPyConnection", "DuckDBPyRelation"), "tied to an open database connection", REOPEN),
    ("sqlalchemy", ("Engine", "Connection"), "an open database connection", REOPEN),
    ("subprocess", ("Popen",), "a running process", SAME_STEP),
    ("tempfile", ("TemporaryDirectory",), "a folder that is removed when the step ends", "use a folder of your own"),
    ("asyncio", ("AbstractEventLoop", "Future", "Task"), "part of a running event loop", SAME_STEP),
    ("concurrent.futures", ("Executor", "Future"), "a pool of running workers", SETUP),
    ("multiprocessing.process", ("BaseProcess",), "a running process", SAME_STEP),
    ("multiprocessing.pool", ("Pool",), "a pool of running workers", SETUP),
    (
        "IPython.display",
        ("DisplayHandle",),
        "a display, which stays with the cell that showed it",
        "update it in the step that showed it, or display anew here",
    ),
    ("ipywidgets", ("Widget",), "a widget, which is tied to its kernel", SETUP),
]


def refusal(kind: type) -> tuple[str, str] | None:
    """Why instances of ``kind`` are never carried, and what to do instead; ``None`` when they may be."""
    if issubclass(kind, io.IOBase) and not issubclass(kind, (io.BytesIO, io.StringIO)):
        return "an open file", REOPEN
    for kinds, why, fix in _BY_TYPE:
        if issubclass(kind, kinds):
            return why, fix
    for module, names, why, fix in _BY_NAME:
        loaded = sys.modules.get(module)
        if loaded is None:
            continue
        for name in names:
            known = getattr(loaded, name, None)
            if isinstance(known, type) and issubclass(kind, known):
                return why, fix
    return None


def advice(kind: type) -> str:
    """What to do about a value whose own pickling fails."""
    name = kind.__name__.lower()
    if any(word in name for word in ("connection", "cursor", "client", "session", "engine", "handle")):
        return REOPEN
    if any(word in name for word in ("iterator", "reader", "map", "zip", "filter")):
        return FINISH
    return SAME_STEP + "; or " + SETUP
