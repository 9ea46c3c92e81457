"""Starting the service of a project home when it is missing, stopping it, and asking how it is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from jupyter_pipelines.errors import ServiceError
from jupyter_pipelines.orchestration.service.database.versions import refuse_newer
from jupyter_pipelines.orchestration.service.endpoint import (
    UNREACHABLE,
    Endpoint,
    configured_endpoint,
    endpoint_of,
    recorded_endpoint,
)
from jupyter_pipelines.orchestration.service.home import ServiceHome, ServiceStatus, require_locks
from jupyter_pipelines.orchestration.service.home_format import refuse_later
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store.files import make_folder

START_TIMEOUT = 120.0  # seconds; a first start creates the database, on a slow disk that takes a while
STOP_TIMEOUT = 15.0  # seconds after which a service that was asked to end is killed
_OF_A_RUN = {"JUPYTER_PIPELINES_RUN", "JUPYTER_PIPELINES_KERNEL"}  # processes that carry these end with their run
_ELSEWHERE = "Check PREFECT_API_URL, or the active Prefect profile; without them a server of our own is used."
HOPELESS = 3  # restarts of a worker that has not come up
POLL = 0.05  # seconds between two looks at a service that starts or stops


def ensure_service(settings: Settings, say: Callable[[str], None] = lambda _: None) -> Endpoint:
    """The server in use; the service is started when it is missing.

    ``say`` is told what is being started, and when its database turned out damaged.

    Several processes may call this at once: one service starts, all get it. Raises :class:`ServiceError` when no
    server can be had.
    """
    refuse_later(settings.home)
    home = ServiceHome(settings.home)
    endpoint = endpoint_of(settings)
    if endpoint is None:
        starter, began = None, time.time()
        if home.holder():
            say("Waiting for the pipeline service, which is starting")
        else:
            say("Starting the pipeline service (a few seconds the first time; it stays up for the next run)")
            starter = start_service(settings)
        endpoint = _wait_until_healthy(settings, starter)
        if happened := _happened_since(settings.home, began):
            say(happened)
    if endpoint.pid:
        home.note_store(settings.store)
    else:
        _require_address(endpoint)
    return endpoint


def _happened_since(home: Path, began: float) -> str:
    """What happened to the database since ``began``, in seconds since the epoch; ``""`` when nothing did."""
    from jupyter_pipelines.orchestration.service.database.keeping import describe

    found = describe(home)
    return str(found["event"]) if float(str(found["event_time"])) >= began else ""


def start_service(settings: Settings) -> subprocess.Popen[bytes]:
    """Start the service in the background, and return at once; where one runs already, the new one ends by itself."""
    home = ServiceHome(settings.home)
    require_locks()
    refuse_later(settings.home)
    refuse_newer(settings.home)
    try:
        make_folder(settings.home)
        log = home.open_log("service")
    except OSError as error:
        raise ServiceError(
            f"The folder {settings.home} cannot be used: {error.strerror}.",
            "Set JUPYTER_PIPELINES_HOME to a folder you may write.",
        ) from error
    with log:
        return subprocess.Popen(
            supervisor_command(settings),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={name: value for name, value in os.environ.items() if name not in _OF_A_RUN},
            cwd=settings.home,
            start_new_session=True,
        )


def works_for(settings: Settings, endpoint: Endpoint) -> bool:
    """Whether our service runs, and works for the server at ``endpoint``: its own, or one that is configured."""
    recorded = recorded_endpoint(settings.home)
    return bool(ServiceHome(settings.home).holder()) and recorded is not None and recorded.api_url == endpoint.api_url


def ensure_worker(settings: Settings, endpoint: Endpoint, say: Callable[[str], None] = lambda _: None) -> None:
    """Have our service work for the configured server at ``endpoint``; returns when its worker does.

    Raises :class:`ServiceError` when it works for another server, or does not start.
    """
    home = ServiceHome(settings.home)
    if not home.holder():
        require_answer(endpoint)
        say(f"Starting a worker for {endpoint.api_url}")
        start_service(settings)
    deadline = time.monotonic() + START_TIMEOUT
    while (status := service_status(settings)) is None or not works_for(settings, endpoint) or not _works(status):
        if status is not None and status.parts and not works_for(settings, endpoint):
            raise ServiceError(
                f"The service of {settings.home} runs already, and uses another server than {endpoint.api_url}.",
                "Stop it first: jupyter pipelines down",
            )
        hopeless = status is not None and any(part.restarts >= HOPELESS for part in status.parts.values())
        if hopeless or time.monotonic() > deadline:
            log = home.log("worker")
            raise ServiceError(f"The worker did not start; its last words:\n{_tail(log)}", f"The whole log is {log}.")
        time.sleep(POLL)


def _require_address(endpoint: Endpoint) -> None:
    """Raise :class:`ServiceError` unless a server could be there."""
    try:
        parts = urlsplit(endpoint.api_url)
        possible = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        possible = False
    if not possible:
        raise ServiceError(f"{endpoint.api_url!r:.200} is no address of a Prefect server.", _ELSEWHERE)


def require_answer(endpoint: Endpoint) -> None:
    """Raise :class:`ServiceError` unless the server is there, and lets us in."""
    _require_address(endpoint)
    try:
        endpoint.call("/admin/version")
    except urllib.error.HTTPError as error:
        if error.code not in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise ServiceError(f"The Prefect server at {endpoint.api_url} answers: {error}.", _ELSEWHERE) from error
        fix = "Set PREFECT_API_AUTH_STRING (or PREFECT_API_KEY) to what it asks for, or set it in the Prefect profile."
        raise ServiceError(f"The Prefect server at {endpoint.api_url} does not let us in: {error}.", fix) from error
    except UNREACHABLE as error:
        raise ServiceError(f"The Prefect server at {endpoint.api_url} does not answer: {error}.", _ELSEWHERE) from error


def _works(status: ServiceStatus) -> bool:
    worker = status.parts.get("worker")
    return worker is not None and worker.state == "running"


def start_missing_service(settings: Settings) -> bool:
    """Start the service in the background unless it runs, or a server is configured; says whether it was started.

    Raises :class:`ServiceError` where it cannot be.
    """
    if configured_endpoint() is not None or ServiceHome(settings.home).holder():
        return False
    start_service(settings)
    return True


def supervisor_command(settings: Settings) -> list[str]:
    """The command of the service's own process."""
    return [sys.executable, "-P", "-m", f"{__package__}.supervisor", str(settings.home)]


