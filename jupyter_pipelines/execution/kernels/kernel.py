"""One running kernel: started in its own directory and environment, watched, and ended with all it started."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from string import Template
from typing import IO, TYPE_CHECKING, Any

from jupyter_pipelines.execution.kernels import inside
from jupyter_pipelines.execution.kernels.processes import (
    MARK,
    describe_exit,
    kill_tree,
    new_mark,
    temporary_folder,
    wait_for_exit,
)

if TYPE_CHECKING:
    from jupyter_client.asynchronous.client import AsyncKernelClient
    from jupyter_client.manager import AsyncKernelManager

    from jupyter_pipelines.execution.kernels.provisioner import WarmProvisioner

logger = logging.getLogger(__name__)

POLITE_SECONDS = 2.0
"""How long a kernel may take to end by itself, so that what it does at exit (flush files, remove its own) is done."""

_LOG_LIMIT = 4_000_000  # bytes

_PREPARE = f"""
import importlib.util, sys
module = sys.modules.get({inside.NAME!r})
if module is None:
    spec = importlib.util.spec_from_file_location({inside.NAME!r}, {inside.__file__!r})
    module = sys.modules[{inside.NAME!r}] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
module.install(get_ipython())
module.stop_at_failure(get_ipython())
"""
_PREPARE = f"(lambda: exec({_PREPARE!r}, {{'get_ipython': get_ipython}}))()"  # leaves no name behind

_DEFAULTS = {
    "PYTHONHASHSEED": "0",
    "OMP_WAIT_POLICY": "PASSIVE",
    "OPENBLAS_THREAD_TIMEOUT": "20",  # 2 ** 20 cycles of the processor: less than a millisecond
}
"""What the environment of kernels has where neither our own nor the request's says otherwise."""

_SOCKET_PATH_LIMIT = 90  # of about 104 bytes in all; names are added


@dataclass(frozen=True)
class KernelRequest:
    """Which kernel is wanted.

    ``env`` is added to our own environment. ``imports`` are the import statements of the notebook's setup cells: a
    ready kernel that has done them already is taken when there is one.
    """

    kernel_name: str
    directory: Path
    env: Mapping[str, str] = field(default_factory=dict)
    imports: tuple[str, ...] = ()


