"""Column-level lineage: what each column is made of, through everything a query can do."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from jupyter_pipelines.graph.lineage import TableLineage, table_lineage
from jupyter_pipelines.graph.render_lineage import lineage_svg, lineage_text
from jupyter_pipelines.graph.sql.columns import lineage
from jupyter_pipelines.notebook.table_names import TableName, read_table_name
from tests.graph.sql_notebooks import SETUP
from tests.graph.test_sql_cells import pipeline

COLUMNS = {"mart.a": ("id", "x", "Y"), "b": ("id", "z")}


def columns_of(name: TableName) -> tuple[str, ...] | None:
    return COLUMNS.get(str(name))


def made_of(sql: str) -> dict[str, str]:
    """Each column with its sources; a question mark at those that are only possible."""
    found = lineage(sql, columns_of)
    return {
        column: " ".join(f"{one.table}.{one.column}{'' if one.certain else '?'}" for one in sources)
        for column, sources in found.items()
    }


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("select day, delay + 1 as late from raw.flights", {"day": "raw.flights.day", "late": "raw.flights.delay"}),
        ("from raw.flights select day", {"day": "raw.flights.day"}),
        ("select * from mart.a", {"id": "mart.a.id", "x": "mart.a.x", "Y": "mart.a.Y"}),
        ("select * exclude (x), y + 1 as y1 from mart.a", {"id": "mart.a.id", "Y": "mart.a.Y", "y1": "mart.a.Y"}),
        ("select * from raw.unknown", {"*": "raw.unknown.*"}),
        ("with t as (select * from raw.t) select a from t", {"a": "raw.t.a"}),
        ("select x, z from mart.a join b using (id)", {"x": "mart.a.x", "z": "b.z"}),
        ("select x, q from mart.a join u using (id)", {"x": "mart.a.x", "q": "u.q"}),
        ("select q from u join v using (id)", {"q": "u.q? v.q?"}),
        ("select id, x as k from mart.a union all select z, id from b", {"id": "b.z mart.a.id", "k": "b.id mart.a.x"}),
        ("with recursive c as (select id as n from b union all select n + 1 from c) from c", {"n": "b.id"}),
        ("select (select max(z) from b where b.id = a.id) as m from mart.a a", {"m": "b.z"}),
        ("select s.k from (select *, id + 1 as k from mart.a) s", {"k": "mart.a.id"}),
        ("select sum(x) over (partition by Y) as w from mart.a", {"w": "mart.a.Y mart.a.x"}),
        ("select count(*) as n, max(x) from mart.a", {"n": "", "max(x)": "mart.a.x"}),
        ("select u, x from mart.a, range(3) r(u)", {"u": "", "x": "mart.a.x"}),
        ('select "we ird" from c."d.e"', {"we ird": 'c."d.e".we ird'}),
        ("create or replace table t as select x from mart.a", {"x": "mart.a.x"}),
        ("insert into t select z from b", {"z": "b.z"}),
        ("select $day as day, x from mart.a where x > $x", {"day": "", "x": "mart.a.x"}),
        ("select x::int as late, late * 2 as worse from mart.a", {"late": "mart.a.x", "worse": "mart.a.x"}),
        ("select make_date(y, m, day) as day from t where make_date(y, m, day) > $x", {"day": "t.day t.m t.y"}),
        ("pivot mart.a on x using sum(id)", {}),
        ("selec 1", {}),
    ],
)
def test_columns(sql: str, columns: dict[str, str]) -> None:
    assert made_of(sql) == columns


@pytest.mark.timeout(60)
def test_a_thousand_columns_and_a_hundred_queries_take_no_time() -> None:
    wide = "select " + ", ".join(f"t.c{n} + u.d{n} as e{n}" for n in range(1_000)) + " from t join u using (id)"
    assert made_of(wide)["e999"] == "t.c999 u.d999"
    long = "with " + ", ".join(f"c{n + 1} as (select id, v + 1 as v from c{n})" for n in range(100)) + " from c100"
    assert made_of(long) == {"id": "c0.id", "v": "c0.v"}
    assert made_of("select " + "(" * 3_000 + "1" + ")" * 3_000) == {}
    assert made_of("select '" + "x" * 100_000 + "'") == {}


def notebook() -> TableLineage:
    return table_lineage(
        pipeline(
            SETUP,
            "stage: %%sql --table stage.flights\nselect day, delay as late from raw.flights",
            "mart: %%sql --table mart.daily --materialize incremental --unique-key day\n"
            "select day, avg(late) as mean from stage.flights group by day",
            "mart: %%sql\ninsert into mart.log select * from stage.flights",
            "other: %%sql\ncreate view v as select count(*) as n from <b>",
            "skip: %%sql --table skipped\nselect 1",
        )
    )


def test_the_tables_of_a_notebook() -> None:
    found = notebook()
    assert [(str(one.name), one.step, one.cell, one.how) for one in found.tables] == [
        ("stage.flights", "stage", 2, "table"),
        ("mart.daily", "mart", 3, "incremental"),
        ("mart.log", "mart", 4, "insert"),
    ]
    assert lineage_text(found).splitlines()[:6] == [
        "stage.flights  (table, step stage, cell 2)  ← raw.flights",
        "  day   ← raw.flights.day",
        "  late  ← raw.flights.delay",
        "mart.daily  (incremental, step mart, cell 3)  ← stage.flights",
        "  day   ← stage.flights.day",
        "  mean  ← stage.flights.late",
    ]
    assert list(found.tables[2].columns) == ["day", "late"]  # `*` is known, because the notebook builds the table
    log = read_table_name("MART.log")
    assert log is not None
    assert [str(one.name) for one in found.of(log).tables] == ["stage.flights", "mart.log"]
    with pytest.raises(KeyError):
        found.of(TableName("", "nothing"))
    data = found.to_json()["tables"]
    assert isinstance(data, list)
    assert data[1]["columns"][1] == {
        "name": "mean",
        "sources": [{"table": "stage.flights", "column": "late", "certain": True}],
    }


def test_the_picture_is_well_formed_and_escaped() -> None:
    made = pipeline(
        SETUP, 'a: %%sql --table "<b>"."x&y"\nselect "<i>" from "a\'&b"', "b: %%sql --table t\npivot u on x"
    )
    root = ET.fromstring(lineage_svg(table_lineage(made)))
    assert "<b>" in "".join(root.itertext())
    assert lineage_svg(TableLineage()) == ""
    assert lineage_text(TableLineage()) == "no tables are built in SQL\n"


def test_tables_that_are_made_of_each_other_are_drawn() -> None:
    made = pipeline(
        SETUP,
        "a: %%sql --table t\nselect 1 as a",
        "b: %%sql --table u\nselect a from t",
        "c: %%sql\ninsert into t select a from u",
        "d: %%sql\ninsert into u select a from u",
    )
    root = ET.fromstring(lineage_svg(table_lineage(made)))
    places = {(box.get("x"), box.get("y")) for box in root.iter("{http://www.w3.org/2000/svg}rect")}
    assert len(places) == 2
