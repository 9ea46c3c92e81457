"""What publishing a notebook would change is told before it is published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import jupyter_pipelines as jp

CELLS = (
    ("parameters", "least: int = 3"),
    ("setup", "%load_ext jupyter_pipelines"),
    (
        "step:stage",
        "%%sql --table plan.numbers\nSELECT i AS id, i % 3 AS kind FROM range(10) r(i)\n%%check\nid: unique",
    ),
    (
        "step:count",
        "%%sql --table plan.kinds\nSELECT kind, count(*) AS n FROM plan.numbers WHERE id >= $least GROUP BY kind",
    ),
    ("step:look", "%%sql\nFROM plan.kinds"),
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_PIPELINES_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("JUPYTER_PIPELINES_WAREHOUSE", str(tmp_path / "warehouse.duckdb"))


@pytest.mark.usefixtures("place")
def test_a_plan_tells_what_changes_what_it_means_and_what_it_reaches(write: Callable[..., Path]) -> None:
    path = write(*CELLS)
    jp.publish(path)
    assert not jp.plan(path).changes
    edited = [list(cell) for cell in CELLS]
    edited[2][1] = edited[2][1].replace("SELECT i AS id", "SELECT  i  AS id")
    edited[3][1] = edited[3][1].replace("count(*)", "count(*) + 1")
    write(*((tags, source) for tags, source in edited))
    plan = jp.plan(path)
    assert [(one.step, one.meaning.split(";")[0], one.reaches) for one in plan.changes] == [
        ("stage", "formatting only", ()),
        ("count", "breaking", ("look",)),
    ]
    assert plan.written == ("plan.kinds",)
    (table,) = plan.tables
    assert "numbers does not exist" in table.problem  # it was never built
    edited[2][1] = edited[2][1].replace("range(10)", "range(11)")
    write(*((tags, source) for tags, source in edited))
    plan = jp.plan(path)
    assert [(table.table, table.before, table.after) for table in plan.tables] == [
        ("plan.numbers", None, 11),
        ("plan.kinds", None, 3),
    ]
    assert "plan.numbers" in repr(plan) and "new, 11" in plan._repr_html_()
