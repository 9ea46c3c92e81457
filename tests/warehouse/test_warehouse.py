"""``jp.warehouse()``: asked, looked into, given back, copied; and what its owner does when things go wrong."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.errors import OutcomeUnknown, RequestError, WarehouseError
from jupyter_pipelines.warehouse import Warehouse, open_session
from jupyter_pipelines.warehouse.owner.files import WarehouseFiles
from jupyter_pipelines.warehouse.owner.remote import RemoteSession

from .conftest import owner_of, wait_until


@pytest.fixture
def session(warehouse: WarehouseFiles) -> RemoteSession:
    """A session with a warehouse of the test alone, for those that end its owner."""
    session = RemoteSession(warehouse)
    session.execute("create table t (i int)")
    return session


@pytest.fixture
def common(shared: WarehouseFiles, monkeypatch: pytest.MonkeyPatch) -> Iterator[RemoteSession]:
    """A session with the warehouse of these tests, which is empty but for a table."""
    monkeypatch.setenv("JUPYTER_PIPELINES_WAREHOUSE", str(shared.path))
    session = RemoteSession(shared)
    session.execute("drop schema if exists mart cascade; create or replace table t (i int)")
    yield session
    session.close()


def kill_owner(files: WarehouseFiles) -> int:
    process = owner_of(files)
    process.kill()
    process.wait(60)
    return process.pid


def test_it_is_asked_and_answers_in_three_forms(common: RemoteSession) -> None:
    asked = jp.warehouse()
    query = "select $day + 1 as next"
    assert asked.sql(query, day=date(2013, 1, 31)).to_pylist() == [{"next": date(2013, 2, 1)}]
    assert isinstance(asked.sql(query, day=date(2013, 1, 31)), pa.Table)
    assert isinstance(asked.sql(query, form="pandas", day=date(2013, 1, 31)), pd.DataFrame)
    assert isinstance(asked.sql(query, form="polars", day=date(2013, 1, 31)), pl.DataFrame)


def test_its_tables_are_listed_with_what_is_known(common: RemoteSession) -> None:
    common.execute(
        "create schema mart; create table mart.orders as select i as id, 'x' as \"na me\" from range(3) t(i)"
    )
    common.execute("create view mart.few as from mart.orders limit 1; create temp table mine (i int)")
    began = time.time()
    with common.transaction(["mart.orders"]):
        common.execute("insert into mart.orders values (3, null)")
        common.execute("delete from mart.orders where id = 0")
        common.execute("insert into mart.orders values (0, 'x')")
    tables = {(table.schema, table.name): table for table in jp.warehouse().tables()}
    assert set(tables) == {("main", "t"), ("mart", "few"), ("mart", "orders")}
    orders, few = tables["mart", "orders"], tables["mart", "few"]
    assert (orders.kind, orders.columns, orders.rows) == ("table", 2, 4)
    assert (few.kind, few.rows) == ("view", None)
    assert orders.changed is not None and abs(orders.changed - began) < 60
    details = jp.warehouse().table("MART.orders", rows=4)
    assert [(column.name, column.type) for column in details.columns] == [("id", "BIGINT"), ("na me", "VARCHAR")]
    assert sorted(details.preview) == [("0", "x"), ("1", "x"), ("2", "x"), ("3", None)]
    with pytest.raises(RequestError, match=r"no table mart\.ordres") as caught:
        jp.warehouse().table("mart.ordres")
    assert "mart.orders" in caught.value.fix


def test_released_it_can_be_opened_by_others_and_is_opened_again(session: RemoteSession) -> None:
    session.execute("insert into t values (1)")
    assert jp.warehouse().release()
    assert jp.warehouse().owner() is None
    with duckdb.connect(str(jp.warehouse().path)) as mine:
        assert mine.sql("from t").fetchall() == [(1,)]
        mine.execute("insert into t values (2)")
    assert session.query("from t").num_rows == 2  # the same session, with another owner


def test_what_is_held_by_another_program_is_told_with_its_process(warehouse: WarehouseFiles) -> None:
    script = (
        f"import duckdb, sys; kept = duckdb.connect({str(warehouse.path)!r}); print(1, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline()
        with pytest.raises(WarehouseError, match=rf"open in another program: process {other.pid}") as caught:
            jp.warehouse().sql("select 1")
        assert "Close the connection" in caught.value.fix
        other.communicate()
    assert jp.warehouse().sql("select 1 as i").num_rows == 1


def test_it_is_not_released_while_somebody_is_at_work(session: RemoteSession) -> None:
    with pytest.raises(WarehouseError, match="none of it was written"), session.transaction():  # noqa: PT012
        session.execute("insert into t values (1)")
        with pytest.raises(WarehouseError, match=f"process {os.getpid()} is at work"):
            jp.warehouse().release()
        jp.warehouse().release(force=True)
        session.execute("insert into t values (2)")
    assert session.query("from t").num_rows == 0


def test_a_copy_is_consistent_and_can_be_opened(common: RemoteSession, tmp_path: Path) -> None:
    common.execute(
        "create schema mart; create table mart.orders as select 1 as i; create view mart.v as from mart.orders"
    )
    (tmp_path / "copy.duckdb").write_text("old")
    with common.transaction():
        common.execute("insert into mart.orders values (2)")
        made = jp.warehouse().copy_to(tmp_path / "copy.duckdb")
    with duckdb.connect(str(made), read_only=True) as copy:
        assert copy.sql("from mart.v").fetchall() == [(1,)]
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []
    with pytest.raises(RequestError, match="onto itself"):
        jp.warehouse().copy_to(jp.warehouse().path)
    with pytest.raises(RequestError, match="no folder"):
        jp.warehouse().copy_to(tmp_path / "nowhere" / "copy.duckdb")


def _counts(path: Path) -> dict[str, int]:
    with duckdb.connect(str(path), read_only=True) as copy:
        found = copy.sql("SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE schema_name[1] <> '_'")
        return {name: len(copy.sql(f"FROM {name}").fetchall()) for (name,) in found.fetchall()}


def test_a_copy_may_have_the_rows_of_some_tables_only(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "own.duckdb")) as made:
        made.execute("""
            CREATE SCHEMA raw; CREATE TYPE raw.mood AS ENUM ('glad', 'sad');
            CREATE TABLE raw.big AS FROM range(1000);
            CREATE TABLE raw.used (i INTEGER PRIMARY KEY CHECK (i < 100), mood raw.mood DEFAULT 'sad');
            INSERT INTO raw.used (i) VALUES (3), (1), (2);
            CREATE TABLE seen AS SELECT 1 AS i; CREATE INDEX by_i ON seen (i);
            CREATE VIEW raw.inner_view AS SELECT used.i FROM raw.used JOIN seen USING (i);
            CREATE VIEW raw.outer_view AS FROM raw.inner_view;
        """)
    own = Warehouse(tmp_path / "own.duckdb")
    try:
        copy = own.copy_to(tmp_path / "some.duckdb", only=["RAW.outer_view", "nowhere"])
        assert _counts(copy) == {"raw.big": 0, "raw.used": 3, "main.seen": 1}
        with duckdb.connect(str(copy)) as opened:
            assert opened.sql("FROM raw.used").fetchall() == [(3, "sad"), (1, "sad"), (2, "sad")]
            assert opened.sql("FROM raw.outer_view").fetchall() == [(1,)]
            with pytest.raises(duckdb.ConstraintException):
                opened.execute("INSERT INTO raw.used (i) VALUES (1)")
        for tie in (
            "CREATE TABLE doubled (i INTEGER, twice INTEGER GENERATED ALWAYS AS (i * 2) VIRTUAL)",
            "CREATE SEQUENCE numbers",
        ):
            own.sql(tie)
            whole = own.copy_to(tmp_path / "whole.duckdb", only=["raw.used", "doubled"])
            assert _counts(whole)["raw.big"] == 1000, tie
    finally:
        own.release(force=True)


def test_what_is_the_owners_is_nobody_elses(common: RemoteSession, shared: WarehouseFiles) -> None:
    for path in (shared.path, shared.endpoint, shared.lock):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    endpoint = shared.load_endpoint()
    assert endpoint is not None
    from pyarrow import flight

    with flight.FlightClient(endpoint.address) as stranger, pytest.raises(flight.FlightUnauthenticatedError):
        list(stranger.do_action(flight.Action("status", b"{}")))


def test_the_owner_belongs_to_nobody(common: RemoteSession, shared: WarehouseFiles) -> None:
    owner = owner_of(shared)
    assert os.getsid(owner.pid) == os.getpgid(owner.pid) != os.getpgrp()
    assert owner.ppid() != os.getpid()


def test_a_killed_owner_is_replaced(session: RemoteSession, warehouse: WarehouseFiles) -> None:
    session.execute("insert into t values (1)")
    before = kill_owner(warehouse)
    assert session.execute("insert into t values (2)") == 1
    assert session.query("from t").num_rows == 2
    assert owner_of(warehouse).pid != before


def test_an_open_transaction_fails_as_a_whole_when_the_owner_is_killed(
    session: RemoteSession, warehouse: WarehouseFiles
) -> None:
    with pytest.raises(WarehouseError, match="none of it was written") as caught, session.transaction():  # noqa: PT012
        session.execute("insert into t values (1)")
        kill_owner(warehouse)  # before the commit
    assert not isinstance(caught.value, OutcomeUnknown)
    assert session.query("from t").num_rows == 0


def test_what_a_session_had_made_is_not_missed_in_silence(session: RemoteSession, warehouse: WarehouseFiles) -> None:
    session.execute("create schema mart; use mart")
    kill_owner(warehouse)
    with pytest.raises(WarehouseError, match="temporary tables and settings of this session are gone"):
        session.execute("create table here as select 1 as i")
    assert session.query("from t").num_rows == 0


def test_a_dead_clients_transaction_is_rolled_back(common: RemoteSession, shared: WarehouseFiles) -> None:
    script = """
