"""What cleaning leaves can be read; what it takes is gone."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.notebook import read_notebook
from jupyter_pipelines.orchestration import remains
from jupyter_pipelines.orchestration.backfills.model import BackfillRecord, PlannedWindow, Tried
from jupyter_pipelines.orchestration.backfills.shelf import BackfillShelf
from jupyter_pipelines.orchestration.cleaning import Cleaner, clean, find_old, remove
from jupyter_pipelines.orchestration.model import OutputRecord, RunRecord, StepRecord
from jupyter_pipelines.orchestration.redaction import seal, unseal
from jupyter_pipelines.orchestration.retention import DAY
from jupyter_pipelines.orchestration.service import Endpoint
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store
from jupyter_pipelines.store.files import write_json
from jupyter_pipelines.store.holds import held, hold
from jupyter_pipelines.warehouse import open_session
from jupyter_pipelines.warehouse.building import BuildResult
from jupyter_pipelines.warehouse.recording import record_build

SECRET = read_notebook(
    b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code", "id": "a", "outputs": [], '
    b'"execution_count": null, "metadata": {"tags": ["parameters"]}, "source": "token = \'\'"}]}',
    "secret.ipynb",
)


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store without a service."""
    monkeypatch.setenv("JUPYTER_PIPELINES_HOME", str(tmp_path / "home"))
    return Store(Settings.load().store)


def age(store: Store, seconds: float = 7200.0) -> None:
    """Have all values been there for a while: what is young may be about to be used."""
    for path in store.objects.glob("*/*"):
        os.utime(path, (time.time() - seconds,) * 2)


def save(store: Store, run: str, days: float, notebook: str = "/n/a.ipynb", size: int = 1000, **more: Any) -> str:
    """A run that ended so many days ago, with a value of ``size`` bytes of its own; returns the value's address."""
    address = store.put(run.encode().ljust(size, b"."), ".xxh3")
    output = OutputRecord("x", "bytes", size, "", address)
    at = time.time() - days * DAY
    step = StepRecord("one", "completed", at, at, 1, (output,))
    given = more.pop("parameters", {})
    record = RunRecord(run, "n", notebook, "", "failed", given, at - 1, at, (step,), pipeline=notebook, **more)
    store.save_run(run, asdict(record))
    age(store)
    return address


def left() -> set[str]:
    return {run.id for run in jp.list_runs(limit=None)}


def test_what_goes_is_told_before_it_goes(runs: Store) -> None:
    for number in range(4):
        save(runs, f"run{number}", number * 10.0)
    assert jp.gc().runs == ()
    told = jp.gc(older_than="15d")
    assert (told.runs, told.objects, told.removed) == (("run2", "run3"), 2, False)
    assert (told.bytes > 2000, told.kept_bytes) == (True, 2000)
    assert left() == {"run0", "run1", "run2", "run3"}
    told = jp.gc(keep_last=3, older_than=5 * DAY)
    assert told.runs == ("run3",)
    assert jp.gc(keep_last=3, older_than=5 * DAY, dry_run=False) == replace(told, removed=True)
    assert left() == {"run0", "run1", "run2"}


@pytest.mark.parametrize(
    "given", [{"keep_last": 0}, {"keep_last": True}, {"older_than": "long"}, {"older_than": -1}, {"older_than": "-1d"}]
)
def test_what_says_nothing_removes_nothing(runs: Store, given: dict[str, Any]) -> None:
    save(runs, "run0", 10.0)
    with pytest.raises(RequestError):
        jp.gc(**given, dry_run=False)
    assert left() == {"run0"}


def test_values_that_a_kept_run_took_over_stay(store: Path, write: Callable[..., Path]) -> None:
    cells = [("step:load", "x = list(range(1000))"), ("step:show", "y = len(x)"), ("step:end", "print(y)")]
    first = jp.run(write(*cells))
    second = jp.run(write(*cells), reuse=True)
    kept = Store(Settings.load().store)
    age(kept)
    garbage = find_old(keep_last=1)
    assert garbage.runs == (first.id,)
    remove(garbage)
    assert [record.id for record in jp.list_runs()] == [second.id]
    assert kept.get_notebook(second.version)
    for step in second.steps:
        for output in step.outputs:
            assert kept.has_object(output.container), output.name
    assert {step.state for step in jp.run(write(*cells), reuse=True).steps} == {"reused"}


def test_prefect_forgets_the_runs_that_are_gone(service: Endpoint, store: Path, write: Callable[..., Path]) -> None:
    going, staying = (jp.run(write(("step:load", "x = [1]"), ("step:end", "print(x)"))) for _ in range(2))
    age(Store(str(store)))
    jp.keep(staying.id)
    assert find_old(keep_last=2, older_than=0.0).runs == ()
    garbage = find_old(older_than=0.0)
    assert garbage.runs == (going.id,)
    remove(garbage)
    assert left() == {staying.id}
    jp.keep(staying.id, False)
    garbage = find_old(older_than=0.0)
    assert garbage.kept_bytes == 0
    assert Cleaner(Settings.load().home).look() > 1
    known = service.call("/flow_runs/filter", {"flow_runs": {"id": {"any_": [going.id, staying.id]}}})
    assert isinstance(known, list) and [run["id"] for run in known] == [staying.id]


