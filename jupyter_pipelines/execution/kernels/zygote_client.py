"""Our side of the processes that ready kernels come from; see ``zygote.py`` for theirs."""

from __future__ import annotations

import array
import contextlib
import json
import logging
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self

from jupyter_pipelines.execution.kernels.imports import shadowed
from jupyter_pipelines.execution.kernels.processes import MARK, kill_tree, new_mark, temporary_folder
from jupyter_pipelines.execution.kernels.zygote import QUIET

logger = logging.getLogger(__name__)

SCRIPT = Path(__file__).with_name("zygote.py")
IMPORT_SECONDS = 60.0  # for one module
BOOT_SECONDS = 30.0  # for one kernel


class RefusedError(Exception):
    """The zygote cannot be used; ``module`` is the import to blame, "" if it is none of them."""

    def __init__(self, module: str, why: str) -> None:
        super().__init__(f"{module or 'the process'}: {why}")
        self.module = module


class Zygote:
    """A running zygote. One thread at a time may use it: callers hold :attr:`lock`."""

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        modules: Sequence[str],
        is_unwanted: Callable[[], bool] = lambda: False,
    ) -> None:
        """Start it and wait until it has imported ``modules``.

        Raises :class:`RefusedError`, also when ``is_unwanted`` says so while it imports.
        """
        self.lock = threading.Lock()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._process = subprocess.Popen(
                [*command, str(SCRIPT), str(theirs.fileno()), *modules],
                env={**env, **QUIET},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        except OSError as error:
            self._control.close()
            raise RefusedError("", str(error)) from error
        finally:
            theirs.close()
        try:
            self._files, self._loaded = self._wait_until_ready(is_unwanted)
        except BaseException:
            self.close()
            raise
        self.began = time.monotonic()

    def _wait_until_ready(self, is_unwanted: Callable[[], bool]) -> tuple[dict[str, int], tuple[str, ...]]:
        importing = ""
        deadline = time.monotonic() + IMPORT_SECONDS
        while True:
            if not select.select([self._control], [], [], 0.1)[0] and time.monotonic() < deadline:
                if is_unwanted():
                    raise RefusedError("", "it is not wanted any more")
                continue
            message = self._receive(0)
            deadline = time.monotonic() + IMPORT_SECONDS
            if message is None:
                raise RefusedError(importing, "importing it ended the process or took too long")
            if "importing" in message:
                importing = message["importing"]
            elif "refused" in message:
                raise RefusedError(message["refused"], message["why"])
            else:
                return message["ready"]["files"], tuple(message["ready"]["loaded"])

    def fits(self, directory: Path) -> bool:
        """Whether a kernel of ours imports in ``directory`` what a new one would: nothing changed, nothing shadowed."""
        for path, changed in self._files.items():
            try:
                if os.stat(path).st_mtime_ns != changed:
                    return False
            except OSError:
                return False
        return not shadowed(directory, self._loaded)

    @property
    def memory(self) -> int:
        """Resident bytes."""
        try:
            with open(f"/proc/{self._process.pid}/statm") as file:
                return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, ValueError):
            return 0

    def fork(self) -> ReadyKernel:
        """A new kernel, up and waiting. Raises :class:`RefusedError`."""
        with _Parts() as parts:
            message = {"fork": str(parts.connection_file), "mark": {MARK: parts.mark}}
            with self.lock:
                try:
                    _send(self._control, message, [parts.log.fileno(), parts.theirs.fileno()])
                    reply = self._receive(BOOT_SECONDS)
                except OSError as error:
                    raise RefusedError("", str(error)) from error
            if reply is None or "pid" not in reply:
                raise RefusedError("", str(reply or "it has ended"))
            process: ForkedProcess = ForkedProcess(reply["pid"], self)
            return parts.become_ready(process, self)

    def status(self, pid: int) -> int | None:
        """How a kernel that has ended did so; ``None`` if that cannot be known any more."""
        with self.lock, contextlib.suppress(OSError):
            _send(self._control, {"status": pid}, [])
            reply = self._receive(1.0)
            if reply is not None:
                status: int | None = reply.get("status")
                return status
        return None

    def close(self) -> None:
        """End it. Kernels that were taken live on."""
        self._control.close()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()

    def _receive(self, seconds: float) -> dict[str, Any] | None:
        if not select.select([self._control], [], [], seconds)[0]:
            return None
        try:
            data = self._control.recv(1 << 22)
        except OSError:
            return None
        return json.loads(data) if data else None


