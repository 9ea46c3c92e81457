"""What scripts rely on, whatever the command: exit codes, JSON alone on standard output, no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jupyter_pipelines.cli import main
from jupyter_pipelines.cli.application import COMMANDS
from jupyter_pipelines.cli.output import clean, duration, size

ALL = [name for group in COMMANDS.values() for name in group]


def test_the_overview_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    assert all(f"  {name} " in told for name in ALL)
    assert "Exit codes" in told


@pytest.mark.parametrize("name", ALL)
def test_every_command_has_help_and_a_json_format(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"usage: jupyter pipelines {name}")
    assert "--format" in told
    assert "json" in told
    assert max(map(len, told.splitlines())) <= 120


def test_a_mistyped_command_is_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chekc"]) == 2
    assert "did you mean `check`?" in capsys.readouterr().err


def test_an_unknown_option_is_a_wrong_request(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--sttrict", "x.ipynb"]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_help_is_there_at_once() -> None:
    script = Path(sys.executable).with_name("jupyter-pipelines")
    times = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run([script, "--help"], check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    bare = time.perf_counter() - began
    assert min(times) < max(0.2, 10 * bare)  # on a busy machine Python's own start is the measure


@pytest.mark.parametrize("command", ["check", "show", "explain", "suggest", "run", "verify"])
def test_a_missing_notebook_is_a_wrong_request(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "flights.ipynb").write_text("{}")
    assert main([command, str(tmp_path / "flihgts.ipynb")]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "There is no notebook" in told.err
    assert "Did you mean" in told.err
    assert "Traceback" not in told.err
    assert main([command, str(tmp_path / "flihgts.ipynb"), "--format", "json"]) == 2
    told = capsys.readouterr()
    error = json.loads(told.out)["error"]
    assert error["kind"] == "request"
    assert "There is no notebook" in error["message"]
    assert "Did you mean" in error["fix"]


@pytest.mark.parametrize("command", ["runs", "schedules", "retention"])
def test_a_notebook_that_nobody_knows_is_a_wrong_request(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JUPYTER_PIPELINES_HOME", str(tmp_path / "home"))
    (tmp_path / "there.ipynb").write_text("{}")
    assert main([command, str(tmp_path / "there.ipynb")]) == 0
    assert main([command, str(tmp_path / "gone.ipynb")]) == 2
    assert "There is no notebook" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a" * 10_000, "~nobody-of-that-name/a.ipynb", "/dev/null/a.ipynb", "a\0b.ipynb"])
@pytest.mark.parametrize(
    "command",
    ["check", "run", "publish", "versions", "diff", "verify", "runs", "inspect", "keep", "cancel", "resume",
     "backfills", "limit NAME 3", "schedule NAME daily", "trigger NAME --token", "relink NAME other",
     "alert NAME --to file:x"],
)  # fmt: skip
def test_what_can_be_no_name_is_a_wrong_request(
    command: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JUPYTER_PIPELINES_HOME", str(tmp_path / "home"))
    words = command.split() if "NAME" in command else [command, "NAME"]
    assert main([name if word == "NAME" else word for word in words]) == 2
    assert "internal error" not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", ".", "a\0b.ipynb"])
def test_what_cannot_be_a_file_is_a_wrong_request(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", name]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_mistake_of_ours_is_told_as_one_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from jupyter_pipelines.cli.commands import runs

    def broken(_: object) -> int:
        raise LookupError("a defect")

    monkeypatch.setattr(runs, "run", broken)
    monkeypatch.setenv("JUPYTER_PIPELINES_HOME", str(tmp_path / "home"))
    assert main(["runs", "--format", "json"]) == 1
    told = capsys.readouterr()
    error = json.loads(told.out)["error"]
    assert error["kind"] == "internal"
    assert "LookupError: a defect" in error["message"]
    assert "Traceback" not in told.err
    assert "in broken" in Path(error["traceback"]).read_text()


def test_ctrl_c_is_no_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from jupyter_pipelines.cli.commands import runs

    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "run", interrupted)
    assert main(["runs"]) == 130
    assert capsys.readouterr().err.strip() == "cancelled"


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("jupyter-pipelines")
    environment = {**os.environ, "JUPYTER_PIPELINES_HOME": str(tmp_path)}
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run(
        [script, "runs", "--format", "json"],
        check=False,
        stdout=writer,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    )
    os.close(writer)
    assert process.returncode == 0
    assert process.stderr == ""


def test_a_notebook_cannot_drive_the_terminal() -> None:
    assert clean("a\x1b[31mb\x07\x9bc\u202ed\te\nf \x1b]0;title\x07g") == "abcd\te\nf g"


def test_times_and_sizes_are_written_for_people() -> None:
    assert [duration(seconds) for seconds in (0.04, 9.94, 12, 59.7, 185, 7800)] == [
        "0.0 s",
        "9.9 s",
        "12 s",
        "1 min 00 s",
        "3 min 05 s",
        "2 h 10 min",
    ]
    assert [size(number) for number in (0, 999, 1234, 51_000_000, 2_500_000_000)] == [
        "0 B",
        "999 B",
        "1.2 kB",
        "51 MB",
        "2.5 GB",
    ]
