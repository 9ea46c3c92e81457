"""What the store announces can be read, and damage is told from absence."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jupyter_pipelines.errors import StoreError
from jupyter_pipelines.store import Store, StoredResult
from jupyter_pipelines.store.files import UNFINISHED, hold, remove_unfinished
from jupyter_pipelines.store.store import FOLDERS


def test_a_notebook_is_kept_under_its_content(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "store"))
    address = store.put_notebook(b"{}")
    assert store.put_notebook(b"{}") == address
    assert store.get_notebook(address) == b"{}"


def test_an_altered_notebook_is_refused(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    address = store.put_notebook(b"{}")
    [path] = store.objects.rglob("*.ipynb")
    path.write_bytes(b"[]")
    with pytest.raises(StoreError, match="altered"):
        store.get_notebook(address)


def test_a_missing_notebook_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="ff00"):
        Store(str(tmp_path)).get_notebook("ff00")


def test_runs_are_listed_newest_first(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    for number, run in enumerate(["one", "two", "three"]):
        store.save_run(run, {"id": run})
        os.utime(store.run_folder(run), (number, number))
    assert list(store.run_ids()) == ["three", "two", "one"]
    assert (store.load_run("two") or {})["id"] == "two"
    assert store.load_run("four") is None


def test_results_come_back_as_they_were_kept(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    kept = StoredResult(run="r", result={"step": "a"}, files={"/data.csv": "1-2"})
    store.save_result("abcd", kept)
    assert store.load_result("abcd") == kept
    assert store.load_result("abce") is None


def test_object_storage_is_refused_plainly() -> None:
    with pytest.raises(StoreError, match="s3://bucket"):
        Store("s3://bucket/prefix")


def test_everything_is_the_owners_alone(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "store"))
    store.save_run("one", {})
    record = store.run_folder("one") / "run.json"
    assert record.stat().st_mode & 0o077 == 0
    assert record.parent.stat().st_mode & 0o077 == 0


WRITER = """
import sys
from jupyter_pipelines.store import Store
from jupyter_pipelines.store.files import UNFINISHED, hold, remove_unfinished
from jupyter_pipelines.store.store import FOLDERS
store = Store(sys.argv[1])
number = 0
while True:
    number += 1
    store.save_run("run", {"number": number, "padding": "x" * 200_000})
    print(number, flush=True)
"""


def test_a_record_is_whole_after_a_kill_at_any_moment(tmp_path: Path) -> None:
    for delay in (0.003, 0.007, 0.013):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        announced = int(writer.stdout.readline())
        time.sleep(delay)  # not a wait for anything: the moment of the kill
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        record = Store(str(tmp_path)).load_run("run")
        assert record is not None
        assert record["number"] >= announced


@pytest.mark.skipif(sys.platform == "win32", reason="there are no locks")
def test_what_killed_writers_left_goes_and_what_is_being_written_stays(tmp_path: Path) -> None:
    names = (".run.json.a1b2c3d4", ".executed.ipynb.a1b2c3d4.tmp", ".writing-a1b2c3d4", ".0-1.json.new")
    left = [tmp_path / "runs" / "one" / name for name in names]
    kept = [
        tmp_path / name
        for name in ("run.json", ".key", ".lock", "folders/of/.mine.csv.a1b2c3d4", ".held.json.a1b2c3d4")
    ]
    for path in (*left, *kept):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{")
    young = time.time()
    with open(kept[-1]) as written:
        hold(written.fileno())
        remove_unfinished(tmp_path, FOLDERS, now=young)
        assert all(path.exists() for path in (*left, *kept)), "who writes has time"
        remove_unfinished(tmp_path, FOLDERS, now=young + UNFINISHED + 1)
        assert [path for path in (*left, *kept) if path.exists()] == kept
    remove_unfinished(tmp_path, FOLDERS, now=young + UNFINISHED + 1)
    assert not kept[-1].exists(), "its writer is gone"
