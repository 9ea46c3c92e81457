"""The history of runs: found by what they have in common, every end told once, whatever happens to the index."""

from __future__ import annotations

import logging
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from jupyter_pipelines.orchestration.history import History
from jupyter_pipelines.orchestration.model import RunRecord, RunState, StepRecord
from jupyter_pipelines.orchestration.settling import settle_runs
from jupyter_pipelines.store import Store

NOON = 1_800_000_000.0


@pytest.fixture
def runs(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store"))


def index_of(store: Store) -> Path:
    return store.root / "index" / "runs.db"


def save(store: Store, run: str, state: RunState = "completed", started: float = NOON, **more: str) -> RunRecord:
    ended = 0.0 if state in {"pending", "running"} else started + 1
    notebook = more.pop("notebook", "/n/flights.ipynb")
    record = RunRecord(run, "n", notebook, "v", state, {}, started, ended, (), **more)  # type: ignore[arg-type]  # texts
    if not ended:
        store.mark_active(run, True)
    store.save_run(run, asdict(record) | {"process": None})
    return record


def ids(records: list[RunRecord]) -> list[str]:
    return [record.id for record in records]


def test_runs_are_found_by_what_they_have_in_common(runs: Store) -> None:
    for number in range(4):
        save(runs, f"a{number}", started=NOON + number, schedule="s1" if number % 2 else "")
    save(runs, "b0", "failed", NOON + 10, notebook="/n/b.ipynb", parent="grid")
    save(runs, "c0", "running", NOON + 11)
    history = History(runs)
    assert ids(history.query()) == ["c0", "b0", "a3", "a2", "a1", "a0"]
    assert ids(history.query(limit=2)) == ["c0", "b0"]
    assert ids(history.query(notebook="/n/flights.ipynb", limit=2)) == ["c0", "a3"]
    assert ids(history.query(pipeline="/n/b.ipynb")) == ["b0"]
    assert ids(history.query(state="failed")) == ["b0"]
    assert ids(history.query(state=["failed", "running"])) == ["c0", "b0"]
    assert ids(history.query(schedule="s1", state="completed")) == ["a3", "a1"]
    assert ids(history.query(parent="grid")) == ["b0"]
    save(runs, "d0", "failed", NOON - 1, schedule="s1", backfill="many")
    assert ids(history.query(by="hand")) == ["c0", "b0", "a2", "a0"]
    assert ids(history.query(by=["schedule", "backfill"])) == ["a3", "a1", "d0"]
    assert ids(history.query(by="backfill", schedule="s1")) == ["d0"]
    assert history.query(by=()) == []
    assert ids(history.query(since=NOON + 1, until=NOON + 3)) == ["a2", "a1"]
    assert history.query(backfill="none") == []
    assert history.find("a") == ["a0", "a1", "a2", "a3"]


def test_records_of_earlier_and_later_versions_are_read(runs: Store) -> None:
    save(runs, "a")
    found = dict(runs.load_run("a") or {})
    needed = {"id", "name", "notebook", "version", "state", "parameters", "started", "ended", "steps"}
    step = {"name": "load", "state": "completed"}
    earlier = {name: value for name, value in found.items() if name in needed} | {"steps": [step]}
    runs.save_run("a", earlier | {"of a later one": 1})
    (record,) = History(runs).query()
    assert record.step("load").state == "completed"
    del earlier["state"]
    runs.save_run("a", earlier)
    assert History(runs).query() == []


def test_ends_are_told_once_in_their_order(runs: Store) -> None:
    history = History(runs)
    assert history.mark() == 0
    save(runs, "late", "running")
    save(runs, "one")
    mark, ended = history.ended_since(0)
    assert (ids(ended), mark) == (["one"], history.mark())
    assert history.ended_since(mark) == (mark, [])
    save(runs, "two", "failed", started=NOON - 1000)
    save(runs, "late", "crashed")
    save(runs, "two", "failed", started=NOON - 1000)  # the same end
    later, ended = history.ended_since(mark)
    assert ids(ended) == ["two", "late"]
    assert history.ended_since(later) == (later, [])
    assert ids(history.ended_since(0)[1]) == ["one", "two", "late"]


def test_a_run_that_waits_keeps_its_place_and_moves_when_it_starts(runs: Store) -> None:
    save(runs, "waits", "pending", started=0.0)
    (found,) = History(runs).query(since=time.time() - 60)
    assert found.id == "waits"
    save(runs, "waits", "running", started=NOON)
    assert ids(History(runs).query(since=NOON, until=NOON + 1)) == ["waits"]


def test_a_kill_between_record_and_index_loses_no_run(runs: Store) -> None:
    save(runs, "one", "running")
    mark = History(runs).mark()
    script = f"""
import os, sqlite3
from jupyter_pipelines.store import Store, run_index
run_index._put = lambda *_: os._exit(9)
Store({str(runs.root)!r}).save_run("one", {{"id": "one", "name": "n", "notebook": "/n", "version": "v",
  "state": "completed", "parameters": {{}}, "started": 1.0, "ended": 2.0, "steps": []}})
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 9
    assert ids(History(runs).ended_since(mark)[1]) == ["one"]


def test_an_end_whose_mark_was_lost_too_is_found(runs: Store) -> None:
    save(runs, "one", "running")
    with damaged(runs, b""):
        save(runs, "one", "completed")
    for left in (runs.root / "index" / "changed").iterdir():
        left.unlink()
    runs.mark_active("one", False)
    assert ids(History(runs).query(state="completed")) == ["one"]


@contextmanager
def damaged(store: Store, content: bytes) -> Iterator[None]:
    """The index cannot be used while inside; afterwards it is as it was."""
    path = index_of(store)
    whole = path.read_bytes()
    path.write_bytes(content)
    yield
    path.write_bytes(whole)


@pytest.mark.parametrize("damage", ["missing", "garbage", "half", "version", "empty", "torn"])
def test_a_damaged_index_is_made_anew_and_says_so(runs: Store, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(120):
        save(runs, f"{number:03d}", started=NOON + number)
    mark = History(runs).mark()
    path = index_of(runs)
    if damage == "missing":
        path.unlink()
    elif damage == "version":
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA user_version = 99")
        connection.close()
    else:
        whole = path.read_bytes()
        torn = whole[:4096] + os.urandom(len(whole) - 4096)
        path.write_bytes({"garbage": b"garbage" * 999, "half": whole[:5000], "empty": b"", "torn": torn}[damage])
    save(runs, "during", "failed", NOON + 1000)
    with caplog.at_level(logging.WARNING):
        assert ids(History(runs).query(limit=2)) == ["during", "119"]
    assert "made anew" in caplog.text
    assert len(History(runs).query(limit=None)) == 121
    assert "during" in ids(History(runs).ended_since(mark)[1])
    save(runs, "after")
    assert "after" in ids(History(runs).query(limit=None))
    marks = sorted(number for number, _ in History(runs)._index.ends_since(0))
    assert len(set(marks)) == 122 and marks[-1] == History(runs).mark()


def test_a_locked_index_neither_stops_a_run_nor_hides_it(runs: Store) -> None:
    save(runs, "one")
    connection = sqlite3.connect(index_of(runs), isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    save(runs, "two")
    connection.execute("ROLLBACK")
    connection.close()
    assert set(ids(History(runs).query())) == {"one", "two"}
    assert not [name for name in os.listdir(runs.root / "index" / "changed") if name.startswith("one")]


def test_where_nothing_can_be_written_the_records_are_read(runs: Store, caplog: pytest.LogCaptureFixture) -> None:
    save(runs, "one")
    index_of(runs).unlink()
    (runs.root / "index" / "new.db").mkdir()  # no new index can be put there
    (runs.root / "index" / "new.db" / "in the way").touch()
    save(runs, "two", started=NOON + 1)
    assert ids(History(runs).query()) == ["two", "one"]
    assert "all records are read" in caplog.text


def test_many_write_at_once(runs: Store) -> None:
    script = """
import sys
from jupyter_pipelines.store import Store
store, name = Store(sys.argv[1]), sys.argv[2]
for number in range(40):
    for state in ("running", "completed"):
        store.save_run(f"{name}-{number}", {"id": f"{name}-{number}", "name": "n", "notebook": "/n", "version": "v",
            "state": state, "parameters": {}, "started": 1.0, "ended": 2.0, "steps": []})
"""
    command = [sys.executable, "-c", script, str(runs.root)]
    writers = [subprocess.Popen([*command, name]) for name in "abcd"]
    mark, told = 0, list[str]()
    while any(writer.poll() is None for writer in writers):
        mark, ended = History(runs).ended_since(mark)
        told += ids(ended)
    told += ids(History(runs).ended_since(mark)[1])
    assert [writer.returncode for writer in writers] == [0] * 4
    assert sorted(told) == sorted(f"{name}-{number}" for name in "abcd" for number in range(40))


def test_a_run_whose_folder_is_gone_is_no_longer_found(runs: Store) -> None:
    import shutil

    save(runs, "one")
    save(runs, "two", started=NOON + 1)
    assert len(History(runs).query()) == 2
    shutil.rmtree(runs.run_folder("two"))
    assert ids(History(runs).query()) == ["one"]
    assert History(runs).find("t") == []


def test_what_a_power_cut_took_from_the_index_is_found_after_the_next_start(runs: Store) -> None:
    save(runs, "one")
    with damaged(runs, b""):
        save(runs, "two", started=NOON + 1)
    for left in (runs.root / "index" / "changed").iterdir():
        left.unlink()
    assert ids(History(runs).query()) == ["one"]
    with sqlite3.connect(index_of(runs)) as connection:
        connection.execute("UPDATE facts SET value = 'another' WHERE name = 'boot'")
    connection.close()
    assert ids(History(runs).query()) == ["two", "one"]


def test_a_full_disk_fails_no_run_on_account_of_the_index(runs: Store) -> None:
    import resource
    import signal

    for number in range(100):
        save(runs, f"{number:03d}", started=NOON + number)
    with sqlite3.connect(index_of(runs)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    child = os.fork()
    if not child:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, hard))  # room for a record, none for the index
        try:
            save(runs, "last", "failed", NOON + 1000)
            os._exit(0 if ids(History(runs).query(limit=1)) == ["last"] else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert ids(History(runs).query(limit=2)) == ["last", "099"]


def test_a_killed_run_has_ended_when_it_was_seen_alive_last(runs: Store) -> None:
    long_ago = time.time() - 7200
    ended = {}
    for name in ("seen", "unseen"):
        with subprocess.Popen(["sleep", "600"]) as process:
            identity = {"pid": process.pid, "created": psutil.Process(process.pid).create_time()}
            runs.mark_active(name, True)
            step = StepRecord("long", "running", long_ago)
            record = RunRecord(name, "n", "/n.ipynb", "v", "running", {}, long_ago, 0.0, (step,))
            runs.save_run(name, asdict(record) | {"process": identity})
            (runs.run_folder(name) / "executed.ipynb").write_text("{}")
            for path, age in (("run.json", 0), ("executed.ipynb", 60)):
                os.utime(runs.run_folder(name) / path, (long_ago + age,) * 2)
            os.utime(runs.root / "active" / name, (long_ago,) * 2)
            if name == "seen":
                assert settle_runs(runs, None) == []
            process.kill()
        assert settle_runs(runs, None) == [name]
        found = History(runs).query(state="crashed", limit=1)[0]
        assert found.steps[0].ended == found.ended
        ended[name] = found.ended
    assert abs(ended["seen"] - time.time()) < 300
    assert ended["unseen"] == pytest.approx(long_ago + 60)
