"""SQL read without a database: statements with their own text, and what they touch."""

from __future__ import annotations

import re
import subprocess
import sys
from random import Random
from threading import Thread

import pytest

from jupyter_pipelines.graph.sql import SqlStatement, read_statements
from jupyter_pipelines.graph.sql.changes import compare
from jupyter_pipelines.graph.sql.columns import lineage


def one(sql: str) -> SqlStatement:
    [statement] = read_statements(sql)
    return statement


def reads(sql: str) -> list[str]:
    return [str(name) for name in one(sql).reads]


def writes(sql: str) -> list[str]:
    return [str(name) for name in one(sql).writes]


def test_each_statement_keeps_its_own_text_and_line() -> None:
    sql = "-- first\nselect 'a;b' /* ; */ as \"c;d\",\n  $$x;y$$\n;\n\n;;insert into t\nvalues (1); -- the end;\n"
    statements = read_statements(sql)
    assert [(statement.text, statement.line, statement.kind) for statement in statements] == [
        ("select 'a;b' /* ; */ as \"c;d\",\n  $$x;y$$", 1, "query"),
        ("insert into t\nvalues (1)", 5, "insert"),
    ]
    assert read_statements("") == read_statements("\n -- nothing\n;\n") == ()


@pytest.mark.parametrize(
    ("sql", "kind", "read", "written"),
    [
        ("select * from mart.orders o join raw.customers using (id)", "query", "mart.orders raw.customers", ""),
        ("from orders select id", "query", "orders", ""),
        ("table orders", "query", "orders", ""),
        ("pivot orders on year using sum(amount)", "query", "orders", ""),
        ("select * from t where exists (from u) and a in (select a from v)", "query", "t u v", ""),
        ("with a as (from t), b as (from a) select * from b, x.a", "query", "t x.a", ""),
        ("with t as (select * from t) select * from t", "query", "t", ""),
        ("with recursive c as (from s union all from c) from c", "query", "s", ""),
        ("select * from (with c as (from s) from c) join c using (id)", "query", "s c", ""),
        ('select * from "Größe"."a ""b"" c"', "query", 'Größe."a ""b"" c"', ""),
        ('select * from "Größe"."a.b", 東京.表', "query", '"Größe"."a.b" 東京.表', ""),
        ("select * from range(3), unnest([1]) u(x), lateral (from t)", "query", "t", ""),
        ("summarize t", "query", "t", ""),
        ("explain select * from t", "query", "t", ""),
        ("explain analyze insert into t from u", "insert", "u", "t"),
        ("create or replace table s.t as from u", "create table", "u", "s.t"),
        ("create table t (a int references u(a))", "create table", "u", "t"),
        ("create view v as select * from t", "create view", "t", "v"),
        ("create schema if not exists mart", "create", "", "mart.*"),
        ("create unique index i on s.t (a)", "create", "", "s.t"),
        ("insert into t by name select * from u", "insert", "u", "t"),
        ("insert into t select * from t", "insert", "t", "t"),
        ("with a as (from u) insert into t from a", "insert", "u", "t"),
        ("update t set a = (select max(a) from v) from u", "update", "u v", "t"),
        ("delete from t using u where t.a = u.a", "delete", "u", "t"),
        ("truncate t", "delete", "", "t"),
        ("merge into t using (from s) n on t.a = n.a when matched then delete", "merge", "s", "t"),
        ("drop table if exists s.t, u", "drop", "", "s.t u"),
        ("drop schema mart cascade", "drop", "", "mart.*"),
        ("alter table t rename to u", "alter", "", "t u"),
        ("comment on column s.t.a is 'x'", "alter", "", "s.t"),
        ("copy t to 'x.parquet'", "copy", "t", ""),
        ("copy (from u) to 'x.csv'", "copy", "u", ""),
        ("copy t from 'x.csv'", "copy", "", "t"),
        ("select nextval('s.numbers')", "query", "", "s.numbers"),
        ("from query_table('s.t')", "query", "s.t", ""),
        ("begin transaction", "transaction", "", ""),
        ("use mart", "session", "", ""),
        ("attach 'x.db' as x", "session", "", ""),
        ("checkpoint", "other", "", ""),
    ],
)
def test_tables_read_and_written(sql: str, kind: str, read: str, written: str) -> None:
    statement = one(sql)
    assert (statement.kind, statement.problem, statement.anything) == (kind, "", False)
    shown = sorted(str(name).replace('"*"', "*") for name in statement.reads)
    assert shown == sorted(str(name) for name in _names(read))
    assert sorted(str(name).replace('"*"', "*") for name in statement.writes) == sorted(written.split())


def _names(text: str) -> list[str]:
    from jupyter_pipelines.notebook.table_names import read_table_name

    parts, held = [], ""
    for word in text.split(" "):
        held = f"{held} {word}" if held else word
        if held.count('"') % 2 == 0:
            parts.append(held)
            held = ""
    names = [read_table_name(part) for part in parts if part]
    assert None not in names
    return [str(name) for name in names]


def test_files_read_and_written() -> None:
    sql = "from read_parquet('a/*.parquet'), 'b.csv', read_csv(['c.csv', 'd.csv'], header = true), 's3://x/y.csv'"
    assert one(sql).files_read == ("a/*.parquet", "b.csv", "c.csv", "d.csv")
    assert one("from read_json($path)").files_read == (None,)
    assert one("from read_csv('https://example.org/x.csv')").files_read == ()
    assert one("copy t to 'out.parquet' (format parquet)").files_written == ("out.parquet",)
    assert one("copy t from 'in.csv'").files_read == ("in.csv",)
    assert one("create table t as from 'x.parquet'").files_read == ("x.parquet",)