class KernelStartError(Exception):
    """A kernel that is not installed or did not come up. The message is for users; ``fix`` says what to do."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


class Kernel:
    """A running kernel, its process tree and its files. Belongs to the event loop it was started in."""

    def __init__(self, manager: AsyncKernelManager, files: Path, log: IO[bytes], mark: str) -> None:
        self.manager = manager
        self._files = files
        self._log = log
        self._mark = mark
        self._pid: int = 0
        self._client: AsyncKernelClient | None = None
        self.exit_status: int | None = None
        self.language_info: dict[str, object] = {}

    @classmethod
    async def start(cls, request: KernelRequest) -> Kernel:
        """Start the kernel ``request`` asks for. Returns before it answers; see :meth:`connect`.

        Raises :class:`KernelStartError` for an unknown kernel or one whose command cannot be run.
        """
        manager = _manager(request.kernel_name or "python3")
        mark = new_mark()
        files = temporary_folder()
        kernel = cls(manager, files, tempfile.TemporaryFile("a+b"), mark)  # noqa: SIM115 - closed by _forget
        try:
            manager.connection_file = str(files / "kernel.json")
            if _is_ipykernel(manager) and sys.platform != "win32" and len(str(files)) < _SOCKET_PATH_LIMIT:
                # Sockets in a folder of ours: nobody else on this host can listen, and no two kernels get one port.
                manager.transport = "ipc"
            if _is_ipykernel(manager):
                manager.provisioner = _provisioner(manager, request)
            await _start(
                manager,
                cwd=str(request.directory),
                env={**_environment(request), MARK: mark},
                stdout=kernel._log,
                stderr=kernel._log,
                # As nbclient does: kernels side by side must not wait for each other's history database.
                extra_arguments=["--HistoryManager.hist_file=:memory:"] if _is_ipykernel(manager) else [],
            )
        except BaseException as error:
            kernel._forget()
            if isinstance(error, (OSError, RuntimeError, ModuleNotFoundError)):
                raise KernelStartError(*_explain_launch(manager, request, error)) from error
            raise
        kernel._pid = getattr(manager.provisioner, "pid", 0) or 0
        ready = getattr(manager.provisioner, "ready", None)
        if ready is not None:
            kernel._log.close()
            kernel._log, kernel._mark = ready.log, ready.mark
        return kernel

    async def connect(self) -> AsyncKernelClient:
        """Wait until the kernel answers and its output channel reaches us; return the client.

        Waits for messages only, never for time to pass. Raises :class:`KernelStartError` when the kernel ends first.
        """
        import zmq

        assert self.manager.context is not None
        # Outputs come in bursts; libzmq's default drops what exceeds 1,000 messages.
        self.manager.context.setsockopt(zmq.RCVHWM, 100_000)
        client = self._client = self.manager.client()
        client.start_channels(shell=True, iopub=True, stdin=False, hb=False, control=True)
        client.allow_stdin = False
        greeting = asyncio.ensure_future(self._greet(client))
        ended = asyncio.ensure_future(self.wait_for_exit())
        try:
            await asyncio.wait({greeting, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not greeting.done():
                raise KernelStartError(*self._explain_death())
            greeting.result()
        finally:
            greeting.cancel()
            ended.cancel()
        return client

    async def _greet(self, client: AsyncKernelClient) -> None:
        """Wait for a reply on the shell channel, unless the kernel is known to be up, and for anything at all on the
        output channel (newer kernels send a welcome)."""
        ready = getattr(self.manager.provisioner, "ready", None)
        if ready is not None and ready.welcomes:  # it has said what it is, and is prepared
            self.language_info = ready.language_info
        else:
            client.kernel_info()
            while (reply := await client.get_shell_msg())["msg_type"] != "kernel_info_reply":
                pass
            self.language_info = reply["content"].get("language_info", {})
        connected = False
        while not connected:
            try:
                await client.get_iopub_msg(timeout=0.2)
                connected = True
            except Empty:  # an older kernel, whose output channel was not yet connected: have it say something
                client.kernel_info()
        if (ready is None or not ready.welcomes) and _is_ipykernel(self.manager):
            client.execute(_PREPARE, silent=True, store_history=False)  # of the connections that are there by now

    @property
    def stops_at_failure(self) -> bool:
        """Whether nothing runs any more behind a cell that has failed, also if it was sent before."""
        return _is_ipykernel(self.manager)

    async def wait_for_exit(self) -> None:
        """Return when the kernel's process has ended."""
        await wait_for_exit(self._pid, self._is_running)

    def _is_running(self) -> bool:
        process = getattr(self.manager.provisioner, "process", None)
        return process is not None and process.poll() is None

    def describe_exit(self) -> str:
        """How the process ended, e.g. ``signal 9, SIGKILL``."""
        process = getattr(self.manager.provisioner, "process", None)
        if process is not None and self.exit_status is None:
            with contextlib.suppress(Exception):
                self.exit_status = process.wait(timeout=1)
                self.exit_status = getattr(process, "status", self.exit_status)
        return describe_exit(self.exit_status)

    def last_words(self, lines: int = 8) -> str:
        """The last lines the process itself wrote to its standard output and error."""
        self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, self._log.tell() - 8192))
        text = self._log.read().decode(errors="replace")
        return "\n".join([line for line in text.splitlines() if line.strip()][-lines:])

    def trim_log(self) -> None:
        """Keep what the process writes from filling the disk: only its last words are of use."""
        if os.fstat(self._log.fileno()).st_size > _LOG_LIMIT:
            self._log.truncate(0)

    async def ask_to_end(self) -> None:
        """Let the kernel end by itself, so that files are flushed and exit handlers run; for a bounded time."""
        if self._is_running():
            ended = asyncio.ensure_future(self.wait_for_exit())
            await self.manager.request_shutdown()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(ended, POLITE_SECONDS)

    async def stop(self) -> None:
        """Kill the kernel, if it still runs, and everything it started; remove its files."""
        try:
            ready = getattr(self.manager.provisioner, "ready", None)
            if ready is not None:
                ready.discard()
            elif self._pid:
                kill_tree(self._pid, self._mark)
            self.describe_exit()
        finally:
            if self._client is not None:
                self._client.stop_channels()
            with contextlib.suppress(Exception):
                if self.manager.provisioner is not None:
                    await self.manager.provisioner.wait()
                await self.manager.cleanup_resources()
            self._forget()

    def _forget(self) -> None:
        self._log.close()
        shutil.rmtree(self._files, ignore_errors=True)

    def _explain_death(self) -> tuple[str, str]:
        message = f"the kernel {self.manager.kernel_name!r} ended before it was ready ({self.describe_exit()})"
        if words := self.last_words():
            message += f"; its last words:\n{words}"
        return message, f"start it by hand to see more: jupyter console --kernel {self.manager.kernel_name}"


