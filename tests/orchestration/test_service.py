"""The service: one for a home, whoever starts it and whoever is killed meanwhile."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.errors import RequestError, ServiceError
from jupyter_pipelines.orchestration.service import (
    Endpoint,
    configured_endpoint,
    endpoint_of,
    ensure_service,
    ensure_worker,
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


def test_a_worker_and_schedules_serve_another_prefect_server(
    service: Endpoint, tmp_path: Path, write: WriteNotebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "elsewhere"
    monkeypatch.setenv("JUPYTER_PIPELINES_HOME", str(home))
    monkeypatch.setenv("JUPYTER_PIPELINES_WORK_POOL", "elsewhere")
    monkeypatch.setenv("PREFECT_API_URL", service.api_url)
    notebook = write(("step:one", "x = 1"))
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "somebody:else")
    with pytest.raises(ServiceError, match=r"does not let us in: .* 401"):
        jp.run(notebook)
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", service.auth)
    with pytest.raises(RequestError, match="jupyter pipelines up"):
        jp.schedule(notebook, "every 2 seconds")
    settings = Settings.load()
    endpoint = ensure_service(settings)
    try:
        ensure_worker(settings, endpoint)
        made = jp.schedule(notebook, "every 5 seconds")
        wait_until(lambda: any(run.state == "completed" for run in jp.list_runs(schedule=made.id)))
        jp.unschedule(made.id)
        run_id = jp.submit(notebook)
        wait_until(lambda: all(run.ended for run in jp.list_runs()))
        wait_until(lambda: _seen(service, run_id) == ("Completed", "elsewhere"))
        status = service_status(settings)
        assert status is not None and "server" not in status.parts
    finally:
        assert stop_service(settings)
    monkeypatch.delenv("PREFECT_API_URL")
    assert endpoint_of(settings) is None  # without being told so, nobody uses that server


def test_a_log_on_a_full_disk_ends_nothing() -> None:
    code = (
        "import sys; from jupyter_pipelines.orchestration.service.forgiving import make_output_forgiving as forgive\n"
        "forgive(); forgive(); print('x' * 100_000, flush=True); print('y', file=sys.stderr)"
    )
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-c", code], stdout=full, stderr=full, check=False)
    assert done.returncode in {0, 120}  # 120: Python could not flush when it ended


def _seen(server: Endpoint, run_id: str) -> tuple[object, object]:
    """The state and the work pool of a run, as Prefect tells."""
    found = server.call(f"/flow_runs/{run_id}", timeout=30)
    assert isinstance(found, dict)
    return found["state_name"], found["work_pool_name"]


def test_a_service_whose_home_is_removed_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("JUPYTER_PIPELINES_HOME", str(home))
    endpoint = ensure_service(Settings.load())
    supervisor = psutil.Process(endpoint.pid)
    parts = supervisor.children(recursive=True)
    shutil.rmtree(home, ignore_errors=True)
    left = psutil.wait_procs([supervisor, *parts], timeout=60)[1]
    assert [process.cmdline() for process in left] == []
