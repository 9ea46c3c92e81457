"""Runs that the service makes: they go on by themselves, are cancelled whole, and end in a true state."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import psutil
import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.model import RunRecord
from jupyter_pipelines.orchestration.service import Endpoint, service_status
from jupyter_pipelines.settings import Settings

WriteNotebook = Callable[..., Path]

WAITING = """\
import os, subprocess, time
child = subprocess.Popen(["sleep", "7777"], start_new_session=True)
open("child", "w").write(str(child.pid))
while not os.path.exists("go"):
    time.sleep(0.05)
child.kill()
print([name for name in os.environ if name.startswith("PREFECT")], oct(os.umask(0)))"""


def wait_for(condition: Callable[[], object], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def started(notebook: Path) -> int:
    """Wait for :data:`WAITING` to have started its child; returns that process."""
    path = notebook.parent / "child"
    wait_for(lambda: path.exists() and path.read_text())
    return int(path.read_text())


def ended(run_id: str) -> RunRecord:
    """Wait for the run's end."""
    wait_for(lambda: jp.get_run(run_id).state not in {"pending", "running"})
    return jp.get_run(run_id)


def prefect_state(service: Endpoint, run_id: str) -> str:
    found = service.call(f"/flow_runs/{run_id}")
    assert isinstance(found, dict)
    return str(found["state_name"])


def test_a_submitted_run_goes_on_whatever_becomes_of_the_worker(
    service: Endpoint, store: Path, write: WriteNotebook
) -> None:
    notebook = write(("parameters", "count: int = 3"), ("step:wait", WAITING), ("step:show", "print(count)"))
    with pytest.raises(RequestError, match="speed"):
        jp.submit(notebook, {"speed": 1})
    run_id = jp.submit(notebook, {"count": 4})
    assert jp.get_run(run_id).parameters == {"count": 4}
    started(notebook)
    before = service_status(Settings.load())
    assert before is not None
    os.kill(before.parts["worker"].pid, signal.SIGKILL)
    (notebook.parent / "go").touch()
    record = ended(run_id)
    assert record.state == "completed", record.error
    cells = nbformat.read(record.executed_notebook, as_version=4).cells
    mask = os.umask(0)
    os.umask(mask)
    assert cells[-2].outputs[0].text.strip() == f"[] {oct(mask)}"
    assert cells[-1].outputs[0].text.strip() == "4"
    wait_for(lambda: prefect_state(service, run_id) == "Completed")


def test_cancelling_kills_all_that_a_run_has_started(service: Endpoint, store: Path, write: WriteNotebook) -> None:
    notebook = write(("step:wait", WAITING))
    run_id = jp.submit(notebook)
    child = started(notebook)
    record = jp.cancel(run_id)
    assert (record.state, record.step("wait").state) == ("cancelled", "cancelled")
    wait_for(lambda: not psutil.pid_exists(child))
    wait_for(lambda: prefect_state(service, run_id) == "Cancelled")
    with pytest.raises(RequestError, match="has ended"):
        jp.cancel(run_id)


def test_a_run_whose_process_is_killed_is_crashed_and_leaves_nothing(
    service: Endpoint, store: Path, write: WriteNotebook
) -> None:
    notebook = write(("step:wait", WAITING))
    run_id = jp.submit(notebook)
    child = started(notebook)
    process = json.loads((store / "runs" / run_id / "run.json").read_text())["process"]
    os.kill(process["pid"], signal.SIGKILL)
    assert ended(run_id).state == "crashed"
    wait_for(lambda: prefect_state(service, run_id) == "Crashed", 15.0)
    wait_for(lambda: not psutil.pid_exists(child), 15.0)
