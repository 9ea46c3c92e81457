"""Pipelines and runs as objects: what they say, what they left, and how two of them differ."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.metrics import metric

if TYPE_CHECKING:
    from tests.results.conftest import Made


def test_a_pipeline_tells_what_it_is_made_of(made: Made) -> None:
    assert [step.name for step in made.pipeline.steps] == ["load", "fit", "label", "report"]
    assert {(edge.source, edge.target) for edge in made.pipeline.edges} >= {("load", "fit"), ("fit", "report")}
    assert [one.name for one in made.pipeline.parameters] == ["rows", "seed", "token"]
    assert made.pipeline.diagnostics == ()
    bundle = made.pipeline._repr_mimebundle_()
    assert "<svg" in bundle["image/svg+xml"] and "fit" in bundle["text/plain"]


def test_a_pipeline_follows_its_file(made: Made, tmp_path: Any) -> None:
    copy = tmp_path / "copy.ipynb"
    copy.write_bytes(made.pipeline.path.read_bytes())
    pipeline = jp.pipeline(copy)
    copy.write_text(copy.read_text().replace("step:label", "step:caption"))
    assert "caption" in [step.name for step in pipeline.steps]
    with pytest.raises(RequestError, match="no notebook"):
        jp.pipeline(tmp_path / "missing.ipynb")


def test_a_run_tells_how_it_went(made: Made) -> None:
    assert (made.good.state, made.bad.state) == ("completed", "failed")
    assert made.good.duration and timedelta(0) < made.good.duration < timedelta(minutes=1)
    assert made.good.started and made.good.started.tzinfo is not None
    assert made.bad.step("report").error_cell == 6
    assert "Step report failed" in made.bad.logs() and "unlucky" in made.bad.logs()
    assert made.good.notebook().cells[-1].outputs[0].text.startswith("{'slope': 1.0}")
    with pytest.raises(RequestError, match="Its steps are: load, fit, label, report"):
        made.good.step("train")


def test_a_secret_is_not_told(made: Made) -> None:
    assert "hunter2" not in repr(made.bad) + made.bad._repr_html_() + str(made.bad.parameters)


def test_numbers_are_on_record_by_metric_and_by_name(made: Made) -> None:
    numbers = made.good.metrics
    assert numbers["steepness"] == numbers["slope"] == 1.0
    assert (numbers["total"], numbers["frame.rows"], numbers["score"]) == (4950, 100, 2.0)
    assert (numbers["label.loss"], numbers["report.loss"], numbers["loss"]) == (None, 0.5, 0.5)
    assert made.bad.metrics["report.loss"] == 0.5  # of a step that failed behind it
    assert "score" not in made.bad.metrics


def test_values_are_read_by_name_and_by_step(made: Made) -> None:
    assert made.good.value("model") == made.good.value("fit.model") == {"slope": 1.0}
    frame: Any = made.bad.value("load.frame")
    assert frame.shape == (120, 2)
    with pytest.raises(RequestError, match="There is load"):
        made.good.value("nothing")


def test_runs_are_asked_for_lazily(made: Made) -> None:
    runs = made.pipeline.runs()
    assert len(runs) == 2 and runs
    assert [run.id for run in runs] == [made.bad.id, made.good.id]
    assert runs[0] == made.bad and runs[-1] == made.good and runs[made.good.id[:8]] == made.good
    assert runs[:1] == [made.bad] and runs[::-1] == [made.good, made.bad]
    assert list(jp.runs(made.pipeline.path, limit=1)) == [made.bad]
    with pytest.raises(IndexError):
        runs[2]


def test_runs_are_chosen_by_state_time_and_parameters(made: Made) -> None:
    assert list(made.pipeline.runs(state="failed")) == [made.bad]
    assert list(made.pipeline.runs(parameters={"rows": 120})) == [made.bad]
    assert not made.pipeline.runs(parameters={"rows": "120"})
    assert not made.pipeline.runs(until="1h") and len(made.pipeline.runs(since=timedelta(hours=1))) == 2
    assert not made.pipeline.runs(by="schedule")
    with pytest.raises(RequestError, match="is no time"):
        made.pipeline.runs(since="yesterday-ish")
    with pytest.raises(RequestError, match="A state is one of pending, running"):
        made.pipeline.runs(state=["failed", "done"])
    wrong: Any = 7
    for filters in ({"pipeline": wrong}, {"state": wrong}, {"by": wrong}, {"parameters": wrong}, {"limit": "7"}):
        with pytest.raises(RequestError, match="7"):
            jp.runs(**filters)


def test_runs_are_tables(made: Made) -> None:
    frame = made.pipeline.runs().to_pandas()
    assert list(frame["state"]) == ["failed", "completed"]
    assert frame["parameters.seed"][0] == 13 and frame["metrics.slope"][1] == 1.0
    assert made.pipeline.runs().to_polars().height == made.pipeline.runs().to_arrow().num_rows == 2
    rows = made.pipeline.runs().to_duckdb().filter("state = 'failed'").project('"metrics.slope"').fetchall()
    assert rows == [(13.0,)]
    none = jp.runs(made.pipeline.path, limit=0)  # has the same columns of the same types
    assert none.to_pandas().dtypes["started"] == frame.dtypes["started"]
    assert none.to_polars().schema["duration"] == made.pipeline.runs().to_polars().schema["duration"]
    assert none.to_duckdb().filter("state = 'failed' and started > now() and duration > 1").fetchall() == []


def test_a_trend_is_of_a_metric_a_duration_or_rows(made: Made) -> None:
    assert [point.value for point in made.pipeline.trend("slope").points] == [1.0, 13.0]
    assert [point.value for point in made.pipeline.trend("fit.steepness").points] == [1.0, 13.0]
    assert [point.value for point in made.pipeline.trend("frame.rows").points] == [100, 120]
    assert all(point.value > 0 for point in made.pipeline.trend("load.duration").points)
    assert [point.value for point in made.pipeline.runs(state="completed").trend("slope").points] == [1.0]
    assert "there are trends of duration" in repr(made.pipeline.trend("nothing"))
    assert {"duration", "fit.duration", "slope", "frame.rows"} <= set(made.pipeline.trend("slope").known)
    with pytest.raises(RequestError, match="one pipeline"):
        jp.runs().trend("slope")


def test_two_runs_are_compared(made: Made) -> None:
    found = made.good.compare(made.bad)
    values = {one.name: (one.status, one.detail) for one in found.values}
    assert values["load.frame"] == ("different", "+20 rows")
    assert values["fit.model"][0] == "different" and values["label.label"] == ("same", "")
    assert {pair.name for pair in found.metrics if not pair.is_same} >= {"slope", "total", "score"}
    assert found.cells == ()
    figure, printed = found.outputs
    assert [one.kind for one in (*figure.first, *figure.second)] == ["image", "image"] and figure.step == "label"
    assert printed.cell == 6 and printed.second[-1].content.startswith("ValueError: unlucky")
    assert found._repr_html_().count('<img alt="a figure" src="data:image/png;base64,iVBOR') == 2
    assert made.good.compare(made.good).outputs == ()
    assert {pair.name: (pair.first, pair.second) for pair in found.parameters}["rows"] == (100, 120)
    assert made.good.compare(made.good.id).to_dict()["values"][0]["status"] == "same"


def test_a_history_has_a_column_for_each_step_with_its_durations(made: Made) -> None:
    html = made.pipeline.runs()._repr_html_()
    assert [f">{name}<" in html for name in ("load", "fit", "label", "report", "steps")] == [True] * 4 + [False]
    assert html.count("the oldest run first</title>") == 4
    assert re.search(r'title="report: failed">✗</span> \d', html)


def test_what_is_shown_is_text_whatever_it_says(made: Made) -> None:
    for shown in (made.good, made.bad, made.pipeline.runs(), made.good.compare(made.bad), made.pipeline.trend("slope")):
        html = shown._repr_html_()
        assert "<script" not in html and "jp-PipelinesResult" in html
        assert len(html) < 20_000


@pytest.mark.parametrize("value", ["0.5", None, [1], 1 + 2j])
def test_a_metric_is_a_number(value: Any) -> None:
    with pytest.raises(RequestError, match="not a number"):
        metric("auc", value)


def test_a_metric_outside_of_a_run_does_nothing() -> None:
    assert jp.metric("auc", 0.9) is None  # type: ignore[func-returns-value]
    with pytest.raises(RequestError, match="cannot name"):
        jp.metric("", 1)
