"""The server's database: refused when it is of a newer version, backed up, restored when it is damaged."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import stat
import threading
import time
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.cli import main
from jupyter_pipelines.errors import ServiceError
from jupyter_pipelines.orchestration.model import RunRecord
from jupyter_pipelines.orchestration.schedules import Schedule
from jupyter_pipelines.orchestration.scheduling.model import ScheduleRecord
from jupyter_pipelines.orchestration.scheduling.shelf import Shelf
from jupyter_pipelines.orchestration.service import Endpoint, ensure_service, stop_service
from jupyter_pipelines.orchestration.service.database.backups import BACKUPS, back_up
from jupyter_pipelines.orchestration.service.database.files import DamagedDatabaseError, Database, check
from jupyter_pipelines.orchestration.service.database.keeping import Keeper, describe
from jupyter_pipelines.orchestration.service.database.readying import ready
from jupyter_pipelines.orchestration.service.database.versions import installed_version, refuse_newer
from jupyter_pipelines.orchestration.service.home_format import FORMAT, bring_up_to_date
from jupyter_pipelines.orchestration.service.supervisor import main as supervise
from jupyter_pipelines.orchestration.versions.publishing import history
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store

REVISION = "79e7a60e43d8"  # one that the Prefect which is installed knows


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A small database like Prefect's, in a home of its own, as the installed version left it."""
    monkeypatch.setenv("JUPYTER_PIPELINES_HOME", str(tmp_path))
    made = Database(tmp_path)
    with closing(sqlite3.connect(made.path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(f"""
            CREATE TABLE alembic_version (version_num); INSERT INTO alembic_version VALUES ('{REVISION}');
            CREATE TABLE flow_run (id TEXT PRIMARY KEY, state_type TEXT);
            INSERT INTO flow_run VALUES ('went-on', 'RUNNING'), ('ended', 'COMPLETED');
            CREATE TABLE filler (text);
        """)
        connection.executemany("INSERT INTO filler VALUES (?)", [(os.urandom(500).hex(),) for _ in range(300)])
        connection.commit()
    (tmp_path / "secret").touch()
    made.jot(prefect=installed_version("prefect"), closed=True)
    return made


def start(database: Database) -> list[str]:
    """What is said when the server is about to start."""
    said: list[str] = []
    with ready(database.home, said.append):
        check(database.path)
    return said


def damage(path: Path) -> None:
    with open(path, "r+b") as file:
        file.seek(4096)
        file.write(os.urandom(path.stat().st_size - 4096))


def rows(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM filler").fetchone()[0])


def test_a_good_database_is_left_as_it_is(database: Database) -> None:
    before = database.path.read_bytes()
    assert start(database) == []
    assert database.path.read_bytes() == before
    assert not database.backups()
    assert database.noted()["closed"] is True


def test_a_new_home_has_nothing_to_make_ready(tmp_path: Path) -> None:
    refuse_newer(tmp_path)
    with ready(tmp_path):
        assert Database(tmp_path).noted()["prefect"] == installed_version("prefect")


def test_it_is_backed_up_before_another_version_changes_it(database: Database) -> None:
    database.jot(prefect="3.0.0")
    (said,) = start(database)
    (made,) = database.backups()
    assert "Prefect 3.0.0" in said and str(made) in said
    assert rows(made) == 300
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.parent.stat().st_mode) == 0o700
    assert start(database) == [], "once"


@pytest.mark.parametrize("written", ["prefect", "revision"])
def test_a_newer_version_is_refused_and_nothing_is_touched(
    database: Database, written: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if written == "prefect":
        database.jot(prefect="99.1.2")
    else:
        with closing(sqlite3.connect(database.path)) as connection:
            connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
            connection.commit()
    before = database.path.read_bytes(), database.note.read_bytes()
    with pytest.raises(ServiceError) as refused, ready(database.home):
        pytest.fail("it is not to be opened")
    told = str(refused.value)
    expected = {
        "prefect": ("Prefect 99.1.2", f"installed is Prefect {installed_version('prefect')}", "prefect>=99.1.2"),
        "revision": ("a newer Prefect", "install the newer Prefect again"),
    }[written]
    assert all(text in told for text in expected)
    assert (database.path.read_bytes(), database.note.read_bytes()) == before
    for command in (["up", "--detach"], ["up"]):
        assert main(command) == 2
        assert expected[0] in capsys.readouterr().err
    assert main(["status"]) == 0
    assert expected[0] in capsys.readouterr().out
    assert (database.path.read_bytes(), database.note.read_bytes()) == before


@pytest.fixture
def kept(tmp_path: Path, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a version, a schedule and limits, as the first version of ours left it; and its notebook."""
    monkeypatch.setenv("JUPYTER_PIPELINES_HOME", str(tmp_path / "home"))
    notebook = write(("step:one", "x = 1"))
    jp.publish(notebook, message="as it was")
    jp.set_retention(keep_runs=7)
    jp.limit("database", 3)
    home = Settings.load().home
    daily = Schedule(cron="0 6 * * *", zone="UTC")
    record = ScheduleRecord("s", str(notebook), daily, datetime.now(UTC), str(home / "store"), "", str(notebook))
    Shelf(home).save(record)
    (home / "store" / "runs" / "r").mkdir(parents=True)
    (home / "store" / "runs" / "r" / "run.json").write_text("{}")
    return notebook


def test_the_files_of_an_earlier_version_are_backed_up_once(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Settings.load().home
    said: list[str] = []
    for _ in range(2):
        bring_up_to_date(home, said.append)
    (made,) = (home / "backups").iterdir()
    assert len(said) == 1 and str(made) in said[0]
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    with zipfile.ZipFile(made) as archive:
        assert not [name for name in archive.namelist() if name.endswith("run.json")]
        archive.extractall(tmp_path / "back")
    monkeypatch.setenv("JUPYTER_PIPELINES_HOME", str(tmp_path / "back"))
    assert [one.id for one in jp.schedules()] == ["s"]
    assert jp.retention().keep_runs == 7
    assert [one.slots for one in jp.limits()] == [3]
    assert [entry.message for entry in history(kept)] == ["as it was"]


def test_what_cannot_be_backed_up_is_not_changed(kept: Path) -> None:
    home = Settings.load().home
    (home / "backups").write_text("in the way")
    with pytest.raises(ServiceError, match="cannot be backed up"):
        bring_up_to_date(home, print)
    assert not (home / "format.json").exists()
    assert supervise(home) != 0


def test_the_files_of_a_later_version_are_refused_and_left(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = Settings.load().home
    (home / "format.json").write_text(json.dumps({"format": FORMAT + 1, "jupyter_pipelines": "7.0"}))

    def content() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in home.rglob("*.json") if "objects" not in path.parts}

    before = content()
    schedule = ["schedule", str(kept), "every day"]
    other = kept.with_name("other.ipynb")
    other.write_bytes(kept.read_bytes())
    for command in (
        *(["up", "--detach"], ["up"], ["run", str(kept)], ["run", str(kept), "--detach"], schedule),
        *(["publish", str(other)], ["pause", "s"], ["unschedule", "s"], ["retention", "--keep-runs", "1"]),
        *(["limit", "database", "1"], ["gc", "--yes"], ["keep", "last"], ["unalert", "a", "--undo"]),
        *(["relink", "gone.ipynb", str(other)], ["alert", "--test", "--to", "https://127.0.0.1:9"]),
    ):
        assert main(command) == 2, command
        told = capsys.readouterr().err
        assert "Jupyter Pipelines 7.0" in told and "jupyter_pipelines>=7.0" in told, command
    for change in (jp.unalert, jp.resume_backfill):
        with pytest.raises(ServiceError, match=r"Jupyter Pipelines 7\.0"):
            change("b")
    assert main(["status"]) == 0
    assert "Jupyter Pipelines 7.0" in capsys.readouterr().out
    assert supervise(home) != 0
    assert content() == before


def test_what_a_killed_backup_has_left_goes_with_the_next(database: Database) -> None:
    first = back_up(database)
    for name in (".prefect-20200101T000000Z.db.partial", ".prefect-20200101T000000Z.db.partial-journal"):
        (database.folder / name).write_bytes(b"half of it")
    assert {path.name for path in database.folder.iterdir()} > {first.name}
    made = back_up(database)
    assert {path.name for path in database.folder.iterdir()} == {first.name, made.name}


@pytest.mark.parametrize("how", ["torn", "garbage", "cut", "header", "empty", "missing"])
def test_a_damaged_one_is_put_aside_and_the_newest_good_backup_takes_its_place(database: Database, how: str) -> None:
    good = back_up(database)
    bad = good.with_name("prefect-29991231T000000Z.db")
    bad.write_bytes(good.read_bytes())
    damage(bad)
    store = Store(Settings.load().store)
    record = RunRecord("went-on", "n", "/n.ipynb", "", "completed", {}, 1.0, 2.0, ())
    store.save_run("went-on", asdict(record))
    whole = database.path.read_bytes()
    if how == "torn":
        damage(database.path)
    elif how == "missing":
        database.path.unlink()
    else:
        damaged = {
            "garbage": b"x" * 9000,
            "cut": whole[: len(whole) // 2],
            "header": b"\0" * 100 + whole[100:],
            "empty": b"",
        }
        database.path.write_bytes(damaged[how])
    said = start(database)
    assert "is damaged" in said[0]
    assert str(good) in said[1]
    assert rows(database.path) == 300
    assert (database.folder / "damaged.db").exists() or how == "missing"
    assert "was damaged" in str(describe(database.home)["event"])
    assert store.active_runs() == ["went-on"], "Prefect is told how it ended"


def test_without_a_good_backup_prefect_begins_anew(database: Database) -> None:
    database.path.write_bytes(b"nothing of use" * 1000)
    said: list[str] = []
    with ready(database.home, said.append):
        assert not database.path.exists()
    assert "no good backup" in said[1] and "stand" in said[1]


def test_damage_in_a_database_that_was_closed_well_is_found_too(database: Database) -> None:
    back_up(database)
    assert database.noted()["closed"] is True
    damage(database.path)
    assert "is damaged" in start(database)[0]


def test_a_locked_database_is_waited_for_and_that_is_said(database: Database) -> None:
    connection = sqlite3.connect(database.path, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN EXCLUSIVE")
    said, problems = list[str](), list[object]()
    locked = threading.Event()

    def say(text: str) -> None:
        said.append(text)
        if "locked" in text:
            locked.set()

    def let_go() -> None:
        locked.wait(30)
        problems.append(describe(database.home)["problem"])
        connection.execute("ROLLBACK")
        connection.close()

    other = threading.Thread(target=let_go)
    other.start()
    with ready(database.home, say):
        assert describe(database.home)["problem"] == ""
    other.join()
    assert "is locked by another process" in str(problems[0])
    assert len(said) == 2 and said[1] == "it is free now"


def test_a_full_disk_stops_a_change_that_could_not_be_undone(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.jot(prefect="3.0.0")
    before = database.path.read_bytes()
    child = os.fork()
    if not child:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # no file may grow beyond: as on a full disk
        try:
            with ready(database.home, lambda _: None):
                os._exit(1)
        except ServiceError as error:
            os._exit(0 if "cannot be backed up" in str(error) and "Free space" in str(error) else 2)
        finally:
            os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert database.path.read_bytes() == before
    assert list(database.folder.iterdir()) == [], "no half backup is left"


def test_it_is_backed_up_daily_beside_its_writers(database: Database) -> None:
    Keeper(database.home).look()
    assert not database.backups(), "it is new"
    os.utime(database.home / "secret", (time.time() - 3600,) * 2)
    with closing(sqlite3.connect(database.path)) as writer:
        writer.execute("INSERT INTO filler VALUES ('more')")  # not committed
        Keeper(database.home).look()
    (made,) = database.backups()
    assert rows(made) == 300
    Keeper(database.home).look()
    assert database.backups() == [made]
    made = made.rename(made.with_name("prefect-20200109T000000Z.db"))
    for number in range(5):
        made.with_name(f"prefect-2020010{number}T000000Z.db").write_bytes(made.read_bytes())
    os.utime(made, (time.time() - 90_000,) * 2)
    Keeper(database.home).look()
    assert len(database.backups()) == BACKUPS
    assert database.backups()[1] == made


def test_damage_is_noticed_while_it_is_backed_up(database: Database) -> None:
    back_up(database)
    damage(database.path)
    with pytest.raises(DamagedDatabaseError):
        back_up(database)
    assert len(database.backups()) == 1
    os.utime(database.backups()[0], (time.time() - 90_000,) * 2)
    Keeper(database.home).look()
    assert "is damaged" in str(describe(database.home)["problem"])
    assert "is damaged" in start(database)[0]
    assert describe(database.home)["problem"] == ""
    damage(database.path)
    Keeper(database.home).suspect()  # as a worker does whose server does not work
    assert "is damaged" in str(describe(database.home)["problem"])


@pytest.mark.slow
def test_runs_and_schedules_stand_when_the_database_is_lost(
    tmp_path: Path, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JUPYTER_PIPELINES_HOME", str(tmp_path / "home"))
    settings = Settings.load()
    try:
        ensure_service(settings)
        notebook = write(("step:one", "x = 1"), ("step:two", "open('ran', 'a').write('.')"))
        made = jp.schedule(notebook, "every monday 07:00")
        run = jp.run(notebook)
        database = Database(settings.home)
        back_up(database)
        later = jp.run(notebook)  # of which the backup does not know
        stop_service(settings)
        assert database.noted()["closed"] is True
        with closing(sqlite3.connect(database.backups()[0])) as connection:
            # As if the run had been about to begin when the backup was made.
            connection.execute("UPDATE flow_run SET state_type = 'RUNNING' WHERE id = ?", (run.id,))
            connection.commit()
        damage(database.path)
        said: list[str] = []
        endpoint = ensure_service(settings, said.append)
        assert "was damaged" in said[-1]
        assert main(["status", "--format", "json"]) == 0
        assert "was damaged" in capsys.readouterr().out
        assert [record.id for record in jp.list_runs()] == [later.id, run.id]
        assert [record.id for record in jp.schedules()] == [made.id]
        assert _state_in_prefect(endpoint, run.id) == "COMPLETED"
        assert (notebook.parent / "ran").read_text() == ".."
    finally:
        stop_service(settings)


def _state_in_prefect(endpoint: Endpoint, run: str) -> object:
    deadline = time.monotonic() + 30
    while True:
        found = endpoint.call(f"/flow_runs/{run}")
        assert isinstance(found, dict)
        if found["state_type"] != "RUNNING" or time.monotonic() > deadline:
            return found["state_type"]
        time.sleep(0.2)
