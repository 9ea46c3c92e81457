"""The service: one for a home, whoever starts it and whoever is killed meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.orchestration.service import (
    Endpoint,
    configured_endpoint,
    endpoint_of,
    ensure_service,
    renewal,
    service_status,
    stop_service,
)
from jupyter_pipelines.settings import Settings

WriteNotebook = Callable[..., Path]

START = """
import sys
from pathlib import Path
from jupyter_pipelines.orchestration.service import ensure_service
from jupyter_pipelines.settings import Settings
home = Path(sys.argv[1])
print(ensure_service(Settings(home, str(home / "store"), 2)).pid, flush=True)
"""


def wait_until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Return when ``condition`` holds; fail when it does not come to that."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_start_that_is_killed_is_taken_over_and_nobody_starts_a_second_one(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "home", str(tmp_path / "store"), 2)
    command = [sys.executable, "-c", START, str(settings.home)]
    first = subprocess.Popen(command, stdout=subprocess.PIPE)
    while not (settings.home / "endpoint.json").exists():
        assert first.poll() is None
    first.send_signal(signal.SIGKILL)
    first.wait()
    try:
        others = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        said = [other.communicate()[0].strip() for other in others]
        assert said[0] == said[1]
        assert ensure_service(settings).pid == int(said[0])
        for path in settings.home.rglob("*"):
            if path.is_file():
                assert path.stat().st_mode & 0o077 == 0, path
    finally:
        assert stop_service(settings)
    assert endpoint_of(settings) is None
    assert service_status(settings) is None


def test_what_dies_is_started_again_at_the_same_address(service: Endpoint, store: Path, write: WriteNotebook) -> None:
    settings = Settings.load()
    status = service_status(settings)
    assert status is not None
    server = status.parts["server"]
    os.kill(server.pid, signal.SIGKILL)

    def is_back() -> bool:
        now = service_status(settings)
        return now is not None and now.parts["server"].restarts > server.restarts and service.is_healthy()

    wait_until(is_back)
    assert endpoint_of(settings) == service
    assert jp.run(write(("step:one", "x = 1"))).state == "completed"


def test_a_configured_server_is_used_and_nothing_is_started(tmp_path: Path, monkeypatch) -> None:
    settings = Settings(tmp_path / "home", str(tmp_path / "store"), 2)
    profiles = tmp_path / "profiles.toml"
    profiles.write_text('active = "ours"\n[profiles.ours]\nPREFECT_API_URL = "http://127.0.0.1:9/api/"\n')
    monkeypatch.setenv("PREFECT_PROFILES_PATH", str(profiles))
    assert ensure_service(settings) == configured_endpoint() == Endpoint("http://127.0.0.1:9/api")
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:10/api")
    assert ensure_service(settings).api_url == "http://127.0.0.1:10/api"
    assert not settings.home.exists()


def test_the_service_starts_anew_when_another_installation_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "EVERY", 0.0)
    seen: list[renewal.Stamp] = [((1, 1),), ((1, 1),), ((2, 2),), (), (), ((3, 3),), ((3, 3),)]
    looks = renewal.Renewal(lambda: seen.pop(0))
    said = [looks.is_due() for _ in range(6)]
    assert said == [False, False, False, False, False, True]  # while it is replaced, it is let alone
    assert all(found > 0 for stamp in renewal.installed_stamp() for found in stamp)
