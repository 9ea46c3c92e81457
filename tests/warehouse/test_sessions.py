"""Sessions with one owner: values, frames and errors as in one process; transactions, turns, interruption."""

from __future__ import annotations

import datetime
import decimal
import os
import signal
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from jupyter_pipelines.errors import Interrupted, RequestError, SqlError
from jupyter_pipelines.warehouse import EngineSession

from .conftest import Open, wait_until


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        2**70,
        1.5,
        float("inf"),
        "it's; drop table x --\0\n\u2028ü",
        b"\0\xff",
        datetime.date(2013, 1, 31),
        datetime.time(12, 30, 0, 5),
        datetime.timedelta(days=-3, microseconds=1),
        datetime.datetime(2013, 1, 31, 12, 0, 0, 5),
        datetime.datetime(2013, 1, 31, 12, tzinfo=datetime.timezone(datetime.timedelta(hours=-5))),
        decimal.Decimal("1.20"),
        uuid.UUID(int=5),
        [1, None, 3],
        {"a": 1, "\0": [decimal.Decimal("1.5")]},
    ],
)
def test_values_arrive_as_in_one_process(open_shared: Open, value: object) -> None:
    engine, sql = EngineSession.open(), "select $value as v, typeof($value) as t"
    assert open_shared().query(sql, {"value": value}).to_pylist() == engine.query(sql, {"value": value}).to_pylist()
    engine.close()


def test_a_parameter_is_never_sql(open_shared: Open) -> None:
    session = open_shared()
    session.execute("create or replace table safe as select 1 as i")
    hostile = "1; drop table safe; --"
    assert session.query("select $x as x, i from safe", {"x": hostile}).to_pylist() == [{"x": hostile, "i": 1}]
    assert session.query("from safe where $x = 'a' or i::varchar = $x", {"x": "' or 1=1 --"}).num_rows == 0


def test_frames_go_up_and_results_come_down(open_shared: Open) -> None:
    session = open_shared()
    frames = {
        "a": pd.DataFrame({"i": range(1000), "s": ["x"] * 999 + [None]}),
        "b": pl.DataFrame({"i": [1, 2]}),
        'c "ü"': pa.table({"i": [2, 3]}),
    }
    sql = 'select a.i, s from a join b using (i) join "c ""ü""" using (i)'
    assert session.query(sql, frames=frames).to_pylist() == [{"i": 2, "s": "x"}]
    with pytest.raises(SqlError, match="does not exist"):
        session.query("from a")
    assert session.execute("create or replace table from_frame as from a", frames=frames) == 1000
    with pytest.raises(RequestError, match="`a` is of type list"):
        session.query("from a", frames={"a": [1]})


def test_values_of_enums_arrive_as_texts(open_shared: Open) -> None:
    session, mood = open_shared(), "'glad'::ENUM ('glad', 'sad')"
    nested = f"[{mood}, NULL] AS b, {{'x': {mood}}} AS c, MAP {{{mood}: 1}} AS d, [{mood}]::ENUM ('glad')[1] AS e"
    found = session.query(f"SELECT {mood} AS a, {nested}")
    assert found.to_pylist() == [
        {"a": "glad", "b": ["glad", None], "c": {"x": "glad"}, "d": [("glad", 1)], "e": ["glad"]}
    ]


def test_a_result_that_cannot_travel_is_told(open_shared: Open) -> None:
    session = open_shared()
    odd = "MAP {}" if session.query("SELECT version()[2:] >= '2' AS new")["new"].to_pylist() == [True] else "1::VARIANT"
    with pytest.raises(SqlError, match=r"(The result cannot be read|Unsupported Arrow type)(.|\n)*Cast that column"):
        session.query(f"SELECT {odd} AS nothing")
    assert session.query("SELECT 1 AS a").to_pylist() == [{"a": 1}]


def test_results_come_batch_by_batch(open_shared: Open) -> None:
    session = open_shared()
    reader = session.stream("select i from range(1000000) t(i)")
    first = reader.read_next_batch()
    assert 0 < first.num_rows < 1_000_000
    assert first.num_rows + sum(batch.num_rows for batch in reader) == 1_000_000
    left = session.stream("select i from range(10000000) t(i)")
    left.read_next_batch()
    assert session.query("select 1 as i").num_rows == 1  # what was not read is not in the way


def test_errors_are_told_whole(open_shared: Open) -> None:
    with pytest.raises(SqlError, match="nowhere does not exist") as caught:
        open_shared().query("select 1;\nselect *\nfrom nowhere")
    assert (caught.value.kind, caught.value.line) == ("Catalog", 3)
    with pytest.raises(SqlError, match="Conversion Error") as caught:
        open_shared().stream("select i::varchar::date from range(500000) t(i)").read_all()
    assert caught.value.kind == "Conversion"
    with pytest.raises(SqlError, match=r"\$absent") as caught:
        open_shared().execute("select $absent")
    assert "parameters cell" in caught.value.fix
    with pytest.raises(SqlError, match=r"no value for \$1") as caught:
        open_shared().execute("select ?")
    assert "Name it" in caught.value.fix


