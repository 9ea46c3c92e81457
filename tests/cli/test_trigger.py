"""`trigger`, `triggers`, `limit` and `limits`; `pause`, `unpause` and `unschedule` with the id of a trigger."""

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


def test_a_trigger_is_made_paused_and_removed(
    service: Endpoint, store: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    load = write(("parameters", "day: str = ''"), ("step:one", "day"), name="load.ipynb")
    report = write(("parameters", "day: str = ''\nsize: int = 1"), ("step:one", "day"), name="report.ipynb")
    words = ["trigger", str(report), "--after", str(load), "-p", "day={{ upstream.parameters.day }}", "-p", "size=3"]
    made = told([*words, "--on", "always", "--name", "follow"], capsys)
    assert (made["kind"], made["cause"]["on"], made["parameters"]["size"]) == ("after", "always", 3)
    assert made["words"] == "after load.ipynb ended"
    assert main(["trigger", str(load), "--after", str(report)]) == 2
    assert "load.ipynb -> report.ipynb -> load.ipynb" in capsys.readouterr().err
    changed = told([*words, "--on", "failure", "--replacing", "follow"], capsys)
    assert (changed["id"], changed["cause"]["on"], changed["name"]) == (made["id"], "failure", "")
    assert told([*words, "--name", "follow", "--replacing", made["id"]], capsys)["id"] == made["id"]
    assert told(["pause", made["id"][:5]], capsys)["paused"] is True
    assert main(["triggers", str(report)]) == 0
    assert "paused" in capsys.readouterr().out
    assert told(["unpause", "follow"], capsys)["paused"] is False
    assert [each["id"] for each in told(["triggers"], capsys)["triggers"]] == [made["id"]]
    assert main(["unschedule", "follow"]) == 0
    assert main(["unschedule", "follow"]) == 2
    capsys.readouterr()
    assert told(["triggers"], capsys) == {"triggers": []}


def test_what_is_read_is_waited_for_unless_something_is_named(
    service: Endpoint, store: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook = str(write(("step:one", "open('in.csv').read()"), name="reads.ipynb"))
    assert main(["trigger", notebook, "--updated"]) == 0
    assert "was updated: in.csv" in capsys.readouterr().out
    (made,) = told(["triggers", notebook], capsys)["triggers"]
    assert made["cause"]["reads"] is True
    assert main(["unschedule", made["id"]]) == 0
    assert main(["trigger", notebook, "--updated", "x.csv", "--updated"]) == 2
    assert "with and without" in capsys.readouterr().err


def test_a_token_is_shown_once(
    service: Endpoint, store: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    made = told(["trigger", str(write(("step:one", "1"))), "--token"], capsys)
    assert made["token"].startswith(f"jpt_{made['id']}_")
    (listed,) = told(["triggers"], capsys)["triggers"]
    assert "token" not in listed and listed["cause"] == {}
    assert main(["unschedule", made["id"]]) == 0


def test_limits_are_set_listed_and_taken_away(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    notebook = write(("step:one", "1"))
    assert told(["limit", str(notebook), "1"], capsys)["slots"] == 1
    assert told(["limit", "cellar", "2"], capsys)["kind"] == "resource"
    assert main(["limits"]) == 0
    assert "cellar: 2 at once" in capsys.readouterr().out
    assert main(["limit", "cellar", "0"]) == 2
    assert told(["limit", str(notebook), "none"], capsys)["slots"] is None
    assert told(["limit", "cellar", "none"], capsys)["slots"] == 1
    assert not [each for each in told(["limits"], capsys)["limits"] if each["name"] in {"cellar", str(notebook)}]
