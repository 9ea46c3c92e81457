"""Time limits of runs, and waiting before steps are tried again: what is stopped is stopped whole, and said so."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.notebook.model import StepOptions
from jupyter_pipelines.orchestration.model import RunEvent
from jupyter_pipelines.orchestration.schedules import Schedule, in_words
from jupyter_pipelines.orchestration.service import Endpoint, service_status
from jupyter_pipelines.orchestration.step_task import LONGEST_DELAY, retry_delay
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store

WriteNotebook = Callable[..., Path]

SLEEPS = """
import os, subprocess, time
child = subprocess.Popen(["sleep", "600"])
open("pids", "w").write(f"{os.getpid()} {child.pid}")
time.sleep(600)
"""


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_for(condition: Callable[[], object], seconds: float = 60.0) -> float:
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() < begun + seconds
        time.sleep(0.05)
    return time.monotonic() - begun


def with_options(notebook: Path, **options: object) -> Path:
    read = nbformat.read(notebook, 4)
    read.metadata["pipeline"] = options
    nbformat.write(read, notebook)
    return notebook


@pytest.mark.parametrize("where", ["notebook", "request"])
def test_a_run_that_takes_too_long_is_stopped_with_all_it_has_started(
    service: Endpoint, store: Path, write: WriteNotebook, where: str
) -> None:
    notebook = write(("step:quick", "x = 1"), ("step:slow", SLEEPS), ("step:after after:slow", "x"))
    limit = 6.0
    given = {"timeout": limit} if where == "request" else {}
    run = jp.run(with_options(notebook, timeout=limit) if where == "notebook" else notebook, **given)
    assert run.state == "failed"
    assert run.error == "the run took longer than its time limit of 6 s, and was stopped in step slow"
    assert [(step.name, step.state) for step in run.steps] == [
        ("quick", "completed"),
        ("slow", "timed-out"),
        ("after", "skipped"),
    ]
    assert run.step("slow").error == "the run's time limit of 6 s was over"
    assert run.step("slow").error_cell == 2
    assert limit <= run.ended - run.started < limit + 5
    for pid in (notebook.parent / "pids").read_text().split():
        wait_for(lambda pid=pid: gone(int(pid)), 5)  # type: ignore[misc]  # its default is its type
    found = service.call(f"/flow_runs/{run.id}")
    assert isinstance(found, dict)
    assert (found["state_type"], "time limit" in found["state"]["message"]) == ("FAILED", True)


def test_a_run_of_the_service_is_stopped_when_its_time_is_over(
    service: Endpoint, store: Path, write: WriteNotebook
) -> None:
    run_id = jp.submit(write(("step:slow", SLEEPS)), timeout=3.0)
    wait_for(lambda: jp.get_run(run_id).state not in {"pending", "running"})
    assert (jp.get_run(run_id).state, jp.get_run(run_id).steps[0].state) == ("failed", "timed-out")


def test_a_time_limit_ends_waiting_for_a_retry(service: Endpoint, store: Path, write: WriteNotebook) -> None:
    notebook = with_options(write(("step:one", "1 / 0")), retries=3, retry_delay="10m", timeout="4s")
    told: list[RunEvent] = []
    run = jp.run(notebook, on_event=told.append)
    assert run.state == "failed"
    assert run.ended - run.started < 10
    assert [event.kind for event in told if event.kind in {"step-started", "step-retry"}] == [
        "step-started",
        "step-retry",
    ]


def test_a_step_is_tried_again_after_its_delay(service: Endpoint, store: Path, write: WriteNotebook) -> None:
    notebook = write(("step:one", "import os\nif not os.path.exists('tried'):\n    open('tried', 'w')\n    1 / 0"))
    run = jp.run(with_options(notebook, retries=2, retry_delay="1s", retry_jitter=0.5))
    assert (run.state, run.steps[0].attempts) == ("completed", 2)
    assert run.ended - run.started >= 1.0


def test_delays_grow_and_are_spread() -> None:
    options = StepOptions(retries=1000, retry_delay=10.0, retry_backoff=2.0)
    assert [retry_delay(options, number) for number in (1, 2, 3)] == [10, 20, 40]
    assert retry_delay(options, 1000) == retry_delay(replace(options, retry_backoff=1e300), 9) == LONGEST_DELAY
    spread = {retry_delay(replace(options, retry_jitter=0.5), 1) for _ in range(100)}
    assert len(spread) > 50
    assert min(spread) >= 10
    assert max(spread) <= 15


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), 1e300])
def test_what_is_no_time_limit_is_refused(write: WriteNotebook, timeout: float) -> None:
    with pytest.raises(RequestError, match="time limit"):
        jp.run(write(("step:one", "1")), timeout=timeout)


def test_a_schedule_says_how_long_its_runs_may_take(service: Endpoint, store: Path, write: WriteNotebook) -> None:
    with pytest.raises(RequestError):
        jp.schedule(write(("step:one", "1")), "daily at 03:00", timeout="soon")
    made = jp.schedule(write(("step:one", "1")), "daily at 03:00", done_by="08:00", timeout="2h")
    assert "stopped after 2 hours; to be done by 08:00" in in_words(made.schedule)
    jp.unschedule(made.id)
    assert isinstance(made.schedule, Schedule)


def on_record(run_id: str) -> Mapping[str, Any]:
    """What the service has put on record: to ask for the run would be to look after it ourselves."""
    return Store(Settings.load().store).load_run(run_id) or {}


@pytest.mark.parametrize("kept", ["where the service keeps them", "elsewhere"])
def test_a_run_whose_process_is_killed_is_crashed_within_15_seconds(
    service: Endpoint, write: WriteNotebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    if kept == "elsewhere":
        monkeypatch.setenv("JUPYTER_PIPELINES_STORE", str(tmp_path / "store"))
    run_id = jp.submit(write(("step:slow", SLEEPS)))
    wait_for(lambda: on_record(run_id).get("process"))
    os.kill(int(on_record(run_id)["process"]["pid"]), signal.SIGKILL)
    wait_for(lambda: on_record(run_id)["state"] == "crashed", 15)
    wait_for(lambda: service.call(f"/flow_runs/{run_id}")["state_type"] == "CRASHED", 10)  # type: ignore[index]


def test_a_run_that_was_killed_with_the_worker_is_crashed_within_15_seconds(
    service: Endpoint, write: WriteNotebook
) -> None:
    run_id = jp.submit(write(("step:slow", SLEEPS)))
    wait_for(lambda: on_record(run_id).get("process"))
    status = service_status(Settings.load())
    assert status is not None
    for pid in (status.parts["worker"].pid, int(on_record(run_id)["process"]["pid"])):
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: on_record(run_id)["state"] == "crashed", 15)
    wait_for(lambda: service.call(f"/flow_runs/{run_id}")["state_type"] == "CRASHED", 10)  # type: ignore[index]
