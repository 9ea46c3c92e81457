"""Checks: what each rule counts, what a threshold makes of it, and what a person is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from types import SimpleNamespace

import pandas as pd
import pyarrow as pa
import pytest

from jupyter_pipelines.errors import RequestError, SqlError
from jupyter_pipelines.notebook.check_magic import read_check_magic
from jupyter_pipelines.results.showing.sql import shown_checks
from jupyter_pipelines.warehouse import EngineSession, Session
from jupyter_pipelines.warehouse.checks import CheckReport, run_checks, suggest_checks
from jupyter_pipelines.warehouse.checks.pointblank import report_of


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    found = EngineSession.open()
    found.execute(
        """
        CREATE SCHEMA mart;
        CREATE TABLE mart.orders AS
        SELECT i::INTEGER AS id, CASE WHEN i % 100 = 0 THEN NULL ELSE i * 1.0::DOUBLE END AS amount,
               'c' || i % 10 AS customer, now() - to_hours(i) AS ts, CASE WHEN i < 3 THEN 7 ELSE i END AS code, 1 AS n
        FROM range(1000) r(i);
        CREATE TABLE mart.customers AS SELECT 'c' || i AS name FROM range(8) r(i);
        CREATE TABLE mart.empty AS FROM mart.orders LIMIT 0;
        CREATE TABLE "odd ""schema".x AS SELECT 1 AS "a.b", 'x' AS "ü"
        """.replace('CREATE TABLE "odd', 'CREATE SCHEMA "odd ""schema"; CREATE TABLE "odd')
    )
    yield found
    found.close()


def check(session: Session, body: str, table: str = "mart.orders", **more: object) -> CheckReport:
    cell = read_check_magic(table, body)
    assert not cell.problems, cell.problems
    assert cell.subject is not None
    return run_checks(session, cell.subject, cell.checks, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "violations"),
    [
        ("id: not null", 0),
        ("amount: not null", 10),
        ("id, amount: not null", 10),
        ("id: unique", 0),
        ("code: unique", 3),
        ("customer, id: unique", 0),
        ("n, id: unique", 0),
        ("customer, n: unique", 990),
        ("customer: unique", 990),
        ("amount: between 1 and 100", 891),
        ("amount: between $low and $high", 891),
        ("amount: >= 0", 0),
        ("amount: < 500", 495),
        ("id: <> 7", 1),
        ("customer: in ('c1', 'c2', 'c3')", 700),
        ("customer: not in ('c1')", 100),
        ("customer: in mart.customers.name", 200),
        ("customer: matches '^c[0-8]$'", 100),
        ("customer: like 'c%'", 0),
        ("customer: not like '%9'", 100),
        ("ts: within 2 days", 0),
        ("ts: within 30 minutes", 0),
        ("rows: > 0", 0),
        ("rows: = 999", 1),
        ("rows: between 1 and 10000", 0),
        ("id: is int", 0),
        ("id: is varchar", 1),
        ("columns: id int, amount double, ...", 0),
        ("columns: id int, amount double", 1),
        ("columns: id bigint, gone date, ...", 1),
        ("few: select customer from mart.orders group by customer having count(*) > $least", 10),
    ],
)
def test_a_rule_counts_what_breaks_it(session: Session, line: str, violations: int) -> None:
    report = check(session, line, parameters={"low": 1, "high": 100, "least": 5})
    (result,) = report.results
    assert (result.violations, report.rows) == (violations, 1000)
    assert result.status == ("failed" if violations else "passed")
    assert not violations or result.sample or result.message or "rows" in line


@pytest.mark.parametrize(
    ("thresholds", "status"),
    [
        ("", "failed"),
        (" | warn", "warned"),
        (" | warn > 9", "warned"),
        (" | warn > 10", "passed"),
        (" | error > 0.9%", "failed"),
        (" | warn > 0.5% | error > 1%", "warned"),
        (" | warn > 0.5% | error > 5", "failed"),
    ],
)
def test_a_threshold_says_what_violations_mean(session: Session, thresholds: str, status: str) -> None:
    assert check(session, f"amount: not null{thresholds}").status == status


def test_a_sample_is_small_and_begins_with_the_columns_of_the_rule(session: Session) -> None:
    (result,) = check(session, "amount: not null").results
    assert len(result.sample) == 5
    assert result.sample_columns[:2] == ("amount", "id") and result.sample[0][0] == "NULL"


def test_a_check_that_cannot_be_carried_out_has_failed_and_the_others_are_told(session: Session) -> None:
    report = check(
        session, "id: unique\nnothing: not null\namount: between 'x' and 2\nid: drift < 10%\nnothing: is int"
    )
    assert [one.status for one in report.results] == ["passed", "failed", "failed", "passed", "failed"]
    assert '"nothing"' in report.results[1].message
    with pytest.raises(SqlError, match="nowhere"):
        check(session, "id: unique", "mart.nowhere")


def test_an_empty_table_has_no_violations_but_is_not_recent(session: Session) -> None:
    report = check(session, "id: not null, unique\namount: > 0 | warn > 1%\nts: within 1 day\nrows: > 0", "mart.empty")
    assert [one.status for one in report.results] == ["passed", "passed", "passed", "failed", "failed"]


def test_drift_is_told_from_the_median_of_earlier_runs(session: Session) -> None:
    lines = "rows: drift < 20%\namount: drift < 20%\ncustomer: drift < 20%"
    report = check(session, lines)
    assert [one.value for one in report.results] == [1000, pytest.approx(500, rel=0.02), 10]
    assert "nothing to compare with yet" in report.results[0].message and report.status == "passed"
    earlier = {"rows: drift < 20%": [100, 900, 1000, 1100], "amount: drift < 20%": [5, 5, 5, 500]}
    report = check(session, lines, earlier=earlier)
    assert [one.status for one in report.results] == ["passed", "failed", "passed"]
    assert "usual 5" in report.results[1].message


def test_a_number_that_is_none_is_a_drift(session: Session) -> None:
    """NaN is never far from anything."""
    line = "x: drift < 20%"
    for value in ("nan", "inf"):
        frame = pa.table({"x": [1.0, float(value)]})
        report = check(session, line, "df", frames={"df": frame}, earlier={line: [1, 1, 1, float("nan")]})
        assert (report.status, report.results[0].value) == ("failed", None)
    report = check(session, line, "df", frames={"df": pd.DataFrame({"x": [1.0]})}, earlier={line: [float("nan")] * 9})
    assert "nothing to compare with yet" in report.results[0].message


def test_checks_of_one_name_are_each_carried_out(session: Session) -> None:
    body = "bad: select 1\nbad: select 1 where false\nid: < 0 | warn\nid: < 0"
    assert [one.status for one in check(session, body).results] == ["failed", "passed", "warned", "failed"]


def test_a_query_may_end_as_queries_do(session: Session) -> None:
    body = "a: select 1 where false; -- none\nb: from mart.orders where id < 0 -- 0;\nc: select ';--' where false;"
    assert check(session, body).status == "passed"


def test_a_frame_is_checked_as_a_table(session: Session) -> None:
    frame = pd.DataFrame({"x": [1, 2, 2, None], "name": ["a", "b", "c", "d"]})
    body = "x: not null, unique | warn\nname: in other.name\nbad: select * from df where x > 1"
    report = check(session, body, "df", frames={"df": frame, "other": frame[:3]})
    assert [one.violations for one in report.results] == [1, 1, 1, 2]


def test_names_may_be_anything(session: Session) -> None:
    report = check(session, '"a.b": unique, not null\n"ü": in "odd ""schema".x."ü"', '"odd ""schema".x')
    assert [one.status for one in report.results] == ["passed"] * 3


def test_a_report_tells_people_what_is_wrong(session: Session) -> None:
    shown = shown_checks(check(session, "id: unique\namount: not null | warn\ncustomer: in ('<b>')"))
    assert "1 of 3 checks passed · 1,000 rows" in shown.text
    assert "▲  amount: not null" in shown.text and "10 (1.00%)" in shown.text
    html = shown._repr_html_()
    assert "<b>" not in html and "&lt;b&gt;" in html
    assert html.index("customer: in") < html.index("amount: not null") < html.index("id: unique")


def test_checks_are_suggested_that_hold(session: Session) -> None:
    cell = suggest_checks("mart.orders", session)
    lines = cell.splitlines()
    assert lines[0] == "%%check mart.orders" and "rows: > 0" in lines
    assert "id: unique" in lines and "id: not null" in lines and "code: unique" not in lines
    assert "amount: not null | warn > 1%" in lines and "ts: within 1 days" in lines
    assert any(line.startswith("customer: in ('c0', 'c1'") for line in lines)
    assert check(session, "\n".join(lines[1:])).status == "passed"
    with pytest.raises(RequestError, match="not the name of a table"):
        suggest_checks("a b", session)


def test_checks_are_suggested_for_odd_columns(session: Session) -> None:
    session.execute(
        """CREATE OR REPLACE TABLE mart.odd AS
        SELECT i AS "rows", NULL AS n, 'inf'::DOUBLE AS "in""f", 'nan'::FLOAT AS nan,
        170141183460469231731687303715884105727::HUGEINT AS huge, [i] AS list, {'a': i} AS struct, MAP {i: 1} AS map,
        'infinity'::DATE AS never, uuid() AS id FROM range(30) r(i)"""
    )
    lines = suggest_checks("mart.odd", session).splitlines()
    assert {'"rows": unique', '"rows": between 0 and 29', '"in""f": >= 0', "huge: >= 0", "id: unique"} <= set(lines)
    assert not any(line.startswith(("n:", "nan: >", "never: within")) for line in lines)


def test_many_checks_of_many_columns(session: Session) -> None:
    columns = ", ".join(f"i AS c{n}" for n in range(1000))
    session.execute(f"CREATE OR REPLACE TABLE mart.wide AS SELECT {columns} FROM range(3) r(i)")
    report = check(session, "\n".join(f"c{n}: <> {3 if n < 69 else 2}" for n in range(70)), "mart.wide")
    assert [one.violations for one in report.results] == [0] * 69 + [1] and report.rows == 3


def test_a_validation_of_another_library_is_a_report() -> None:
    step = {"assertion_type": "col_vals_lt", "column": "b", "active": True, "eval_error": None, "n": 3, "n_failed": 2}
    levels = {"all_passed": False, "warning": True, "error": True, "critical": False}
    passed = SimpleNamespace(**step | {"n_failed": 0, "all_passed": True, "error": None, "critical": None})
    validate = type("Validate", (), {"__module__": "pointblank.validate"})()
    validate.tbl_name, validate.time_end = "mine", None
    validate.validation_info = [SimpleNamespace(**step | levels), passed]
    assert report_of(validate) is None  # it was not carried out yet
    validate.time_end = "now"
    report = report_of(validate)
    assert report is not None and report.rows == 3
    assert [(one.name, one.status, one.violations) for one in report.results] == [
        ("b: col_vals_lt", "failed", 2),
        ("b: col_vals_lt", "passed", 0),
    ]
    assert report_of(pd.DataFrame()) is None


@pytest.mark.parametrize(
    "wrong",
    [
        "nothing: not null",
        "amount: between 'x'\n  and 2",
        "bad: select\n  nope from mart.orders",
        "customer: matches '('",
        "bad: select * from mart.orders where error(customer) > 1",
    ],
)
def test_a_mistake_ends_the_transaction_and_is_told(session: Session, wrong: str) -> None:
    with suppress(ZeroDivisionError), session.transaction():
        report = check(session, f"id: unique\n{wrong}\nid: > 5", in_transaction=True)
        raise ZeroDivisionError
    (result,) = report.results
    assert result.status == "failed" and "Error" in result.message
    # DuckDB does not say where what goes wrong with the rows has been asked for, and 1.5 where a text is no number.
    assert result.name.startswith(wrong.partition(":")[0]) or result.name == "one of 3 checks"
    assert (result.name == "one of 3 checks") <= ("LINE 3" not in result.message)
