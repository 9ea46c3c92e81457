"""Building tables: what each way does, what it refuses before writing anything, and that repeating changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any
from uuid import UUID

import pandas as pd
import pytest

from jupyter_pipelines.errors import BuildError, RequestError, SqlError
from jupyter_pipelines.notebook.sql_magic import read_sql_magic
from jupyter_pipelines.warehouse import EngineSession, Session
from jupyter_pipelines.warehouse.building import BuildResult, BuildSpec, Trial, build, try_builds
from jupyter_pipelines.warehouse.building.appends import Attempt
from jupyter_pipelines.warehouse.building.backups import Backup
from jupyter_pipelines.warehouse.building.restoring import restore

from .conftest import Open


@pytest.fixture
def session() -> Iterator[Session]:
    found = EngineSession.open()
    found.execute("CREATE SCHEMA raw; CREATE TABLE raw.orders (id INTEGER, day DATE, amount DOUBLE)")
    found.execute(
        "INSERT INTO raw.orders SELECT i, DATE '2013-01-01' + (i // 10)::INTEGER, i * 1.5 FROM range(50) r(i)"
    )
    yield found
    found.close()


def rows(session: Session, sql: str, **parameters: object) -> list[tuple[Any, ...]]:
    found = session.query(sql, parameters)
    return list(zip(*(column.to_pylist() for column in found.columns), strict=True))


def make(
    session: Session, line: str, sql: str, frames: dict[str, object] | None = None, **given: object
) -> BuildResult:
    magic = read_sql_magic(line)
    assert not magic.problems, magic.problems
    return build(session, BuildSpec.of(magic), sql, given, frames)


def day_of(number: int) -> dict[str, object]:
    return {"interval_start": date(2013, 1, number), "interval_end": date(2013, 1, number + 1)}


DAILY = """
SELECT day, count(*) AS orders, sum(amount) AS amount FROM raw.orders
WHERE day >= $interval_start AND day < $interval_end GROUP BY day
"""
BY_DAY = "--table mart.daily --materialize incremental --time-column day"


def test_a_table_is_made_anew_each_time(session: Session) -> None:
    made = make(session, "--table mart.big", "SELECT * FROM raw.orders WHERE id >= $least -- of those\n", least=40)
    assert (made.rows, made.added, made.removed, made.is_new) == (10, 10, 0, True)
    made = make(session, "--table MART.Big", "FROM raw.orders WHERE id >= $least;", least=45, more="unused")
    assert (made.rows, made.added, made.removed, made.is_new) == (5, 5, 10, False)
    assert rows(session, "SELECT min(id) FROM mart.big") == [(45,)]


def test_what_stands_above_the_query_runs_in_the_same_transaction(session: Session) -> None:
    text = "CREATE TABLE raw.chosen AS SELECT * FROM raw.orders WHERE id < $most; SELECT count(*) AS n FROM raw.chosen"
    make(session, "--table mart.counted", text, most=7)
    assert rows(session, "FROM mart.counted") == [(7,)]
    with pytest.raises(SqlError, match="Could not convert"):
        make(session, "--table mart.counted", "DROP TABLE raw.chosen; SELECT 'x'::INTEGER AS n")
    assert rows(session, "SELECT count(*) FROM raw.chosen") == [(7,)]
    assert rows(session, "FROM mart.counted") == [(7,)]


def test_a_guard_that_raises_leaves_everything_as_it_was(session: Session) -> None:
    make(session, "--table mart.t", "SELECT 1 AS x")

    def refuse() -> None:
        assert rows(session, "FROM mart.t") == [(2,)]
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        build(session, BuildSpec.of(read_sql_magic("--table mart.t")), "SELECT 2 AS x", guard=refuse)
    assert rows(session, "FROM mart.t") == [(1,)]


def test_rows_are_kept_in_the_order_of_the_partitions(session: Session) -> None:
    make(session, "--table mart.sorted --partition-by day,id", "SELECT * FROM raw.orders ORDER BY random()")
    found = rows(session, "SELECT day, id FROM mart.sorted")
    assert found == sorted(found)


@pytest.mark.parametrize("order", list(permutations((1, 2, 3)))[1:4])
def test_windows_give_one_table_in_any_order_and_when_repeated(session: Session, order: tuple[int, ...]) -> None:
    for number in (*order, *reversed(order)):
        make(session, BY_DAY, DAILY, **day_of(number))
    assert rows(session, "FROM mart.daily ORDER BY day") == rows(
        session,
        "SELECT day, count(*) AS orders, sum(amount) AS amount FROM raw.orders WHERE day < DATE '2013-01-04' "
        "GROUP BY day ORDER BY day",
    )


def test_a_window_is_replaced_and_nothing_else(session: Session) -> None:
    for number in (1, 2):
        make(session, BY_DAY, DAILY, **day_of(number))
    session.execute("DELETE FROM raw.orders WHERE day = DATE '2013-01-02'")
    made = make(session, BY_DAY, DAILY, **day_of(2))
    assert (made.rows, made.added, made.removed) == (1, 0, 1)
    assert rows(session, "SELECT day FROM mart.daily") == [(date(2013, 1, 1),)]


def test_rows_outside_of_the_window_are_refused(session: Session) -> None:
    with pytest.raises(BuildError, match=r"40 rows .* lie outside of the run's window.* 2013-01-02") as refused:
        make(session, BY_DAY, "SELECT * FROM raw.orders", **day_of(2))
    assert "$interval_start" in refused.value.fix
    with pytest.raises(BuildError, match="the range is not known"):
        make(session, BY_DAY, "SELECT * FROM raw.orders")
    assert not rows(session, "SELECT 1 FROM duckdb_tables() WHERE schema_name = 'mart'")


BY_KEY = "--table mart.orders --materialize incremental --unique-key id"


def test_rows_are_merged_by_key(session: Session) -> None:
    make(session, BY_KEY, "SELECT * FROM raw.orders WHERE id < 10")
    changed = (
        "SELECT id, day, CASE WHEN id = 7 THEN -1 ELSE amount END AS amount FROM raw.orders WHERE id BETWEEN 5 AND 14"
    )
    made = make(session, BY_KEY, changed)
    assert (made.rows, made.added, made.changed, made.removed) == (15, 5, 1, 0)
    assert rows(session, "SELECT id FROM mart.orders WHERE amount < 0") == [(7,)]
    made = make(session, BY_KEY, changed)
    assert (made.rows, made.added, made.changed, made.removed) == (15, 0, 0, 0)


def test_keys_may_be_several_and_have_no_value(session: Session) -> None:
    line = "--table t --materialize incremental --unique-key a,b"
    for _ in range(2):
        make(session, line, "SELECT * FROM (VALUES (1, NULL), (1, 2), (NULL, NULL)) v(a, b)")
    assert rows(session, "SELECT count(*) FROM t") == [(3,)]


def test_a_key_may_be_called_as_what_is_counted(session: Session) -> None:
    line = "--table t --materialize incremental --unique-key n"
    assert make(session, line, "SELECT * FROM (VALUES (5, 1), (6, 1)) v(n, x)").added == 2
    with pytest.raises(BuildError, match="`n` is to be unique, and 1 keys have several rows"):
        make(session, line, "SELECT * FROM (VALUES (1, 1), (1, 2)) v(n, x)")


def test_keys_that_are_not_unique_are_refused(session: Session) -> None:
    make(session, BY_KEY, "SELECT * FROM raw.orders")
    with pytest.raises(
        BuildError, match=r"`id` is to be unique, and 2 keys have several rows each \(5 in all\).*id = 1"
    ):
        make(
            session,
            BY_KEY,
            "SELECT v AS id, DATE '2013-01-01' AS day, 0.0::DOUBLE AS amount FROM unnest([1,1,2,2,2,3]) u(v)",
        )
    assert rows(session, "SELECT count(*), sum(amount) > 0 FROM mart.orders") == [(50, True)]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT id, day FROM raw.orders", "`amount` is gone"),
        ("SELECT *, 1 AS extra FROM raw.orders", "`extra` is new"),
        ("SELECT id, day::TIMESTAMP AS day, amount FROM raw.orders", "`day` was DATE and is TIMESTAMP"),
        ("SELECT day, amount FROM raw.orders", "no column `id`"),
    ],
)
def test_columns_that_changed_are_refused_before_anything_is_written(session: Session, query: str, told: str) -> None:
    make(session, BY_KEY, "SELECT * FROM raw.orders")
    with pytest.raises(BuildError, match=told):
        make(session, BY_KEY, query)
    assert rows(session, "SELECT count(*) FROM mart.orders") == [(50,)]
    if "no column" not in told:
        made = make(session, f"{BY_KEY} --full-refresh", query)
        assert (made.rows, made.removed) == (50, 50)


@pytest.mark.parametrize(
    ("column", "low", "later"),
    [
        ("day", "DATE '2013-01-01'", "day + 1"),
        ("ts", "TIMESTAMP '2013-01-01'", "ts + INTERVAL 1 DAY"),
        ("tz", "TIMESTAMPTZ '2013-01-01 00:00:00+00'", "tz + INTERVAL 1 DAY"),
        ("n", "0::BIGINT", "n + 1"),
        ("u", "0::UBIGINT", "u + 1"),
        ("s", "'a'", "'b'"),
        ("x", "-1.5::DOUBLE", "x + 1"),
    ],
)
@pytest.mark.parametrize("compared", [">", ">="])
def test_the_watermark_goes_on_from_what_is_there(
    session: Session, column: str, low: str, later: str, compared: str
) -> None:
    session.execute(f"CREATE TABLE raw.events AS SELECT {low} AS {column}, 1 AS v")
    line = f"--table mart.events --materialize incremental --time-column {column}"
    query = f"SELECT * FROM raw.events WHERE {column} {compared} $watermark"
    assert make(session, line, query).rows == 1
    assert make(session, line, query).rows == 1
    session.execute(f"INSERT INTO raw.events SELECT {later}, 2 FROM raw.events")
    for _ in range(2):
        assert make(session, line, query).rows == 2
    assert rows(session, f"SELECT v FROM mart.events ORDER BY {column}") == [(1,), (2,)]


def test_rows_are_appended(session: Session) -> None:
    line = "--table mart.log --materialize append"
    assert make(session, line, "SELECT 1 AS x").rows == 1
    made = make(session, line, "SELECT 2 AS x")
    assert (made.rows, made.added) == (2, 1)
    with pytest.raises(BuildError, match="`y` is new"):
        make(session, line, "SELECT 2 AS x, 3 AS y")


def append(session: Session, sql: str, run: str = "r", step: str = "s", number: int = 1, version: str = "1") -> int:
    magic = read_sql_magic("--table mart.log --materialize append")
    attempt = Attempt(run, step, number, version)
    return build(session, BuildSpec.of(magic), sql, attempt=attempt).added


def test_a_run_that_is_continued_appends_once(session: Session) -> None:
    assert [append(session, "SELECT 1 AS x") for _ in range(3)] == [1, 0, 0]
    assert append(session, "SELECT 2 AS x", number=2) == 1  # another cell of the step
    assert append(session, "SELECT 1 AS x") == 0
    assert append(session, "SELECT 3 AS x", step="t") == 1
    assert append(session, "SELECT 1 AS x", run="another") == 1
    assert append(session, "SELECT 1 + 0 AS x", version="2") == 0  # the notebook was edited, and gives the same
    assert rows(session, "FROM mart.log ORDER BY x") == [(1,), (1,), (2,), (3,)]
    session.execute("DROP TABLE mart.log")
    assert append(session, "SELECT 1 AS x") == 1  # the table is made anew


@pytest.mark.parametrize("name", ["s", "row", "n"])
def test_rows_that_are_appended_are_compared_whole_whatever_columns_are_called(session: Session, name: str) -> None:
    append(session, f"SELECT 1 AS {name}, 1 AS other")
    with pytest.raises(BuildError, match="gives other rows now"):
        append(session, f"SELECT 1 AS {name}, 2 AS other", version="2")


def test_what_is_to_be_there_must_be_known(session: Session) -> None:
    append(session, "SELECT 1 AS x")
    with pytest.raises(BuildError, match="gives other rows now"):
        append(session, "SELECT 2 AS x", version="2")
    session.execute("INSERT INTO mart.log VALUES (7)")
    with pytest.raises(BuildError, match="something else has written it"):
        append(session, "SELECT 1 AS x")
    assert rows(session, "FROM mart.log ORDER BY x") == [(1,), (7,)]


def test_an_append_that_was_rolled_back_is_not_on_record(session: Session) -> None:
    append(session, "SELECT 1 AS x", run="before")

    def fail() -> None:
        raise SqlError("no")

    spec = BuildSpec.of(read_sql_magic("--table mart.log --materialize append"))
    with pytest.raises(SqlError, match="no"):
        build(session, spec, "SELECT 2 AS x", guard=fail, attempt=Attempt("r", "s", 1, "1"))
    assert append(session, "SELECT 2 AS x") == 1
    assert rows(session, "FROM mart.log ORDER BY x") == [(1,), (2,)]


def test_the_owner_knows_what_else_has_written_a_table(open_shared: Open) -> None:
    session = open_shared()
    append(session, "SELECT 1 AS x")
    append(session, "SELECT 2 AS x", run="another")
    assert append(session, "SELECT 1 AS x") == 0
    session.execute("UPDATE mart.log SET x = 3 WHERE x = 2")
    with pytest.raises(BuildError, match="something else has written it"):
        append(session, "SELECT 1 AS x")


SNAPSHOT = "--table mart.people --materialize snapshot --unique-key id"


def test_a_snapshot_is_not_written_backwards(session: Session) -> None:
    """Nor by rows that no longer are there, or not yet: what is on record of them would be gone, or there twice."""

    def people(text: str, day: int) -> BuildResult:
        return make(session, SNAPSHOT, f"SELECT * FROM (VALUES {text}) v(id, town)", interval_end=date(2013, 1, day))

    people("(1, 'Rome'), (2, 'Oslo')", 1)
    people("(1, 'Rome'), (3, 'Kyiv')", 3)
    before = rows(session, "FROM mart.people ORDER BY ALL")
    for known in ("(1, 'Rome')", "(1, 'Rome'), (2, 'Oslo'), (3, 'Kyiv')"):
        with pytest.raises(BuildError, match="history is only written forwards"):
            people(known, 2)
    assert rows(session, "FROM mart.people ORDER BY ALL") == before
    people("(1, 'Rome'), (3, 'Kyiv')", 2)  # the same states were there
    assert rows(session, "FROM mart.people ORDER BY ALL") == before


def test_a_snapshot_keeps_what_was(session: Session) -> None:
    def people(text: str, day: int) -> BuildResult:
        return make(session, SNAPSHOT, f"SELECT * FROM (VALUES {text}) v(id, town)", interval_end=date(2013, 1, day))

    assert people("(1, 'Rome'), (2, 'Oslo')", 1).added == 2
    again = people("(2, 'Oslo'), (1, 'Rome')", 2)
    assert (again.added, again.changed, again.removed, again.rows) == (0, 0, 0, 2)
    made = people("(1, 'Bonn'), (3, 'Kyiv')", 3)
    assert (made.added, made.changed) == (2, 2)
    assert people("(1, 'Bonn'), (3, 'Kyiv')", 3).added == 0
    found = rows(session, "SELECT id, town, valid_from::DATE, valid_to::DATE, is_current FROM mart.people ORDER BY ALL")
    first, third = date(2013, 1, 1), date(2013, 1, 3)
    assert found == [
        (1, "Bonn", third, None, True),
        (1, "Rome", first, third, False),
        (2, "Oslo", first, third, False),
        (3, "Kyiv", third, None, True),
    ]
    with pytest.raises(BuildError, match="history is only written forwards"):
        people("(1, 'Lima'), (3, 'Kyiv')", 2)
    with pytest.raises(BuildError, match="`is_current` is a column that a snapshot adds"):
        make(session, SNAPSHOT, "SELECT 1 AS id, true AS is_current")


VALUES = [
    ("O'Brien'; DROP TABLE raw.orders; --", "VARCHAR"),
    ("line\nbreak \\ $x \U0001f600", "VARCHAR"),
    (True, "BOOLEAN"),
    (-5, "INTEGER"),
    (2**40, "BIGINT"),
    (0.1, "DOUBLE"),
    (float("inf"), "DOUBLE"),
    (Decimal("-12.340"), "DECIMAL(5,3)"),
    (date(2013, 1, 2), "DATE"),
    (datetime(2013, 1, 2, 3, 4, 5, 678), "TIMESTAMP"),
    (datetime(2013, 1, 2, 3, tzinfo=UTC), "TIMESTAMP WITH TIME ZONE"),
    (time(1, 2, 3), "TIME"),
    (timedelta(days=1, microseconds=5), "INTERVAL"),
    (UUID(int=7), "UUID"),
    (b"\x00'", "BLOB"),
    ([1, 2, None], "INTEGER[]"),
    (["a'", "b"], "VARCHAR[]"),
]


@pytest.mark.parametrize(("value", "kind"), VALUES)
def test_a_view_has_the_values_of_parameters_with_their_types(session: Session, value: object, kind: str) -> None:
    made = make(
        session, "--table mart.v --materialize view", "SELECT $x AS a, '$x' AS b, /* $x */ 1 AS c -- $x", x=value
    )
    assert made.rows is None
    assert rows(session, "SELECT typeof(a) FROM mart.v") == [(kind,)]
    assert rows(session, "SELECT a IS NOT DISTINCT FROM $x, b FROM mart.v", x=value) == [(True, "$x")]
    assert rows(session, "SELECT count(*) FROM raw.orders") == [(50,)]


def test_a_view_of_what_is_gone_with_the_kernel_is_refused(session: Session) -> None:
    with pytest.raises(BuildError, match="of `frame`: a DataFrame is gone"):
        make(session, "--table v --materialize view", "FROM frame", {"frame": pd.DataFrame({"x": [1]})})


@pytest.mark.parametrize("text", [value for value, kind in VALUES if kind == "VARCHAR"])
def test_a_parameter_in_a_table_is_a_value_whatever_is_in_it(session: Session, text: str) -> None:
    make(session, "--table t", "SELECT $x AS x", x=text)
    assert rows(session, "FROM t") == [(text,)]


def test_tables_and_views_take_each_others_place(session: Session) -> None:
    for way in ("view", "table", "view", "append"):
        make(session, f"--table mart.t --materialize {way}", "SELECT 1 AS x")
        assert rows(session, "FROM mart.t") == [(1,)]


def test_a_frame_becomes_a_table(session: Session) -> None:
    frame = pd.DataFrame({"x": [1, 2], "name": ["a", None]})
    assert make(session, "--table t", "SELECT * FROM frame", {"frame": frame, "other": frame}).rows == 2
    assert rows(session, "FROM t ORDER BY x") == [(1, "a"), (2, None)]


HOSTILE = ['we"ird', "a.b", "sélect", "drop table x; --", "Ünïcode 😀", "SELECT", "$x", "'"]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_may_be_anything(session: Session, name: str) -> None:
    written = '"' + name.replace('"', '""') + '"'
    line = f"--table {written}.{written} --materialize incremental --unique-key {written} --partition-by {written}"
    for _ in range(2):
        make(session, line, f"SELECT 1 AS {written}, 2 AS v")
    assert rows(session, f"SELECT {written} FROM {written}.{written}") == [(1,)]


def test_a_table_may_have_a_thousand_columns(session: Session) -> None:
    columns = ", ".join(f"i + {number} AS c{number}" for number in range(1000))
    for _ in range(2):
        made = make(
            session, "--table wide --materialize incremental --unique-key c0", f"SELECT {columns} FROM range(3) r(i)"
        )
    assert (made.rows, made.changed) == (3, 0)


@pytest.mark.parametrize(
    "text", ["", "-- nothing", "CREATE TABLE x AS SELECT 1", "SELECT 1 AS a; DROP TABLE raw.orders"]
)
def test_what_gives_no_rows_builds_no_table(session: Session, text: str) -> None:
    with pytest.raises(BuildError, match=r"mart\.t cannot be built"):
        make(session, "--table mart.t", text)
    assert rows(session, "SELECT count(*) FROM raw.orders") == [(50,)]


@pytest.mark.parametrize("name", ["temp.t", "SYSTEM.t", "memory.t", "_jupyter_pipelines.transactions", "_backup.t"])
def test_a_table_has_no_place_among_what_is_the_databases(session: Session, name: str) -> None:
    with pytest.raises(BuildError, match="Choose another schema"):
        make(session, f"--table {name}", "SELECT 1 AS a")
    session.execute("CREATE SCHEMA temp")  # which others may have made
    make(session, "--table mart.t --materialize incremental --unique-key a", "SELECT 1 AS a")
    assert rows(session, "FROM mart.t") == [(1,)]


def test_a_watermark_may_be_beyond_all_clocks(session: Session) -> None:
    line = "--table mart.t --materialize incremental --time-column day"
    for expected in (2, 2):
        made = make(
            session,
            line,
            "SELECT * FROM (VALUES (TIMESTAMP '2024-01-01'), ('infinity')) v(day) WHERE day > $watermark",
        )
        assert made.rows == expected


@pytest.mark.parametrize("text", ["DELETE FROM raw.orders; COMMIT; SELECT 1 AS a", "BEGIN; SELECT 1 AS a; ROLLBACK"])
def test_a_build_is_one_transaction_whatever_the_cell_says(session: Session, text: str) -> None:
    with pytest.raises(BuildError, match="begins or ends a transaction by itself"):
        make(session, "--table mart.t", text)
    assert rows(session, "SELECT count(*) FROM raw.orders") == [(50,)]


def trial(line: str, sql: str, *key: str) -> Trial:
    return Trial(BuildSpec.of(read_sql_magic(line)), sql, key)


def test_a_build_is_tried_and_nothing_of_it_stays(session: Session) -> None:
    make(session, "--table mart.a", "SELECT id, amount FROM raw.orders")
    make(session, "--table mart.b", "SELECT sum(amount) AS total FROM mart.a")
    before = rows(session, "FROM mart.a ORDER BY id")
    changed = "SELECT id, CASE WHEN id < 5 THEN 0 ELSE amount END AS amount, 1 AS more FROM raw.orders WHERE id > 1"
    trials = [
        trial("--table mart.a", changed, "id"),
        trial("--table mart.b", "SELECT sum(amount) AS total FROM mart.a"),
        trial("--table mart.c --materialize view", "SELECT 1 AS x"),
        trial("--table mart.d", "SELECT nothing FROM mart.a"),
        trial("--table mart.e", "SELECT 1 AS x"),
    ]
    first, second, third, fourth, fifth = try_builds(session, trials, {})
    assert (first.before, first.after, first.added, first.removed, first.changed) == (50, 48, 0, 2, 3)
    assert first.columns == (("amount", 3),)
    assert (second.added, second.removed, second.key) == (1, 1, ())
    assert (third.before, third.after) == (None, 1)
    assert "nothing" in fourth.problem and fifth.problem == "not tried, since mart.d could not be"
    assert rows(session, "FROM mart.a ORDER BY id") == before
    assert rows(session, "SELECT count(*) FROM duckdb_views() WHERE view_name = 'c'") == [(0,)]


WAYS = (
    (BY_DAY, DAILY),
    (BY_KEY, "SELECT * FROM raw.orders WHERE day >= $interval_start AND day < $interval_end"),
    ("--table mart.total", "SELECT count(*) AS n FROM raw.orders WHERE day < $interval_end"),
    (
        '--table mart."odd t.x" --materialize incremental --time-column day',
        "SELECT * FROM raw.orders WHERE day > $watermark AND day < $interval_end",
    ),
)


@pytest.mark.parametrize(("line", "sql"), WAYS)
def test_what_a_backfill_overwrites_can_be_brought_back(session: Session, line: str, sql: str) -> None:
    spec = BuildSpec.of(read_sql_magic(line))

    def content() -> list[tuple[Any, ...]]:
        return rows(session, f"FROM {spec.table.sql} ORDER BY ALL")

    for number in (1, 2, 3):
        build(session, spec, sql, day_of(number))
    before = content()
    session.execute("UPDATE raw.orders SET amount = -1")
    session.execute("DELETE FROM raw.orders WHERE id % 3 = 0")
    for number in (2, 3, 4):
        build(session, spec, sql, day_of(number), backup=Backup("the-backfill", f"run-{number}"))
    assert content() != before
    if "total" in line:
        assert rows(session, "SELECT count(*) FROM _jupyter_pipelines.backups") == [(1,)]
    assert restore(session, "the-backfill", str(spec.table).upper()) == (spec.table.sql,)
    assert content() == before
    assert rows(session, "SELECT count(*) FROM duckdb_tables() WHERE schema_name = '_backup'") == [(0,)]
    with pytest.raises(RequestError, match="No backup is kept"):
        restore(session, "the-backfill")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("", "--materialize view"),
        ("--materialize view", ""),
        ("--materialize view", "--materialize view"),
        ("--materialize view", "--materialize incremental --unique-key id"),
    ],
)
def test_a_backfill_may_have_made_a_table_of_another_kind(session: Session, before: str, after: str) -> None:
    name = 'mart."odd"" AS (t"'
    make(session, f"--table '{name}' {before}", "SELECT id, $least AS least FROM raw.orders", least="o'ne")
    was = rows(session, f"FROM {name} ORDER BY ALL")
    spec = BuildSpec.of(read_sql_magic(f"--table '{name}' {after}"))
    for number in (1, 2):
        sql = "SELECT id, $n AS n FROM raw.orders"
        build(session, spec, sql, {"n": number}, backup=Backup("the-backfill", "run"))
    assert rows(session, f"FROM {name} ORDER BY ALL") != was
    assert restore(session, "the-backfill") == (spec.table.sql,)
    assert rows(session, f"FROM {name} ORDER BY ALL") == was
    kind = "view" if before else "table"
    assert rows(session, f"SELECT {kind}_name FROM duckdb_{kind}s() WHERE schema_name = 'mart'") == [('odd" AS (t',)]
