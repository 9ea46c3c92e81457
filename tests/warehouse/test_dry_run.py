"""What DuckDB would say of a notebook's SQL, told before it is run: nothing wrong is told, and nothing is run."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.errors import BuildError, CheckError, NotebookError, SqlError
from jupyter_pipelines.graph.fixes import Checked
from jupyter_pipelines.graph.fixes import check as check_text
from jupyter_pipelines.notebook.model import Cell
from jupyter_pipelines.notebook.sql_cells import magic_body
from jupyter_pipelines.notebook.table_names import TableName
from jupyter_pipelines.warehouse import EngineSession, open_session
from jupyter_pipelines.warehouse.cells import run_check_cell, run_sql_cell
from jupyter_pipelines.warehouse.dry_run import asking, check_with_dry_run
from jupyter_pipelines.warehouse.dry_run.known import KnownTables, known_tables
from jupyter_pipelines.warehouse.owner.files import Endpoint
from tests.graph import sql_notebooks

EXAMPLE = Path(__file__).parents[2] / "example_notebooks" / "warehouse.ipynb"
LOADED = "setup: %load_ext jupyter_pipelines"
RAW = (("id", "INTEGER"), ("day", "DATE"), ("delay", "INTEGER"), ("note", "VARCHAR"), ("tags", "VARCHAR[]"))
KNOWN = KnownTables({TableName("raw", "flights"): RAW, TableName("main", "codes"): (("code", "VARCHAR"),)})


def notebook(*cells: str) -> dict[str, Any]:
    """Each cell is a role or the name of a step, a colon, and its source."""
    made = []
    for cell in cells:
        word, _, source = cell.partition(": ")
        tags = [word if word in {"setup", "parameters", "skip"} else f"step:{word}"]
        if word == "fails":
            tags.append("raises-exception")
        made.append({"cell_type": "code", "source": source, "metadata": {"tags": tags}, "outputs": []})
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4}


def checked(content: dict[str, Any], warehouse: KnownTables | None = None) -> Checked:
    return check_with_dry_run(check_text(json.dumps(content), "nb.ipynb"), warehouse)


def told(found: Checked) -> list[str]:
    """Each finding about SQL as `code severity cell:line message (fix)`."""
    return [
        f"{one.code} {one.severity} {one.location.cell}:{one.location.line} {one.message} ({one.fix})"
        for one in found.pipeline.diagnostics
        if one.code in {"JP360", "JP361", "JP362"} and one.location is not None
    ]


OWN = "make: %%sql --table mart.daily\nselect 1 as day, 2 as flights, 'x' as carrier"
COLUMN = "DuckDB: referenced column"
MISTAKES: dict[str, tuple[tuple[str, ...], list[str]]] = {
    "a word": (
        (LOADED, "a: %%sql\nselec 1"),
        ['JP360 error 2:2 DuckDB: syntax error at or near "selec" (correct the SQL)'],
    ),
    "a word in the second statement": (
        (LOADED, "a: %%sql\nselect 1;\n\nselect a\nfrm b"),
        ['JP360 error 2:5 DuckDB: syntax error at or near "b" (correct the SQL)'],
    ),
    "a column of a table that the notebook makes": (
        (LOADED, OWN, "b: %%sql\nselect carrier,\n  fligths\nfrom mart.daily"),
        [f'JP361 error 3:3 {COLUMN} "fligths" not found in FROM clause (did you mean `flights`?)'],
    ),
    "a column of a table that is made of a DataFrame": (
        (
            LOADED,
            "load: import pandas as pd\nframe = pd.DataFrame()",
            "a: %%sql --table t\nselect x, count(*) as n from frame group by x",
            "b: %%sql\nselect m from t",
        ),
        [f'JP361 error 4:2 {COLUMN} "m" not found in FROM clause (use one of `n`, `x`)'],
    ),
    "a column of a view": (
        (LOADED, OWN, "b: %%sql\ncreate view v as select day from mart.daily", "c: %%sql\nselect dya from v"),
        [f'JP361 error 4:2 {COLUMN} "dya" not found in FROM clause (did you mean `day`?)'],
    ),
    "a column of a table of which the columns are listed": (
        (LOADED, "a: %%sql\ncreate table t (id int primary key, name text);\ninsert into t (id, nam) values (1, 'a')"),
        ['JP361 error 2:3 DuckDB: table "t" does not have a column with name "nam" '],
    ),
    "a column of a history": (
        (
            LOADED,
            "a: %%sql --table h --materialize snapshot --unique-key id\nselect 1 as id",
            "b: %%sql\nselect id, valid_from from h where is_curent",
        ),
        [f'JP361 error 3:2 {COLUMN} "is_curent" not found in FROM clause (did you mean `is_current`?)'],
    ),
    "a grouping": (
        (LOADED, OWN, "b: %%sql\nselect day, sum(flights) from mart.daily"),
        ['JP361 error 3:2 DuckDB: column "day" must appear in the GROUP BY clause'],
    ),
    "types": (
        (LOADED, OWN, "b: %%sql\nselect carrier + interval 1 day from mart.daily"),
        ["JP361 error 3:2 DuckDB: no function matches the given name and argument types"],
    ),
    "a column that a check names": (
        (LOADED, f"{OWN}\n\n%%check\nday: unique\ncarier: not null\nq: select dya from mart.daily"),
        [
            "JP361 error 2:6 mart.daily has no column `carier` (did you mean `carrier`?)",
            f'JP361 error 2:7 {COLUMN} "dya" not found in FROM clause (did you mean `day`?)',
        ],
    ),
    "a column that the line of the magic names": (
        (
            LOADED,
            "a: %%sql --table t --materialize incremental --unique-key id,dy\nselect 1 as id, 2 as day, $x as z",
            "parameters: x = 1",
        ),
        ["JP361 error 2:1 the query gives no column `dy` (did you mean `day`?)"],
    ),
    "a column that a cell of checks names": (
        (LOADED, OWN, "b: %%check mart.daily\nday: unique\n\nflight: > 3"),
        ["JP361 error 3:4 mart.daily has no column `flight` (did you mean `flights`?)"],
    ),
}
IN_WAREHOUSE: dict[str, tuple[tuple[str, ...], list[str]]] = {
    "a column of a table in the warehouse": (
        (LOADED, "a: %%sql\nselect f.dely from raw.flights f where day > $least", "parameters: least = 1"),
        ['JP361 warning 2:2 DuckDB: table "f" does not '],
    ),
    "a table": (
        (LOADED, "a: %%sql\nselect 1\nfrom raw.flihgts"),
        ["JP362 warning 2:3 the warehouse has no table raw.flihgts, and no cell above makes it (did you mean `raw.fl"],
    ),
    "a table that is made below": (
        (LOADED, "a: %%sql\nfrom mart.daily", OWN),
        ["JP362 warning 2:2 the warehouse has no table mart.daily, and cell 3, which makes it, stands below"],
    ),
    "a function": (
        (LOADED, "a: %%sql\nselect cuont(*) from codes"),
        ["JP361 warning 2:2 neither DuckDB nor the warehouse has a function `cuont` (did you mean `count`?)"],
    ),
    "after Python": (
        (LOADED, OWN, "p: x = 1", "b: %%sql\nselect dya from mart.daily"),
        ["JP361 warning 4:2 DuckDB: referenced column"],
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_what_follows_from_the_notebook_alone_is_an_error(name):
    cells, expected = MISTAKES[name]
    for warehouse in (None, KNOWN):
        found = told(checked(notebook(*cells), warehouse))
        assert len(found) == len(expected)
        assert all(one.startswith(start) for one, start in zip(found, expected, strict=True)), found


@pytest.mark.parametrize("name", IN_WAREHOUSE)
def test_what_depends_on_the_warehouse_is_a_warning(name):
    cells, expected = IN_WAREHOUSE[name]
    found = told(checked(notebook(*cells), KNOWN))
    assert len(found) == len(expected)
    assert all(one.startswith(start) for one, start in zip(found, expected, strict=True)), found


SILENT: dict[str, tuple[str, ...]] = {
    "DataFrames, and what is made of them": (
        "load: flights = 1\nraw = 2",
        "a: %%sql --table t\nselect * from flights where nothing = 1",
        "b: %%sql --table u\nselect anything + 1, other from t",
        "c: %%sql\nselect something from u, raw",
    ),
    "names that are not known": ("load: from somewhere import *", "a: %%sql\nselect nothing from codes"),
    "files": ("a: %%sql --table t\nfrom 'a.parquet'", "b: %%sql\nselect x from t join read_csv('b.csv') using (y)"),
    "other catalogs": ("a: %%sql\nselect x from lake.mart.t",),
    "the catalog": ("a: %%sql\nselect nothing from information_schema.tables", "b: %%sql\nfrom duckdb_tables"),
    "settings of the connection": ("setup: %%sql\nuse raw", "a: %%sql\nselect nothing from codes"),
    "extensions, which may bring a grammar": ("setup: %%sql\ninstall x;\nload x", "a: %%sql\nfrom codes |> limit 3"),
    "macros": ("a: %%sql\ncreate macro f(x) as x + y;\nselect f(1), nothing from codes",),
    "tables that Python makes": (
        "a: import jupyter_pipelines as jp\njp.warehouse().sql('create table t as select 1 as a')",
        "b: %%sql\nselect x from t, made_elsewhere",
    ),
    "tables that Python may change": (
        f"{OWN}",
        "p: w.warehouse().sql(f'alter table {name} add column nothing int')",
        "b: %%sql\nselect nothing from mart.daily",
    ),
    "notebooks that are run": ("a: import jupyter_pipelines as jp\njp.run('other.ipynb')", "b: %%sql\nfrom raw.made"),
    "temporary tables of other steps": (
        "a: %%sql\ncreate temp table codes as select 1 as a",
        "b: %%sql\nselect code from codes",
    ),
    "tables that may be there": (
        "a: %%sql\ncreate table if not exists t as select 1 as a",
        "b: %%sql\nselect other from t",
    ),
    "tables that change": ("a: %%sql\ncreate table t as select 1 as a;\nalter table t add b int;\nselect b from t",),
    "columns that the data gives": (
        "a: %%sql --table t\npivot raw.flights on day using sum(delay)",
        "b: %%sql\nselect delayed from t",
    ),
    "what may fail": ("fails: %%sql --table t\nselec 1", "b: %%sql\nselect nothing from t"),
    "what never runs": ("skip: %%sql\nselec 1", "a: %%sql\nfrom codes"),
    "cells of another extension": ("setup: %load_ext sql", "a: %%sql\nselec 1"),
    "columns that are not asked for": ("a: %%sql --table t --materialize append --time-column day\nselect 1 as a",),
    "ignored references": ("a: %%sql\nselect nothing from made_elsewhere -- ignore-upstream",),
}


@pytest.mark.parametrize("name", SILENT)
def test_what_is_not_known_is_not_spoken_of(name):
    for warehouse in (None, KNOWN):
        assert told(checked(notebook(LOADED, *SILENT[name]), warehouse)) == []


STATEMENTS = (
    "create schema raw; create table raw.flights (id int, day date, delay int, note varchar, tags varchar[])",
    "insert into raw.flights values (1, '2024-01-01', 5, 'a', ['x'])",
    "create table s as select {'a': 1, 'b': {'c': 2}} as info, [1, 2] as xs, map {'k': 1} as m, now() as moment",
    "select info.a, info.b.c, s.info.b, xs[1], m['k'], date_trunc('day', moment), rowid from s",
    "select list_transform(xs, lambda x: x + 1), [y * 2 for y in xs if y > 1], unnest(xs) from s",
    "select u.v from s, unnest(xs) as u(v)",
    "select s.* exclude (m), columns('x.*') from s",
    "select day, delay as d, d + 1 as e, row_number() over w from raw.flights window w as (order by day) qualify e > 0",
    "with recursive n(i) as (select 1 union all select i + 1 from n where i < 3) select i from n",
    "from raw.flights select day, count(*) filter (delay > $least) as n group by all order by n desc limit $least",
    "select * from raw.flights asof join (select day, id as other from raw.flights) o using (day)",
    "summarize raw.flights",
    "describe raw.flights",
    "explain select day from raw.flights",
    "select * from range($least) r(i), generate_series(1, 3)",
    "values ($least, $word)",
    "select coalesce($word, note), $word || note, day + interval 1 day, note like $word from raw.flights",
    "unpivot raw.flights on id, delay into name what value amount",
    "insert into raw.flights by name select 2 as id, $word as note",
    "update raw.flights set delay = delay + 1 from s where raw.flights.id = s.xs[1]",
    "merge into raw.flights t using (select 1 as id, 7 as d) u on t.id = u.id when matched then update set delay = u.d",
    "delete from raw.flights using s where id = len(xs) + 5",
    'create table "Größe ""x""" as select 1 as "a b", 2 as "select"; select "a b", "select" from "Größe ""x"""',
    "create or replace view v (x, y) as select day, delay from raw.flights; select x, Y from V",
    "create table copied as from v; select x from copied",
    "create table if not exists copied (z int); select x from copied",
    "create temp table t as select x from copied; select x from t; drop table t",
    "create sequence numbers; select nextval('numbers')",
    "create type mood as enum ('a', 'b'); select 'a'::mood",
    "select json_extract(j, '$.a'), j->>'a' from (select '{\"a\": 1}'::json as j)",
    "select regexp_extract(note, '(.)', 1), strftime(day, '%Y'), list(tags order by id) from raw.flights group by 1, 2",
    "select grouping(day), count(*) from raw.flights group by grouping sets ((day), ())",
    "select a: 1, b: a + 1",
    "(select 1 as a union all by name select 2 as b) order by a",
    "select (select max(day) from raw.flights f where f.id = g.id) from raw.flights g",
    "select x from (values (1), (2)) t(x) tablesample 50%",
    "pivot raw.flights on note using sum(delay) group by day",
    "select 'it''s', $$a;b$$, e'\\n' -- a comment; with a semicolon",
)


