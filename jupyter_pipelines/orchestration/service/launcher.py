"""``python -m jupyter_pipelines.orchestration.service.launcher HOME``: the process that runs are forked from.

It has Prefect and the flow loaded, and has started nothing: one thread, no connection. Starting an interpreter that has
as much loaded takes seconds, forking this one milliseconds, and what they have in common is in memory once. Linux only.
The worker is forked from it, too. What was forked lives on when this process is killed; told to stop, it stays until
the last run has ended.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from jupyter_pipelines.orchestration.service.flow_run import MARK

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
    "papermill.engines",  # before our engine, which it loads
    "jupyter_pipelines.execution.engine",
    "jupyter_pipelines.execution.kernels.provisioner",
    "jupyter_pipelines.orchestration.service.worker",
    "jupyter_pipelines.orchestration.service.flow_run",
)
REQUEST_SECONDS = 2.0  # for a request to arrive whole


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
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._ended, selectors.EVENT_READ)
        self._selector.register(0, selectors.EVENT_READ)  # the service's leash

    def serve(self) -> None:
        """Serve until told to stop, and then until the last process has ended."""
        while not (self._draining and not self._jobs):
            for key, _ in self._selector.select():
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

    def _note(self, number: int, _: object) -> None:
        if number == signal.SIGTERM:
            self._drain()

    def _drain(self) -> None:
        if not self._draining:
            self._draining = True
            self._selector.unregister(self._listener)
            self._listener.close()
            self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        descriptors: list[int] = []
        try:
            connection.settimeout(REQUEST_SECONDS)
            _, descriptors, _, _ = socket.recv_fds(connection, 1, 3)
            request = json.loads(_line(connection))
            threads = len(os.listdir("/proc/self/task"))
            if threads != 1:
                raise RuntimeError(f"{threads} threads: forking is not sound")
            pid = os.fork()
            if pid == 0:
                self._become(request, descriptors)
            connection.sendall(b"%d\n" % pid)
            self._jobs[pid] = connection, request["env"].get("PREFECT__FLOW_RUN_ID", "")
            self._selector.register(connection, selectors.EVENT_READ)
        except (OSError, ValueError, RuntimeError):
            traceback.print_exc()
            connection.close()  # who asked starts an interpreter instead
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _become(self, request: dict[str, object], descriptors: list[int]) -> NoReturn:
        code = 1
        try:
            os.setsid()
            for target, descriptor in enumerate(descriptors):
                os.dup2(descriptor, target)
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._selector.close()
            os.closerange(3, 256)
            environment = request["env"]
            assert isinstance(environment, dict)
            os.environ.clear()
            os.environ.update(environment)
            os.chdir(str(request["directory"]))
            gc.enable()
            code = _run(str(request["module"]), str(request["home"]))
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

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
        while self._jobs:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            connection, run = self._jobs.pop(pid, (None, ""))
            if run:
                kill_run(run)
            if connection is not None:
                with contextlib.suppress(KeyError):
                    self._selector.unregister(connection)
                with contextlib.suppress(OSError):
                    connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
                connection.close()


def kill_run(run: str) -> None:
    """Kill every process that the run with this id has started, wherever it has gone."""
    for _ in range(5):
        found = list(_processes(f"{MARK}={run}".encode()))
        if not found:
            return
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def _processes(mark: bytes) -> Iterator[int]:
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
                if mark in file.read().split(b"\0"):
                    yield int(name)


def _run(module: str, home: str) -> int:
    import atexit
    import threading

    from prefect.context import refresh_global_settings_context
    from prefect.logging.configuration import setup_logging

    refresh_global_settings_context()
    setup_logging(incremental=False)
    sys.argv = [module, home]
    code = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
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


def _line(connection: socket.socket) -> bytes:
    content = b""
    while not content.endswith(b"\n"):
        part = connection.recv(1 << 16)
        if not part:
            raise OSError("the request has ended early")
        content += part
    return content


def main(home: Path) -> None:
    """Load, then serve."""
    from jupyter_pipelines.orchestration.fast_imports import make_imports_fast
    from jupyter_pipelines.orchestration.service.home import ServiceHome

    make_imports_fast()
    for name in PRELOAD:
        import_module(name)
    path = ServiceHome(home).socket("launcher")
    assert path is not None, "the service has said where its sockets are before it starts us"
    gc.collect()
    gc.freeze()  # the collector must not touch, and thereby copy, what all have in common
    gc.disable()
    Launcher(path).serve()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
