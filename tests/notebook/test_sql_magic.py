"""What ``%%sql`` and ``%%check`` lines say, and what is said about those that are wrong."""

from __future__ import annotations

import pytest

from jupyter_pipelines.notebook.check_magic import Threshold, read_check_magic, split_checks
from jupyter_pipelines.notebook.sql_magic import read_sql_magic
from jupyter_pipelines.notebook.table_names import TableName, read_table_name


def test_a_line_without_options_shows_the_result() -> None:
    magic = read_sql_magic("")
    assert (magic.assign, magic.table, magic.rows, magic.problems) == ("", None, None, ())


def test_a_result_is_assigned() -> None:
    assert read_sql_magic("df <<").assign == "df"
    assert read_sql_magic("df << --as polars").form == "polars"
    assert read_sql_magic("  größe<< --rows 5").assign == "größe"


def test_every_option_is_read() -> None:
    magic = read_sql_magic(
        '--table mart."Big Orders" --materialize incremental --unique-key id,"a day" --time-column=day '
        "--partition-by region --full-refresh --rows 20  # for the report"
    )
    assert magic.problems == ()
    assert magic.table == TableName("mart", "Big Orders")
    assert (magic.materialize, magic.unique_key, magic.time_column) == ("incremental", ("id", "a day"), "day")
    assert (magic.partition_by, magic.full_refresh, magic.rows) == (("region",), True, 20)


@pytest.mark.parametrize(
    ("line", "message", "fix"),
    [
        ("--tabel x", "no option `--tabel`", "Did you mean `--table`?"),
        ("--table", "`--table` on the `%%sql` line has no value", "Give it one"),
        ("--table a.b.c.d", "has the value `a.b.c.d`", "the name of a table"),
        ("--table 'a b'", "has the value `a b`", "the name of a table"),
        ('--table "a', "unclosed quote", "Close it"),
        ("--table a --table b", "given twice", "Give it once"),
        ("--table a --materialize veiw", "has the value `veiw`", "`view`"),
        ("--table a --materialize incremental", "which rows are replaced", "--unique-key"),
        ("--table a --materialize snapshot", "one over time", "--unique-key"),
        ("--table a --materialize view --unique-key id", "no meaning with `--materialize view`", "incremental"),
        ("--table a --unique-key id", "no meaning with `--materialize table`", "incremental"),
        ("--table a --materialize append --unique-key id", "no meaning with `--materialize append`", "Remove it"),
        ("--table a --full-refresh", "no meaning with `--materialize table`", "Remove it"),
        ("--materialize view", "none is named", "--table NAME"),
        ("df << --table a", "it can do one", "df <<"),
        ("1x <<", "no name that Python could give", "df <<"),
        ("class <<", "no name that Python could give", "df <<"),
        ("postgresql://db", "has no meaning", "--table"),
        ("df << --as table", "has the value `table`", "pandas, polars, arrow"),
        ("--as arrow", "no name gets it", "df <<"),
        ("--rows many", "has the value `many`", "a number of rows"),
    ],
)
def test_what_is_wrong_is_said_with_a_fix(line: str, message: str, fix: str) -> None:
    [problem] = read_sql_magic(line).problems[:1]
    assert problem.code == "JP150"
    assert message in problem.message
    assert fix in problem.fix


def test_names_of_one_table_are_equal() -> None:
    assert read_table_name("Orders") == read_table_name('main."orders"')
    assert read_table_name("mart.orders") != read_table_name("orders")
    assert str(TableName("mart", 'a "b".c')) == 'mart."a ""b"".c"'
    assert read_table_name(str(TableName("mart", 'a "b".c', "lake"))) == TableName("mart", 'a "b".c', "lake")
    assert read_table_name("") is read_table_name("a..b") is read_table_name("a b") is None


CHECKS = """\
# what every order has
id: not null, unique  -- the key
amount: between 0 and 10000 | warn > 0.1%

customer_id: in raw.customers.customer_id | warn | error > 5
status: in ('new, or so', 'it''s done')
ts: within 2 days
code: matches '^a|b$', not like 'x%'
region, day: unique
rows: > 0, drift < 50%
columns: id integer, amount decimal(10, 2), ...
"rows": >= $least
no_bad_day: select day || '|' from mart.orders
    group by day
    having count(*) < 10 | warn
"""