from jupyter_pipelines.warehouse import open_session
session = open_session()
with session.transaction():
    session.execute("insert into t values (1)")
    print("inside", flush=True)
    input()
"""
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
        assert client.stdout is not None and client.stdout.readline() == b"inside\n"
        client.kill()
    assert common.execute("insert into t values (2)") == 1  # it is its turn, although the other had the whole
    assert common.query("from t").to_pylist() == [{"i": 2}]


def test_many_start_at_once_and_get_one_owner(warehouse: WarehouseFiles) -> None:
    def work(number: int) -> int:
        session = open_session()
        session.execute("create table if not exists t (i int)")
        session.execute("insert into t values ($n)", {"n": number})
        pid = session.query("select 1").num_rows and owner_of(warehouse).pid
        session.close()
        return pid

    with ThreadPoolExecutor(6) as threads:
        assert len(set(threads.map(work, range(6)))) == 1
    assert jp.warehouse().sql("from t").num_rows == 6


def test_it_ends_when_it_is_idle(warehouse: WarehouseFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_PIPELINES_WAREHOUSE_IDLE", "1.5")
    session = open_session()
    session.execute("create table t as select 1 as i")
    owner = owner_of(warehouse)
    time.sleep(1.8)  # long enough, if it did not see that somebody is there
    assert owner.is_running()
    session.close()
    wait_until(lambda: not warehouse.is_owned())
    assert not warehouse.endpoint.exists()
    assert jp.warehouse().sql("from t").num_rows == 1


def test_it_ends_though_a_statement_hears_nothing(warehouse: WarehouseFiles) -> None:
    """It is planned for minutes, and who has asked for it is gone: without an owner, nobody has the file."""
    names = ", ".join(f"1 AS c{place}" for place in range(400))
    jp.warehouse().sql(f"create table wide as select {names}")
    asked = " union all ".join(f"select count(*) from (select * from wide where c{n % 400} = {n})" for n in range(1200))
    script = f"from jupyter_pipelines.warehouse import open_session as o; o().query({asked!r})"

    def sessions() -> list[str]:
        return [one["doing"] for one in (jp.warehouse().owner() or {"sessions": []})["sessions"]]

    with subprocess.Popen([sys.executable, "-c", script]) as client:
        try:
            wait_until(lambda: any(sessions()))
        finally:
            client.kill()
    owner = owner_of(warehouse)
    wait_until(lambda: not sessions())
    assert jp.warehouse().release(force=True)
    wait_until(lambda: not owner.is_running())
    with duckdb.connect(str(warehouse.path)) as mine:
        assert len(mine.sql("from wide").columns) == 400


def test_an_owner_that_cannot_write_where_it_answers_is_told(warehouse: WarehouseFiles) -> None:
    warehouse.endpoint.mkdir()
    with pytest.raises(WarehouseError, match=r"cannot write where it answers(.|\n)*Free space"):
        jp.warehouse().sql("select 1")
    warehouse.endpoint.rmdir()
    assert jp.warehouse().sql("select 1 as n").num_rows == 1


def test_a_damaged_file_is_told(warehouse: WarehouseFiles) -> None:
    warehouse.path.write_bytes(os.urandom(50_000))
    with pytest.raises(WarehouseError, match="is damaged, or is no DuckDB database") as caught:
        jp.warehouse().sql("select 1")
    assert str(warehouse.path) in caught.value.message
    assert "copy" in caught.value.fix


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("JUPYTER_PIPELINES_WAREHOUSE", str(tmp_path / "file" / "warehouse.duckdb"))
    with pytest.raises(WarehouseError, match="cannot be used") as caught:
        jp.warehouse().sql("select 1")
    assert "JUPYTER_PIPELINES_WAREHOUSE" in caught.value.fix


def test_a_commit_whose_answer_is_lost_ends_as_it_did(session: RemoteSession, warehouse: WarehouseFiles) -> None:
    """The owner is killed somewhere in a transaction of some milliseconds: what is told of its commit is true."""
    unknown, told = 0, 0
    for number in range(3):
        killer = threading.Timer(0.008 * number, owner_of(warehouse).kill)
        try:
            with session.transaction(["t"]):
                session.execute("insert into t select * from range(50000)")
                killer.start()
            told += 50_000
        except OutcomeUnknown:
            unknown += 1
        except WarehouseError:
            pass
        killer.join()
        assert session.query("select count(*) as n from t").to_pylist() == [{"n": told}]
    assert not unknown


def test_a_full_disk_is_told_and_leaves_what_was_there(warehouse: WarehouseFiles) -> None:
    script = """
import resource
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, hard))  # no file may grow beyond: as on a full disk
from jupyter_pipelines.errors import WarehouseError
from jupyter_pipelines.warehouse import open_session
session = open_session()
session.execute("create table t as select 1 as i")
try:
    session.execute("create or replace table t as select i, random() from range(1000000) t(i)")
except WarehouseError as error:
    print(error.fix)
print(session.query("from t").to_pylist(), session.execute("insert into t values (2)"))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "Free space on that disk; what was being written has been rolled back.",
        "[{'i': 1}] 1",
    ]
