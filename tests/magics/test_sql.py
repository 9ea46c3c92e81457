"""``%%sql`` and ``%%check`` in a shell, with a warehouse of their own."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from IPython.core.interactiveshell import InteractiveShell

from jupyter_pipelines.errors import BuildError, CheckError, SqlError
from jupyter_pipelines.notebook import read_notebook
from jupyter_pipelines.notebook.model import Role
from jupyter_pipelines.warehouse import open_session
from jupyter_pipelines.warehouse.cells import MOST_COUNTED
from jupyter_pipelines.warehouse.checks import suggest_checks
from jupyter_pipelines.warehouse.fingerprints import fingerprints


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InteractiveShell]:
    main = sys.modules["__main__"]
    shell = InteractiveShell.instance()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PIPELINES_WAREHOUSE", str(tmp_path_factory.mktemp("sql") / "warehouse.duckdb"))
        shell.run_line_magic("load_ext", "jupyter_pipelines")
        yield shell
        shell.run_line_magic("unload_ext", "jupyter_pipelines")
    InteractiveShell.clear_instance()
    sys.modules["__main__"] = main


def run(shell: InteractiveShell, cell: str, **names: object) -> Any:
    shell.user_ns.update(names)
    result = shell.run_cell(cell, store_history=True)
    result.raise_error()  # type: ignore[no-untyped-call]  # IPython is typed in parts
    return result.result


def test_a_result_is_shown_with_types(shell: InteractiveShell) -> None:
    shown = run(
        shell,
        "%%sql --rows 2\nSELECT i AS n, 'a<b' AS name, NULL AS nothing, DATE '2013-01-02' AS day FROM range(50) r(i)",
    )
    html = shown._repr_html_()
    assert all(part in html for part in (">n<small>BIGINT", ">day<small>DATE", "a&lt;b", "NULL", "2013-01-02"))
    assert "first 2 of 50 rows" in repr(shown) and "rows 3 to 50" in html
    assert "more than" in repr(run(shell, f"%%sql\nSELECT * FROM range({MOST_COUNTED + 5})"))
    assert "0 rows" in repr(run(shell, "%%sql\nSELECT 1 AS x WHERE false"))


def test_what_python_has_no_value_for_is_shown(shell: InteractiveShell) -> None:
    query = "SELECT DATE 'infinity' AS a, TIMESTAMP '-infinity' AS b, TIMESTAMP '20000-02-03' AS c, {'x': [a]} AS d"
    html = run(shell, f"%%sql\n{query}")._repr_html_()
    assert all(part in html for part in (">infinity<", ">-infinity<", "20000-02-03", "[&#x27;infinity&#x27;]"))
    with pytest.raises(CheckError, match="1 of 1 checks failed"):
        run(shell, f"%%sql --table far\n{query}\n%%check\na: < DATE '2024-01-01'")


def test_what_the_warehouse_keeps_for_itself_is_only_read(shell: InteractiveShell) -> None:
    run(shell, "%%sql --table apart\nSELECT 1 AS x")
    for text in ("DROP TABLE _jupyter_pipelines.changes", "SELECT 1;\nDROP SCHEMA _Jupyter_Pipelines CASCADE"):
        with pytest.raises(SqlError, match="is only read"):
            run(shell, f"%%sql\n{text}")
    run(shell, "%%sql --table apart\nSELECT 2 AS x")


def test_values_and_frames_of_the_notebook_are_used(shell: InteractiveShell) -> None:
    frame = pd.DataFrame({"x": [1, 2, 3]})
    names = {"frame": frame, "least": frame["x"].iloc[1], "name": "O'Brien; DROP TABLE x"}
    run(shell, "%%sql found <<\nSELECT x, $name AS name FROM frame WHERE x >= $least", **names)
    assert shell.user_ns["found"].to_dict("list") == {"x": [2, 3], "name": [names["name"]] * 2}


def test_a_result_is_assigned_as_what_is_asked_for(shell: InteractiveShell) -> None:
    for form in ("polars", "arrow"):
        run(shell, f"%%sql {form} << --as {form}\nSELECT i, 1.5::DECIMAL(9,2) AS d FROM range(3) r(i)")
    assert shell.user_ns["polars"].schema == {"i": pl.Int64, "d": pl.Decimal(9, 2)}
    assert shell.user_ns["arrow"].to_pydict()["i"] == [0, 1, 2]
    run(shell, "%%sql both <<\nSELECT count(*) AS n FROM polars JOIN arrow USING (i)")
    assert shell.user_ns["both"]["n"].item() == 3


def test_an_assigned_result_has_the_types_of_pandas(shell: InteractiveShell) -> None:
    values = "sum(i) AS n, 1.5::DECIMAL(9,2) AS d, DATE '2013-01-02' AS day, true AS b"
    run(shell, f"%%sql df <<\nSELECT {values} FROM range(3) r(i)")
    found = shell.user_ns["df"]
    assert [str(kind)[:8] for kind in found.dtypes] == ["int64", "float64", "datetime", "bool"]


def test_statements_are_carried_out_in_order_all_or_none(shell: InteractiveShell) -> None:
    assert "2 rows affected" in repr(run(shell, "%%sql\nCREATE TABLE t (x INTEGER);\nINSERT INTO t VALUES (1), (2);"))
    with pytest.raises(SqlError):
        run(shell, "%%sql\nINSERT INTO t VALUES (3);\nSELECT nothing FROM t")
    run(shell, "%%sql n <<\nCREATE TEMP TABLE u AS FROM t;\nSELECT count(*) AS n FROM u")
    assert shell.user_ns["n"]["n"][0] == 2
    run(shell, "%%sql n <<\nSELECT count(*) AS n FROM u")
    with pytest.raises(SqlError, match="does not end it"):
        run(shell, "%%sql\nBEGIN")
    assert (
        repr(run(shell, "%%sql\nALTER TABLE t ADD COLUMN y INTEGER")) == repr(run(shell, "%%sql\nCHECKPOINT")) == "done"
    )
    run(shell, "%%sql\nALTER TABLE t DROP COLUMN y")
    run(shell, "%%sql n <<\nBEGIN; INSERT INTO t VALUES (4); ROLLBACK; SELECT count(*) AS n FROM t")
    assert shell.user_ns["n"]["n"][0] == 2


def test_an_error_is_told_at_its_line_without_a_traceback(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SqlError):
        run(shell, "%%sql\nSELECT 1;\n-- the next one is wrong\nSELECT nothing\nFROM range(3)")
    shown = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)
    assert "Traceback" not in shown and shown.startswith("----> 4 SELECT nothing")
    assert "nothing" in shown and "Binder Error" in shown
    for cell, told in (
        ("%%sql\nSELECT $missing_one", "There is no value for $missing_one"),
        ("%%sql --tabel x\nSELECT 1", "Did you mean `--table`"),
        ("%%sql\n-- nothing", "The cell has no SQL"),
        ("%%check t\nx: uniqe", "----> 2 x: uniqe"),
        ("%%check nowhere\nx: unique", "nowhere"),
    ):
        with pytest.raises(SqlError):
            run(shell, cell)
        shown = capsys.readouterr().out
        assert told in shown and "Traceback" not in shown


def test_a_table_is_published_when_its_checks_pass(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    cell = (
        "%%sql --table mart.numbers\nSELECT i AS n FROM range($most) r(i)\n%%check\nn: unique, < 100\nrows: > 3 | warn"
    )
    assert "mart.numbers: table · 10 rows · new" in repr(run(shell, cell, most=10))
    with pytest.raises(
        CheckError, match=r"mart\.numbers is as it was.*1 of 3 checks failed: n: < 100 \(20 violations\)"
    ):
        run(shell, cell, most=120)
    assert "✗  n: < 100" in capsys.readouterr().out
    assert "▲  rows: > 3" not in repr(run(shell, "%%sql\nSELECT count(*) FROM mart.numbers"))
    run(shell, "%%sql n <<\nSELECT count(*) AS n FROM mart.numbers")
    assert shell.user_ns["n"]["n"][0] == 10
    run(shell, cell, most=2)
    assert "▲  rows: > 3" in capsys.readouterr().out


def test_a_drift_is_told_where_nothing_was_checked_before(shell: InteractiveShell) -> None:
    session = open_session()
    session.execute("DROP TABLE IF EXISTS _jupyter_pipelines.checks")
    session.close()
    run(shell, "%%sql --table first\nSELECT 1 AS x\n%%check\nrows: drift < 10%")
    with pytest.raises(CheckError, match="nothing"):
        run(shell, "%%sql --table first\nSELECT 2 AS x\n%%check\nx: unique\nnothing: not null\nrows: > 0")


def test_a_check_stops_the_notebook(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    run(shell, "%%check frame\nx: unique, not null", frame=pd.DataFrame({"x": [1, 2]}))
    assert "2 of 2 checks passed" in capsys.readouterr().out
    with pytest.raises(CheckError, match="frame has not passed: 1 of 1"):
        run(shell, "%%check frame\nx: > 1")


def test_builds_and_checks_are_in_the_warehouses_book(shell: InteractiveShell) -> None:
    line = "%%sql --table booked --materialize incremental --time-column day"
    cell = f"{line}\nSELECT $interval_start AS day\n%%check\nrows: drift < 60% | warn"
    for day in (1, 2, 3, 4):
        run(shell, cell, interval_start=date(2013, 1, day), interval_end=date(2013, 1, day + 1))
    told = "SELECT * FROM _jupyter_pipelines.{} WHERE table_name = 'booked' ORDER BY ALL"
    run(shell, f"%%sql df <<\n{told.format('builds')}")
    assert list(shell.user_ns["df"]["rows"]) == [1, 2, 3, 4]
    run(shell, f"%%sql df <<\n{told.format('checks')}")
    assert list(shell.user_ns["df"]["status"]) == ["passed", "passed", "passed", "warned"]
    assert list(shell.user_ns["df"]["value"]) == [1, 2, 3, 4]
    with pytest.raises(BuildError, match="lie outside of the run's window"):
        run(shell, cell, interval_start=date(2013, 1, 9), interval_end=date(2013, 1, 8))


def test_lines_are_counted_from_the_role_of_the_cell(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SqlError):
        run(shell, "%%step load\n%%sql\n\nSELECT nothing")
    assert "----> 4 SELECT nothing" in capsys.readouterr().out


def test_braces_and_dollars_stay_as_they_are_written(shell: InteractiveShell, tmp_path: Path) -> None:
    run(shell, "%%sql df <<\nSELECT {'a': 1} AS s, '{x} $x' AS t", x=5)
    assert shell.user_ns["df"]["t"][0] == "{x} $x"


def test_the_example_of_the_documentation_runs(shell: InteractiveShell, repository: Path) -> None:
    section = (repository / "README.md").read_text().split("## SQL, tables and checks")[1].split("\n## ")[0]
    cells = re.findall(r"```sql\n(.*?)```", section, re.DOTALL)
    assert len(cells) == 3
    for cell in cells:
        run(shell, cell, interval_start=date(2026, 1, 1), interval_end=date(2026, 2, 1), least=300)
    assert len(shell.user_ns["busy"]) == 31 and shell.user_ns["busy"]["orders"].sum() == 10_000


def test_checks_are_suggested_for_a_table(shell: InteractiveShell) -> None:
    run(shell, "%%sql --table suggested\nSELECT i AS id, i % 3 AS kind FROM range(100) r(i)")
    assert "id: unique" in suggest_checks("suggested")


def test_the_example_notebook_gives_the_same_tables_in_any_order_and_when_repeated(
    shell: InteractiveShell, repository: Path
) -> None:
    path = repository / "example_notebooks" / "warehouse.ipynb"
    document = read_notebook(path.read_bytes(), path.name)
    cells = [cell.source for cell in document.cells if cell.role in {Role.SETUP, Role.STEP}]

    def fill(days: tuple[int, ...]) -> dict[str, str]:
        for name in ("nyc_raw", "nyc_staging", "nyc_mart"):
            run(shell, f"%%sql\nDROP SCHEMA IF EXISTS {name} CASCADE")
        for day in days:
            window = {"interval_start": date(2013, 1, day), "interval_end": date(2013, 1, day + 1), "late_after": 15}
            for cell in cells:
                run(shell, cell, **window)
        return tables()

    def tables() -> dict[str, str]:
        names = ("nyc_raw.flights", "nyc_raw.carriers", "nyc_staging.flights", "nyc_mart.daily", "nyc_mart.ranking")
        session = open_session()
        try:
            return fingerprints(session, names)
        finally:
            session.close()

    found = fill((1, 2))
    assert found["nyc_raw.flights"].startswith("1785 rows") and found["nyc_mart.ranking"].startswith("14 rows")
    assert fill((2, 1, 2)) == found
