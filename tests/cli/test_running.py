"""`run`, `resume`, `runs`, `inspect`: real runs, told to people and to scripts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from jupyter_pipelines.cli import main

Write = Callable[..., Path]

GOOD = (
    ("parameters", "n = 3"),
    ("step:load", "rows = list(range(n))"),
    ("step:total", "total = sum(rows)\nprint('total', total)"),
)
BAD = (
    ("step:load", "rows = [1, 2]"),
    ("", "%%step broken\nimport os\nif not os.path.exists('mended'):\n    raise ValueError('no such rows')"),
)


def test_a_run_is_told_to_people_and_to_scripts(
    store: Path, write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out.ipynb"
    assert main(["run", str(write(*GOOD)), "-p", "n=4", "--output", str(output), "--format", "json"]) == 0
    told = capsys.readouterr()
    assert "nb.ipynb: 2 steps, n = 4" in told.err
    assert "load: completed" in told.err
    record = json.loads(told.out)
    assert record["state"] == "completed"
    assert [(step["name"], step["state"]) for step in record["steps"]] == [
        ("load", "completed"),
        ("total", "completed"),
    ]
    assert record["steps"][0]["outputs"][0]["name"] == "rows"
    assert Path(record["executed_notebook"]).exists()
    cells = nbformat.read(output, as_version=4).cells
    assert any("total 6" in out.get("text", "") for cell in cells for out in cell.get("outputs", []))

    assert main(["runs", "--format", "json"]) == 0
    assert [run["id"] for run in json.loads(capsys.readouterr().out)["runs"]] == [record["id"]]
    assert main(["inspect", record["id"][:8], "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {**record, "kept": False}
    assert main(["inspect", record["id"][:8]]) == 0
    told = capsys.readouterr()
    assert "completed in" in told.out
    assert "rows: " in told.out
    assert not any(line != line.rstrip() for line in told.out.splitlines())


def test_the_report_tells_of_tables_and_checks(
    store: Path, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JUPYTER_PIPELINES_WAREHOUSE", str(tmp_path / "tables.duckdb"))
    table = "%%sql --table mart.numbers\nselect 1 as n union all select 2\n\n%%check\nn: unique\nn: < 2 | warn"
    cells = (("setup", "%load_ext jupyter_pipelines"), ("step:build", table))
    assert main(["run", str(write(*cells))]) == 0
    told = capsys.readouterr().out
    assert "mart.numbers: table of 2 rows" in told
    assert "2 checks, 1 warned" in told


def test_a_failure_says_where_why_and_how_to_go_on(
    store: Path, write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(write(*BAD))]) == 1
    told = capsys.readouterr().out
    assert "broken failed in cell 2, line 4  raise ValueError('no such rows')" in told
    assert "ValueError: no such rows" in told
    resume = next(line for line in told.splitlines() if line.startswith("continue"))
    run_id = resume.split()[-1]
    assert main(["runs"]) == 0
    assert "failed at broken" in capsys.readouterr().out
    assert main(["inspect", run_id]) == 0
    assert "ValueError: no such rows" in capsys.readouterr().out

    (tmp_path / "mended").touch()
    assert main(["resume", run_id, "--format", "json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["resumed_from"].startswith(run_id)
    states = {step["name"]: step["state"] for step in record["steps"]}
    assert states["load"] == "reused"
    assert states["broken"] == "completed"


def test_resuming_a_part_runs_no_more_than_that_part(
    store: Path, write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(write(*BAD, ("step:later", "print(rows)"))), "--until", "broken"]) == 1
    (tmp_path / "mended").touch()
    run_id = capsys.readouterr().out.split()[-1]
    output = tmp_path / "new" / "out.ipynb"
    assert main(["resume", run_id, "--output", str(output), "--format", "json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert [(step["name"], step["state"]) for step in record["steps"]] == [("broken", "completed")]
    assert output.exists()


def test_a_grid_makes_one_run_for_each_value(store: Path, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    notebook = str(write(("parameters", "n = 3"), ("step:show", "print(n)")))
    assert main(["run", notebook, "--grid", "n=2,5", "--format", "json"]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert [run["parameters"]["n"] for run in runs] == [2, 5]
    assert len({run["parent"] for run in runs}) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-p", "m=3"], "m"),
        (["-p", "n=many"], "n"),
        (["-p", "n"], "NAME=VALUE"),
        (["--only", "laod"], "Did you mean load?"),
        (["--max-parallel", "0"], "from 1 up"),
        (["--grid", "n=1,2", "--output", "x.ipynb"], "grid"),
        (["--grid", "n=1,2", "-p", "n=3"], "n"),
        (["--grid", "n=1,2", "--only", "load"], "grid"),
        (["-f", "no-such-file.yaml"], "no-such-file.yaml"),
        (["--output", "."], "is a folder"),
        (["--output", "/proc/x/y.ipynb"], "cannot be written"),
        (["--output", "a\0b.ipynb"], "cannot be written"),
    ],
)
def test_a_wrong_request_runs_nothing(
    write: Write, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(write(*GOOD)), *words]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert said in told.err
    assert "Traceback" not in told.err


@pytest.mark.parametrize("command", ["resume", "inspect"])
def test_an_unknown_run_is_a_wrong_request(command: str, store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "0000"]) == 2
    assert "jupyter pipelines runs" in capsys.readouterr().err


@pytest.mark.parametrize("when", ["run started", "slow: started"])
def test_ctrl_c_cancels_the_run(store: Path, write: Write, when: str) -> None:
    notebook = write(("step:slow", "import time\ntime.sleep(600)"))
    script = Path(sys.executable).with_name("jupyter-pipelines")
    process = subprocess.Popen(
        [script, "run", notebook], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    assert process.stderr is not None
    guard = threading.Timer(120, process.kill)
    guard.start()
    said = []
    for line in process.stderr:
        said.append(line)
        if when in line:
            process.send_signal(signal.SIGINT)
            break
    out, err = process.communicate()
    guard.cancel()
    assert process.returncode == 130, "".join(said) + err
    assert "Traceback" not in out + err
    assert "cancelled" in out
    assert "jupyter pipelines resume" in out