def test_each_limit_counts_and_a_pipelines_own_come_first(runs: Store) -> None:
    for number in range(6):
        save(runs, f"a{number}", days=number * 10)
        save(runs, f"b{number}", days=number * 10, notebook="/n/b.ipynb")
    home = Settings.load().home
    clean(home)
    assert len(left()) == 12, "without limits nothing goes"
    assert jp.set_retention(keep_days=35) == jp.retention("/n/a.ipynb")
    jp.set_retention("/n/b.ipynb", keep_runs=2)
    assert (jp.retention("/n/b.ipynb").keep_runs, jp.retention("/n/b.ipynb").keep_days) == (2, 35)
    clean(home)
    assert left() == {"a0", "a1", "a2", "a3", "b0", "b1"}
    assert not any((runs.root / "runs").glob("*4"))
    jp.set_retention("/n/b.ipynb", keep_size=1)
    jp.set_retention("/n/a.ipynb", keep_size=4500)
    clean(home)
    assert left() == {"a0", "a1"}, "of each run its value counts, and its record"
    assert len(list(runs.objects.glob("*/*"))) == 2


def test_what_must_stay_stays(runs: Store) -> None:
    for run, before in (("first", ""), ("second", "first"), ("third", "second"), ("gone", ""), ("marked", "")):
        save(runs, run, days=50, resumed_from=before)
    record = runs.load_run("third")
    assert record is not None
    runs.save_run("third", {**record, "state": "running", "ended": 0.0, "process": None})
    runs.mark_active("third", True)
    runs.mark_kept("marked", True)
    jp.set_retention(keep_days=1)
    clean(Settings.load().home)
    assert {path.name for path in (runs.root / "runs").iterdir()} == {"first", "second", "third", "marked"}


