"""A store with damaged records: each is told, and everything else works."""

from __future__ import annotations

import errno
import json
import logging
from dataclasses import asdict
from pathlib import Path

import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.errors import RequestError, StoreError
from jupyter_pipelines.orchestration.cleaning import find_old
from jupyter_pipelines.orchestration.model import RunRecord, StepRecord
from jupyter_pipelines.store import Store
from jupyter_pipelines.store.files import cannot_write

STEP = asdict(StepRecord("a", "completed"))
GOOD = asdict(RunRecord("good", "nb", "/nb.ipynb", "v", "completed", {}, 1.0, 2.0, (StepRecord("a", "completed"),)))
OUTPUT = {"name": "x", "type": "int", "size": 1, "summary": "1", "container": "c"}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        "[" * 100_000,
        json.dumps({"id": 5, "steps": 5}),
        json.dumps(GOOD | {"state": "zzz"}),
        json.dumps(GOOD | {"started": "x"}),
        json.dumps(GOOD | {"started": float("nan")}),
        json.dumps(GOOD | {"steps": [5]}),
        json.dumps(GOOD | {"steps": [STEP | {"outputs": [OUTPUT | {"size": "large"}]}]}),
        json.dumps(GOOD | {"parameters": None}),
        None,  # a folder
    ],
)
def test_a_damaged_record_is_told_and_hurts_nothing_else(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("JUPYTER_PIPELINES_STORE", str(tmp_path))
    monkeypatch.setenv("JUPYTER_PIPELINES_HOME", str(tmp_path / "home"))
    store = Store(str(tmp_path))
    store.save_run("good", GOOD)
    path = store.run_folder("bad") / "run.json"
    path.parent.mkdir()
    if content is None:
        path.mkdir()
    else:
        path.write_text(content)
    store.mark_active("bad", True)
    (tmp_path / "active" / "folder").mkdir()
    with caplog.at_level(logging.WARNING):
        assert [run.id for run in jp.list_runs()] == ["good"]
    assert caplog.messages == ["The record of run bad cannot be read."]
    assert jp.get_run("good").state == "completed"
    with pytest.raises(RequestError, match="cannot be read"):
        jp.get_run("bad")
    find_old(keep_last=1)


def test_a_key_of_a_later_version_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_PIPELINES_STORE", str(tmp_path))
    monkeypatch.setenv("JUPYTER_PIPELINES_HOME", str(tmp_path / "home"))
    Store(str(tmp_path)).save_run("good", GOOD | {"colour": "blue", "steps": [STEP | {"outputs": [OUTPUT | {"n": 1}]}]})
    assert [output.name for output in jp.get_run("good").step("a").outputs] == ["x"]


def test_what_cannot_be_written_names_the_folder_and_the_fix(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("in the way")
    with pytest.raises(StoreError, match="runs"):
        Store(str(tmp_path)).save_run("one", {})
    error = cannot_write(tmp_path, OSError(errno.ENOSPC, "No space left on device"))
    assert str(tmp_path) in error.message
    assert "gc" in error.fix


def test_a_damaged_result_is_no_result(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    for number, content in enumerate(["{}", "[]", '{"run": 1, "result": []}']):
        path = tmp_path / "results" / "ab" / f"cd{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        assert store.load_result(f"abcd{number}") is None
