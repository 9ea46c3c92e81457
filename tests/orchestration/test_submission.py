"""Runs that the service makes: they go on by themselves, are cancelled whole, and end in a true state."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import nbformat
import psutil
import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.asking import MOST_TRIES
from jupyter_pipelines.orchestration.deployment import work_pool
from jupyter_pipelines.orchestration.model import RunRecord
from jupyter_pipelines.orchestration.recorder import is_alive, process_identity
from jupyter_pipelines.orchestration.service import Endpoint, service_status
from jupyter_pipelines.orchestration.settling import NOT_STARTED, settle_runs
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store

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


@pytest.fixture
def busy(service: Endpoint) -> Iterator[Endpoint]:
    """The service, whose worker takes up no runs meanwhile."""
    pool = f"/work_pools/{work_pool()}"
    service.call(pool, {"is_paused": True}, method="PATCH")
    yield service
    service.call(pool, {"is_paused": False}, method="PATCH")


def forget(service: Endpoint, run_id: str) -> None:
    """Have Prefect forget a run, as when its database is replaced by an older backup."""
    service.call(f"/flow_runs/{run_id}", method="DELETE")


def test_of_runs_that_wait_one_question_is_asked(
    busy: Endpoint, store: Path, write: WriteNotebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = write(("step:show", "print(1)"))
    ids = [jp.submit(notebook) for _ in range(2)]
    call, asked = Endpoint.call, list[str]()

    def listen(endpoint: Endpoint, path: str, *more: Any, **named: Any) -> object:
        asked.append(path)
        return call(endpoint, path, *more, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Endpoint, "call", listen)
        settle_runs(Store(str(store)), busy)
    assert asked == ["/flow_runs/count"]
    forget(busy, ids[1])
    settle_runs(Store(str(store)), busy)
    assert jp.get_run(ids[1]).id not in ids, "it was asked for again"
    assert {jp.get_run(one).state for one in ids} == {"pending"}
    for one in ids:
        jp.cancel(one)


def test_a_run_that_prefect_has_lost_before_it_began_is_run(busy: Endpoint, store: Path, write: WriteNotebook) -> None:
    run_id = jp.submit(write(("parameters", "count: int = 3"), ("step:show", "print(count)")), {"count": 4})
    forget(busy, run_id)
    now = jp.get_run(run_id).id
    assert now != run_id
    assert [run.id for run in jp.list_runs()] == [now]
    assert jp.get_run(run_id[:8]).id == now, "it is known by both its ids"
    busy.call(f"/work_pools/{work_pool()}", {"is_paused": False}, method="PATCH")
    record = ended(run_id)
    assert (record.id, record.state, record.parameters) == (now, "completed", {"count": 4})
    assert [run.id for run in jp.list_runs()] == [now]


def test_a_run_that_a_busy_server_kept_from_starting_is_started(
    busy: Endpoint, store: Path, write: WriteNotebook
) -> None:
    run_id = jp.submit(write(("step:show", "1")))
    why = f"{NOT_STARTED}StatusError: Server error '503 Service Unavailable'"
    state = {"state": {"type": "CRASHED", "name": "Crashed", "message": why}, "force": True}
    for _ in range(MOST_TRIES):
        busy.call(f"/flow_runs/{run_id}/set_state", state)
        assert jp.get_run(run_id).state == "pending"
        assert prefect_state(busy, run_id) == "Scheduled"
    busy.call(f"/flow_runs/{run_id}/set_state", state)
    assert (jp.get_run(run_id).state, jp.get_run(run_id).error) == ("crashed", why), "it is not tried for ever"


def test_who_dies_while_it_asks_again_makes_no_second_run(
    busy: Endpoint, store: Path, write: WriteNotebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = jp.submit(write(("step:show", "1")), key="once")
    forget(busy, run_id)
    with monkeypatch.context() as dying:
        dying.setattr(Store, "move_run", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            jp.get_run(run_id)
    assert len(jp.list_runs()) == 1
    assert jp.submit(write(("step:show", "1")), key="once") == jp.get_run(run_id).id


def test_a_run_is_looked_after_when_its_submitter_dies_before_it_is_on_record(
    busy: Endpoint, store: Path, write: WriteNotebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = Store.save_run

    def die(of: Store, run: str, *rest: Any, **more: Any) -> None:
        saved(of, run, *rest, **more)
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(Store, "save_run", die)
        with pytest.raises(KeyboardInterrupt):
            jp.submit(write(("step:show", "1")))
    (run,) = jp.list_runs()
    forget(busy, run.id)
    assert jp.get_run(run.id).id != run.id, "it was noticed that Prefect has lost it"


def test_what_goes_on_and_is_about_to_be_on_record_stays_noted(service: Endpoint, store: Path) -> None:
    runs = Store(str(store))
    for run, age in (("new", 0), ("old", 3600)):
        runs.mark_active(run, True)
        os.utime(store / "active" / run, (time.time() - age,) * 2)
    settle_runs(runs, service)
    assert runs.active_runs() == ["new"]


def test_a_run_that_another_prefect_was_asked_for_is_left_to_that(
    busy: Endpoint, store: Path, write: WriteNotebook
) -> None:
    run_id = jp.submit(write(("step:show", "1")))
    runs = Store(str(store))
    found = dict(runs.load_run(run_id) or {})
    runs.save_run(run_id, found | {"asked": {**cast("dict[str, Any]", found["asked"]), "place": "http://elsewhere"}})
    forget(busy, run_id)
    assert jp.get_run(run_id).state == "pending"


def test_a_process_is_known_by_its_beginning_whatever_the_clock_says() -> None:
    process = process_identity()
    assert is_alive(process)
    if sys.platform == "linux":
        assert is_alive(process | {"created": 0.0}), "the time at which the system started moves with the clock"
        assert not is_alive(process | {"begun": f"{process['begun']}0"})
    process.pop("begun", None)
    assert is_alive(process), "one that an earlier version has put down"
    assert not is_alive(process | {"created": 0.0})