def test_parameters() -> None:
    statement = one("select $day, '$no', $$ $no $$, \"$no\" /* $no */ from t where a > $day and b = $größe")
    assert statement.parameters == ("day", "größe")
    assert one("select ?, $1").parameters == ("?", "1")
    assert one("select $day from from").parameters == ("day",)  # not understood, and yet


def test_a_reference_that_is_to_be_ignored() -> None:
    sql = "select *\nfrom mart.orders  -- ignore-upstream: our own yesterday\njoin raw.customers using (id)"
    [reference] = one(sql).read
    assert (str(reference.name), reference.line) == ("raw.customers", 3)
    assert reads("select 'ignore-upstream' from t") == ["t"]


def test_macros_count_as_tables_of_their_own() -> None:
    assert writes("create macro add(a, b) as a + b") == writes("drop macro add") == ['"add()"']
    assert reads("select add(1, 2) from t") == ["t", '"add()"']


def test_temporary_tables_are_the_connections() -> None:
    statement = one("create temp table t as from u")
    assert (statement.writes, [str(name) for name in statement.temporary]) == ((), ["t"])


@pytest.mark.parametrize(
    "sql",
    [
        "select * from from",
        "selec 1",
        "hello world",
        "select 'unclosed",
        'select "unclosed',
        "select /* unclosed",
        "create table as select",
        "call f()",
        "export database 'x'",
        "explain",
        "prepare",
    ],
)
def test_what_is_not_understood_may_touch_anything(sql: str) -> None:
    assert one(sql).anything
    assert not one(sql).only_reads


def test_one_statement_that_is_not_understood_leaves_the_others_alone() -> None:
    first, second, third = read_statements("from a;\nselec 1;\ninsert into b from c")
    assert (first.problem, third.problem) == ("", "")
    assert "near `1`" in second.problem and second.line == 1
    assert [str(name) for name in third.writes] == ["b"]


HOSTILE = {
    "parentheses": "select " + "(" * 5_000 + "1" + ")" * 5_000,
    "calls": "select " + "f(" * 3_000 + "1" + ")" * 3_000,
    "subqueries": "select * from " + "(select * from " * 500 + "t" + ")" * 500,
    "not": "select " + "not " * 5_000 + "true",
    "open": "select * from " + "(" * 5_000,
    "columns": "select " + ", ".join(f"c{n} as d{n}" for n in range(1_000)) + " from t",
    "values": "insert into t values " + ", ".join(f"({n}, 'abc')" for n in range(6_000)),
    "unions": " union all ".join(["select a from t"] * 2_000),
    "joins": "from t " + " ".join(f"join t{n} using (a)" for n in range(1_000)),
    "with": "with " + ", ".join(f"c{n + 1} as (from c{n})" for n in range(500)) + " from c500",
    "statements": ";".join(["select 1"] * 3_000),
    "long": "select '" + "x" * 300_000 + "'",
    "NUL": "select '\0' from \0t where \0",
    "quotes": "'\"" * 10_000,
    "dollars": "$" * 10_000,
    "surrogate": "select '\ud800' from t\udfff",
    "semicolons": ";" * 50_000,
}


def test_no_text_whatever_makes_reading_fail() -> None:
    random = Random(7)
    texts = [
        "with a as (select x, sum(y) over (partition by z) s from t join u using (id)) select * exclude (s) from a",
        "merge into t using (from s) n on t.a = n.a when matched then update set a = $b when not matched then insert",
        "create or replace table s.t as pivot u on year using sum(a); copy (from 'a.csv') to 'b.parquet' (format x)",
        "alter table t rename to u; explain analyze select list_transform([1], x -> x + 1) from read_csv(['a'])",
    ]
    for _ in range(200):
        words = re.findall(r"\w+|.", random.choice(texts))
        for _ in range(random.randint(1, 4)):
            at = random.randrange(len(words))
            words[at] = random.choice(["", "(", ")", ";", "'", '"', "$", "--", "/*", "\0", "é", *words])
        text = "".join(words)
        for statement in read_statements(text):
            assert statement.text in text
        assert compare(texts[0], text).kind
        lineage(text)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_sql_is_read_in_bounded_time(name: str) -> None:
    for statement in read_statements(HOSTILE[name]):
        assert statement.problem or statement.reads or statement.kind


def test_what_is_nested_too_deeply_does_not_depend_on_who_asks() -> None:
    sql = "select " + "f(" * 25 + "1" + ")" * 25  # understood with an empty stack

    def deep(frames: int) -> SqlStatement:
        return deep(frames - 1) if frames else one(sql)

    found: list[SqlStatement] = []
    thread = Thread(target=lambda: found.append(deep(700)))
    thread.start()
    thread.join()
    assert found[0].problem == ""


def test_a_notebook_without_sql_does_not_import_sqlglot() -> None:
    code = (
        "import sys, json; from jupyter_pipelines.notebook import read_notebook; "
        "from jupyter_pipelines.graph import compile_pipeline; "
        "cells = [{'cell_type': 'code', 'source': 'x = 1', 'metadata': {}}]; "
        "compile_pipeline(read_notebook(json.dumps({'cells': cells, 'nbformat': 4, 'metadata': {}}), 'a.ipynb')); "
        "assert 'sqlglot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
