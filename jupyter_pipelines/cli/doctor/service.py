"""Checks of the Prefect server: it answers, and a schedule really makes a run.

The second is not the same as the first: with an SQLAlchemy that Prefect cannot work with, the server is healthy by its
own account and no scheduled run ever appears.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from jupyter_pipelines.cli.doctor.check import ProblemError

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.orchestration import SyncPrefectClient

PATIENCE = 30.0  # seconds; the embedded server looks for due schedules every 5
CONFIGURED_PATIENCE = 90.0  # a server with Prefect's defaults looks every 60


def service() -> str:
    """The embedded server starts, or the configured one answers."""
    from jupyter_pipelines.orchestration.service import ensure_service
    from jupyter_pipelines.settings import Settings

    endpoint = ensure_service(Settings.load(), lambda message: print(message, file=sys.stderr))
    if not endpoint.is_healthy():
        raise ProblemError(
            f"no Prefect server answers at {endpoint.api_url}",
            "check PREFECT_API_URL and PREFECT_API_AUTH_STRING, or unset them to use the embedded server",
        )
    return f"{endpoint.api_url} ({'embedded' if endpoint.pid else 'configured by PREFECT_API_URL'})"


def database() -> str:
    """The embedded server's database is whole, of a version that is installed, and backed up."""
    from jupyter_pipelines.orchestration.service import configured_endpoint
    from jupyter_pipelines.orchestration.service.database.files import DamagedDatabaseError, Database, check
    from jupyter_pipelines.orchestration.service.database.versions import refuse_newer
    from jupyter_pipelines.orchestration.service.home_format import refuse_later
    from jupyter_pipelines.settings import Settings

    home = Settings.load().home
    refuse_later(home)
    found = Database(home)
    if configured_endpoint() is not None or not found.path.exists():
        return "not in use"
    refuse_newer(home)
    try:
        check(found.path)
    except DamagedDatabaseError as damage:
        raise ProblemError(
            f"{found.path} is damaged: {damage}",
            "jupyter pipelines down, then up: the newest good backup takes its place; runs and schedules stand",
        ) from None
    if problem := str(found.noted().get("problem") or ""):
        raise ProblemError(problem, f"see {home / 'logs'}")
    size = found.path.stat().st_size / 1e6
    return f"whole, {size:.0f} MB, {len(found.backups())} backups in {found.folder}"


def launcher() -> str:
    """A process is forked from the launcher, as each run of the service is."""
    import subprocess

    from jupyter_pipelines.orchestration.service import service_status
    from jupyter_pipelines.orchestration.service.supervisor import launch_command
    from jupyter_pipelines.settings import Settings

    settings = Settings.load()
    deadline = time.monotonic() + PATIENCE
    while True:  # the service has been started just now, maybe
        status = service_status(settings)
        part = status.parts.get("launcher") if status is not None else None
        if part is None:
            return "there is none here: each run starts a Python of its own, which takes seconds"
        if part.state == "running" or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    began = time.monotonic()
    command = launch_command(settings.home, "jupyter_pipelines.orchestration.service.probe")
    said = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if said.stdout.strip() != str(part.pid):
        raise ProblemError(
            f"the launcher (process {part.pid}) forks nothing: each run starts a Python of its own",
            "see `jupyter pipelines logs`; `jupyter pipelines down` and `up` start it anew",
        )
    return f"forked a process in {1000 * (time.monotonic() - began):.0f} ms"


def worker() -> str:
    """The worker takes up a run that is handed to it, and the run completes."""
    import nbformat

    from jupyter_pipelines.orchestration import get_run, submit
    from jupyter_pipelines.orchestration.service import endpoint_of, works_for
    from jupyter_pipelines.settings import Settings
    from jupyter_pipelines.verification.scratch import scratch_store

    settings = Settings.load()
    endpoint = endpoint_of(settings)
    if endpoint is None or not endpoint.pid:
        works = endpoint is not None and works_for(settings, endpoint)
        return "works for the configured server" if works else "none here: `jupyter pipelines up` starts one"
    cell = nbformat.v4.new_code_cell("1", metadata={"tags": ["step:one"]})
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    with scratch_store() as folder:
        path = folder / "doctor.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": kernel}), path)
        asked = time.time()
        run = get_run(submit(path))
        while not run.ended and time.time() - asked < PATIENCE:
            time.sleep(0.2)
            run = get_run(run.id)
    if run.state != "completed":
        raise ProblemError(
            f"a run that was handed to it is {run.state} after {time.time() - asked:.0f} s {run.error}".strip(),
            "see `jupyter pipelines logs` and `jupyter pipelines status`",
        )
    return f"a run began {run.started - asked:.1f} s after it was asked for"


def schedule() -> str:
    """A deployment with an interval schedule gets a scheduled run. What is made for it is removed again."""
    from jupyter_pipelines.orchestration.service import ensure_service
    from jupyter_pipelines.settings import Settings

    endpoint = ensure_service(Settings.load())
    # Read when Prefect is imported, and by what it starts. Its own log is not what a doctor's patient wants to see.
    os.environ.update(endpoint.settings() | {"PREFECT_LOGGING_LEVEL": "CRITICAL"})
    from prefect.client.orchestration import get_client
    from prefect.settings import temporary_settings

    with temporary_settings(endpoint.settings()), get_client(sync_client=True) as client:
        patience = PATIENCE if endpoint.pid else CONFIGURED_PATIENCE
        began = time.monotonic()
        flow = client.create_flow_from_name("jupyter-pipelines-doctor")
        deployment = _deployment(client, flow)
        try:
            while time.monotonic() - began < patience:
                if _scheduled(client, deployment):
                    return f"the first run was scheduled after {time.monotonic() - began:.1f} s"
                time.sleep(0.5)
        finally:
            _remove(client, flow, deployment)
    raise ProblemError(
        f"the server is up, but within {patience:.0f} s it scheduled nothing",
        'most often the wrong SQLAlchemy: pip install "sqlalchemy<2.1", then stop the server so that it starts anew',
    )


def _deployment(client: SyncPrefectClient, flow: UUID) -> UUID:
    from prefect.client.schemas.actions import DeploymentScheduleCreate
    from prefect.client.schemas.schedules import IntervalSchedule

    every_hour = DeploymentScheduleCreate(schedule=IntervalSchedule(interval=timedelta(hours=1)), active=True)
    return client.create_deployment(flow_id=flow, name=f"doctor-{os.getpid()}", schedules=[every_hour], paused=False)


def _scheduled(client: SyncPrefectClient, deployment: UUID) -> list[UUID]:
    from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId

    wanted = DeploymentFilter(id=DeploymentFilterId(any_=[deployment]))
    return [run.id for run in client.read_flow_runs(deployment_filter=wanted, limit=200)]


def _remove(client: SyncPrefectClient, flow: UUID, deployment: UUID) -> None:
    client.pause_deployment(deployment)  # else the scheduler may add runs while we delete them
    for run in _scheduled(client, deployment):
        client.delete_flow_run(run)
    client.delete_deployment(deployment)
    client.delete_flow(flow)