def _manager(kernel_name: str) -> AsyncKernelManager:
    from jupyter_client.kernelspec import NoSuchKernel
    from jupyter_client.manager import AsyncKernelManager

    manager = AsyncKernelManager(kernel_name=kernel_name)
    try:
        manager.kernel_spec  # noqa: B018 - reads the specification
    except NoSuchKernel:
        manager.context.destroy(linger=0)
        installed = sorted(manager.kernel_spec_manager.find_kernel_specs())
        raise KernelStartError(
            f"there is no kernel named {kernel_name!r} here; installed: {', '.join(installed) or 'none'}",
            "install that kernel, or choose an installed one in the notebook (Kernel > Change Kernel)",
        ) from None
    return manager


async def _start(manager: AsyncKernelManager, **options: Any) -> None:
    """As ``manager.start_kernel`` does it, without the 10 ms for which that sleeps so that tests can see it pending."""
    command, options = await manager._async_pre_start_kernel(**options)
    await manager._async_launch_kernel(command, **options)
    await manager._async_post_start_kernel(**options)


def _provisioner(manager: AsyncKernelManager, request: KernelRequest) -> WarmProvisioner:
    from jupyter_pipelines.execution.kernels.provisioner import WarmProvisioner

    identity = manager.kernel_id = uuid.uuid4().hex
    return WarmProvisioner(
        kernel_id=identity,
        kernel_spec=manager.kernel_spec,
        parent=manager,
        imports=request.imports,
        stops_at_failure=True,
    )


def prepare(request: KernelRequest, count: int = 1) -> None:
    """Have kernels for ``request`` made ready until ``count`` have been taken. Returns at once, never raises.

    The directory does not matter; environment and imports must be those of the requests that come.
    """
    from jupyter_pipelines.execution.kernels import pool

    try:
        manager = _manager(request.kernel_name or "python3")
        manager.context.destroy(linger=0)
        spec = manager.kernel_spec
        if spec is None or not _is_ipykernel(manager):
            return
        env = _environment(request)
        env.update({name: Template(value).safe_substitute(env) for name, value in spec.env.items()})
        kind = pool.Kind.of(spec.argv, env, request.imports)
        if kind is not None:
            pool.prepare(kind, count)
    except Exception:
        logger.info("No kernel is made ready for %r", request.kernel_name, exc_info=True)


def _environment(request: KernelRequest) -> dict[str, str]:
    """The kernel's environment: ours, the request's, one hash seed, and threads that wait asleep.

    Sets of strings have one order in one kernel. With a seed of its own in every kernel, two steps of a run could see
    two orders of the same set, which running the whole notebook never shows.

    Threads of OpenMP and OpenBLAS that wait for each other sleep: as they are, they keep the processors from those they
    wait for as soon as there are more threads than processors, as with two steps at once; those of OpenBLAS do so for a
    tenth of a second after they are made, too. Their number stays: results depend on it.
    """
    return {**_DEFAULTS, **os.environ, **request.env}


def _is_ipykernel(manager: AsyncKernelManager) -> bool:
    spec = manager.kernel_spec
    return spec is not None and spec.language.lower() == "python" and bool(manager.ipykernel)


def _explain_launch(manager: AsyncKernelManager, request: KernelRequest, error: BaseException) -> tuple[str, str]:
    if not request.directory.is_dir():
        return f"the working directory {request.directory} does not exist", "create it, or run from another directory"
    command = manager.kernel_spec.argv[0] if manager.kernel_spec else "?"
    return (
        f"the kernel {manager.kernel_name!r} could not be started: {error}",
        f"check that {command} exists; jupyter kernelspec list shows where the kernel is defined",
    )
