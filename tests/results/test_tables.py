"""What a run has built and checked is on record with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.errors import RequestError

BUILD = """%%sql --table kept.numbers
SELECT i AS id FROM range($most) r(i)
%%check
id: unique, < 100
rows: > 500 | warn"""
CELLS = (
    ("parameters", "most: int = 100"),
    ("setup", "%load_ext jupyter_pipelines"),
    ("step:build", BUILD),
    ("step:look", "%%check kept.numbers\nid: not null"),
    ("step:report", "%%sql found <<\nSELECT count(*) AS n FROM kept.numbers"),
    ("", "print(found['n'][0])"),
)


@pytest.mark.usefixtures("store")
def test_tables_and_checks_are_on_record(
    write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_PIPELINES_WAREHOUSE", str(tmp_path / "warehouse.duckdb"))
    path = write(*CELLS)
    run = jp.pipeline(path).run()
    assert run.state == "completed", repr(run)
    assert [(one.table, one.materialize, one.rows) for one in run.tables] == [("kept.numbers", "table", 100)]
    assert [(one.name, one.status) for one in run.checks] == [
        ("id: unique", "passed"),
        ("id: < 100", "passed"),
        ("rows: > 500", "warned"),
        ("id: not null", "passed"),
    ]
    assert not any(step.files_written for step in run.steps)  # the warehouse's own are no files of the steps
    html = run._repr_html_()
    assert "3 of 4 checks passed" in html and "kept.numbers: rows: &gt; 500" in html

    assert run.table("kept.numbers")["id"].to_pylist() == list(range(100))
    assert len(run.table("Kept.Numbers", form="pandas")) == 100
    with pytest.raises(RequestError, match=r"(?s)has built no table kept\.else.*It has built: kept\.numbers"):
        run.table("kept.else")

    failed = jp.pipeline(path).run({"most": 150})
    assert failed.state == "failed"
    build = failed.step("build")
    assert "kept.numbers is as it was" in build.error and "1 of 3 checks failed: id: < 100" in build.error
    assert build.fix.startswith("Look at the rows") and "fix:" not in build.error
    assert [check.sample[0] for check in build.checks if check.status == "failed"] == [("100",)]
    assert [step.state for step in failed.steps] == ["failed", "skipped", "skipped"]
    assert jp.warehouse().sql("SELECT count(*) AS n FROM kept.numbers")["n"].to_pylist() == [100]
    trend = jp.pipeline(path).trend("kept.numbers: id: < 100")
    assert [point.value for point in trend.points] == [0, 50]
    assert len(run.table("kept.numbers")) == 100  # the failed build has left it alone

    later = jp.pipeline(path).run({"most": 50})
    assert len(later.table("kept.numbers")) == 50
    with pytest.raises(RequestError, match=f"is not what it was: run {later.id[:8]} has built it since"):
        run.table("kept.numbers")
    jp.warehouse().release(force=True)


@pytest.mark.usefixtures("store")
def test_a_run_that_is_resumed_appends_once(
    write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_PIPELINES_WAREHOUSE", str(tmp_path / "warehouse.duckdb"))
    path = write(
        ("setup", "%load_ext jupyter_pipelines"),
        ("step:log", "%%sql --table kept.log --materialize append\nSELECT now() AS at"),
        ("", "import pathlib\nassert pathlib.Path('ready').exists()"),
    )
    failed = jp.pipeline(path).run()
    (path.parent / "ready").touch()
    resumed = jp.resume(failed.id)
    assert (failed.state, resumed.state) == ("failed", "completed")
    assert jp.warehouse().sql("SELECT count(*) AS n FROM kept.log")["n"].to_pylist() == [1]
    jp.warehouse().release(force=True)