def test_temporary_tables_and_settings_are_the_sessions_own(open_shared: Open) -> None:
    mine, other = open_shared(), open_shared()
    mine.execute("create temp table mine_alone as select 1 as i; create schema if not exists mart; use mart")
    assert mine.query("from mine_alone").num_rows == 1
    assert mine.query("select current_schema() as s").to_pylist() == [{"s": "mart"}]
    assert other.query("select current_schema() as s").to_pylist() == [{"s": "main"}]
    with pytest.raises(SqlError, match="mine_alone does not exist"):
        other.query("from mine_alone")


def test_relative_paths_are_those_of_the_client(
    open_shared: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = open_shared()
    monkeypatch.chdir(tmp_path)
    assert session.execute("copy (select 1 as i union all select 2) to 'it''s.csv'") == 2
    assert (tmp_path / "it's.csv").read_text().split() == ["i", "1", "2"]
    assert session.query("from read_csv('it''s.csv')").num_rows == 2


def test_a_transaction_is_seen_when_it_is_committed(open_shared: Open) -> None:
    writer, reader = open_shared(), open_shared()
    writer.execute("create or replace table seen (i int)")
    with writer.transaction():
        writer.execute("insert into seen values (1)")
        assert writer.query("from seen").num_rows == 1
        assert reader.query("from seen").num_rows == 0
    assert reader.query("from seen").num_rows == 1

    def fail() -> None:
        with writer.transaction():
            writer.execute("insert into seen values (2)")
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert reader.query("from seen").num_rows == 1


def test_a_transaction_by_hand_is_one(open_shared: Open) -> None:
    writer, reader = open_shared(), open_shared()
    writer.execute("create or replace table by_hand (i int)")
    writer.execute("begin; insert into by_hand values (1)")
    assert reader.query("from by_hand").num_rows == 0
    writer.execute("insert into by_hand values (2); commit")
    assert reader.query("from by_hand").num_rows == 2


def test_transactions_that_read_and_write_the_same_lose_nothing(open_shared: Open) -> None:
    open_shared().execute("create or replace table counters as select 0 as n")

    def count_up(session: object) -> None:
        for _ in range(15):
            with session.transaction(["counters"]):  # type: ignore[attr-defined]
                (row,) = session.query("select n from counters").to_pylist()  # type: ignore[attr-defined]
                session.execute("update counters set n = $n", {"n": row["n"] + 1})  # type: ignore[attr-defined]

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count_up, [open_shared() for _ in range(4)]))
    assert open_shared().query("select n from counters").to_pylist() == [{"n": 60}]


def test_statements_that_change_the_same_lose_nothing(open_shared: Open) -> None:
    open_shared().execute("create or replace table totals as select 0 as n")

    def add(session: object) -> None:
        for _ in range(15):
            session.execute("update totals set n = n + 1")  # type: ignore[attr-defined]

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(add, [open_shared() for _ in range(4)]))
    assert open_shared().query("select n from totals").to_pylist() == [{"n": 60}]


def test_transactions_that_write_other_tables_do_not_wait(open_shared: Open) -> None:
    one, other = open_shared(), open_shared()
    one.execute("create or replace table first (i int); create or replace table second (i int)")
    with one.transaction(["first"]):
        one.execute("insert into first values (1)")
        with other.transaction(["main.second"]):
            other.execute("insert into second values (1)")
        assert other.query("from second").num_rows == 1
        assert other.execute("create or replace table third as select 1 as i") == 1


def test_who_waits_for_a_turn_can_be_interrupted(open_shared: Open) -> None:
    holder, waiting = open_shared(), open_shared()
    holder.execute("create or replace table held (i int)")
    with holder.transaction():
        holder.execute("insert into held values (1)")
        timer = threading.Timer(0.3, waiting.interrupt)
        timer.start()
        with pytest.raises(Interrupted):
            waiting.execute("insert into held values (2)")
        timer.join()
    assert waiting.execute("insert into held values (3)") == 1


def test_a_long_statement_tells_how_far_it_is(open_shared: Open) -> None:
    session = open_shared()
    session.execute("create or replace table many as from range(300000) t(i)")
    assert session.progress() is None
    with ThreadPoolExecutor(1) as threads:  # a query that takes minutes
        asked = threads.submit(session.query, "select count(*) from many a, many b where hash(a.i, b.i) = 1")
        wait_until(lambda: asked.done() or (session.progress() or 0) > 0)
        done = session.progress()
        session.interrupt()
        with pytest.raises(Interrupted):
            asked.result(60)
    assert done is not None and 0 < done < 1
    assert session.progress() is None


def test_ctrl_c_ends_the_statement(open_shared: Open) -> None:
    session = open_shared()
    session.query("select 1")
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        session.query("select count(*) from range(1000000000000) a")
    timer.join()
    assert session.query("select 1 as i").to_pylist() == [{"i": 1}]


def test_many_columns_and_strange_names(open_shared: Open) -> None:
    session = open_shared()
    columns = ", ".join(f'{i} as "Spalte ""{i}"" ü"' for i in range(1000))
    session.execute(
        f'create schema if not exists "Ä ""b"""; create or replace table "Ä ""b"""."t;--" as select {columns}'
    )
    found = session.query('from "Ä ""b"""."t;--"')
    assert found.num_columns == 1000
    assert found.column_names[7] == 'Spalte "7" ü'
