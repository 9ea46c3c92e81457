"""Runs that the service makes: handed over and left to it, followed by their records, cancelled."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from jupyter_pipelines.errors import RequestError, ServiceError
from jupyter_pipelines.orchestration.asking import Asked, place_of, put_on_record
from jupyter_pipelines.orchestration.deployment import create_run
from jupyter_pipelines.orchestration.history import get_run
from jupyter_pipelines.orchestration.model import RunOptions, RunRecord, RunRequest
from jupyter_pipelines.orchestration.recorder import is_alive
from jupyter_pipelines.orchestration.records import read_record
from jupyter_pipelines.orchestration.runs import prepare, resumption
from jupyter_pipelines.orchestration.service import endpoint_of, ensure_service
from jupyter_pipelines.orchestration.service.endpoint import UNREACHABLE, Endpoint
from jupyter_pipelines.orchestration.service.home import ServiceHome
from jupyter_pipelines.orchestration.service.wake import RUN_DUE, tell_worker
from jupyter_pipelines.orchestration.settling import end_cancelled, settle_runs
from jupyter_pipelines.orchestration.versions.identity import pipeline_of_document
from jupyter_pipelines.orchestration.versions.publishing import choose_source
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store
from jupyter_pipelines.typed import typed

CANCEL_SECONDS = 15.0  # that a run has to end by itself when it is cancelled
MOST_CANCEL_SECONDS = 60.0  # that whoever cancels a run waits for its end
TELL_AGAIN = 2.0  # seconds after which Prefect is asked whether it has stayed at that
POLL = 0.1  # seconds between two looks at its record


@typed
def submit(
    notebook: Path | str,
    parameters: Mapping[str, object] | None = None,
    *,
    version: str | None = None,
    only: str | None = None,
    from_step: str | None = None,
    until: str | None = None,
    reuse: bool = False,
    max_parallel: int | None = None,
    timeout: float | None = None,
    key: str = "",
    say: Callable[[str], None] = lambda _: None,
) -> str:
    """Have the service run the pipeline of ``notebook`` now, and return the run's id at once.

    The notebook is checked and frozen first, as for :func:`~jupyter_pipelines.orchestration.run`, which see; the run
    goes on whatever becomes of this process. Who submits again with the same ``key`` (a random text), because the
    answer was lost, gets the id of the first run. ``say`` is told when the service is being started. Raises
    :class:`RequestError`, :class:`NotebookError` or :class:`ServiceError`, and then nothing runs.
    """
    source, published = choose_source(notebook, version)
    request = RunRequest(
        notebook=source,
        parameters=parameters or {},
        only=only,
        from_step=from_step,
        until=until,
        reuse=reuse,
        max_parallel=max_parallel,
        timeout=timeout,
        published=published,
    )
    return submit_request(request, Settings.load(), key=own_key(key), say=say)


@typed
def submit_resume(run_id: str, *, notebook: Path | str | None = None, key: str = "") -> str:
    """Have the service continue a run that did not complete, and return the new run's id at once.

    It is continued as by :func:`~jupyter_pipelines.orchestration.resume`; ``key`` is as for :func:`submit`.
    """
    request, source = resumption(run_id, notebook)
    return submit_request(request, Settings.load(), key=own_key(key), source=source)


def own_key(key: str) -> str:
    """A key that is no occurrence's of a schedule or trigger, whatever people choose."""
    return f"submitted {key}" if key else ""


