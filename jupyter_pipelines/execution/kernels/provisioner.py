"""A jupyter_client kernel provisioner that takes a ready kernel where there is one, and starts one where there is not.

Registered as ``jupyter-pipelines-warm``: a kernel specification that names it makes papermill, nbclient and everything
else on jupyter_client use ready kernels. Our engine uses it for every Python kernel.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from jupyter_pipelines.execution.kernels.inside import LEASH
from jupyter_pipelines.execution.kernels.pool import Kind, take
from jupyter_pipelines.execution.kernels.zygote_client import ForkedProcess, ReadyKernel

logger = logging.getLogger(__name__)


class WarmProvisioner(LocalProvisioner):
    """Local kernels, ready ones first.

    ``imports`` are the import statements that kernels should have done; a ready kernel that ``stops_at_failure`` runs
    nothing any more behind a cell that has failed.
    """

    imports: tuple[str, ...] = ()
    process: Any  # a Popen, or a ForkedProcess

    def __init__(self, *, imports: tuple[str, ...] = (), stops_at_failure: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.imports = imports
        self._stops_at_failure = stops_at_failure
        self.ready: ReadyKernel | None = None
        self._leash: socket.socket | None = None

    async def pre_launch(self, **options: Any) -> dict[str, Any]:
        """Take a ready kernel, or prepare to start one."""
        # The base class's part of this: it applies the environment of the kernel specification.
        prepared = await super(LocalProvisioner, self).pre_launch(**dict(options))
        directory = Path(prepared.get("cwd") or os.getcwd())
        try:
            self.ready = await asyncio.to_thread(self._take, directory, prepared["env"])
        except Exception:
            logger.warning("No ready kernel could be taken", exc_info=True)
        manager = self.parent
        if self.ready is None or manager is None:
            return await super().pre_launch(**options)
        manager.connection_file = str(self.ready.connection_file)
        manager.load_connection_file()
        self.connection_info = manager.get_connection_info()
        return {**prepared, "cmd": []}

    def _take(self, directory: Path, env: dict[str, str]) -> ReadyKernel | None:
        assert self.kernel_spec is not None
        kind = Kind.of(self.kernel_spec.argv, env, self.imports)
        return None if kind is None else take(kind, directory, env, stops_at_failure=self._stops_at_failure)

    async def launch_kernel(self, cmd: list[str], **options: Any) -> Any:
        """Use the ready kernel; without one, start the command on a leash (see ``inside.py``)."""
        if self.ready is not None:
            self.process = self.ready.process
            self.pid = self.pgid = self.process.pid
            self.cwd = options.get("cwd", Path.cwd())
            return self.connection_info
        if sys.platform == "win32":
            return await super().launch_kernel(cmd, **options)
        self._leash, theirs = socket.socketpair()
        with theirs:
            options["env"] = {**options["env"], LEASH: str(theirs.fileno())}
            return await super().launch_kernel(cmd, pass_fds=[theirs.fileno()], **options)

    async def wait(self) -> int | None:
        """Wait for the process's end."""
        if not isinstance(self.process, ForkedProcess):
            return await super().wait()
        while self.process.poll() is None:  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(0.005)
        status, self.process = self.process.returncode, None
        return status

    async def send_signal(self, signum: int) -> None:
        """Signal the kernel's process group; an interrupt is for the kernel alone if the group is gone."""
        if isinstance(self.process, ForkedProcess) and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.Signals(signum))
            return
        await super().send_signal(signum)

    async def cleanup(self, restart: bool = False) -> None:
        """Let go of what belongs to the kernel."""
        await super().cleanup(restart=restart)
        if self._leash is not None:
            self._leash.close()
            self._leash = None
        if self.ready is not None:
            ready, self.ready = self.ready, None
            ready.discard()