def test_lines_of_checks_are_read() -> None:
    cell = read_check_magic("mart.orders", CHECKS)
    assert cell.problems == ()
    assert cell.subject == TableName("mart", "orders")
    lines = {check.subject: check for check in cell.checks}
    assert [check.line for check in cell.checks] == [2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13]
    assert [rule.kind for rule in lines["id"].rules] == ["not null", "unique"]
    assert lines["id"].thresholds == (Threshold("error"),)
    assert lines["amount"].rules[0].values == ("0", "10000")
    assert lines["amount"].thresholds == (Threshold("warn", 0.1, True),)
    assert lines["customer_id"].rules[0].table == TableName("raw", "customers")
    assert lines["customer_id"].rules[0].column == "customer_id"
    assert lines["customer_id"].thresholds == (Threshold("warn"), Threshold("error", 5.0))
    assert lines["status"].rules[0].values == ("'new, or so'", "'it''s done'")
    assert lines["ts"].rules[0].values == ("2", "day")
    assert [rule.values for rule in lines["code"].rules] == [("'^a|b$'",), ("'x%'",)]
    assert lines["region, day"].columns == ("region", "day")
    assert (lines["rows"].columns, [rule.kind for rule in lines["rows"].rules]) == ((), ["compare", "drift"])
    assert lines["rows"].rules[1].values == ("0.5",)
    assert lines["columns"].rules[0].columns == (("id", "integer"), ("amount", "decimal(10, 2)"))
    assert lines["columns"].rules[0].others
    assert lines['"rows"'].columns == ("rows",)
    query = lines["no_bad_day"].rules[0]
    assert query.kind == "query"
    assert query.text.startswith("select day || '|'") and query.text.endswith("< 10")
    assert lines["no_bad_day"].thresholds == (Threshold("warn"),)


@pytest.mark.parametrize(
    ("line", "message", "fix"),
    [
        ("id: uniqe", "`uniqe` is not a rule", "Did you mean `unique`?"),
        ("id: not nul", "`not nul` is not a rule", "Did you mean `not null`?"),
        ("id", "`id` is not a check", "column: rule"),
        ("id:", "has no rule", "column: rule"),
        ("id: unique,", "missing beside a comma", "column: rule"),
        ("id: unique | wran", "`| wran` is not a threshold", "| warn"),
        ("id: unique | warn > many", "`| warn > many` is not a threshold", "| warn"),
        ("id: unique | warn | warn > 5", "two thresholds", "| error > 1%"),
        ("id: in customers", "names no column", "in schema.table.column"),
        ("id: in ('a', )", "empty member", "in ('a', 'b')"),
        ("a, b: > 5", "is about one column", "a line of its own"),
        ("rows: unique", "says nothing about the number of rows", "rows: > 0"),
        ("columns: id", "not a column with its type", "id integer"),
        ("a b: unique", "is no column", "column: rule"),
    ],
)
def test_a_bad_check_names_its_line(line: str, message: str, fix: str) -> None:
    cell = read_check_magic("mart.orders", f"# first\nx: not null\n{line}\n")
    [problem] = cell.problems
    assert (problem.code, problem.line) == ("JP151", 4)  # the magic's own line is the first
    assert message in problem.message
    assert fix in problem.fix
    assert [check.subject for check in cell.checks] == ["x"]


def test_a_cell_that_checks_nothing_is_a_finding() -> None:
    assert "does not say what" in read_check_magic("", "id: unique").problems[0].message
    assert "has no checks" in read_check_magic("mart.orders", "\n# id: unique\n").problems[0].message
    assert read_check_magic("a b c", "id: unique").subject is None


def test_checks_may_stand_below_the_sql_that_builds_the_table() -> None:
    sql, checks, above = split_checks("select 1 as id\nfrom t\n%%check\nid: unique\n")
    assert (sql, checks, above) == ("select 1 as id\nfrom t\n", "id: unique\n", 3)
    assert split_checks("select '%%check'\n") == ("select '%%check'\n", "", 0)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text", ["a: in (" * 20_000, "a: " + "and " * 50_000, "a: between " + "x " * 50_000, "'" * 99_999]
)
def test_hostile_lines_take_no_time(text: str) -> None:
    assert read_check_magic("x", text).problems
    read_sql_magic(text)
