"""`backfill`, `backfills`, and what `pause`, `unpause` and `cancel` do to one; `run --window`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_pipelines.cli import main
from jupyter_pipelines.orchestration.service import Endpoint

Write = Callable[..., Path]

DAYS = "from datetime import date\n\ninterval_start: date\nsize: int = 1"


def told(words: list[str], capsys: pytest.CaptureFixture[str], code: int = 0) -> dict:
    assert main([*words, "--format", "json"]) == code
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store of this test's own, where no service is needed."""
    monkeypatch.setenv("JUPYTER_PIPELINES_STORE", str(tmp_path / "store"))


def test_a_dry_run_lists_the_windows(own_store: None, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    notebook = str(write(("parameters", DAYS), ("step:one", "interval_start, size")))
    words = ["backfill", notebook, "2024-02-28..2024-03-01", "--timezone", "UTC", "-p", "size=3", "--dry-run"]
    found = told(words, capsys)
    assert [window["key"] for window in found["windows"]] == ["2024-02-28", "2024-02-29", "2024-03-01"]
    assert [window["parameters"]["size"] for window in found["windows"]] == [3, 3, 3]
    assert (found["id"], found["counts"]) == ("", {"waiting": 3})
    assert main(words) == 0
    assert "2024-02-29  will run" in capsys.readouterr().out
    expression = ["-p", "size={{ interval_start.day }}", "--window", "month"]
    months = told(["backfill", notebook, "2024-Q1", "--dry-run", *expression], capsys)
    assert [window["parameters"] for window in months["windows"]] == [
        {"interval_start": f"2024-0{month}-01", "size": 1} for month in (1, 2, 3)
    ]
    assert told(["backfills", notebook], capsys) == {"backfills": []}


@pytest.mark.parametrize(
    ("range_", "message"),
    [
        ("2024-02-02..2024-02-01", "ends before it begins"),
        ("0001..9999", "windows|is no day"),
        ("2024-01-01..", "no range"),
        ("now", "no day, week"),
        ("2024-13", "no day, week"),
    ],
)
def test_a_wrong_range_is_refused(
    own_store: None, write: Write, capsys: pytest.CaptureFixture[str], range_: str, message: str
) -> None:
    import re

    notebook = str(write(("parameters", DAYS), ("step:one", "interval_start, size")))
    error = told(["backfill", notebook, range_, "--dry-run"], capsys, 2)["error"]
    assert (error["kind"], bool(re.search(message, error["message"]))) == ("request", True)


def test_a_run_of_one_window(own_store: None, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    notebook = str(write(("parameters", DAYS), ("step:one", "interval_start, size")))
    error = told(["run", notebook], capsys, 2)["error"]
    assert "interval_start" in error["message"]
    assert "--window" in error["fix"]
    assert "no day, week" in told(["run", notebook, "--window", "soon"], capsys, 2)["error"]["message"]
    plain = str(write(("step:one", "1"), name="plain.ipynb"))
    assert "declares neither" in told(["run", plain, "--window", "2024-01-05"], capsys, 2)["error"]["message"]


def test_a_backfill_is_followed_paused_and_cancelled(
    service: Endpoint, store: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    wait = "import os, time\nwhile not os.path.exists('go'):\n    time.sleep(0.05)\nprint(interval_start)"
    notebook = write(("parameters", DAYS), ("step:wait", wait))
    made = told(["backfill", str(notebook), "2024-01-01..2024-01-02"], capsys)
    assert (made["state"], made["counts"]) == ("running", {"waiting": 2})
    assert told(["pause", made["id"][:5]], capsys)["state"] == "paused"
    assert told(["schedules"], capsys) == {"schedules": []}
    again = told(["backfill", str(notebook), "2024-01-01..2024-01-02"], capsys, 2)["error"]
    assert made["id"] in again["message"]
    assert main(["unpause", made["id"]]) == 0
    (notebook.parent / "go").touch()
    deadline = time.monotonic() + 90
    capsys.readouterr()
    while told(["backfills", made["id"]], capsys)["state"] != "completed":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert main(["backfills", str(notebook)]) == 0
    assert "2 of 2 windows done" in capsys.readouterr().out
    assert main(["backfill", str(notebook), "2024-01-01..2024-01-02"]) == 0
    assert "done already" in (shown := capsys.readouterr().out)
    assert "--again" in shown
    assert "has ended" in told(["cancel", made["id"]], capsys, 2)["error"]["message"]
    (notebook.parent / "go").unlink()
    other = told(["backfill", str(notebook), "2024-01-03..2024-01-04"], capsys)
    assert told(["cancel", other["id"]], capsys)["state"] == "cancelled"
    assert main(["unpause", "--skip", other["id"]]) == 2
    assert main(["cancel", "no-such-run"]) == 2
