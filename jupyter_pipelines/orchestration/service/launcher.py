"""``python -m jupyter_pipelines.orchestration.service.launcher HOME``: the process that runs are forked from.

It has Prefect and the flow loaded, and has started nothing: one thread, no connection. Starting an interpreter that has
as much loaded takes seconds, forking this one milliseconds, and what they have in common is in memory once. Linux only.
The worker is forked from it, too. What was forked lives on when this process is killed; told to stop, it stays until
the last run has ended.

One process is kept a step ahead: the spare has read its settings and has kernels made ready, for the notebook that is
about to run or the one that ran last, and becomes the next run. It goes when none has come for a while.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import selectors
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from jupyter_pipelines.orchestration.service.flow_run import MARK, prepare
from jupyter_pipelines.orchestration.service.forgiving import make_output_forgiving
from jupyter_pipelines.orchestration.service.launch import FLOW_RUN

PRELOAD = (
    "prefect.engine",
    "prefect.flow_engine",
    "prefect.task_engine",
    "prefect.task_runners",
    "prefect.events.clients",
    "prefect.logging.handlers",
    "prefect._internal.metrics",
    "prefect.workers.process",
    "jupyter_pipelines.orchestration.flow",
    "jupyter_pipelines.execution.steps",
    "papermill.engines",  # before our engine, which it loads by itself
    "jupyter_pipelines.execution.engine",
    "jupyter_pipelines.execution.kernels.provisioner",
    "jupyter_pipelines.orchestration.service.worker",
    "jupyter_pipelines.orchestration.service.flow_run",
    # What Prefect, jupyter_client and our command line load only when a run is there.
    "IPython.display",
    "anyio._backends._asyncio",
    "fastapi",
    "graphviz",
    "ipykernel.kernelspec",
    "jupyter_pipelines.cli.commands.run",
    "jupyter_pipelines.cli.forked",
    "rich._emoji_codes",
)
RUNS = (FLOW_RUN, "jupyter_pipelines.cli.forked")  # modules that a spare can become
REQUEST_SECONDS = 2.0  # for a request to arrive whole
SPARE_AFTER = 3.0  # seconds after a run began that the next spare is made: the run has the processors first
SPARE_SECONDS = 120.0  # that a spare waits for a run
EXPECT = b"e"  # begins what a spare is told of another run than it has prepared for


@dataclass
class Spare:
    """A process that waits to be told which run it is."""

    pid: int
    control: socket.socket
    until: float  # of the monotonic clock
    run: dict[str, Any]  # what it has prepared for


class Launcher:
    """Forks a process for each request that comes in at ``path``, and tells who asked how it ended."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._path = path
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        self._selector = selectors.DefaultSelector()
        self._ended, wake = os.pipe()
        for descriptor in (self._ended, wake):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, self._note)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._jobs: dict[int, tuple[socket.socket, str]] = {}  # by process: who asked, and the run's id
        self._draining = False
        self._spare: Spare | None = None
        self._last_run: dict[str, Any] | None = None
        self._next_spare: tuple[float, dict[str, Any]] | None = None  # when, and for which run
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._ended, selectors.EVENT_READ)
        self._selector.register(0, selectors.EVENT_READ)  # the service's leash

    def serve(self) -> None:
        """Serve until told to stop, and then until the last process has ended."""
        while not (self._draining and not self._jobs):
            for key, _ in self._selector.select(self._wait()):
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fd == self._ended:
                    os.read(self._ended, 512)
                elif key.fd == 0:
                    if not os.read(0, 512):
                        self._selector.unregister(0)
                        self._drain()
                elif isinstance(key.fileobj, socket.socket):
                    self._left(key.fileobj)
            self._reap()
            self._look_after_spare()

    def _note(self, number: int, _: object) -> None:
        if number == signal.SIGTERM:
            self._drain()

    def _drain(self) -> None:
        if not self._draining:
            self._draining = True
            self._selector.unregister(self._listener)
            self._listener.close()
            self._path.unlink(missing_ok=True)
            self._next_spare = None
            self._dismiss_spare()

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        descriptors: list[int] = []
        try:
            connection.settimeout(REQUEST_SECONDS)
            _, descriptors, _, _ = socket.recv_fds(connection, 1, 3)
            request = json.loads(_line(connection))
            if "expect" in request:
                self._expect(request["expect"])
                connection.close()
                return
            _check_peer(connection)
            pid = self._hand_over(request, descriptors) or self._fork(lambda: _become(request, descriptors))
            if request["module"] == FLOW_RUN and self._last_run is not None and not self._draining:
                self._next_spare = time.monotonic() + SPARE_AFTER, self._last_run
            connection.sendall(b"%d\n" % pid)
            self._jobs[pid] = connection, request["env"].get("PREFECT__FLOW_RUN_ID", "")
            self._selector.register(connection, selectors.EVENT_READ)
        except (OSError, ValueError, RuntimeError):
            traceback.print_exc()
            connection.close()  # who asked starts an interpreter instead
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _fork(self, become: Callable[[], int]) -> int:
        threads = len(os.listdir("/proc/self/task"))
        if threads != 1:
            raise RuntimeError(f"{threads} threads: forking is not sound")
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._selector.close()
            self._listener.close()
            for connection, _ in self._jobs.values():
                connection.close()
            if self._spare is not None:
                self._spare.control.close()
            gc.enable()
            code = become()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    def _expect(self, run: dict[str, Any]) -> None:
        """A run with these parameters is about to be asked for."""
        self._next_spare = None
        self._last_run = run
        if self._draining:
            return
        if self._spare is not None and self._spare.run == run:
            self._spare.until = time.monotonic() + SPARE_SECONDS
        elif self._spare is None or not self._tell_spare(self._spare, run):
            self._make_spare(run)

    def _make_spare(self, run: dict[str, Any]) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)

        def become() -> int:
            ours.close()
            return _wait_as_spare(theirs, run)

        pid = self._fork(become)
        theirs.close()
        self._spare = Spare(pid, ours, time.monotonic() + SPARE_SECONDS, run)

    def _tell_spare(self, spare: Spare, run: dict[str, Any]) -> bool:
        """Have the spare prepare for another run than it has; says whether it could be told."""
        try:
            spare.control.settimeout(0)
            spare.control.sendall(EXPECT + json.dumps(run).encode() + b"\n")
        except OSError:
            self._dismiss_spare()
            return False
        spare.run, spare.until = run, time.monotonic() + SPARE_SECONDS
        return True

    def _hand_over(self, request: dict[str, Any], descriptors: list[int]) -> int:
        """Have the spare become the run that is asked for; returns its process, 0 when it cannot."""
        spare = self._spare
        if spare is None or request["module"] not in RUNS:
            return 0
        self._spare = None
        try:
            spare.control.settimeout(REQUEST_SECONDS)
            socket.send_fds(spare.control, [b"\n"], descriptors)
            spare.control.sendall(json.dumps(request).encode() + b"\n")
            if spare.control.recv(1) != b"y":
                raise OSError("the spare has ended")
        except OSError:
            with contextlib.suppress(ProcessLookupError):
                os.kill(spare.pid, signal.SIGKILL)  # else it might still become this run, beside another
            return 0
        finally:
            spare.control.close()
        return spare.pid

    def _dismiss_spare(self) -> None:
        if self._spare is not None:
            self._spare.control.close()
            self._spare = None

    def _look_after_spare(self) -> None:
        now = time.monotonic()
        if self._spare is not None and now > self._spare.until:
            self._dismiss_spare()
        if self._next_spare is not None and now > self._next_spare[0]:
            run, self._next_spare = self._next_spare[1], None
            if self._spare is None:
                with contextlib.suppress(OSError, RuntimeError):
                    self._make_spare(run)

    def _wait(self) -> float | None:
        """Seconds until something is to be done."""
        times = [self._spare.until] if self._spare is not None else []
        times += [self._next_spare[0]] if self._next_spare is not None else []
        return max(0.01, min(times) - time.monotonic()) if times else None

    def _left(self, connection: socket.socket) -> None:
        """Who asked for a process is gone, which means that it shall end."""
        with contextlib.suppress(OSError):
            if connection.recv(1):
                return
        self._selector.unregister(connection)
        for pid, (other, _) in self._jobs.items():
            if other is connection:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            connection, run = self._jobs.pop(pid, (None, ""))
            if self._spare is not None and self._spare.pid == pid:
                self._dismiss_spare()
            if run:
                kill_run(run)
            if connection is not None:
                with contextlib.suppress(KeyError):
                    self._selector.unregister(connection)
                with contextlib.suppress(OSError):
                    connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
                connection.close()


