"""Work of the notebook that is not over when its step ends: threads, timers, tasks, processes.

It goes on beside later cells where the whole notebook runs in one kernel, and would end here with the step. What
libraries keep running for themselves is left alone.
"""

from __future__ import annotations

import functools
import subprocess
import sys
import threading
import time
import types
from collections.abc import Iterator
from typing import Any

GRACE = 0.05  # seconds in which a thread may end that has nothing more to do
DYING = 0.5  # seconds in which a process may end that was killed


class Background:
    """What the notebook's code starts from here on."""

    def __init__(self, user: dict[str, Any]) -> None:
        self._user = user
        self._threads = set(threading.enumerate())
        self._processes: list[subprocess.Popen[Any]] = []
        self._cells: dict[int, int] = {}  # by identity: the cell behind which something was seen first

    def look(self, cell: int) -> None:
        """A cell has run; what is there from now on, it has started."""
        for held in self._all():
            self._cells.setdefault(id(held), cell)

    def unfinished(self) -> Iterator[tuple[str, int | None]]:
        """What is still at work, in a few words each, and the cell that began it, where that is known."""
        for task, name in self._tasks():
            yield f"the task {name}", self._cells.get(id(task))
        if any(map(self._is_busy, threading.enumerate())):
            time.sleep(GRACE)
            for thread in filter(self._is_busy, threading.enumerate()):
                yield f"the thread {thread.name}", self._cells.get(id(thread))
        for process in self._processes:
            if not _has_ended(process):
                yield f"the process {_command(process)}", self._cells.get(id(process))
        for started in _of_magics():
            if started.returncode is None:
                yield f"the process {started.pid} of a magic", self._cells.get(id(started))
        for child in _children():
            child.join(DYING)
            if child.is_alive() and self._is_ours(getattr(child, "_target", None)):
                yield f"the process {child.name}", self._cells.get(id(child))

    def _all(self) -> Iterator[object]:
        yield from threading.enumerate()
        yield from (task for task, _ in self._tasks())
        yield from self._processes
        yield from _of_magics()
        yield from _children()

    def process_started(self, frame: types.FrameType | None) -> None:
        """``frame``: of :class:`subprocess.Popen`, which is about to start a process."""
        made = None
        while frame is not None and frame.f_globals is vars(subprocess):
            made = frame.f_locals.get("self")
            frame = frame.f_back
        if frame is not None and frame.f_globals is self._user and isinstance(made, subprocess.Popen):
            self._processes.append(made)

    def _is_busy(self, thread: threading.Thread) -> bool:
        """Whether a thread has work of the notebook to do."""
        if thread in self._threads or thread is threading.current_thread():
            return False
        work = getattr(thread, "function", None) if isinstance(thread, threading.Timer) else None
        if work is None and type(thread).run is threading.Thread.run:
            work = getattr(thread, "_target", None)
        if type(thread).__module__ == "__main__" or self._is_ours(work):
            return True
        return self._runs(sys._current_frames().get(thread.ident or 0))

    def _is_ours(self, work: Any) -> bool:
        """Whether a function is the notebook's, or a method of a plain object such as ``list.append``."""
        while isinstance(work, functools.partial):
            work = work.func
        if work is None:
            return False
        return getattr(work, "__module__", None) in (None, "__main__")

    def _runs(self, frame: types.FrameType | None) -> bool:
        while frame is not None:
            if frame.f_globals is self._user:
                return True
            frame = frame.f_back
        return False

    def _tasks(self) -> Iterator[tuple[object, str]]:
        asyncio = sys.modules.get("asyncio")
        if asyncio is None:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        current = asyncio.current_task(loop)
        for task in asyncio.all_tasks(loop):
            if task is not current and not task.done() and self._awaits_ours(task.get_coro()):
                yield task, task.get_name()
        for handle in (*getattr(loop, "_scheduled", ()), *getattr(loop, "_ready", ())):
            work = getattr(handle, "_callback", None)
            if not handle.cancelled() and isinstance(work, (types.FunctionType, types.MethodType, functools.partial)):
                if self._is_ours(work):
                    yield handle, getattr(work, "__name__", "")

    def _awaits_ours(self, coroutine: Any) -> bool:
        while coroutine is not None:
            frame = getattr(coroutine, "cr_frame", None)
            if frame is not None and frame.f_globals is self._user:
                return True
            coroutine = getattr(coroutine, "cr_await", None)
        return False


def _has_ended(process: subprocess.Popen[Any]) -> bool:
    """Whether it has ended, or does so at once: the cell may just have killed it."""
    try:
        process.wait(DYING)
    except subprocess.TimeoutExpired:
        return False
    return True


def _of_magics() -> list[Any]:
    """What ``%%bash --bg`` and its like have started, as :class:`asyncio.subprocess.Process`."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    magics = shell.magics_manager.registry.get("ScriptMagics") if shell is not None else None
    return [process for process in getattr(magics, "bg_processes", ()) if hasattr(process, "returncode")]


def _children() -> list[Any]:
    return list(getattr(sys.modules.get("multiprocessing.process"), "_children", ()))


def _command(process: subprocess.Popen[Any]) -> str:
    arguments: Any = process.args
    text = arguments if isinstance(arguments, str) else " ".join(map(str, arguments))
    return text if len(text) <= 60 else text[:57] + "..."