def test_nothing_is_said_against_what_duckdb_runs():
    cells = [f"a: %%sql\n{sql}" for sql in STATEMENTS]
    content = notebook(LOADED, "parameters: least = 3\nword = 'a'", *cells)
    found = checked(content)
    session = EngineSession.open()
    for cell in found.pipeline.document.cells[2:]:
        run_sql_cell(session, cell.sql, magic_body(cell)[1], {"least": 3, "word": "a"}, lambda _: None)
    assert told(found) == []
    assert told(checked(content, KnownTables({}))) == []


@pytest.mark.parametrize("name", MISTAKES)
def test_what_is_called_an_error_fails_when_it_is_run(name):
    cells, _ = MISTAKES[name]
    found = checked(notebook(*cells))
    first = next(one.location.cell for one in found.pipeline.diagnostics if one.code in {"JP360", "JP361"})
    session, names = EngineSession.open(), {}
    for cell in found.pipeline.document.cells[1:first]:
        if cell.number == first:
            with pytest.raises((SqlError, CheckError, BuildError)):
                _run(session, cell, names)
        else:
            _run(session, cell, names)


def _run(session: EngineSession, cell: Cell, names: dict[str, object]) -> None:
    if cell.python is not None:
        names["frame"] = pd.DataFrame({"x": [1]})
    elif cell.sql is not None:
        run_sql_cell(session, cell.sql, magic_body(cell)[1], names, lambda _: None)
    else:
        run_check_cell(session, cell.check, names, lambda _: None)