class ForkedProcess:
    """The part of ``subprocess.Popen`` that jupyter_client uses, for a process that is not our child."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, zygote: Zygote) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.status: int | None = None  # as `returncode`, but None where it cannot be known
        self._zygote = zygote
        self._descriptor = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """The exit code once it has ended (negative: a signal; 0 also when it cannot be known), else ``None``."""
        if self.returncode is None and select.select([self._descriptor], [], [], 0)[0]:
            self._ended()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises :class:`subprocess.TimeoutExpired`."""
        if self.returncode is None:
            if not select.select([self._descriptor], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("kernel", timeout or 0.0)
            self._ended()
        assert self.returncode is not None
        return self.returncode

    def _ended(self) -> None:
        self.status = self._zygote.status(self.pid)
        self.returncode = self.status or 0
        os.close(self._descriptor)

    def send_signal(self, signum: int) -> None:
        """Send it a signal, if it still runs."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, signum)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


class ReadyKernel:
    """A kernel that is up, belongs to nobody yet, and waits to be told its directory and environment."""

    def __init__(
        self,
        process: ForkedProcess | subprocess.Popen[bytes],
        files: Path,
        log: IO[bytes],
        leash: socket.socket,
        mark: str,
        zygote: Zygote | None,
    ) -> None:
        self.process = process
        self.files = files
        self.log = log
        self.mark = mark
        self.zygote = zygote
        self.began = time.monotonic()
        self.language_info: dict[str, object] = {}
        self.welcomes = False  # whether its output channel says so when it is connected
        self._leash = leash

    @property
    def connection_file(self) -> Path:
        """Jupyter's connection file; it lies in ``files``, as do the sockets."""
        return self.files / "kernel.json"

    def adopt(self, directory: Path, env: Mapping[str, str], stops_at_failure: bool) -> bool:
        """Make it the kernel of a step; false when it is not fit for it. Takes about a millisecond."""
        if self.process.poll() is not None or (self.zygote is not None and not self.zygote.fits(directory)):
            return False
        message = {
            "directory": str(directory),
            "env": {**env, MARK: self.mark},
            "stops_at_failure": stops_at_failure,
        }
        try:
            self._leash.settimeout(5)
            self._leash.sendall(json.dumps(message).encode() + b"\n")
            return self._leash.recv(16) == b"ok\n"
        except OSError:
            return False

    def discard(self) -> None:
        """End it, unused or not, and remove its files. Once is enough."""
        if self.log.closed:
            return
        kill_tree(self.process.pid, self.mark)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=5)
        self.close()

    def close(self) -> None:
        """Let go of what we hold of it; it must have ended."""
        self._leash.close()
        self.log.close()
        shutil.rmtree(self.files, ignore_errors=True)


def start_single(command: Sequence[str], env: Mapping[str, str]) -> ReadyKernel:
    """An ordinary kernel, started ahead of need, up and waiting. Raises :class:`RefusedError`."""
    with _Parts() as parts:
        leash = parts.theirs.fileno()
        try:
            process = subprocess.Popen(
                [*command, str(SCRIPT), "--single", str(leash), str(parts.connection_file)],
                env={**env, MARK: parts.mark},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=parts.log,
                stderr=parts.log,
                pass_fds=[leash],
                start_new_session=True,
            )
        except OSError as error:
            raise RefusedError("", str(error)) from error
        return parts.become_ready(process, None)


class _Parts:
    """What a kernel needs besides a process; removed again unless it comes to one."""

    def __enter__(self) -> Self:
        from jupyter_client.connect import write_connection_file

        self.mark = new_mark()
        self.files = temporary_folder()
        self.log = tempfile.TemporaryFile("a+b")
        self.leash, self.theirs = socket.socketpair()
        self.connection_file = self.files / "kernel.json"
        write_connection_file(
            str(self.connection_file), transport="ipc", ip=str(self.files / "kernel-ipc"), key=uuid.uuid4().hex.encode()
        )
        self._kept = False
        return self

    def become_ready(self, process: ForkedProcess | subprocess.Popen[bytes], zygote: Zygote | None) -> ReadyKernel:
        self.theirs.close()
        ready = ReadyKernel(process, self.files, self.log, self.leash, self.mark, zygote)
        self._kept = True
        try:
            self.leash.settimeout(BOOT_SECONDS)
            said = json.loads(self.leash.recv(1 << 16))
        except (OSError, ValueError) as error:
            words = self._last_words()
            ready.discard()
            raise RefusedError("", f"a kernel did not come up: {words}") from error
        ready.language_info, ready.welcomes = said["language_info"], said["welcomes"]
        return ready

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            self.log.seek(0)
            return self.log.read()[-2000:].decode(errors="replace")
        return ""

    def __exit__(self, *_: object) -> None:
        self.theirs.close()
        if not self._kept:
            self.leash.close()
            self.log.close()
            shutil.rmtree(self.files, ignore_errors=True)


def _send(control: socket.socket, message: dict[str, Any], descriptors: Sequence[int]) -> None:
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    control.sendmsg([json.dumps(message).encode()], ancillary)
