"""A session on a DuckDB connection of one process: values, frames, errors, transactions, interruption."""

from __future__ import annotations

import datetime
import decimal
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from jupyter_pipelines.errors import Interrupted, RequestError, SqlError
from jupyter_pipelines.warehouse import EngineSession


@pytest.fixture
def session() -> Iterator[EngineSession]:
    session = EngineSession.open()
    yield session
    session.close()


def value_of(session: EngineSession, value: object) -> Any:
    return session.query("select $value as v", {"value": value}).column("v")[0].as_py()


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        3,
        2**70,
        1.5,
        "it's; drop table x --",
        b"\0\xff",
        datetime.date(2013, 1, 31),
        datetime.datetime(2013, 1, 31, 12, 0, 0, 5),
        decimal.Decimal("1.20"),
        [1, 2, 3],
        [],
        {"a": 1, "b": [datetime.date(2013, 1, 1)]},
    ],
)
def test_values_are_bound_as_they_are(session: EngineSession, value: object) -> None:
    assert value_of(session, value) == value


def test_values_of_libraries_are_bound_as_pythons_own(session: EngineSession) -> None:
    assert value_of(session, np.int64(3)) == 3
    assert value_of(session, np.bool_(True)) is True
    assert value_of(session, np.float32(0.5)) == 0.5
    assert value_of(session, np.datetime64("2013-01-31T12:00")) == datetime.datetime(2013, 1, 31, 12)
    assert value_of(session, np.array([1, 2])) == [1, 2]
    assert value_of(session, pd.Series([1.0, 2.0])) == [1.0, 2.0]
    assert value_of(session, pd.Timestamp("2013-01-31")) == datetime.datetime(2013, 1, 31)
    assert value_of(session, pd.NaT) is None
    assert value_of(session, pa.scalar(7)) == 7


def test_a_value_without_a_type_in_sql_is_refused(session: EngineSession) -> None:
    with pytest.raises(RequestError, match=r"\$value is of type object"):
        value_of(session, object())


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": [1, 2], "b": ["x", None]}),
        pl.DataFrame({"a": [1, 2], "b": ["x", None]}),
        pl.LazyFrame({"a": [1, 2], "b": ["x", None]}),
        pa.table({"a": [1, 2], "b": ["x", None]}),
    ],
)
def test_a_frame_is_a_table_for_one_statement(session: EngineSession, frame: object) -> None:
    name = 'Übersicht "1"'
    sql = 'select a, b from "Übersicht ""1""" order by a'
    assert session.query(sql, frames={name: frame}).to_pylist() == [{"a": 1, "b": "x"}, {"a": 2, "b": None}]
    with pytest.raises(SqlError, match="does not exist"):
        session.query(sql)


def test_a_frame_of_mixed_types_is_told_by_its_name(session: EngineSession) -> None:
    with pytest.raises(RequestError, match="`mixed` cannot be read"):
        session.query("from mixed", frames={"mixed": pd.DataFrame({"a": [1, "x", [2]]})})
    with pytest.raises(RequestError, match="`large` cannot be read"):
        session.query("from large", frames={"large": pd.DataFrame({"a": [2**70]})})


def test_periods_of_a_frame_do_not_become_numbers(session: EngineSession) -> None:
    frame = pd.DataFrame({"month": pd.period_range("2024-01", periods=1, freq="M")})
    with pytest.raises(RequestError, match=r"`month` of the frame `f` has periods(.|\n)*to_timestamp"):
        session.query("from f", frames={"f": frame})


def test_variables_of_the_caller_are_no_tables(session: EngineSession) -> None:
    orders = pd.DataFrame({"a": [1]})
    with pytest.raises(SqlError, match="orders does not exist"):
        session.query("from orders")
    assert len(orders) == 1


def test_rows_are_counted_over_all_statements(session: EngineSession) -> None:
    assert session.execute("create table t (i int)") == 0
    assert session.execute("insert into t values (1), (2); update t set i = i + $n; select 'Count'", {"n": 1}) == 4
    assert session.execute("delete from t returning i") == 2


def test_the_last_statement_gives_the_result(session: EngineSession) -> None:
    found = session.query("create table t as select $n as i; insert into t values (5);\nselect i from t", {"n": 4})
    assert found.column("i").to_pylist() == [4, 5]
    assert session.query("-- nothing\n").num_rows == 0


def test_results_come_batch_by_batch(session: EngineSession) -> None:
    reader = session.stream("select i from range(1000000) t(i)")
    assert reader.read_next_batch().num_rows < 1_000_000
    session.query("select 1")
    with pytest.raises(SqlError, match="has ended this result"):
        reader.read_all()


@pytest.mark.parametrize(
    ("sql", "kind", "line", "said"),
    [
        ("select 1;\n\nselec 2", "Parser", 3, "selec"),
        ("select 1;\nselect\n  foo", "Binder", 3, "foo"),
        ("select 1;\nselect *\nfrom nowhere", "Catalog", 3, "nowhere does not exist"),
        ("select 1;\nselect 'a'::int", "Conversion", 2, "Could not convert"),
        ("select 1;\nselect $absent", "Parameter", 2, r"\$absent"),
    ],
)
def test_mistakes_name_their_line(session: EngineSession, sql: str, kind: str, line: int, said: str) -> None:
    with pytest.raises(SqlError, match=said) as caught:
        session.query(sql)
    assert (caught.value.kind, caught.value.line) == (kind, line)


def test_a_near_miss_is_guessed(session: EngineSession) -> None:
    session.execute("create table orders (i int)")
    with pytest.raises(SqlError) as caught:
        session.query("from ordres")
    assert caught.value.fix == 'Did you mean "orders"?'


def test_a_transaction_is_all_or_nothing(session: EngineSession) -> None:
    session.execute("create table t (i int primary key)")

    def fail() -> None:
        with session.transaction():
            session.execute("insert into t values (1)")
            session.execute("insert into t values (1)")

    with pytest.raises(SqlError, match="constraint"):
        fail()
    assert session.query("from t").num_rows == 0
    with session.transaction():
        session.execute("insert into t values (1)")
    assert session.query("from t").num_rows == 1


def test_a_transaction_within_one_is_refused(session: EngineSession) -> None:
    with session.transaction(), pytest.raises(SqlError, match="open already"), session.transaction():
        pass
    with session.transaction():
        pass


def test_a_statement_can_be_interrupted(session: EngineSession) -> None:
    timer = threading.Timer(0.2, session.interrupt)
    timer.start()
    with pytest.raises(Interrupted):
        session.query("select count(*) from range(1000000000000) a")
    timer.join()
    assert value_of(session, 1) == 1
