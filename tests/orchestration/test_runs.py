"""Runs, from the request to the record: real kernels, a real Prefect server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import nbformat
import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.errors import NotebookError, RequestError
from jupyter_pipelines.orchestration.model import RunEvent, RunRecord
from jupyter_pipelines.orchestration.service import Endpoint

WriteNotebook = Callable[..., Path]

DIAMOND = (
    ("parameters", "count: int = 3"),
    ("setup", "import statistics"),
    ("step:load", "numbers = list(range(count))\nprint(len(numbers))"),
    ("step:mean", "mean = statistics.mean(numbers)\nmean"),
    ("step:total", "total = sum(numbers)\ntotal"),
    ("step:report", "print(f'{mean} of {total}')"),
)


def states(record: RunRecord) -> dict[str, str]:
    return {step.name: step.state for step in record.steps}


def texts(path: str | Path) -> list[str]:
    """What each code cell of an executed notebook shows, as text."""
    shown = []
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            parts = [o.get("text") or o.get("data", {}).get("text/plain") or o.get("evalue", "") for o in cell.outputs]
            shown.append("".join(parts).strip())
    return shown


def prefect(endpoint: Endpoint, path: str, body: dict[str, object]) -> list[dict[str, object]]:
    user, secret = endpoint.auth.split(":", 1)
    answer = httpx.post(f"{endpoint.api_url}{path}", json=body, auth=(user, secret))
    answer.raise_for_status()
    found = answer.json()
    assert isinstance(found, list)
    return found


def test_a_diamond_runs_and_leaves_its_record(store: Path, write: WriteNotebook, tmp_path: Path) -> None:
    notebook = write(*DIAMOND)
    before = notebook.read_bytes()
    record = jp.run(notebook, {"count": 4}, output=tmp_path / "out.ipynb")
    assert record.state == "completed", record.error
    assert states(record) == dict.fromkeys(["load", "mean", "total", "report"], "completed")
    assert [output.name for output in record.step("load").outputs] == ["numbers"]
    assert texts(tmp_path / "out.ipynb") == ["", "", "", "4", "1.5", "6", "1.5 of 6"]
    assert texts(record.executed_notebook) == texts(tmp_path / "out.ipynb")
    assert notebook.read_bytes() == before
    assert jp.get_run(record.id[:13]) == record
    assert jp.list_runs(1) == [record]


def test_prefect_shows_steps_as_task_runs(store: Path, write: WriteNotebook, service: Endpoint) -> None:
    record = jp.run(write(*DIAMOND))
    deadline = time.monotonic() + 30  # the server takes the events of task runs in at its own pace
    shown: set[str] = set()
    while shown != {"load", "mean", "total", "report"} and time.monotonic() < deadline:
        found = prefect(service, "/task_runs/filter", {"flow_runs": {"id": {"any_": [record.id]}}})
        shown = {str(run["name"]) for run in found}
    assert shown == {"load", "mean", "total", "report"}
    [flow_run] = prefect(service, "/flow_runs/filter", {"flow_runs": {"id": {"any_": [record.id]}}})
    assert flow_run["state_name"] == "Completed"
    assert flow_run["name"] == "nb"


def test_a_failure_stops_what_depends_on_it_and_is_resumed_from_there(store: Path, write: WriteNotebook) -> None:
    cells = [("step:load", "x = 2\nprint('loading')"), ("step:halve", "y = x / 0"), ("step:show", "print(y)")]
    failed = jp.run(write(*cells))
    assert failed.state == "failed"
    assert states(failed) == {"load": "completed", "halve": "failed", "show": "skipped"}
    halve = failed.step("halve")
    assert (halve.error_cell, halve.error_first_line) == (2, "y = x / 0")
    assert "ZeroDivisionError" in halve.error

    cells[1] = ("step:halve", "y = x / 2")
    resumed = jp.resume(failed.id, notebook=write(*cells))
    assert states(resumed) == {"load": "reused", "halve": "completed", "show": "completed"}
    assert resumed.step("load").reused_from == failed.id
    assert resumed.resumed_from == failed.id
    assert texts(resumed.executed_notebook) == ["loading", "", "1.0"]


def test_retries_until_it_works(store: Path, write: WriteNotebook, tmp_path: Path) -> None:
    notebook = write(("step:flaky", "open('tries', 'a').write('x')\nassert len(open('tries').read()) == 3"))
    content = json.loads(notebook.read_text())
    content["cells"][0]["metadata"]["pipeline"] = {"retries": 3, "retry_delay": 0.01}
    notebook.write_text(json.dumps(content))
    events: list[RunEvent] = []
    record = jp.run(notebook, on_event=events.append)
    assert record.state == "completed", record.error
    assert record.step("flaky").attempts == 3
    assert [event.kind for event in events].count("step-retry") == 2


def test_a_timeout_kills_the_step(store: Path, write: WriteNotebook) -> None:
    notebook = write(("step:slow", "import time\ntime.sleep(600)"))
    content = json.loads(notebook.read_text())
    content["cells"][0]["metadata"]["pipeline"] = {"timeout": "2s"}
    notebook.write_text(json.dumps(content))
    record = jp.run(notebook)
    assert states(record) == {"slow": "timed-out"}
    assert record.state == "failed"


def test_cancelling_in_prefect_ends_the_run(store: Path, write: WriteNotebook, service: Endpoint) -> None:
    notebook = write(("step:slow", "import time\nprint('on it')\ntime.sleep(600)"), ("step:after", "print(time)"))
    cancelled = threading.Event()

    def cancel(event: RunEvent) -> None:
        if event.kind == "cell" and event.cell is not None and event.cell.kind == "output" and not cancelled.is_set():
            cancelled.set()
            user, secret = service.auth.split(":", 1)
            state = {"state": {"type": "CANCELLING", "name": "Cancelling"}, "force": True}
            url = f"{service.api_url}/flow_runs/{event.run_id}/set_state"
            httpx.post(url, json=state, auth=(user, secret)).raise_for_status()

    record = jp.run(notebook, on_event=cancel)
    assert record.state == "cancelled"
    assert states(record)["slow"] == "cancelled"
    [flow_run] = prefect(service, "/flow_runs/filter", {"flow_runs": {"id": {"any_": [record.id]}}})
    assert flow_run["state_name"] == "Cancelled"


def test_parts_of_a_pipeline(store: Path, write: WriteNotebook) -> None:
    notebook = write(*DIAMOND)
    with pytest.raises(RequestError, match="no step 'nothing'"):
        jp.run(notebook, only="nothing")
    with pytest.raises(RequestError, match="--until load"):
        jp.run(notebook, only="mean")
    assert jp.list_runs() == []
    assert states(jp.run(notebook, until="mean")) == {"load": "completed", "mean": "completed"}
    assert states(jp.run(notebook, only="total")) == {"total": "completed"}
    assert states(jp.run(notebook, from_step="report")) == {"report": "completed"}


def test_reuse_runs_only_what_changed(store: Path, write: WriteNotebook) -> None:
    jp.run(write(*DIAMOND))
    changed = [*DIAMOND[:4], ("step:total", "total = sum(numbers) * 10"), DIAMOND[5]]
    record = jp.run(write(*changed), reuse=True)
    assert states(record) == {"load": "reused", "mean": "reused", "total": "completed", "report": "completed"}
    assert texts(record.executed_notebook)[-1] == "1 of 30"
    again = jp.run(write(*changed), {"count": 5}, reuse=True)
    assert states(again)["load"] == "completed"


def test_a_parameter_makes_only_those_steps_run_again_that_use_it(store: Path, write: WriteNotebook) -> None:
    notebook = write(
        ("parameters", "alpha: float = 1.0"), ("step:load", "x = [1, 2]"), ("step:fit", "y = sum(x) * alpha")
    )
    jp.run(notebook)
    record = jp.run(notebook, {"alpha": 2.0}, reuse=True)
    assert states(record) == {"load": "reused", "fit": "completed"}


def test_reuse_looks_at_the_files_a_step_read(store: Path, write: WriteNotebook, tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("one")
    notebook = write(("step:load", "text = open('data.txt').read()"), ("step:show", "print(text)"))
    jp.run(notebook)
    assert set(states(jp.run(notebook, reuse=True)).values()) == {"reused"}
    (tmp_path / "data.txt").write_text("three")
    record = jp.run(notebook, reuse=True)
    assert states(record) == {"load": "completed", "show": "completed"}
    assert texts(record.executed_notebook)[-1] == "three"


def test_a_grid_is_one_run_for_each_combination(store: Path, write: WriteNotebook) -> None:
    records = jp.run_grid(write(*DIAMOND), {"count": [2, 3]})
    assert [record.parameters for record in records] == [{"count": 2}, {"count": 3}]
    assert len({record.parent for record in records}) == 1
    with pytest.raises(RequestError, match="count"):
        jp.run_grid(write(*DIAMOND), {"count": [2, "many"]})
    assert len(jp.list_runs()) == 2


def test_wrong_requests_are_refused_before_anything_runs(store: Path, write: WriteNotebook, tmp_path: Path) -> None:
    notebook = write(*DIAMOND)
    with pytest.raises(RequestError, match="speed"):
        jp.run(notebook, {"speed": 3})
    with pytest.raises(RequestError, match="overwrite"):
        jp.run(notebook, output=notebook)
    with pytest.raises(RequestError, match="no notebook"):
        jp.run(tmp_path / "missing.ipynb")
    with pytest.raises(NotebookError, match="cell 1"):
        jp.run(write(("step:a after:b", "x = 1"), ("step:b after:a", "y = 1")))
    assert jp.list_runs() == []


def test_an_order_learnt_too_late_is_put_right(store: Path, write: WriteNotebook) -> None:
    """`b` is `a` by way of a call nobody can see through; the steps are right all the same."""
    record = jp.run(
        write(
            ("setup", "def same(thing):\n    return [thing][0]"),
            ("step:make", "a = [1]\nb = same(a)"),
            ("step:change", "b.append(2)"),
            ("step:show", "print(a)"),
        )
    )
    assert record.state == "completed", record.error
    assert texts(record.executed_notebook)[-1] == "[1, 2]"


def test_a_change_that_only_the_run_shows_is_learnt_and_its_step_repeated(store: Path, write: WriteNotebook) -> None:
    """Printing changes nothing, as far as anybody knows; here it does."""
    notebook = write(
        (
            "setup",
            "class Shy:\n  seen = 0\n  def __str__(self):\n    vars(self)['seen'] = self.seen + 1\n    return 'shy'",
        ),
        ("step:make", "thing = Shy()"),
        ("step:show", "print(thing)"),
        ("step:count", "print(thing.seen)"),
    )
    for _ in range(2):
        record = jp.run(notebook)
        assert record.state == "completed", record.error
        assert texts(record.executed_notebook)[-2:] == ["shy", "1"]


def test_a_name_that_only_a_branch_binds_may_stay_unbound(store: Path, write: WriteNotebook) -> None:
    notebook = write(
        ("parameters", "flag = False"),
        ("step:maybe", "if flag:\n    z = 1"),
        ("step:look", "try:\n    print(z)\nexcept NameError:\n    print('none')"),
    )
    record = jp.run(notebook)
    assert record.state == "completed", record.error
    assert texts(record.executed_notebook)[-1] == "none"
    assert set(states(jp.run(notebook, reuse=True)).values()) == {"reused"}
    assert texts(jp.run(notebook, {"flag": True}).executed_notebook)[-1] == "1"


def test_setup_that_differs_between_steps_is_refused(store: Path, write: WriteNotebook) -> None:
    record = jp.run(
        write(
            ("setup", "import time\nstarted = time.time_ns()"),
            ("step:one", "x = started"),
            ("step:two", "print(started - x)"),
        )
    )
    assert record.state == "failed"
    assert "started" in record.error


KILLED = """
import sys, jupyter_pipelines as jp
def say(event):
    if event.kind == "cell" and event.cell.kind == "output":
        print(event.run_id, flush=True)
jp.run(sys.argv[1], on_event=say)
"""


def test_a_run_whose_process_is_killed_is_crashed_and_can_be_resumed(store: Path, write: WriteNotebook) -> None:
    notebook = write(
        ("step:load", "x = 1"),
        ("step:wait", "import os, time\nprint('waiting', x)\nif not os.path.exists('go'): time.sleep(600)"),
    )
    runner = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(notebook)], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    assert runner.stdout is not None
    run_id = runner.stdout.readline().strip()
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    record = jp.get_run(run_id)
    assert record.state == "crashed"
    assert states(record) == {"load": "completed", "wait": "crashed"}
    (notebook.parent / "go").touch()
    assert states(jp.resume(run_id)) == {"load": "reused", "wait": "completed"}
