"""Ending a kernel's process tree, and noticing that a process has ended."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import shutil
import signal
import sys
import tempfile
import time
import uuid
import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jupyter_pipelines.execution.kernels.inside import MARK, marked_processes

__all__ = [
    "MARK",
    "describe_exit",
    "kill_all",
    "kill_tree",
    "new_mark",
    "remove_folder",
    "temporary_folder",
    "wait_for_exit",
    "wait_until_removed",
]

_PREFIX = "jupyter-pipelines-"


def new_mark() -> str:
    """A mark for a kernel that is about to be started: when that is, in the system's ticks, and a random word."""
    ticks = time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK") if sys.platform == "linux" else 0
    return f"{int(ticks)}-{uuid.uuid4().hex}"


def kill_tree(pid: int, mark: str) -> None:
    """Kill the session led by ``pid`` and every process that carries ``mark``, also those that became daemons."""
    _kill_group(pid)
    kill_all(lambda: _members(pid, mark))


def kill_all(find: Callable[[], Iterable[int]]) -> None:
    """Kill the processes that are found, and look again: one may have started others meanwhile."""
    for _ in range(5):
        found = list(find())
        if not found:
            return
        for pid in found:
            _kill(pid)
        time.sleep(0.001)


def _members(session: int, mark: str) -> Iterable[int]:
    if sys.platform == "linux":
        yield from marked_processes(session, mark)
    else:
        import psutil

        with contextlib.suppress(psutil.Error):
            yield from (child.pid for child in psutil.Process(session).children(recursive=True))


def _kill_group(pid: int) -> None:
    if sys.platform == "win32":
        import psutil

        with contextlib.suppress(psutil.Error):
            for child in psutil.Process(pid).children(recursive=True):
                child.kill()
            psutil.Process(pid).kill()
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)


def temporary_folder() -> Path:
    """A folder for one kernel's or step's files. Its name holds who we are, so that it can be removed should we not."""
    _remove_leftovers()
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-{_place()}-"))


_removing = ThreadPoolExecutor(1, "jupyter-pipelines-removing")


def remove_folder(folder: Path) -> None:
    """Remove a temporary folder, beside what goes on: the disk may take its time. See :func:`wait_until_removed`."""
    _removing.submit(shutil.rmtree, folder, ignore_errors=True)


def wait_until_removed() -> None:
    """Wait until the folders are gone that are to be removed."""
    _removing.submit(int).result()


@functools.cache
def _place() -> str:
    """Where our process id means us: this boot of this machine, this container."""
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        return f"{zlib.crc32((boot + os.readlink('/proc/self/ns/pid')).encode()):08x}"
    return "unknown"


@functools.cache
def _remove_leftovers() -> None:
    """Remove the folders of processes that were killed: here at once, those of elsewhere when they are old."""
    if sys.platform == "win32":
        return  # there, asking for a process by `os.kill` would end it
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        owner, place = folder.name[len(_PREFIX) :].split("-")[:2]
        with contextlib.suppress(OSError):
            old = time.time() - folder.stat().st_mtime > 86400
            if owner.isdigit() and not _exists(int(owner)) and (old or place == _place() != "unknown"):
                shutil.rmtree(folder, ignore_errors=True)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


async def wait_for_exit(pid: int, is_alive: Callable[[], bool]) -> None:
    """Return when process ``pid`` has ended; at once where the system can tell us, else within 50 ms."""
    try:
        descriptor = os.pidfd_open(pid) if sys.platform == "linux" else None
    except OSError:
        descriptor = None
    if descriptor is None:
        while is_alive():  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(0.05)
        return
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    loop.add_reader(descriptor, lambda: None if ended.done() else ended.set_result(None))
    try:
        await ended
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def describe_exit(status: int | None) -> str:
    """How a process ended, for people: ``status`` is an exit code, negative for a signal, ``None`` if unknown."""
    if status is None:
        return "how it ended is unknown"
    if status >= 0:
        return f"exit code {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = "unknown"
    return f"signal {-status}, {name}"
