"""The deployment of the flow: by it Prefect starts runs, here or wherever a worker of its pool is.

Plain HTTP: a request is made in milliseconds, where Prefect's client takes a second to load.
"""

from __future__ import annotations

import os
import shlex
import socket
import urllib.error
import uuid
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jupyter_pipelines.errors import RequestError, ServiceError
from jupyter_pipelines.orchestration.service.endpoint import UNREACHABLE, Endpoint
from jupyter_pipelines.orchestration.service.supervisor import launch_command
from jupyter_pipelines.settings import WORK_POOL, Settings

FLOW = "jupyter-pipeline"
DEPLOYMENT = "notebook"
STORE = "JUPYTER_PIPELINES_STORE"
JOB_VARIABLES = "JUPYTER_PIPELINES_JOB_VARIABLES"
ENTRYPOINT = "jupyter_pipelines.orchestration.flow.run_pipeline"  # with a colon Prefect would look for a file
SET_BACK = timedelta(hours=25)  # that a clock may be set back: more than daylight saving or a wrong zone come to

# What Prefect's process worker takes, in the form in which a work pool says it.
_VARIABLES = {
    "name": {"type": "string"},
    "command": {"type": "string"},
    "env": {"type": "object", "default": {}},
    "labels": {"type": "object", "default": {}},
    "working_dir": {"type": "string"},
    "stream_output": {"type": "boolean", "default": True},
}
_JOB_TEMPLATE = {
    "job_configuration": {name: f"{{{{ {name} }}}}" for name in _VARIABLES},
    "variables": {"type": "object", "properties": _VARIABLES},
}


def work_pool() -> str:
    """The name of the work pool that runs go to: ``JUPYTER_PIPELINES_WORK_POOL``, ``jupyter-pipelines`` by default."""
    return Settings.load().work_pool


def deployment_name() -> str:
    """What the deployment is called: one server may have several work pools, each needs its own."""
    return DEPLOYMENT if work_pool() == WORK_POOL else f"{DEPLOYMENT}-{work_pool()}"


def worker_name(home: Path) -> str:
    """What the worker of ``home`` is called in Prefect, where there may be many."""
    return f"jupyter-pipelines on {socket.gethostname()}, {zlib.crc32(os.fsencode(home)):08x}"


def create_run(endpoint: Endpoint, home: Path, name: str, parameters: dict[str, object], key: str = "") -> str:
    """Have Prefect start a run as soon as a worker can; returns its id. Raises :class:`ServiceError`.

    Runs that are asked for with the same ``key`` are one run.
    """
    body = {
        "name": name,
        "parameters": parameters,
        "enforce_parameter_schema": False,
        "idempotency_key": key or str(uuid.uuid4()),  # a request that is sent again makes no second run
    }
    if endpoint.pid:
        body["state"] = _long_due()
    try:
        try:
            deployment = _deployment(endpoint)
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            deployment = deploy(endpoint, home)
        made = endpoint.call(f"/deployments/{deployment}/create_flow_run", body, timeout=30)
    except UNREACHABLE as error:
        raise ServiceError(
            f"The Prefect server at {endpoint.api_url} did not take the run: {error}.",
            "See `jupyter pipelines status`.",
        ) from error
    return _id(made)


def deploy(endpoint: Endpoint, home: Path, *, create_pool: bool = False) -> str:
    """Create the deployment, or bring it up to date; returns its id. Raises :class:`ServiceError`.

    The work pool that it needs is created on the embedded server, and with ``create_pool`` on any.
    """
    ours = endpoint.pid != 0
    if ours or create_pool:
        pool = {"name": work_pool(), "type": "process", "base_job_template": _JOB_TEMPLATE}
        try:
            endpoint.call("/work_pools/", pool)
        except urllib.error.HTTPError as error:
            if error.code != 409:  # it is there
                raise
    try:
        deployment = {
            "name": deployment_name(),
            "flow_id": _id(endpoint.call("/flows/", {"name": FLOW})),
            "entrypoint": ENTRYPOINT,
            "work_pool_name": work_pool(),
            "job_variables": _job_variables(endpoint, home),
            "enforce_parameter_schema": False,
        }
        return _id(endpoint.call("/deployments/", deployment))
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
        raise ServiceError(
            f"The Prefect server at {endpoint.api_url} has no work pool {work_pool()!r}.",
            "`jupyter pipelines up` creates it and works for it on this machine; "
            "or name another in JUPYTER_PIPELINES_WORK_POOL.",
        ) from error


def kind_of_pool(endpoint: Endpoint) -> str:
    """What starts the runs of the work pool: "process" for a worker on some machine, "docker", …"""
    return str(_pool(endpoint).get("type", ""))


def _job_variables(endpoint: Endpoint, home: Path) -> dict[str, object]:
    """What the work pool's worker is told about our runs. Raises :class:`RequestError` for what the pool has not.

    Only on the embedded server is that about this machine. In a container the store is where it is here, unless it is
    said otherwise. Raises :data:`~jupyter_pipelines.orchestration.service.endpoint.UNREACHABLE`, too.
    """
    if endpoint.pid:
        return {"command": shlex.join(launch_command(home)), "working_dir": str(home), "stream_output": False}
    said = dict(Settings.load().job_variables)
    pool = _pool(endpoint)  # with a 404 where there is none
    template = pool.get("base_job_template")
    variables = template.get("variables") if isinstance(template, dict) else None
    known = variables.get("properties") if isinstance(variables, dict) else None
    names = set(known) if isinstance(known, dict) else set()
    if unknown := sorted(set(said) - names):
        raise RequestError(
            f"The work pool {work_pool()!r} has no job variable {unknown[0]!r}.",
            f"Name others in {JOB_VARIABLES}, or add it to the pool's template; it has {', '.join(sorted(names))}.",
        )
    if pool.get("type") == "process" or "env" not in names:
        return said
    env = said.get("env")
    return said | {"env": {STORE: Settings.load().store} | (env if isinstance(env, dict) else {})}


def _pool(endpoint: Endpoint) -> Mapping[str, object]:
    found = endpoint.call(f"/work_pools/{quote(work_pool(), safe='')}")
    return found if isinstance(found, dict) else {}


def _long_due() -> dict[str, object]:
    """The state of a run that is to start at once, also when the clock is set back before it does."""
    moment = datetime.now(UTC) - SET_BACK
    return {"type": "SCHEDULED", "name": "Scheduled", "state_details": {"scheduled_time": moment.isoformat()}}


def _deployment(endpoint: Endpoint) -> str:
    return _id(endpoint.call(f"/deployments/name/{FLOW}/{quote(deployment_name(), safe='')}"))


def _id(answer: Any) -> str:
    return str(answer["id"])
