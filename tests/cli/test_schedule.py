"""`schedule`, `schedules`, `pause`, `unpause` and `unschedule`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_pipelines.cli import main
from jupyter_pipelines.orchestration.service import Endpoint

Write = Callable[..., Path]


def told(words: list[str], capsys: pytest.CaptureFixture[str], code: int = 0) -> dict:
    assert main([*words, "--format", "json"]) == code
    return json.loads(capsys.readouterr().out)


def test_a_dry_run_says_how_a_phrase_is_understood(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    notebook = write(("step:one", "1"))
    words = ["schedule", str(notebook), "daily at 02:30", "--timezone", "Europe/Paris", "--dry-run"]
    found = told(words, capsys)
    assert (found["expression"], len(found["times"])) == ("cron 30 2 * * *", 5)
    assert any("forward" in change for change in found["clock_changes"])
    assert main(words) == 0
    assert "At 02:30 every day (Europe/Paris)" in capsys.readouterr().out
    assert main(["schedule", str(notebook), "daily", "at", "02:30", "--dry-run"]) == 0
    assert main(["schedule", str(notebook), "every blue moon", "--dry-run"]) == 2
    capsys.readouterr()
    words = ["schedule", str(notebook), "daily at 02:30", "--dry-run", "--start", "2150-01-30", "--end", "2150-02-01"]
    found = told([*words, "--overlap", "parallel", "--max-parallel", "2"], capsys)
    assert [one["time"][:10] for one in found["times"]] == ["2150-01-30", "2150-01-31", "2150-02-01"]
    assert "parallel" in told([*words, "--max-parallel", "2"], capsys, 2)["error"]["fix"]
    assert main([*words, "--done-by", "01:00", "--timezone", "UTC"]) == 0
    assert "the first is to be done by Sat 2150-01-31 01:00:00 UTC" in capsys.readouterr().out
    assert told(["schedules"], capsys) == {"schedules": []}


def test_a_schedule_is_made_paused_and_removed(
    service: Endpoint, store: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook = write(
        ("parameters", "from datetime import date\n\nday: date = date(2020, 1, 1)\ncount: int = 1"),
        ("step:one", "day, count"),
    )
    words = ["schedule", str(notebook), "every year on 1 march at 12:00", "--name", "spring", "--missed", "skip"]
    parameters = ["-p", "day={{ interval_start.date() }}", "-p", "count=3"]
    made = told([*words, "--window", "month", *parameters], capsys)
    assert made["schedule"]["parameters"] == {"count": 3, "day": "{{ interval_start.date() }}"}
    assert (made["schedule"]["missed"], made["version"]) == ("skip", "")
    assert main([*words, "-p", "size=3"]) == 2
    capsys.readouterr()
    assert told(["status"], capsys)["schedules"] == {"count": 1, "next": made["next"]}
    assert told(["pause", made["id"][:4]], capsys)["next"] is None
    assert main(["schedules", str(notebook)]) == 0
    assert "paused" in capsys.readouterr().out
    assert told(["unpause", "spring"], capsys)["next"] == made["next"]
    run = told(["run", "--schedule", "spring"], capsys)["id"]
    try:
        (found,) = told(["runs", str(notebook)], capsys)["runs"]
        assert (found["id"], found["parameters"]["count"], found["schedule"]) == (run, 3, "")
    finally:
        main(["cancel", run])
        capsys.readouterr()
    assert "its own" in told(["run", str(notebook), "--schedule", "spring"], capsys, 2)["error"]["message"]
    assert "what is to run" in told(["run"], capsys, 2)["error"]["message"]
    assert main(["unschedule", "spring"]) == 0
    assert main(["unschedule", "spring"]) == 2


def test_the_same_schedule_is_made_once(
    service: Endpoint, store: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook = write(("parameters", "size = 1"), ("step:one", "size"))
    words = ["schedule", str(notebook), "every 30 minutes", "-p", "size=3"]
    made = told(words, capsys)
    assert told(words, capsys)["id"] == made["id"]
    assert main(words) == 0
    assert f"there is such a schedule: {made['id']}" in capsys.readouterr().out
    assert told([*words, "-p", "size=4"], capsys)["id"] != made["id"]
    assert main(["pause", made["id"]]) == 0
    assert main(words) == 2
    assert f"unpause {made['id']}" in capsys.readouterr().err
    assert len(told(["schedules", str(notebook)], capsys)["schedules"]) == 2


def test_a_schedule_that_follows_the_file_says_so(
    service: Endpoint, store: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook = write(("step:one", "1"))
    assert main(["schedule", str(notebook), "every year on 1 march", "--follow", "--name", "follows"]) == 0
    assert "follows the file" in capsys.readouterr().out
    (found,) = told(["schedules", str(notebook)], capsys)["schedules"]
    assert (found["follow"], found["followed"]["state"], found["version"]) == ("file", "current", "published")
    assert main(["schedules", str(notebook)]) == 0
    assert "follows the file" in capsys.readouterr().out
    assert "git" in told(["schedule", str(notebook), "daily", "--ref", "a..b"], capsys, 2)["error"]["message"]
    assert main(["unschedule", "follows"]) == 0
