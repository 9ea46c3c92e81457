"""Tables in a lake: built, checked and brought back as in a DuckDB file, with every version there to be read."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import fsspec
import pytest

from jupyter_pipelines.cli import main
from jupyter_pipelines.errors import BuildError, CheckError, RequestError, SqlError, WarehouseError
from jupyter_pipelines.notebook.sql_magic import read_sql_magic
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.warehouse import Warehouse
from jupyter_pipelines.warehouse.building import BuildResult, BuildSpec, build
from jupyter_pipelines.warehouse.building.backups import Backup
from jupyter_pipelines.warehouse.databases.declared import Description, known_secrets
from jupyter_pipelines.warehouse.owner.copying import copy_database
from jupyter_pipelines.warehouse.owner.files import WarehouseFiles
from jupyter_pipelines.warehouse.owner.remote import RemoteSession

from .conftest import PASSWORD, Open, ask_postgres, end_owner, owner_of


@pytest.fixture(scope="module")
def shared(lakes: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarehouseFiles]:
    """A lake of all these tests; `open_shared` opens sessions with it."""
    files = WarehouseFiles.of(tmp_path_factory.mktemp("lake") / "warehouse.ducklake")
    yield files
    end_owner(files)


@pytest.fixture
def lake(shared: WarehouseFiles) -> Warehouse:
    return Warehouse(shared.path)


def made(session: RemoteSession, line: str, sql: str, **more: Any) -> BuildResult:
    parameters = {name: more.pop(name) for name in ("interval_start", "interval_end") if name in more}
    return build(session, BuildSpec.of(read_sql_magic(line)), sql, parameters, **more)


def content(session: RemoteSession, table: str, **parameters: object) -> list[tuple[Any, ...]]:
    found = session.query(f"FROM {table} ORDER BY ALL", parameters)
    return list(zip(*(column.to_pylist() for column in found.columns), strict=True))


WAYS = {
    "table": ("", "SELECT day, n FROM raw.days"),
    "view": ("--materialize view", "SELECT day, n FROM raw.days"),
    "key": ("--materialize incremental --unique-key day", "SELECT day, n FROM raw.days"),
    "window": (
        "--materialize incremental --time-column day",
        "SELECT day, n FROM raw.days WHERE day >= $interval_start AND day < $interval_end",
    ),
    "watermark": ("--materialize incremental --time-column day", "SELECT day, n FROM raw.days WHERE day > $watermark"),
    "append": ("--materialize append", "SELECT day, n FROM raw.days"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_table_is_built_and_a_backfill_taken_back(open_shared: Open, way: str) -> None:
    session = open_shared()
    options, sql = WAYS[way]
    line, table = f"--table w.{way} {options}", f"w.{way}"
    window = {"interval_start": "2013-01-01", "interval_end": "2013-02-01"}
    session.execute("CREATE SCHEMA IF NOT EXISTS raw")
    session.execute(
        "CREATE OR REPLACE TABLE raw.days AS SELECT DATE '2013-01-01' + i::INTEGER AS day, i AS n FROM range(5) r(i)"
    )
    first = made(session, line, sql, **window)
    before = content(session, table)
    assert len(before) == 5
    session.execute("UPDATE raw.days SET n = -1 WHERE n > 2")
    again = sql if way != "view" else "SELECT day, least(n, 2) AS n FROM raw.days"
    made(session, line, again, **window, backup=Backup("again", "run-1"))
    after = content(session, table)
    if way == "watermark":
        assert after == before
    elif way == "append":
        assert len(after) == 10
    else:
        assert [n for _, n in after] == [0, 1, 2, -1, -1]
    if way == "view":
        session.execute("UPDATE raw.days SET n = day(day) - 1")
    if way in {"table", "view", "key", "window"}:
        assert Warehouse(session._files.path).restore("again", table) == (f'"w"."{way}"',)
        assert content(session, table) == before
    if way != "view":
        assert first.version and content(session, f"{table} AT (VERSION => $v)", v=first.version) == before


def test_history_is_kept_and_what_cannot_be_is_refused(open_shared: Open) -> None:
    session = open_shared()
    line = "--table w.states --materialize snapshot --unique-key id"
    for name, end in (("a", "2013-01-01"), ("b", "2013-01-02"), ("b", "2013-01-02")):
        made(session, line, f"SELECT 1 AS id, '{name}' AS name", interval_end=end)
    assert [(name, current) for _, name, _, _, current in content(session, "w.states")] == [("a", False), ("b", True)]
    with pytest.raises(BuildError, match="several rows each"):
        made(session, line, "SELECT 1 AS id FROM range(2)")
    with pytest.raises(SqlError, match="PRIMARY KEY"):
        session.execute("CREATE TABLE keyed (id INTEGER PRIMARY KEY)")


def test_a_failed_check_leaves_the_table_and_makes_no_version(open_shared: Open, lake: Warehouse) -> None:
    session = open_shared()
    made(session, "--table w.guarded", "SELECT 1 AS n")
    numbers = [version.number for version in lake.versions()]

    def guard() -> None:
        assert content(session, "w.guarded") == [(2,)]
        raise CheckError("no")

    with pytest.raises(CheckError):
        made(session, "--table w.guarded", "SELECT 2 AS n", guard=guard)
    assert content(session, "w.guarded") == [(1,)]
    assert [version.number for version in lake.versions()] == numbers


def test_versions_say_what_they_wrote_and_can_be_copied(
    open_shared: Open,
    lake: Warehouse,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    session = open_shared()
    first = made(session, "--table v.numbers", "SELECT 1 AS n")
    made(session, "--table v.seen --materialize view", "SELECT n + 1 AS n FROM v.numbers")
    seen = session.version
    session.execute("INSERT INTO v.numbers VALUES (2)")
    newest, *_, oldest = lake.versions()
    assert newest.tables == ("v.numbers",) and newest.author and not newest.run
    assert oldest.number == 0 and newest.made >= oldest.made
    assert first.version in [one.number for one in lake.versions() if one.tables == ("v.numbers",)]
    assert [(one.name, one.columns, one.rows) for one in lake.tables() if one.schema == "v"] == [
        ("numbers", 1, 2),
        ("seen", 1, None),
    ]
    for name in ("copy.ducklake", "copy.duckdb"):
        copy = Warehouse(lake.copy_to(tmp_path / name, version=seen, only=["v.seen"]))
        assert copy.sql("FROM v.seen")["n"].to_pylist() == [2]
        if name == "copy.ducklake":  # with the versions before, and after
            assert copy.sql(f"FROM v.numbers AT (VERSION => {newest.number})").num_rows == 2
            with pytest.raises(SqlError, match="does not exist"):
                copy.sql(f"FROM v.numbers AT (VERSION => {(first.version or 0) - 1})")
            copy.sql("INSERT INTO v.numbers VALUES (3)")
        copy.release()
    assert lake.sql("FROM v.numbers").num_rows == 2
    whole = Warehouse(lake.copy_to(tmp_path / "whole.ducklake"))
    assert whole.versions()[-1] == oldest and whole.sql("FROM v.numbers").num_rows == 2
    assert whole.sql(f"FROM v.numbers AT (VERSION => {first.version})").num_rows == 1
    whole.release()
    with pytest.raises(RequestError, match="is there already"):
        lake.copy_to(tmp_path / "copy.ducklake")
    with pytest.raises(RequestError, match="no version 99999"):
        lake.copy_to(tmp_path / "none.duckdb", version=99_999)
    with pytest.raises(SqlError, match="version 99999"):
        session.query("FROM v.numbers AT (VERSION => 99999)")
    with pytest.raises(RequestError, match=r"is a DuckDB file(.|\n)*ducklake"):
        Warehouse(tmp_path / "copy.duckdb").versions()
    monkeypatch.setenv("JUPYTER_PIPELINES_WAREHOUSE", f"ducklake:{lake.path}")
    assert main(["warehouse", "versions"]) == 0
    assert "v.numbers" in capsys.readouterr().out
    assert main(["warehouse", "versions", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["versions"][0]["number"] == newest.number


def test_a_file_becomes_a_lake(lakes: None, tmp_path: Path) -> None:
    newer = tmp_path / "newer.duckdb"
    with duckdb.connect(str(newer)) as connection:  # of the DuckDB of this process, which the lakes' cannot read
        connection.execute("""CREATE TABLE "Ünï ""t" AS SELECT i AS "a b" FROM range(3) r(i);
            CREATE VIEW seen AS FROM "Ünï ""t"; CREATE SEQUENCE numbers; CREATE TABLE keyed (id INTEGER PRIMARY KEY);
            CREATE SCHEMA _jupyter_pipelines; CREATE SEQUENCE _jupyter_pipelines.backup_numbers""")
        copy_database(connection, str(tmp_path / "file.duckdb"), storage="v1.5.0")
    with pytest.raises(WarehouseError, match=r"Another version of DuckDB(.|\n)*copy FILE --storage v1"):
        Warehouse(newer).tables()
    file = Warehouse(tmp_path / "file.duckdb")
    with pytest.raises(RequestError, match=r"primary key main.keyed, sequence main.numbers\."):
        file.copy_to(tmp_path / "lake.ducklake")
    file.sql("DROP SEQUENCE numbers; CREATE OR REPLACE TABLE keyed AS FROM keyed")
    with pytest.raises(RequestError, match="no storage"):
        file.copy_to(tmp_path / "lake.ducklake", storage="v1.5.0")
    lake = Warehouse(file.copy_to(tmp_path / "lake.ducklake"))
    assert sorted(one.name for one in lake.tables()) == ["keyed", "seen", 'Ünï "t']
    assert lake.sql("FROM seen")["a b"].to_pylist() == [0, 1, 2]
    for one in (file, lake):
        one.release(force=True)


def test_versions_that_runs_need_are_not_forgotten(open_shared: Open, lake: Warehouse) -> None:
    session = open_shared()
    for number in range(4):
        made(session, "--table e.numbers", f"SELECT {number} AS n")
    mine = [one.number for one in lake.versions() if one.tables == ("e.numbers",)]
    for wrong in (
        "CALL ducklake_expire_snapshots('warehouse', older_than => now())",
        "CALL warehouse.set_option('expire_older_than', '1 day')",
    ):
        with pytest.raises(SqlError, match="not expired by a statement"):
            session.execute(wrong)
    assert lake.expire(0.0, []) == ()
    pinned = mine[2]
    gone = lake.expire(time.time() + 60, [pinned])
    assert {mine[1], mine[3]} <= set(gone)
    assert [one.number for one in lake.versions()] == [mine[0], pinned]
    assert content(session, f"e.numbers AT (VERSION => {pinned})") == [(1,)]
    assert content(session, "e.numbers") == [(3,)]


def test_what_a_killed_owner_had_not_committed_is_not_there(open_shared: Open, shared: WarehouseFiles) -> None:
    session, other = open_shared(), open_shared()
    made(session, "--table k.numbers", "SELECT i FROM range(1000) r(i)")
    transaction = session.transaction()
    transaction.__enter__()
    session.execute("DELETE FROM k.numbers")
    session.execute("INSERT INTO k.numbers SELECT i FROM range(7) r(i)")
    process = owner_of(shared)
    process.kill()
    process.wait(60)
    with pytest.raises(WarehouseError, match="none of it was written"):
        transaction.__exit__(None, None, None)
    assert content(other, "(SELECT count(*) FROM k.numbers)") == [(1000,)]


def test_writers_at_once_lose_nothing(open_shared: Open) -> None:
    sessions = [open_shared() for _ in range(4)]
    sessions[0].execute("CREATE TABLE counted (n INTEGER); INSERT INTO counted VALUES (0)")

    def work(session: RemoteSession) -> None:
        for _ in range(4):
            with session.transaction(["counted"]):
                session.execute("UPDATE counted SET n = n + 1")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, sessions))
    assert content(sessions[0], "counted") == [(16,)]


def test_machines_share_a_lake_in_postgres_and_object_storage(
    lakes: None, postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    store = fsspec.filesystem("s3", skip_instance_cache=True, key="writer", secret=PASSWORD, endpoint_url=endpoint)
    store.mkdir("lakes")
    ask_postgres(postgres, "CREATE DATABASE lake")
    described = (
        f'data = "s3://lakes/one"\nendpoint = "{endpoint}"\nregion = "us-east-1"\nkey = "env:LAKE_KEY"\n'
        f'secret = "env:LAKE_SECRET"\n[catalog]\nhost = "{postgres}"\ndatabase = "lake"\nuser = "reader"\n'
        'password = "env:LAKE_SECRET"\n'
    )
    machines = []
    for name in ("one", "other"):  # each has an owner of its own
        (tmp_path / name).mkdir()
        (tmp_path / name / "lake.toml").write_text(described)
        machines.append(WarehouseFiles.of(tmp_path / name / "lake.toml"))
    with pytest.raises(WarehouseError, match="The warehouse needs the environment variable LAKE_KEY"):
        RemoteSession(machines[0]).query("SELECT 1")
    monkeypatch.setenv("LAKE_KEY", "writer")
    monkeypatch.setenv("LAKE_SECRET", "wrong")
    with pytest.raises(WarehouseError, match=r"lake .*lake.toml cannot be opened"):
        RemoteSession(machines[0]).query("SELECT 1")
    monkeypatch.setenv("LAKE_SECRET", PASSWORD)
    sessions = [RemoteSession(files) for files in machines]
    try:
        one, other = sessions
        line = "--table mart.numbers --materialize incremental --unique-key id"
        built = made(one, line, "SELECT i AS id, 'one' AS who FROM range(100) r(i)")
        assert store.find("lakes/one")
        made(other, line, "SELECT i AS id, 'other' AS who FROM range(50, 150) r(i)")
        counts = "(SELECT who, count(*) FROM mart.numbers {} GROUP BY who)"
        assert content(one, counts.format("")) == [("one", 50), ("other", 100)]
        assert content(other, counts.format(f"AT (VERSION => {built.version})")) == [("one", 100)]
        copy = Warehouse(Warehouse(machines[0].path).copy_to(tmp_path / "copy.ducklake"))
        assert copy.sql("FROM mart.numbers").num_rows == 150
        with pytest.raises(SqlError, match=f"version {built.version}"):  # which stays where its data are
            copy.sql(f"FROM mart.numbers AT (VERSION => {built.version})")
        copy.sql("DROP TABLE mart.numbers")
        copy.release()
        other.execute("CREATE TABLE shared_by (who VARCHAR)")

        def work(session: RemoteSession) -> None:
            for _ in range(5):
                session.execute("INSERT INTO shared_by VALUES ('me')")

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(work, sessions))
        assert content(one, "(SELECT count(*) FROM shared_by)") == [(10,)]
        with pytest.raises(SqlError) as raised:
            one.query("SELECT * FROM duckdb_secrets(redact = false)")
        told = [str(raised.value), str(one.query("SELECT path FROM duckdb_databases()").to_pylist())]
        told += [path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file()]
        assert not any(PASSWORD in text for text in told)
        assert PASSWORD in known_secrets(machines[0].path)  # and so it is kept out of what runs write
    finally:
        for session, files in zip(sessions, machines, strict=True):
            session.close()
            end_owner(files)
        server.stop()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "does not say where the data is"),
        ('data = "gs://bucket"', "where a lake of ours cannot be"),
        ('data = "lake"\nkey = "env:KEY"', "fields that a folder has not"),
        ('data = "s3://b"\nsecret = "hunter2"', "secret of the warehouse is written(.|\n)*env:NAME"),
        ('data = "s3://b"\nendpont = "x"', "endpont(.|\n)*Did you mean endpoint"),
        ('data = "lake"\n[catalog]\nhost = "h"', "names no database"),
        ("data =", "cannot be read"),
        (None, "There is no .*toml"),
    ],
)
def test_a_description_that_is_none_is_refused(tmp_path: Path, text: str | None, told: str) -> None:
    path = tmp_path / "lake.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(RequestError, match=told) as raised:
        Description.read(path)
    assert "hunter2" not in str(raised.value)


def test_a_lake_says_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = [
        path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path != str(Path(sys.prefix, "lake"))
    ]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(here))  # with the DuckDB that is installed here, which is too new
    with pytest.raises(WarehouseError, match=r"extension `ducklake`(.|\n)*jupyter_pipelines\[ducklake\]"):
        Warehouse(tmp_path / "lake.ducklake").tables()
    monkeypatch.setenv("JUPYTER_PIPELINES_WAREHOUSE", f"ducklake:postgres:password={PASSWORD}")
    with pytest.raises(RequestError, match=r"\*\.toml") as raised:
        Settings.load()
    assert PASSWORD not in str(raised.value)