def stop_service(settings: Settings) -> bool:
    """Stop the service; says whether there was one. Runs that go on are left alone."""
    home = ServiceHome(settings.home)
    pid = home.holder()
    if pid == 0:
        return False
    deadline = time.monotonic() + STOP_TIMEOUT
    number = signal.SIGTERM
    while pid := home.holder():
        if pid > 0:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        if time.monotonic() > deadline:
            number = signal.SIGKILL
        time.sleep(POLL)
    return True


def service_status(settings: Settings) -> ServiceStatus | None:
    """What the service says of itself; ``None`` when it does not run."""
    home = ServiceHome(settings.home)
    pid = home.holder()
    if not pid:
        return None
    status = home.load_status()
    return status if status is not None and status.pid == pid else ServiceStatus(pid, "", 0.0)


def service_memory(status: ServiceStatus) -> int:
    """The memory of all processes of the service in bytes, shared pages counted once (where the system tells)."""
    import psutil

    total = 0
    roots = {status.pid, *(part.pid for part in status.parts.values())}
    seen: set[int] = set()
    for root in roots:
        with suppress(psutil.Error):
            process = psutil.Process(root)
            for found in [process, *process.children(recursive=True)]:
                if found.pid not in seen:
                    seen.add(found.pid)
                    memory = found.memory_full_info()
                    total += getattr(memory, "pss", memory.rss)
    return total


def _wait_until_healthy(settings: Settings, starter: subprocess.Popen[bytes] | None) -> Endpoint:
    """Wait for a service that is starting. Raises :class:`ServiceError` when it ends, or takes too long."""
    home = ServiceHome(settings.home)
    deadline = time.monotonic() + START_TIMEOUT
    while (endpoint := endpoint_of(settings)) is None:
        gone = not home.holder()
        if gone and starter is None:
            starter = start_service(settings)  # the one that was starting has died
        elif (gone and starter is not None and starter.poll() is not None) or time.monotonic() > deadline:
            log = home.log("server" if _tail(home.log("server")) else "service")
            raise ServiceError(
                f"The Prefect server did not start; its last words:\n{_tail(log)}",
                f"Run `jupyter pipelines doctor`; the whole log is {log}.",
            )
        time.sleep(POLL)
    return endpoint


def _tail(path: Path, lines: int = 8) -> str:
    with suppress(OSError):
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    return ""