def submit_request(
    request: RunRequest,
    settings: Settings,
    endpoint: Endpoint | None = None,
    key: str = "",
    source: bytes | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> str:
    """Submit the run that is asked for; ``endpoint`` is the server in use, which is found unless given.

    A request with the ``key`` of an earlier one makes no second run: it returns the id of the first. ``source`` is
    what runs in place of the file. Raises as :func:`submit` does.
    """
    pipeline, frozen, values = prepare(request, settings, source)
    path = str(request.notebook.absolute())
    endpoint = endpoint or ensure_service(settings, say)
    options = _options(request, settings, local=bool(endpoint.pid))
    name = request.notebook.stem
    run: dict[str, object] = {"version": frozen, "notebook": path, "parameters": values, "options": options}
    _announce(settings, run)
    run = run | {"options": options | {"asked": time.time()}}
    run_id = create_run(endpoint, settings.home, name, run, key)
    steps = [step.name for step in pipeline.steps]
    store = Store(settings.store)
    called = pipeline_of_document(store, pipeline.document, path)
    record = RunRecord.pending(run_id, name, path, frozen, values, RunOptions(**options), steps, pipeline=called)
    put_on_record(store, record, Asked(name, run, key, place_of(endpoint, settings.home)))
    tell_worker(settings.home, RUN_DUE)
    return run_id


def announce_request(request: RunRequest, settings: Settings) -> None:
    """Have a process and kernels made ready for a run that is submitted soon. Raises as :func:`submit` does."""
    _, frozen, values = prepare(request, settings)
    options = _options(request, settings, local=True)
    path = str(request.notebook.absolute())
    _announce(settings, {"version": frozen, "notebook": path, "parameters": values, "options": options})


def _options(request: RunRequest, settings: Settings, *, local: bool) -> dict[str, Any]:
    """The options of the flow run; another machine's store is not where ours is."""
    return request.options() | ({"store": settings.store} if local else {})


@typed
def cancel(run_id: str) -> RunRecord:
    """Cancel a run, wherever it goes on, and wait for its end: its kernels and all they have started are killed.

    ``run_id`` may be the beginning of an id. Raises :class:`RequestError` when it has ended already, and
    :class:`ServiceError` when Prefect cannot be told.
    """
    record = get_run(run_id)
    if record.ended:
        raise RequestError(f"Run {record.id} has ended: {record.state}.", "There is nothing to cancel.")
    settings = Settings.load()
    endpoint = endpoint_of(settings)
    if endpoint is None:
        raise ServiceError("The pipeline service is not running.", "Start it: jupyter pipelines up --detach")
    return cancel_run(record, settings, endpoint)


def cancel_run(record: RunRecord, settings: Settings, endpoint: Endpoint) -> RunRecord:
    """Cancel a run that has not ended; see :func:`cancel`."""
    try:
        begun = _prefect_state(endpoint, record.id) not in {"SCHEDULED", "PENDING"}
        _set_prefect_state(endpoint, record.id, "CANCELLING" if begun else "CANCELLED")
    except UNREACHABLE as error:
        raise ServiceError(f"Prefect could not be told to cancel run {record.id}: {error}.") from error
    store = Store(settings.store)
    asked = told = time.monotonic()
    while record.state in {"pending", "running"}:
        waited = time.monotonic() - asked
        if time.monotonic() - told > TELL_AGAIN:
            told = time.monotonic()
            _tell_again(endpoint, record.id)
        if waited > MOST_CANCEL_SECONDS:
            raise ServiceError(
                f"Run {record.id} was told to end, and still goes on after {MOST_CANCEL_SECONDS:.0f} s.",
                "It may be on another machine. Look again: jupyter pipelines runs",
            )
        if waited > CANCEL_SECONDS:
            _kill(store, record.id)
            end_cancelled(store, endpoint, record.id)
        time.sleep(POLL)
        settle_runs(store, endpoint)
        record = read_record(store, record.id) or record
    return record


def _tell_again(endpoint: Endpoint, run_id: str) -> None:
    """Cancel a run once more which Prefect has let begin although it was cancelled."""
    with suppress(*UNREACHABLE):
        if _prefect_state(endpoint, run_id) in {"SCHEDULED", "PENDING", "RUNNING"}:
            _set_prefect_state(endpoint, run_id, "CANCELLING")


def _prefect_state(endpoint: Endpoint, run_id: str) -> str:
    found = endpoint.call(f"/flow_runs/{run_id}")
    return str(found.get("state_type")) if isinstance(found, dict) else ""


def _set_prefect_state(endpoint: Endpoint, run_id: str, kind: str) -> None:
    state = {"type": kind, "name": kind.capitalize(), "message": "cancelled on request"}
    endpoint.call(f"/flow_runs/{run_id}/set_state", {"state": state, "force": True})


def _kill(store: Store, run_id: str) -> None:
    """Kill a run of the service that does not end. A run in somebody's own process is not ours to kill."""
    from jupyter_pipelines.orchestration.service.launcher import kill_run

    process = (store.load_run(run_id) or {}).get("process")
    if sys.platform == "linux":
        kill_run(run_id, itself=True)
    elif isinstance(process, dict) and is_alive(process):
        with suppress(OSError):
            os.kill(int(process["pid"]), signal.SIGTERM)


def _announce(settings: Settings, run: Mapping[str, object]) -> None:
    """Tell the launcher which run is about to come, so that a process and kernels are made ready meanwhile."""
    path = ServiceHome(settings.home).socket("launcher")
    if path is not None:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as launcher:
            launcher.settimeout(0.2)
            launcher.connect(str(path))
            launcher.sendall(b"\n" + json.dumps({"expect": run}).encode() + b"\n")
