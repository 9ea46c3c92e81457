"""Runs on a lake: their versions are on record, and bring back the tables as they were."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import jupyter_pipelines as jp
from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.pinned import pinned_versions

CELLS = (
    ("parameters", "most: int = 3"),
    ("setup", "%load_ext jupyter_pipelines"),
    (
        "step:build",
        "%%sql --table lake.sums\nSELECT sum(n) AS total FROM lake.raw WHERE n <= $most\n%%check\ntotal: > 0",
    ),
    ("step:report", "%%sql found <<\nSELECT total FROM lake.sums"),
    ("", "print(int(found['total'][0]))"),
)


@pytest.mark.usefixtures("lakes", "store")
def test_a_run_is_pinned_to_the_versions_that_it_found_and_left(
    write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_PIPELINES_WAREHOUSE", str(tmp_path / "warehouse.ducklake"))
    lake = jp.warehouse()
    lake.sql("CREATE SCHEMA lake; CREATE TABLE lake.raw AS SELECT i AS n FROM range(1, 6) r(i)")
    before = lake.versions()[0].number
    path = write(*CELLS, ("", f"%%sql\nSELECT sum(n) AS then FROM lake.raw AT (VERSION => {before})"))
    run = jp.pipeline(path).run()
    assert run.state == "completed", repr(run)
    build, report = run.steps
    (built,) = run.tables
    assert build.version_found == before and built.version and built.version > before
    assert report.version_found and report.version_found >= built.version
    (made,) = [one for one in lake.versions() if one.number == built.version]
    assert (made.run, made.step, made.notebook, made.tables) == (run.id, "build", str(path), ("lake.sums",))

    lake.sql("UPDATE lake.raw SET n = 100 * n; UPDATE lake.sums SET total = -1")
    assert run.table("lake.sums")["total"].to_pylist() == [6]
    assert run.table("lake.raw", form="pandas")["n"].tolist() == [1, 2, 3, 4, 5]
    assert {before, built.version, report.version_found} <= pinned_versions()
    with pytest.raises(RequestError, match="a day or more"):
        jp.expire_versions("1h")

    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("JUPYTER_PIPELINES_WAREHOUSE", str(tmp_path / "other.ducklake"))
        jp.warehouse().sql("CREATE TABLE one AS SELECT 1 AS n")
        with pytest.raises(RequestError, match="does not have what run"):
            run.table("lake.sums")
        jp.warehouse().release(force=True)

    debugged = jp.debug(run.id, "build", output=tmp_path / "debug.ipynb").path
    notebook = nbformat.read(debugged, as_version=4)
    notebook.cells[-1] = nbformat.v4.new_code_cell("%%sql now <<\nFROM lake.sums")
    notebook.cells.append(nbformat.v4.new_code_cell(f"%%sql\nFROM lake.raw AT (VERSION => {before})"))
    notebook.cells.append(nbformat.v4.new_code_cell("print(int(now['total'][0]))"))
    NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert notebook.cells[-1].outputs[0].text == "6\n"  # of the tables as they were
    assert lake.sql("FROM lake.sums")["total"].to_pylist() == [-1]  # and those that are now were left alone

    assert jp.verify(path).verdict == "equivalent"
    assert lake.sql("FROM lake.sums")["total"].to_pylist() == [-1]
    lake.release(force=True)
