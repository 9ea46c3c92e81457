"""A notebook that was moved takes along what is known of it."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.cli import main
from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.alerts.model import AlertRecord
from jupyter_pipelines.orchestration.alerts.shelf import Shelf as AlertShelf
from jupyter_pipelines.orchestration.model import RunRecord
from jupyter_pipelines.orchestration.schedules import Schedule
from jupyter_pipelines.orchestration.scheduling.model import ScheduleRecord
from jupyter_pipelines.orchestration.scheduling.shelf import Shelf
from jupyter_pipelines.store import Store


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    monkeypatch.setenv("JUPYTER_PIPELINES_HOME", str(home))
    monkeypatch.delenv("JUPYTER_PIPELINES_STORE", raising=False)
    return home


def ran(home: Path, notebook: Path, run: str, pipeline: str = "") -> None:
    record = RunRecord(run, "n", str(notebook), "", "failed", {}, 1.0, time.time(), (), pipeline=pipeline)
    Store(str(home / "store")).save_run(run, asdict(record) | {"process": None})


def starts(home: Path, notebook: Path) -> None:
    store = str(home / "store")
    since = datetime.now(UTC)
    daily = Schedule(cron="0 6 * * *", zone="UTC")
    Shelf(home).save(ScheduleRecord("s1", str(notebook), daily, since, store, "published", str(notebook)))
    AlertShelf(home).save(AlertRecord("a1", str(notebook), ("failure",), "https://example.com", store, 0.0, 0))


def test_all_of_it_follows(home: Path, write, tmp_path: Path) -> None:
    old = write(("step:one", "x = 1"), name="old.ipynb")
    version = jp.publish(old)
    ran(home, old, "first")
    starts(home, old)
    (tmp_path / "deep").mkdir()
    new = old.rename(tmp_path / "deep" / "new.ipynb")
    (before,) = jp.pipelines()
    assert before.missing
    ran(home, new, "second")  # before anybody has said what it is
    made = jp.relink(old, new)
    assert (made.schedules, made.triggers, made.alerts, made.versions) == (1, 0, 1, 1)
    assert {run.id for run in jp.list_runs(notebook=new)} == {"first", "second"}
    assert [one.id for one in jp.versions(new)] == [version.id]
    assert [one.notebook for one in jp.schedules(new)] == [str(new)]
    assert [one.notebook for one in jp.alerts(new)] == [str(new)]
    assert jp.drift(new).is_clean
    (after,) = jp.pipelines()
    assert (after.notebook, after.missing, after.schedules, len(after.last_runs)) == (str(new), False, 1, 2)
    assert jp.relink(old, new).versions == 1, "it can be repeated"
    again = write(("step:one", "x = 2"), name="deep/new.ipynb")
    assert jp.publish(again).number == 2


def test_what_has_only_runs_follows_too(home: Path, write, tmp_path: Path) -> None:
    old = write(("step:one", "x = 1"), name="old.ipynb")
    ran(home, old, "first")
    new = old.rename(tmp_path / "new.ipynb")
    jp.relink(old, new)
    newest = new.rename(tmp_path / "newest.ipynb")
    jp.relink(new, newest)
    (found,) = jp.pipelines()
    assert (found.notebook, found.missing, [run.id for run in found.last_runs]) == (str(newest), False, ["first"])


def test_what_cannot_follow_is_said(home: Path, write, tmp_path: Path) -> None:
    old, other = write(("step:one", "x = 1"), name="old.ipynb"), write(("step:one", "x = 2"), name="other.ipynb")
    ran(home, old, "first")
    for before, after, why in (
        (old, other, "is still there"),
        (old, old, "one file"),
        (tmp_path / "never.ipynb", other, "Nothing is known"),
        (old, tmp_path / "no.ipynb", "There is no notebook"),
    ):
        with pytest.raises(RequestError, match=why):
            jp.relink(before, after)
    jp.publish(other)
    old.unlink()
    with pytest.raises(RequestError, match="versions of its own"):
        jp.relink(old, other)


def test_what_was_moved_back_before_anything_followed_is_told_so(home: Path, write, tmp_path: Path) -> None:
    old = write(("step:one", "x = 1"), name="old.ipynb")
    version = jp.publish(old)
    with pytest.raises(RequestError, match=r"Nothing is known of .*new\.ipynb"):
        jp.relink(tmp_path / "new.ipynb", old)  # from old to new nobody has relinked
    assert [one.id for one in jp.versions(old)] == [version.id]


def test_the_command(home: Path, write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = write(("step:one", "x = 1"), name="old.ipynb")
    jp.publish(old)
    starts(home, old)
    new = old.rename(tmp_path / "new.ipynb")
    assert main(["relink", str(old), str(new)]) == 0
    assert capsys.readouterr().out.strip().endswith(", 1 version, 1 schedule, 1 alert")
    assert main(["relink", str(tmp_path / "x.ipynb"), str(new)]) == 2