def test_the_environment_sets_limits_and_the_file_wins(runs: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_PIPELINES_KEEP_SIZE", "5GB")
    monkeypatch.setenv("JUPYTER_PIPELINES_KEEP_RUNS", "7")
    assert (jp.retention().keep_size, jp.retention().keep_runs) == (5 * 10**9, 7)
    jp.set_retention(keep_runs=9)
    assert (jp.retention().keep_size, jp.retention().keep_runs) == (5 * 10**9, 9)
    with pytest.raises(RequestError, match="keep nothing"):
        jp.set_retention(keep_runs=0)
    monkeypatch.setenv("JUPYTER_PIPELINES_KEEP_SIZE", "much")
    with pytest.raises(RequestError, match="JUPYTER_PIPELINES_KEEP_SIZE is 'much'"):
        jp.retention()


@pytest.mark.parametrize("limit", [0, -1, math.inf, math.nan])
def test_what_is_no_number_to_count_with_is_no_limit(runs: Store, limit: float) -> None:
    with pytest.raises(RequestError, match="keep_days"):
        jp.set_retention(keep_days=limit)


@pytest.mark.parametrize("content", ["", "[]", '{"default": {"keep_runs": "many"}}', '{"pipelines": {"a": 3}}'])
def test_limits_that_cannot_be_read_remove_nothing(runs: Store, content: str) -> None:
    save(runs, "one", days=50)
    path = Settings.load().home / "retention.json"
    path.write_text(content)
    with pytest.raises(RequestError, match=r"retention\.json cannot be read, so nothing is removed"):
        clean(path.parent)
    assert left() == {"one"}


def test_a_value_that_is_taken_meanwhile_stays(runs: Store) -> None:
    address = save(runs, "one", days=50)
    garbage = find_old(older_than=DAY)
    assert runs.object_path(address) in garbage.objects
    assert runs.claim_object(address)
    remove(garbage)
    assert left() == set()
    assert runs.has_object(address)


def test_a_value_that_is_taken_in_the_moment_of_its_removal_stays(runs: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    address, other = save(runs, "old", days=9), save(runs, "older", days=10)
    garbage = find_old(older_than=DAY)
    assert {runs.object_path(address), runs.object_path(other)} <= set(garbage.objects)
    rename = Path.rename

    def taken_meanwhile(path: Path, target: Path) -> Path:
        if path == runs.object_path(address):
            time.sleep(0.01)
            assert runs.claim_object(address), "a step that begins finds it"
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", taken_meanwhile)
    remove(garbage)
    assert runs.has_object(address) and not runs.has_object(other)


def test_backfills_and_secrets_go_with_their_runs(runs: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remains, "UNUSED", -1.0)
    home = Settings.load().home
    secret = {
        name: str(seal(runs, SECRET, {"token": name})["token"]) for name in ("gone", "kept", "scheduled", "never")
    }
    save(runs, "old", days=9, parameters={"token": secret["gone"], "more": secret["scheduled"]})
    save(runs, "older", days=9, parameters={"token": secret["kept"]})
    save(runs, "new", days=0, parameters={"token": secret["kept"]})
    write_json(home / "schedules" / "s.json", {"parameters": {"token": secret["scheduled"]}})
    shelf = BackfillShelf(home)
    ids = {"over": "old", "unfinished": "old", "has a run": "new"}
    for backfill, run in ids.items():
        state: Any = "running" if backfill == "unfinished" else "completed"
        shelf.save(replace(backfill_of(runs, backfill), frozen=runs.put(backfill.encode(), ".json")[:32]))
        shelf.save_progress(backfill, {"w": Tried(state, 1, run)})
    frozen = {name: runs.object_path(f"{version}.json") for name, version in held(runs).items()}
    for path in frozen.values():
        os.utime(path, (1, 1))
    hold(runs, "never written", "v", home)  # by who was killed then
    hold(runs, "elsewhere", "v", home / "other")
    for _ in range(2):
        remove(find_old(older_than=DAY))
    assert {name for name in secret if (runs.root / "secrets" / secret[name].strip("*")).exists()} == {
        "kept",
        "scheduled",
        "never",
    }
    assert set(shelf.stamps()) == {"unfinished", "has a run"}
    assert {name for name, path in frozen.items() if path.exists()} == {"unfinished", "has a run"}
    assert set(held(runs)) == {"unfinished", "has a run", "elsewhere"}
    assert {path.stem for path in (home / "backfills" / "progress").iterdir()} == {"unfinished", "has a run"}


def test_the_warehouse_forgets_with_the_runs(runs: Store) -> None:
    session = open_session()
    made = BuildResult("t", "table", 1)
    record_build(session, made)  # by hand
    book = "_jupyter_pipelines.builds"
    for table, run, day in (("t", "old", 1), ("t", "new", 2), ("only", "old", 1)):
        session.execute(
            f"INSERT INTO {book} (table_name, run, built_at) VALUES ($table, $run, make_date(2020, 1, $day))",
            {"table": table, "run": run, "day": day},
        )
    for day in range(1, 29):
        session.execute(
            "INSERT INTO _jupyter_pipelines.checks (table_name, name, run, checked_at) "
            "VALUES ('t', 'rows', 'old', make_date(2020, 1, $day))",
            {"day": day},
        )
    save(runs, "old", days=30)
    save(runs, "new", days=1)
    jp.set_retention(keep_days=10)
    clean(Settings.load().home)
    kept = session.query(f"SELECT table_name, run FROM {book} ORDER BY ALL").to_pylist()
    assert [(row["table_name"], row["run"]) for row in kept] == [("only", "old"), ("t", ""), ("t", "new")]
    left = session.query(
        "SELECT count(*) AS n, min(day(checked_at)) AS first FROM _jupyter_pipelines.checks"
    ).to_pylist()
    assert left == [{"n": 10, "first": 19}]
    session.close()
    jp.warehouse().release()


def test_a_secret_that_was_used_of_late_stays(runs: Store) -> None:
    token = str(seal(runs, SECRET, {"token": "abcd"})["token"])
    save(runs, "old", days=9, parameters={"token": token})
    remove(find_old(older_than=DAY))
    assert unseal(runs, SECRET, {"token": token}) == {"token": "abcd"}


def backfill_of(store: Store, backfill: str) -> BackfillRecord:
    window = PlannedWindow("w", "2024-01-01T00:00:00+00:00", "2024-01-02T00:00:00+00:00", {})
    return BackfillRecord(
        backfill, "/n/a.ipynb", "p", str(store.root), "", "", "day", "UTC", 1, False, time.time() - 2 * DAY, (window,)
    )


def test_a_kill_while_removing_leaves_no_half_run(runs: Store) -> None:
    for moment in range(100):
        for number in range(2):
            save(runs, f"run{number}", days=50)
            (runs.run_folder(f"run{number}") / "executed.ipynb").write_text("{}")
        if not _killed_at(moment):
            break
        for run in left():
            record = jp.get_run(run)
            assert runs.has_object(record.steps[0].outputs[0].container)
            assert (runs.run_folder(run) / "executed.ipynb").exists()
    assert 5 < moment < 99, "it was killed at each of its file operations, and then ended"
    assert left() == set()
    assert not (runs.root / "removed").exists() or not any((runs.root / "removed").iterdir())


def _killed_at(moment: int) -> bool:
    """Remove what is old in another process, which dies at its ``moment``-th file operation, if it has so many."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] != 0
    done = 0

    def die(event: str, _: object) -> None:
        nonlocal done
        if event in {"os.remove", "os.rmdir", "os.rename"}:
            done += 1
            if done > moment:
                os._exit(9)

    try:
        garbage = find_old(older_than=DAY)
        sys.addaudithook(die)
        remove(garbage)
        os._exit(0)
    finally:
        os._exit(1)
