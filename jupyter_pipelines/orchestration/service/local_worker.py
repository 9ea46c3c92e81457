"""Prefect's own process worker, whose runs are forked from the launcher of this machine.

A deployment on the embedded server says so itself. One on another server is for workers on any machine, which have no
launcher, or another: there the worker says it, and only where nobody has asked for another command.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any, ClassVar

from prefect.workers.process import ProcessJobConfiguration, ProcessWorker

from jupyter_pipelines.orchestration.deployment import work_pool, worker_name
from jupyter_pipelines.orchestration.service.supervisor import launch_command

PREFETCH = 15.0  # seconds that a run which Prefect has scheduled is taken ahead of its time; it waits in its process


class _Launched(ProcessJobConfiguration):
    """How a run of ours is started here."""

    home: ClassVar[Path]

    def prepare_for_flow_run(self, *arguments: Any, **more: Any) -> None:
        if self.command is None:
            self.command = shlex.join(launch_command(self.home))
            self.working_dir = self.working_dir or self.home
            self.stream_output = False
        super().prepare_for_flow_run(*arguments, **more)


def local_worker(home: Path, max_runs: int) -> ProcessWorker:
    """The worker of ``home``, which has at most ``max_runs`` runs going on at once."""
    _Launched.home = home
    worker = ProcessWorker(work_pool(), name=worker_name(home), prefetch_seconds=PREFETCH, limit=max_runs)
    worker.job_configuration = _Launched
    return worker
