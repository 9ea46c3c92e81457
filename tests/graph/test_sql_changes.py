"""What a change of SQL means for those who rely on its result."""

from __future__ import annotations

import pytest

from jupyter_pipelines.graph.sql.changes import compare

CHANGES = [
    ("select a from t", "select a from t", "same"),
    ("select a, b from t", "SELECT a,\n  b  -- both\nFROM t", "formatting"),
    ("select * from t", "from t", "formatting"),
    ("select a, sum(b) s from t group by 1", "select a, sum(b) s from t group by all", "formatting"),
    ("selec  1", "selec 1", "formatting"),
    ("insert into t select 1", "INSERT INTO t\nSELECT 1", "formatting"),
    ("select a from t", "select a, b from t", "additive"),
    ("select a, sum(b) s from t group by a", "select a, sum(b) s, count(*) n from t group by a", "additive"),
    ("select a, sum(b) s from t group by all", "select a, sum(b) s, count(*) n from t group by all", "additive"),
    ("with c as (select a from t) select a from c", "with c as (select a, b from t) select a, b from c", "additive"),
    ("with c as (select a from t) select * from c", "with c as (select a, b from t) select * from c", "additive"),
    ("set x = 1; select a from t", "set x = 1;\nselect a, b from t", "additive"),
    ("select a from t", "select distinct a from t", "grain"),
    ("select distinct a from t", "select distinct a, b from t", "grain"),
    ("select a, sum(b) s from t group by all", "select a, c, sum(b) s from t group by all", "grain"),
    ("select a, sum(b) s from t group by a", "select a, sum(b) s from t group by a, c", "grain"),
    ("select a from t", "select count(*) n from t", "grain"),
    ("select a from t", "select a, unnest(b) from t", "grain"),
    ("select a from t union all select a from u", "select a from t union select a from u", "grain"),
    ("select a, b from t", "select a from t", "breaking"),
    ("select a as x from t", "select b as x from t", "breaking"),
    ("select a::int a from t", "select a::bigint a from t", "breaking"),
    ("select 'A' x from t", "select 'a' x from t", "breaking"),
    ("select a from t", "select a from t where b", "breaking"),
    ("select a from t", "select a from u", "breaking"),
    ("select a, b from t", "select b, a from t", "breaking"),
    ("select a from t join u using (i)", "select a from t join u using (i) join v using (i)", "breaking"),
    (
        "with c as (select a from t group by all) select count(*) n from c",
        "with c as (select a, b from t group by all) select count(*) n from c",
        "breaking",
    ),
    ("set x = 1; select a from t", "set x = 2; select a from t", "breaking"),
    ("insert into t select 1", "insert into t select 2", "breaking"),
    ("select 1", "", "breaking"),
    ("selec 1", "selec 2", "breaking"),
]


@pytest.mark.parametrize(("old", "new", "kind"), CHANGES)
def test_kinds_of_change(old: str, new: str, kind: str) -> None:
    assert compare(old, new).kind == kind


def test_columns_that_came_went_and_changed_are_named() -> None:
    change = compare("select a, b as x, c from t", "select a, d as x, e from t")
    assert (change.added, change.removed, change.changed) == (("e",), ("c",), ("x",))
    assert str(change) == "breaking; adds e, removes c, changes x"


def test_what_is_nested_deeply_is_compared_without_failing() -> None:
    deep = "select " + "(" * 60 + "1" + ")" * 60
    assert compare(deep, deep + " as x").kind in {"additive", "breaking"}
    assert compare(deep, deep.replace("select", "select\n")).kind == "formatting"
