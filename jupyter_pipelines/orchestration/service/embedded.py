"""Find the Prefect server to report to; start the embedded one when there is none, once, and leave it running.

With ``PREFECT_API_URL`` set nothing is ever started. Otherwise one server per home: on loopback, behind a generated
secret in a file only the owner can read, with its database, log and lock beside it.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from http.client import HTTPException
from pathlib import Path

from jupyter_pipelines.errors import ServiceError
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store.files import make_folder, read_json, write_atomically, write_json

START_TIMEOUT = 120.0  # seconds; a first start creates the database, on a slow disk that takes a while
POLL = 0.05  # seconds between two looks at a starting server


@dataclass(frozen=True)
class Endpoint:
    """Where the server answers. ``pid`` is 0 for a server that is not ours."""

    api_url: str
    auth: str = ""  # "user:secret", "" when the server wants none
    pid: int = 0

    def settings(self) -> dict[str, str]:
        """The Prefect settings that lead to this server, as environment variables."""
        found = {"PREFECT_API_URL": self.api_url}
        if self.auth:
            found["PREFECT_API_AUTH_STRING"] = self.auth
        return found

    def is_healthy(self) -> bool:
        """Whether the server answers, and lets us in."""
        request = urllib.request.Request(f"{self.api_url}/admin/version")
        if self.auth:
            request.add_header("Authorization", f"Basic {b64encode(self.auth.encode()).decode()}")
        try:
            with urllib.request.urlopen(request, timeout=2) as response:
                return bool(response.status == 200)
        except (OSError, HTTPException, ValueError):  # whatever else may listen there by now
            return False


def endpoint_of(settings: Settings) -> Endpoint | None:
    """The server in use: the configured one, or the embedded one if it runs. Does not start anything."""
    if url := os.environ.get("PREFECT_API_URL"):
        return Endpoint(url.rstrip("/"), os.environ.get("PREFECT_API_AUTH_STRING", ""))
    endpoint = _recorded(settings)
    return endpoint if endpoint is not None and endpoint.is_healthy() else None


def _recorded(settings: Settings) -> Endpoint | None:
    """The embedded server that was started last, whether it lives or not."""
    found = read_json(settings.home / "endpoint.json")
    if isinstance(found, dict):
        with suppress(TypeError):
            return Endpoint(**found)
    return None


def ensure_service(settings: Settings, say: Callable[[str], None] = lambda _: None) -> Endpoint:
    """The server in use, started when missing. ``say`` is told once what is being started.

    Several processes may call this at once: one starts the server, the others wait for it.
    Raises :class:`ServiceError` when no server can be had.
    """
    endpoint = endpoint_of(settings)
    if endpoint is not None:
        return endpoint
    try:
        make_folder(settings.home)
        lock = os.open(settings.home / "start.lock", os.O_CREAT | os.O_WRONLY, 0o600)
    except OSError as error:
        raise ServiceError(
            f"The folder {settings.home} cannot be used: {error.strerror}.",
            "Set JUPYTER_PIPELINES_HOME to a folder you may write.",
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        endpoint = endpoint_of(settings)
        starting = _recorded(settings)
        if endpoint is None and starting is not None and is_our_server(starting.pid):
            say("Waiting for the pipeline service, which is starting")
            endpoint = _wait_until_healthy(starting, settings.home / "logs" / "server.log")
        if endpoint is None:
            say("Starting the pipeline service (a few seconds the first time; it stays up for the next run)")
            endpoint = _start(settings)
        return endpoint
    finally:
        os.close(lock)


def stop_service(settings: Settings) -> bool:
    """Stop the embedded server; says whether there was one."""
    recorded = _recorded(settings)
    pid = recorded.pid if recorded is not None else 0
    (settings.home / "endpoint.json").unlink(missing_ok=True)
    if not pid or not is_our_server(pid):
        return False
    os.kill(pid, signal.SIGTERM)
    for _ in range(100):
        if not is_our_server(pid):
            return True
        time.sleep(POLL)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return True


def is_our_server(pid: int) -> bool:
    import psutil

    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and __package__ in " ".join(process.cmdline())
    except psutil.Error:
        return False


def _start(settings: Settings) -> Endpoint:
    port = _free_port()
    endpoint = Endpoint(f"http://127.0.0.1:{port}/api", _secret(settings.home / "secret"))
    logs = make_folder(settings.home / "logs") / "server.log"
    with open(logs, "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.server", str(settings.home), str(port)],
            env=_server_environment(settings, endpoint),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=settings.home,
            start_new_session=True,
        )
    endpoint = Endpoint(endpoint.api_url, endpoint.auth, process.pid)
    # At once: if we are killed while it starts, the next to come finds it, and waits for it.
    write_json(settings.home / "endpoint.json", asdict(endpoint))
    return _wait_until_healthy(endpoint, logs)


def _wait_until_healthy(endpoint: Endpoint, logs: Path) -> Endpoint:
    """Wait for a server that is starting. Raises :class:`ServiceError` when it ends, or takes too long."""
    deadline = time.monotonic() + START_TIMEOUT
    while not endpoint.is_healthy():
        if not is_our_server(endpoint.pid) or time.monotonic() > deadline:
            with suppress(ProcessLookupError):
                os.kill(endpoint.pid, signal.SIGKILL)
            raise ServiceError(
                f"The Prefect server did not start; its last words:\n{_tail(logs)}",
                f"Run `jupyter pipelines doctor`; the whole log is {logs}.",
            )
        time.sleep(POLL)
    return endpoint


def _server_environment(settings: Settings, endpoint: Endpoint) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_API_")}
    return environment | {
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_HOME": str(settings.home / "prefect"),
        "PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{settings.home / 'prefect.db'}",
        "PREFECT_SERVER_API_AUTH_STRING": endpoint.auth,
        "PREFECT_API_AUTH_STRING": endpoint.auth,
        "PREFECT_API_URL": endpoint.api_url,
        "PREFECT_UI_API_URL": endpoint.api_url,
        "PREFECT_LOGGING_SERVER_LEVEL": "WARNING",
        "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "5",
    }


def _secret(path: Path) -> str:
    """The server's secret, kept over restarts: runs that outlive a server must be able to report to the next."""
    if not path.exists():
        write_atomically(path, f"jupyter:{secrets.token_urlsafe(32)}".encode())
    return path.read_text()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _tail(path: Path, lines: int = 8) -> str:
    with suppress(OSError):
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    return ""
