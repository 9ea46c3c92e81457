"""`up`, `status`, `logs`, and runs that are handed to the service."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.cli import main
from jupyter_pipelines.orchestration.service import Endpoint

Write = Callable[..., Path]


def told(words: list[str], capsys: pytest.CaptureFixture[str], code: int = 0) -> dict:
    assert main([*words, "--format", "json"]) == code
    return json.loads(capsys.readouterr().out)


def test_a_second_up_joins_the_first(service: Endpoint, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["up"], ["up", "--detach"]):
        assert told(words, capsys) == {"running": True, "api_url": service.api_url, "pid": service.pid}


def test_status_and_logs_tell_of_each_part_and_no_secret(service: Endpoint, capsys: pytest.CaptureFixture[str]) -> None:
    status = told(["status"], capsys)
    assert (status["running"], status["api_url"], status["pid"]) == (True, service.api_url, service.pid)
    assert {"server", "worker"} <= set(status["parts"])
    assert status["memory"] > 10_000_000
    assert main(["status"]) == 0
    text = capsys.readouterr().out
    assert "server" in text and "worker" in text
    logs = told(["logs", "--lines", "1000"], capsys)["logs"]
    assert any("serving" in line for line in logs["service"])
    secret = service.auth.split(":")[1]
    assert secret not in json.dumps(logs) + json.dumps(status) + text


def test_a_systemd_unit_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["up", "--systemd"]) == 0
    unit = capsys.readouterr().out
    assert "ExecStart=" in unit and "supervisor" in unit
    assert main(["up", "--install"]) == 2


def test_a_run_is_handed_over_and_cancelled(
    service: Endpoint, store: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    run = told(["run", "--detach", str(write(("step:slow", "import time\ntime.sleep(600)")))], capsys)["id"]
    assert told(["inspect", run], capsys)["state"] in {"pending", "running"}
    assert told(["cancel", run], capsys)["state"] == "cancelled"
    assert told(["cancel", run], capsys, code=2)["error"]["kind"] == "request"


def test_status_tells_of_triggers_backfills_and_limits(
    service: Endpoint, store: Path, write: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    before = told(["status"], capsys)
    notebook = write(("parameters", "interval_start = '2024-01-01'"), ("step:one", "1"))
    trigger = jp.trigger(notebook, token=True)
    jp.limit(notebook, 1)
    backfill = jp.backfill(notebook, "2024-01-01", "2024-01-02")
    jp.pause(backfill.id)
    after = told(["status"], capsys)
    assert after["triggers"]["count"] == before["triggers"]["count"] + 1
    assert after["limits"]["count"] == before["limits"]["count"] + 1
    assert after["backfills"]["paused"] == before["backfills"]["paused"] + 1
    assert main(["status"]) == 0
    text = capsys.readouterr().out
    assert "trigger" in text and "backfills: " in text and "limit" in text
    assert jp.unpause(backfill.id).id == backfill.id
    jp.cancel_backfill(backfill.id)
    jp.limit(notebook, None)
    jp.unschedule(trigger.id)