def test_notebooks_that_are_right_have_nothing_wrong():
    example = json.loads(EXAMPLE.read_text())
    assert told(checked(example)) == []
    for cells in sql_notebooks.ALL:
        for warehouse in (None, KNOWN):
            found = told(checked(notebook(*cells), warehouse))
            true = ('near "selec"', "mart.daily has no column `id`", "the warehouse has no table")
            assert [one for one in found if not any(each in one for each in true)] == []


def test_a_fix_writes_the_name_that_was_meant():
    for name, cells in {**MISTAKES, **IN_WAREHOUSE}.items():
        content = notebook(*cells[0])
        before = checked(content, KNOWN)
        for finding, fixes in zip(before.pipeline.diagnostics, before.fixes, strict=True):
            if "did you mean" in finding.fix:
                (fix,) = fixes
                (edit,) = fix.edits
                after = json.loads(json.dumps(content))
                after["cells"][edit.cell - 1]["source"] = edit.source
                left = told(checked(after, KNOWN))
                assert len(left) == len(told(before)) - 1, name


def test_tables_of_sources_are_not_missed(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_PIPELINES_SOURCES", str(tmp_path / "sources.toml"))
    cells = (LOADED, "a: %%sql\nselect x.a from landing.orders x")
    assert [text.split()[0] for text in told(checked(notebook(*cells), KNOWN))] == ["JP362"]
    (tmp_path / "sources.toml").write_text('[landing]\ntype = "files"\nurl = "/data"\n')
    assert told(checked(notebook(*cells), KNOWN)) == []


def test_what_is_not_read_by_duckdb_is_told_once():
    found = checked(notebook(LOADED, "a: %%sql\nselec 1", OWN, "b: %%sql\nselect dya from mart.daily"))
    assert [one.code for one in found.pipeline.diagnostics] == ["JP360", "JP361"]  # and no JP350


def test_nothing_of_the_author_s_is_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JUPYTER_PIPELINES_WAREHOUSE", str(tmp_path / "warehouse.duckdb"))
    (tmp_path / "a.csv").write_text("a\n1\n")
    statements = (
        "copy (select 1) to 'out.csv'",
        "attach 'other.duckdb'",
        "create table t as select * from read_csv('a.csv')",
        "export database 'folder'",
        "select error('it was run'), list_sum(range(100000000000))",
        "create table big as select * from range(1000000000000)",
        "select a from big",
    )
    found = jp.check(json.dumps(notebook(LOADED, *(f"a: %%sql\n{sql}" for sql in statements))), "nb.ipynb")
    assert [one.code for one in found.pipeline.diagnostics if one.code.startswith("JP36")] == []
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_an_edit_of_one_cell_asks_about_that_cell():
    cells = [f"s{at}: %%sql --table mart.t{at}\nselect a, b + {at} as b from mart.t{at - 1}" for at in range(1, 60)]
    cells = [LOADED, "s: %%sql --table mart.t0\nselect 1 as a, 2 as b", *cells]
    assert told(checked(notebook(*cells))) == []
    cells[30] += " where a > 0"
    before = asking.bind.cache_info().misses
    assert told(checked(notebook(*cells))) == []
    assert asking.bind.cache_info().misses == before + 1


def test_the_warehouse_is_asked_where_it_is_open(warehouse, tmp_path):
    content = notebook(LOADED, "a: %%sql\nselect dya, double(n) from mart.daily", "b: %%sql\nfrom mart.dayly")
    path = tmp_path / "nb.ipynb"
    path.write_text(json.dumps(content))
    assert known_tables(warehouse.path, 60, fresh=True) is None  # nobody has it open
    assert not warehouse.path.exists()
    assert jp.pipeline(path).diagnostics == ()
    session = open_session()
    session.execute(
        "create schema mart; create table mart.daily as select date '2024-01-01' as day, 1 as n;"
        "create macro double(x) as 2 * x"
    )
    known_tables.__globals__["_warehouse"].cache_clear()
    assert [(one.code, one.severity.value) for one in jp.pipeline(path).diagnostics] == [
        ("JP361", "warning"),
        ("JP362", "warning"),
    ]
    assert told(jp.check(path.read_bytes(), "nb"))[1].endswith("(did you mean `mart.daily`?)")


def test_a_run_is_refused_for_what_cannot_run_whatever_is_in_the_warehouse(warehouse, tmp_path):
    path = tmp_path / "nb.ipynb"
    path.write_text(json.dumps(notebook(LOADED, OWN, "b: %%sql\nselect fligths from mart.daily")))
    with pytest.raises(NotebookError, match="fligths"):
        jp.publish(path)
    assert not warehouse.path.exists()


def test_nobody_waits_for_an_owner_that_does_not_answer(warehouse):
    warehouse.make_folder()
    with warehouse.owned() as elected, socket.create_server(("127.0.0.1", 0)) as silent:
        assert elected
        warehouse.save_endpoint(Endpoint(f"grpc://127.0.0.1:{silent.getsockname()[1]}", "token", os.getpid(), 0.0))
        assert known_tables(warehouse.path, 0.2, fresh=False) is None
        began = time.monotonic()
        assert known_tables(warehouse.path, 60, fresh=False) is None
        assert time.monotonic() - began < 30
        warehouse.forget_endpoint()
