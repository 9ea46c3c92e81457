"""Where the Prefect server answers: the embedded one of a project home, or the one that is configured."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from base64 import b64encode
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store.files import read_json

BUSY = 503  # the answer of a server whose database is locked just now
BUSY_WAITS = (0.2, 0.5, 1.0)  # seconds before a request is sent again
UNREACHABLE = (OSError, HTTPException, ValueError)
"""What :meth:`Endpoint.call` raises when no Prefect server answers there; ``urllib.error.HTTPError`` is among them."""


_OF_OUR_SERVER = {
    # While it starts anew requests wait for it. When it is gone for good they need not: see `settling`.
    "PREFECT_CLIENT_MAX_RETRIES": "1",
    "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false",  # who has the secret is no stranger
    "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",
    # On loopback nothing is encrypted, yet each client reads all certificates there are: 20 ms, several times a run.
    "PREFECT_API_SSL_CERT_FILE": str(Path(__file__).with_name("no_authority.pem")),
}


@dataclass(frozen=True)
class Endpoint:
    """Where the server answers. ``pid`` is the process of our service, 0 for a server that is not ours."""

    api_url: str
    auth: str = ""  # "user:secret", "" when the server wants none
    pid: int = 0
    key: str = ""  # of Prefect Cloud

    def settings(self) -> dict[str, str]:
        """The Prefect settings that lead to this server, as environment variables."""
        found = {"PREFECT_API_URL": self.api_url}
        if self.auth:
            found["PREFECT_API_AUTH_STRING"] = self.auth
        if self.key:
            found["PREFECT_API_KEY"] = self.key
        return found | (_OF_OUR_SERVER if self.pid else {})

    def call(self, path: str, body: object = None, *, method: str = "", timeout: float = 5.0) -> object:
        """Send one request (POST when it has a body) and return the JSON of the answer.

        Plain HTTP, where loading Prefect's client would take longer than the request. Raises :data:`UNREACHABLE`.
        """
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.api_url + path, data, method=method or ("POST" if data else "GET"))
        request.add_header("Content-Type", "application/json")
        if self.auth:
            request.add_header("Authorization", f"Basic {b64encode(self.auth.encode()).decode()}")
        elif self.key:
            request.add_header("Authorization", f"Bearer {self.key}")
        for wait in (*BUSY_WAITS, None):
            try:
                with urllib.request.urlopen(request, timeout=timeout) as response:
                    content = response.read()
                    break
            except urllib.error.HTTPError as error:
                if error.code != BUSY or wait is None:
                    raise
                time.sleep(wait)
        return json.loads(content) if content else None

    def is_healthy(self) -> bool:
        """Whether the server answers, and lets us in."""
        try:
            self.call("/admin/version", timeout=2)
        except UNREACHABLE:  # whatever else may listen there by now
            return False
        return True


def configured_endpoint() -> Endpoint | None:
    """The server that ``PREFECT_API_URL`` or the active Prefect profile names; then we start none."""
    profile = _active_profile()
    url = os.environ.get("PREFECT_API_URL") or profile.get("PREFECT_API_URL")
    if not url:
        return None
    auth, key = (
        os.environ.get(name) or profile.get(name, "") for name in ("PREFECT_API_AUTH_STRING", "PREFECT_API_KEY")
    )
    return Endpoint(url.rstrip("/"), auth, key=key)


def recorded_endpoint(home: Path) -> Endpoint | None:
    """The embedded server that was started last, whether it lives or not."""
    found = read_json(home / "endpoint.json")
    if isinstance(found, dict):
        with suppress(TypeError):
            return Endpoint(**found)
    return None


def endpoint_of(settings: Settings) -> Endpoint | None:
    """The server in use: the configured one, or the embedded one if it runs. Does not start anything."""
    if (configured := configured_endpoint()) is not None:
        return configured
    endpoint = recorded_endpoint(settings.home)
    if endpoint is None or not (endpoint.pid or _is_served(settings.home)):
        return None  # a configured server is ours to use for as long as our service works for it
    return endpoint if endpoint.is_healthy() else None


def _is_served(home: Path) -> bool:
    from jupyter_pipelines.orchestration.service.home import ServiceHome

    return bool(ServiceHome(home).holder())


def _active_profile() -> dict[str, str]:
    """The settings of the Prefect profile that `prefect profile use` made the active one."""
    home = Path(os.environ.get("PREFECT_HOME") or "~/.prefect").expanduser()
    path = Path(os.environ.get("PREFECT_PROFILES_PATH") or home / "profiles.toml")
    if not path.is_file():
        return {}
    import tomllib

    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    profile = found.get("profiles", {}).get(os.environ.get("PREFECT_PROFILE") or found.get("active"), {})
    return {name: str(value) for name, value in profile.items()}
