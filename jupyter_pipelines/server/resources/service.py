"""The service: how it is, its logs, starting it."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

from jupyter_pipelines.server.refusals import RefusedError
from jupyter_pipelines.server.route import Answer, Call, Route
from jupyter_pipelines.server.schemas import choice, objects, reference, whole
from jupyter_pipelines.settings import Settings

PARTS = ("service", "server", "worker")
_READ = 256 * 1024  # bytes of a log that are looked at


def status(_: Call) -> object:
    """How the service is. A server that ``PREFECT_API_URL`` names is `configured`: only the parts beside it are."""
    return _status()


def _status() -> dict[str, object]:
    from jupyter_pipelines.orchestration.service import configured_endpoint, endpoint_of, service_status

    settings = Settings.load()
    configured = configured_endpoint()
    found = service_status(settings)
    since = found.since if found is not None else 0.0
    parts = found.parts.items() if found is not None else ()
    told = {name: {"state": part.state, "restarts": part.restarts} for name, part in parts}
    if configured is not None:
        state = "running" if configured.is_healthy() else "unreachable"
    elif found is None:
        state = "stopped"
    else:
        state = "running" if endpoint_of(settings) is not None else "starting"
    return {"state": state, "configured": configured is not None, "since": since, "parts": told}


def start(_: Call) -> object:
    """Start the service where it is missing; returns at once, an event tells when it is there."""
    from jupyter_pipelines.orchestration.service import start_service

    found = _status()
    if found["state"] != "stopped":
        return Answer(found, HTTPStatus.OK)
    start_service(Settings.load())
    return found | {"state": "starting"}


def log(call: Call) -> object:
    """The end of a log."""
    path = Path(Settings.load().home / "logs" / f"{call.query['part']}.log")
    try:
        with open(path, "rb") as file:
            file.seek(max(0, path.stat().st_size - _READ))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        message = "The service has never run, so there is no log."
        raise RefusedError(HTTPStatus.NOT_FOUND, message, "Start it.", "part") from None
    return {"lines": lines[-call.query["lines"] :]}


ROUTES = (
    Route("GET", "service", "How the service is", status, reference("Service")),
    Route(
        "POST",
        "service/start",
        "Start the service: 202 when it starts now, 200 when it is there already",
        start,
        reference("Service"),
        HTTPStatus.ACCEPTED,
        action="execute",
        slow=True,
    ),
    Route(
        "GET",
        "service/log",
        "The last lines of a log of the service",
        log,
        objects({"lines": {"type": "array", "items": {"type": "string"}}}, "lines"),
        query={"part": {**choice(*PARTS), "default": "service"}, "lines": whole(1, 1000, default=50)},
        action="execute",  # it tells what is nobody's business who may only look
    ),
)
