"""The proof on real kernels: what it calls equivalent, refused and different, and that it can tell them apart."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.cli import main
from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.verification import Report, proof, verify

Write = Callable[..., Path]


pytestmark = pytest.mark.usefixtures("service")


def statuses(report: Report) -> dict[str, str]:
    return {f"{value.step}.{value.name}": value.status for value in report.values}


def test_everything_a_notebook_shows_and_hands_over_is_compared(write: Write) -> None:
    path = write(
        ("parameters", "n = 3"),
        ("setup", "import sys\nclass Row:\n    def __init__(self, x): self.x = x"),
        (
            "step:load",
            "rows = [Row(x) for x in range(n)]\nprint('loaded', len(rows))\nprint('careful', file=sys.stderr)",
        ),
        ("step:double", "for row in rows: row.x *= 2\nrows[-1].x"),
        (
            "step:report",
            "from IPython.display import display, HTML\ndisplay(HTML('<b>done</b>'))\n[row.x for row in rows]",
        ),
        ("skip", "1 / 0"),
    )
    report = verify(path, {"n": 4})
    assert report.verdict == "equivalent", report.render()
    assert report.exit_code == 0
    assert [cell.status for cell in report.cells] == ["same"] * 5
    assert statuses(report) == {"load.rows": "same", "double.rows": "same"}
    assert report.references == 1
    assert json.loads(json.dumps(report.to_dict()))["counts"]["cells_same"] == 5


def test_unseeded_randomness_is_not_a_difference_but_what_is_beside_it_counts(write: Write) -> None:
    path = write(
        ("setup", "import random"),
        ("step:draw", "x = random.random()\nfixed = 7\nprint('drew', x)"),
        ("step:show", "print('got', x, 'and', fixed)"),
    )
    report = verify(path)
    assert report.verdict == "equivalent", report.render()
    assert [cell.status for cell in report.cells] == ["same", "nondeterministic", "nondeterministic"]
    assert statuses(report) == {"draw.x": "nondeterministic", "draw.fixed": "same"}
    assert report.references >= 2


def test_what_the_graph_cannot_see_is_a_difference_that_is_found(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "MOST_REFERENCES", 2)
    path = write(("step:first", "import os\nprocess = os.getpid()"), ("step:second", "print(process == os.getpid())"))
    report = verify(path)
    assert report.verdict == "different", report.render()
    assert report.exit_code == 1
    (found,) = [cell for cell in report.cells if cell.status == "different"]
    assert found.number == 2
    assert [(one.what, one.expected, one.got) for one in found.differences] == [
        ("stdout", "line 1: True", "line 1: False")
    ]
    told = report.render()
    assert "cell 2 (second)" in told
    assert "line 1: True" in told
    assert {path.name for path in Path(report.kept).iterdir()} == {"pipeline.ipynb", "whole.ipynb"}


def test_the_order_that_the_first_run_shows_to_be_enough_is_proven_too(write: Write) -> None:
    path = write(
        ("step:load", "rows = [3, 1, 2]"),
        ("step:look", "import reprlib\nprint(reprlib.Repr().repr(rows))"),
        ("step:sort", "rows.sort()\nprint(rows)"),
        ("step:count", "import statistics\nprint(statistics.multimode(rows))"),
        ("step:show", "print(rows)"),
    )
    report = verify(path)
    assert report.verdict == "equivalent", report.render()
    assert len(report.pipeline_seconds) == 2
    assert report.references == 1
    assert "the second time with what the first had shown" in report.render()


def test_the_same_failure_in_the_same_cell_is_equivalent(write: Write) -> None:
    report = verify(write(("step:a", "x = 1\nprint(x)"), ("step:b", "x / 0"), ("step:b", "print(x)")))
    assert report.verdict == "equivalent", report.render()
    assert "the notebook itself fails in cell 2" in report.reason
    assert [cell.status for cell in report.cells] == ["same", "same", "not-run"]


def test_a_notebook_that_check_refuses_is_refused_at_once(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(("step:a", "x = unheard_of"))
    report = verify(path)
    assert (report.verdict, report.exit_code) == ("refused", 2)
    assert "unheard_of" in report.reason
    assert report.codes
    assert main(["verify", str(path), "--format", "json"]) == 2
    assert json.loads(capsys.readouterr().out)["verdict"] == "refused"


def test_a_value_that_cannot_be_carried_is_refused_while_running(write: Write) -> None:
    report = verify(write(("step:a", "import threading\nheld = [threading.Lock()]"), ("step:b", "print(len(held))")))
    assert report.verdict == "refused", report.render()
    assert "held" in report.reason
    assert report.fix or report.exit_code == 2


def test_wrong_parameters_are_a_wrong_request(write: Write) -> None:
    with pytest.raises(RequestError):
        verify(write(("parameters", "n = 1"), ("step:a", "print(n)")), {"m": 1})


def test_nothing_is_left_in_the_history(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    main(["runs", "--format", "json"])
    before = json.loads(capsys.readouterr().out)
    path = write(("step:a", "print(1)"))
    assert main(["verify", str(path)]) == 0
    told = capsys.readouterr()
    assert "equivalent" in told.out
    assert "Traceback" not in told.err
    main(["runs", "--format", "json"])
    assert json.loads(capsys.readouterr().out) == before


SQL_CELLS = (
    ("setup", "%load_ext jupyter_pipelines"),
    ("step:stage", "%%sql --table proof.stage\nSELECT i, i % 3 AS kind FROM range(10) r(i)\n%%check\ni: unique"),
    (
        "step:count",
        "%%sql --table proof.counts --materialize append\nSELECT kind, count(*) AS n FROM proof.stage GROUP BY ALL",
    ),
)


def test_tables_are_compared_and_the_authors_own_left_alone(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_PIPELINES_WAREHOUSE", str(tmp_path / "warehouse.duckdb"))
    own = jp.warehouse()
    own.sql("CREATE SCHEMA proof; CREATE TABLE proof.counts AS SELECT 5::BIGINT AS kind, 1::BIGINT AS n")
    report = verify(write(*SQL_CELLS))
    assert report.verdict == "equivalent", report.render()
    assert {(value.step, value.name, value.status) for value in report.values} == {
        ("stage", "proof.stage", "same"),
        ("count", "proof.counts", "same"),
    }
    assert os.environ["JUPYTER_PIPELINES_WAREHOUSE"] == str(own.path)
    assert own.sql("FROM proof.counts").num_rows == 1
    own.release()