def kill_run(run: str, *, itself: bool = False) -> None:
    """Kill every process that the run with this id has started, wherever it has gone.

    With ``itself`` also the one that stands for it to Prefect's worker, by whose end it ends.
    """
    from jupyter_pipelines.execution.kernels.processes import kill_all

    kill_all(lambda: _processes(f"{MARK}={run}".encode()))
    if itself:
        kill_all(lambda: _processes(f"PREFECT__FLOW_RUN_ID={run}".encode()))


def _processes(mark: bytes) -> Iterator[int]:
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
                if mark in file.read().split(b"\0"):
                    yield int(name)


def _become(request: dict[str, Any], descriptors: list[int], *, ready: bool = False) -> int:
    """Be the process that is asked for, until its end; returns its exit code."""
    import atexit
    import threading

    for target, descriptor in enumerate(descriptors):
        os.dup2(descriptor, target)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["directory"])
    time.tzset()
    if not ready:
        _read_settings()
    code = 0
    try:
        import_module(request["module"]).main(Path(request["home"]), *request["arguments"])
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    with contextlib.suppress(BaseException):
        threading._shutdown()  # type: ignore[attr-defined]  # as an interpreter does before it ends
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    return code


def _wait_as_spare(control: socket.socket, run: dict[str, Any]) -> int:
    """Prepare for ``run``, then become whichever run is asked for first."""
    _read_settings()
    prepare(run)
    while True:
        kind, descriptors, _, _ = socket.recv_fds(control, 1, 3)
        if kind != EXPECT:
            break
        prepare(json.loads(_line(control)))
    if not descriptors:
        return 0  # none came
    request = json.loads(_line(control))
    control.sendall(b"y")
    control.close()
    return _become(request, descriptors, ready=True)


