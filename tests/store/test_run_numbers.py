"""The numbers in the index: what the records say, however the index came about."""

from __future__ import annotations

import random
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from jupyter_pipelines.store import Store
from jupyter_pipelines.store.run_index import RunIndex
from jupyter_pipelines.store.run_questions import Question

NB = "/nb.ipynb"


def _record(number: int, state: str = "completed", **more: Any) -> dict[str, Any]:
    chance = random.Random(number)
    steps = [
        {
            "name": name,
            "state": "completed" if name != "c" or state == "completed" else state,
            "started": 1000.0 * number + place,
            "ended": 1000.0 * number + place + chance.random(),
            "outputs": [{"name": "df", "summary": f"{number:,} rows x 2 columns"}] if name == "a" else [],
            "metrics": {"auc": chance.random(), "lost": None} if name == "b" else {},
        }
        for place, name in enumerate("abc")
    ]
    record = {"id": f"run{number}", "notebook": NB, "state": state, "parameters": {"n": number % 3, "at": [1, "x"]}}
    return record | {"started": 1000.0 * number, "ended": 1000.0 * number + 9, "steps": steps} | more


def _dump(root: Path) -> dict[str, list[Any]]:
    """All that the index says, apart from the numbers of rows and of ends."""
    run = "SELECT id FROM runs WHERE rowid = run"
    with sqlite3.connect(root / "index" / "runs.db") as connection:
        return {
            "runs": sorted(connection.execute("SELECT id, pipeline, state, moment, ended, parameters FROM runs")),
            "steps": sorted(connection.execute(f"SELECT ({run}), name, state, seconds FROM steps"), key=str),
            "metrics": sorted(connection.execute(f"SELECT ({run}), name, step, value FROM metrics"), key=str),
        }


def test_made_anew_it_says_the_same(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    index = RunIndex(store.root)
    for number in range(1, 60):
        if number % 2:
            store.save_run(f"run{number}", _record(number, "running", ended=0.0))
        store.save_run(f"run{number}", _record(number, "failed" if number % 7 == 0 else "completed"))
    for number in range(1, 60, 5):  # said otherwise later on, and removed
        store.save_run(f"run{number}", _record(number + 1000) | {"id": f"run{number}"})
        store.remove_run(f"run{number + 1}")
    index.forget([f"run{number + 1}" for number in range(1, 60, 5)])
    index.compare()
    kept = _dump(tmp_path)
    shutil.rmtree(tmp_path / "index")
    index.compare()
    assert _dump(tmp_path) == kept and len(kept["steps"]) == 3 * len(kept["runs"])


@pytest.fixture
def index(tmp_path: Path) -> RunIndex:
    store = Store(str(tmp_path))
    for number in range(1, 31):
        store.save_run(f"run{number}", _record(number, "failed" if number == 7 else "completed"))
    store.save_run("other", _record(99, notebook="/other.ipynb", id="other"))
    return RunIndex(store.root)


def test_a_trend_is_of_one_pipeline_oldest_first(index: RunIndex) -> None:
    points = index.trend(NB, "auc")
    assert [point.run for point in points] == [f"run{number}" for number in range(1, 31)]
    assert points[6].state == "failed" and points[0].step == "b"
    assert [point.value for point in index.trend(NB, "df.rows", since=28_000)] == [28, 29, 30]
    assert {point.value for point in index.trend(NB, "duration", until=3_000)} == {9}
    assert [point.step for point in index.trend(NB, "c.duration", since=30_000)] == ["c"]
    assert len(index.trend(NB, "b.auc")) == 30 and index.trend(NB, "a.auc") == index.trend(NB, "lost") == []
    assert index.names_of_numbers(NB) == ["auc", "df.rows", "lost"]


def test_runs_are_found_by_parameters(index: RunIndex) -> None:
    def asked(**parameters: Any) -> int:
        return index.count(Question({"pipeline": NB}, parameters=parameters))

    assert (asked(n=0), asked(n=5), asked(n="0"), asked(at=[1, "x"]), asked(n=1, at=[1])) == (10, 0, 0, 30, 0)
    assert index.ids(Question({"pipeline": NB}), 2, 3) == ["run27", "run26"]


def test_parameters_are_found_however_they_are_written(tmp_path: Path) -> None:
    store, index = Store(str(tmp_path)), RunIndex(tmp_path)
    given = [
        {"ü": "naïve “q”", "n": 1},
        {"ü": 'a "ü": "naïve “q”"', "n": 1.0},
        {"other": {"ü": "naïve “q”", "n": 1}},
        {"n": None},
    ]
    for number, parameters in enumerate(given):
        store.save_run(f"run{number}", _record(number + 1, parameters=parameters, id=f"run{number}"))

    def asked(**parameters: Any) -> list[str]:
        return index.ids(Question(parameters=parameters))

    assert asked(ü="naïve “q”") == ["run0"]
    assert asked(n=1) == asked(n=1.0) == ["run1", "run0"]
    assert (asked(n=None), asked(n="1")) == (["run3", "run2"], [])


def test_each_run_has_its_own_numbers(index: RunIndex) -> None:
    rows = index.rows(Question({"pipeline": NB}), -1)
    assert [row.numbers["df.rows"] for row in rows] == list(range(30, 0, -1))
    assert all(set(row.numbers) == {"auc", "df.rows"} for row in rows)


@pytest.mark.parametrize("steps", ["no list", [1, None, {"name": 3}], [{"name": "a", "metrics": {"x": "y"}}]])
def test_a_record_that_says_nonsense_is_no_trouble(tmp_path: Path, steps: Any) -> None:
    store = Store(str(tmp_path))
    store.save_run("odd", _record(1) | {"id": "odd", "steps": steps, "parameters": {"x": float("nan")}})
    (row,) = RunIndex(store.root).rows(Question(), 5)
    assert (row.id, row.numbers, row.parameters) == ("odd", {}, "{}")
