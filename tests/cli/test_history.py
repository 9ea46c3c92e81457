"""`runs`: the runs that fit what is asked, and times as people type them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.cli import main
from jupyter_pipelines.orchestration.model import RunRecord
from jupyter_pipelines.store import Store, publications

NOON = 1_700_000_000.0


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("JUPYTER_PIPELINES_HOME", str(tmp_path))
    store = Store(str(tmp_path / "store"))
    for number, state in enumerate(("completed", "failed", "completed", "crashed")):
        notebook = f"/n/{'ab'[number % 2]}.ipynb"
        at = NOON + 86400 * number
        record = RunRecord(f"run{number}", "n", notebook, "v", state, {}, at, at + 1, (), schedule=f"s{number}")  # type: ignore[arg-type]  # a state
        store.save_run(record.id, asdict(record))
    return store


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ["run3", "run2", "run1", "run0"]),
        (["--limit", "1"], ["run3"]),
        (["/n/b.ipynb"], ["run3", "run1"]),
        (["--state", "failed", "--state", "crashed"], ["run3", "run1"]),
        (["--schedule", "s2"], ["run2"]),
        (["--since", "2023-11-16", "--until", "2023-11-17T12:00+00:00"], ["run2"]),
        (["--since", "2d"], []),
        (["--backfill", "b"], []),
    ],
)
def test_runs_that_fit_are_listed(
    kept: Store, options: list[str], expected: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["runs", *options, "--format", "json"]) == 0
    assert [run["id"] for run in json.loads(capsys.readouterr().out)["runs"]] == expected
    assert main(["runs", *options]) == 0
    told = capsys.readouterr().out
    assert all(run in told for run in expected) if expected else told == "no run on record fits\n"


def test_runs_say_what_they_are_of_and_who_asked(kept: Store, capsys: pytest.CaptureFixture[str]) -> None:
    at, log = NOON + 86400 * 9, {"notebook": "/n/a.ipynb", "time": NOON, "author": "ann", "message": ""}
    for version in ("1111aaaa", "2222bbbb"):
        publications.append(kept, "/n/a.ipynb", {"kind": "publish", "version": version, **log})
    for name, more in (
        ("by-schedule", {"schedule": "s9", "scheduled_time": at, "published": "2222bbbb"}),
        ("by-trigger", {"schedule": "t9", "triggered": True}),
        ("by-backfill", {"backfill": "b9"}),
    ):
        record = RunRecord(name, "n", "/n/a.ipynb", "v", "completed", {}, at, at + 1, (), **more)  # type: ignore[arg-type]  # some of its fields
        kept.save_run(record.id, asdict(record))
    assert main(["runs"]) == 0
    told = {line.split()[1]: line for line in capsys.readouterr().out.splitlines()[1:]}
    assert "v2" in told["by-sched"] and "schedule s9" in told["by-sched"]
    assert "file" in told["by-trigg"] and "trigger t9" in told["by-trigg"]
    assert "backfill b9" in told["by-backf"]
    assert main(["inspect", "by-schedule"]) == 0
    assert "version v2 (2222bbbb), started " in (told_of := capsys.readouterr().out)
    assert "asked for by schedule s9 for 2023-" in told_of


def test_a_time_that_is_none_is_told(kept: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--since", "yesteryear"]) == 2
    assert "'yesteryear' is not a time; write 2d" in capsys.readouterr().err


def test_limits_are_set_shown_and_lifted(kept: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["retention"]) == 0
    assert capsys.readouterr().out == "every pipeline: all runs are kept\n"
    assert main(["retention", "--keep-days", "90", "--keep-size", "5GB"]) == 0
    assert main(["retention", "/n/a.ipynb", "--keep-runs", "1", "--format", "json"]) == 0
    capsys.readouterr()
    assert main(["retention", "/n/a.ipynb", "--keep-days", "all", "--format", "json"]) == 0
    limits = {"pipeline": "/n/a.ipynb", "keep_runs": 1, "keep_days": 90, "keep_size": 5 * 10**9}
    assert json.loads(capsys.readouterr().out) == limits
    assert main(["retention", "--keep-days", "all"]) == 0
    told = capsys.readouterr().out
    assert "every pipeline: kept are up to 5.0 GB" in told
    assert "/n/a.ipynb: kept are the newest 1 run, up to 5.0 GB" in told
    assert main(["retention", "--keep-runs", "few"]) == 2
    assert "--keep-runs few is not a number" in capsys.readouterr().err


def test_what_is_beyond_the_limits_is_shown_and_then_goes(kept: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["retention", "--keep-runs", "1"]) == 0
    assert main(["keep", "run0"]) == 0
    assert main(["inspect", "run0", "--format", "json"]) == 0
    assert '"kept": true' in capsys.readouterr().out
    assert main(["gc"]) == 0
    told = capsys.readouterr().out
    assert "run1" in told and "run0" not in told
    assert "would go: 1 run," in told and "add --yes" in told
    would_go = jp.gc()
    assert (would_go.runs, would_go.removed) == (("run1",), False)
    assert would_go.bytes > 0
    assert main(["gc", "--yes", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"] == ["run1"]
    assert main(["keep", "run0", "--off"]) == 0
    assert main(["gc", "--yes"]) == 0
    assert {path.name for path in (kept.root / "runs").iterdir()} == {"run2", "run3"}
