"""``python -m jupyter_pipelines.orchestration.service.flow_run HOME``: one flow run, as Prefect's worker starts it."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from jupyter_pipelines.errors import PipelinesError
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store

MARK = "JUPYTER_PIPELINES_RUN"
"""Environment variable that all processes of a run inherit: by it those that are left at its end are found."""


def main(home: Path) -> None:
    """Run the flow run that ``PREFECT__FLOW_RUN_ID`` names: what ``prefect.engine`` does, less what we need not ask."""
    _write_to(home / "logs" / "runs.log")
    from prefect._internal.control_listener import configure_from_env
    from prefect.engine import handle_engine_signals
    from prefect.flow_engine import load_flow_run, run_flow
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    from jupyter_pipelines.orchestration.flow import run_pipeline

    configure_from_env()
    run_id = os.environ["PREFECT__FLOW_RUN_ID"]
    # Kernels inherit our environment: what they may not know, the server's secret first of all, has been read.
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        del os.environ[name]
    os.environ[MARK] = run_id
    # The flow's end would wait a second for Prefect's heartbeat; that a run was killed we see by its process.
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}), handle_engine_signals(UUID(run_id)):
        flow_run = load_flow_run(UUID(run_id))
        threading.Thread(target=prepare, args=(flow_run.parameters,), daemon=True).start()
        run_flow(run_pipeline, flow_run=flow_run, return_type="state")


def prepare(parameters: Mapping[str, Any]) -> None:
    """Have kernels made ready for a run with these parameters; returns at once."""
    from jupyter_pipelines.orchestration.loading import load_runnable
    from jupyter_pipelines.orchestration.model import RunRequest
    from jupyter_pipelines.orchestration.runs import prepare_kernels

    options = dict(parameters.get("options") or {})
    with contextlib.suppress(PipelinesError, KeyError):  # the run will say what is wrong
        store = Store(options.pop("store", None) or Settings.load().store)
        options.pop("asked", None)
        path = Path(parameters["notebook"])
        pipeline = load_runnable(store.get_notebook(parameters["version"]), path.name, store, {})
        prepare_kernels(pipeline, RunRequest(path, **options))


def _write_to(log: Path) -> None:
    """Nobody reads what we write, nor writes to us: Prefect's worker may restart meanwhile."""
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    written = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (written, 1), (written, 2)):
        os.dup2(source, target)
    for descriptor in {written, nothing} - {0, 1, 2}:
        os.close(descriptor)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
