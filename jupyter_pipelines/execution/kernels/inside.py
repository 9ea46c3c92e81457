"""Runs inside every ipykernel that executes a pipeline. Standard library only, loaded by path, imports nothing of ours.

``install`` does four things:

- *Output stays where it belongs.* ipykernel catches what C code and child processes write to descriptors 1 and 2 with
  a thread that reads pipes; whether that lands in the cell that caused it is a race. Here a cell ends when what it
  wrote has been taken.
- *No output is lost* because the client is slow.
- *Ending takes no time.* A race in ipykernel's own shutdown is avoided, and a search for child processes.
- *The leash.* One end of a socket is held by the process that runs the pipeline. When that end goes, however it went,
  the kernel goes too, with its process group and every process it has started. A kernel that was started ahead of need
  is told by it what it is to be.
"""

from __future__ import annotations

import _thread
import atexit
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

NAME = "_jupyter_pipelines_inside"  # of this module, in a kernel
LEASH = "JUPYTER_PIPELINES_LEASH"  # environment variable: the descriptor of the kernel's end
MARK = "JUPYTER_PIPELINES_KERNEL"
"""Environment variable that every process started by a kernel inherits: by it we find those that left its session."""


def install(shell: Any) -> None:
    """Set up ``shell``, the running InteractiveShell. Called for each client that connects."""
    _keep_outputs(shell.kernel)
    shell.kernel._execute_sleep = 0.0  # at the end of each cell; clients go by "idle", which comes behind all output
    if sys.platform == "win32" or getattr(shell, "_jupyter_pipelines", False):
        return
    shell._jupyter_pipelines = True
    shell.events.register("post_run_cell", settle_output)
    atexit.register(_finish_control, shell.kernel)  # runs before what ipykernel registered earlier
    _look_for_children_only_if_any(shell.kernel)
    descriptor = os.environ.pop(LEASH, None)
    if descriptor is not None:
        hold_leash(int(descriptor))


def stop_at_failure(shell: Any) -> None:
    """Run nothing any more behind a cell that has failed, however long it has been on its way.

    ipykernel lets go what reaches it while it clears its queues.
    """
    kernel = shell.kernel

    def abort(*_: object) -> None:
        kernel._aborting = True

    kernel._abort_queues = abort


def _keep_outputs(kernel: Any) -> None:
    """Have outputs wait for a slow client: libzmq drops what exceeds 1,000 messages. Affects open connections."""
    thread = getattr(kernel, "iopub_thread", None)
    if thread is not None and hasattr(thread, "schedule"):
        import zmq

        thread.schedule(lambda: thread.socket.setsockopt(zmq.SNDHWM, 0))  # a socket belongs to its thread


def settle_output(*_: object) -> None:
    """Wait until ipykernel's threads have taken what is in the pipes behind descriptors 1 and 2."""
    import array
    import fcntl
    import termios

    def is_waiting(pipe: int) -> bool:
        count = array.array("i", [0])
        fcntl.ioctl(pipe, termios.FIONREAD, count, True)
        return bool(count[0])

    streams = [(stream, getattr(stream, "_fid", None)) for stream in (sys.stdout, sys.stderr)]
    pipes = [pipe for _, pipe in streams if pipe is not None]
    deadline = time.monotonic() + 5
    while pipes and time.monotonic() < deadline:
        pipes = [pipe for pipe in pipes if is_waiting(pipe)]
        time.sleep(0.0002)  # lets the reading threads hand over what they have just read
    for stream, pipe in streams:
        if pipe is not None:
            stream.flush()


def _finish_control(kernel: Any) -> None:
    """Let the thread that was told to shut down finish what it says.

    ipykernel, ending, stops the thread that sends while this one may still be flushing to it, and then waits for ten
    seconds (seen in 7.4, one time in five).
    """
    thread = getattr(kernel, "control_thread", None)
    if thread is not None and getattr(kernel, "_shutdown_message", None) is not None:
        thread.join(1.0)


def _look_for_children_only_if_any(kernel: Any) -> None:
    """ipykernel, ending, loads psutil and looks at all processes of the machine for children that are still there."""
    terminate = getattr(kernel, "_progressively_terminate_all_children", None)
    if terminate is None:
        return

    async def terminate_if_any() -> None:
        if _has_children():
            await terminate()

    kernel._progressively_terminate_all_children = terminate_if_any


def _has_children() -> bool:
    """Whether this process has child processes; also true where the system does not say so at once."""
    try:
        for task in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{task}/children") as children:
                if children.read():
                    return True
    except OSError:
        return True
    return False


def hold_leash(descriptor: int, adopt: Callable[[dict[str, Any]], None] | None = None) -> None:
    """Watch the socket ``descriptor`` from a thread that no code of the notebook sees."""
    os.set_inheritable(descriptor, False)
    _thread.start_new_thread(_watch, (descriptor, adopt, os.environ.get(MARK, "")))


def _watch(descriptor: int, adopt: Callable[[dict[str, Any]], None] | None, mark: str) -> None:
    try:
        with open(descriptor, "rb", buffering=0, closefd=False) as leash:
            pending = b""
            while chunk := leash.read(1 << 16):
                pending += chunk
                while b"\n" in pending:
                    line, _, pending = pending.partition(b"\n")
                    if adopt is not None:
                        adopt(json.loads(line))
                        os.write(descriptor, b"ok\n")
    except OSError:
        pass
    if mark and sys.platform == "linux":
        for pid in marked_processes(os.getpid(), mark):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


def marked_processes(session: int, mark: str) -> Iterator[int]:
    """The processes, other than ours, of a session or with a mark in their environment (Linux).

    A mark begins with the time, in the system's ticks, before which no process can have it.
    """
    own = os.getpid()
    began, variable = int(mark.partition("-")[0]), f"{MARK}={mark}".encode()
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == own:
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                # The command's name may hold anything, so fields are counted from its closing parenthesis.
                fields = file.read().rpartition(b")")[2].split()
            if fields[0] in b"ZX":
                continue
            if int(fields[3]) == session:
                yield int(name)
            elif int(fields[19]) >= began:
                with open(f"/proc/{name}/environ", "rb") as file:
                    if variable in file.read().split(b"\0"):
                        yield int(name)
        except (OSError, IndexError):
            continue  # gone in the meantime, or another user's