def _read_settings() -> None:
    """Have Prefect take its settings from the environment as it is now."""
    from prefect.context import refresh_global_settings_context
    from prefect.logging.configuration import setup_logging

    refresh_global_settings_context()
    setup_logging(incremental=False)


def _check_peer(connection: socket.socket) -> None:
    """Raise :class:`OSError` when who asked has given up: then it has started an interpreter instead."""
    if select.select([connection], [], [], 0)[0] and not connection.recv(1, socket.MSG_PEEK):
        raise OSError("who asked for a process has given up")


def _line(connection: socket.socket) -> bytes:
    content = b""
    while not content.endswith(b"\n"):
        seen = connection.recv(1 << 16, socket.MSG_PEEK)
        if not seen:
            raise OSError("the request has ended early")
        content += connection.recv(seen.find(b"\n") + 1 or len(seen))  # what follows is the next one's
    return content


def main(home: Path) -> None:
    """Load, then serve."""
    from jupyter_pipelines.orchestration.service.home import ServiceHome

    make_output_forgiving()
    sys.modules["pyarrow"] = None  # type: ignore[assignment]  # papermill tries to load it, for HDFS: threads, and 40 MB
    for name in PRELOAD:
        import_module(name)
    del sys.modules["pyarrow"]
    _compile_schemas()
    path = ServiceHome(home).socket("launcher")
    assert path is not None, "the service has said where its sockets are before it starts us"
    gc.collect()
    gc.freeze()  # the collector must not touch, and thereby copy, what all have in common
    gc.disable()
    Launcher(path).serve()


def _compile_schemas() -> None:
    """Have nbformat make its validator now: it takes as long as running a small step."""
    from nbformat.v4 import new_notebook
    from nbformat.validator import normalize

    normalize(new_notebook(), strip_invalid_metadata=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
