"""The bookkeeping of a run: what may start, what is blocked, what a recompiled graph contradicts."""

from __future__ import annotations

from dataclasses import replace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.execution.model import Carried, Observed, StepResult
from jupyter_pipelines.graph.compile import compile_pipeline
from jupyter_pipelines.graph.model import Edge, EdgeKind, Input, Pipeline, StepPlan
from jupyter_pipelines.notebook.model import NotebookDocument, NotebookOptions, StepOptions
from jupyter_pipelines.notebook.read import read_notebook
from jupyter_pipelines.orchestration.progress import Progress, Selection, select

DOCUMENT = NotebookDocument("nb.ipynb", "python", "python3", (), {}, (), NotebookOptions(), ())


def pipeline(*edges: tuple[str, str, str], steps: str = "abcd") -> Pipeline:
    """Steps named by letters; an edge is (source, target, variable)."""
    plans = [
        StepPlan(
            name,
            (),
            StepOptions(),
            inputs=tuple(Input(variable, source) for source, target, variable in edges if target == name),
            outputs=tuple(variable for source, _, variable in edges if source == name),
        )
        for name in steps
    ]
    return Pipeline(DOCUMENT, tuple(plans), tuple(Edge(s, t, EdgeKind.VALUE, v) for s, t, v in edges), ())


def progress(graph: Pipeline, **choice: str) -> Progress:
    wanted: dict[str, str | None] = {"only": None, "from_step": None, "until": None, **choice}
    return Progress(graph, select(graph, **wanted))


def completed(step: str, **digests: str) -> StepResult:
    outputs = {name: Carried(name, "container", "int", 1, digest) for name, digest in digests.items()}
    return StepResult(step, "completed", {}, outputs=outputs)


def names(steps: list[StepPlan]) -> list[str]:
    return [step.name for step in steps]


def test_a_step_starts_as_soon_as_its_inputs_exist() -> None:
    run = progress(pipeline(("a", "c", "x"), ("b", "d", "y")))
    assert names(run.ready()) == ["a", "b"]
    for step in run.ready():
        run.start(step)
    run.finish(completed("a", x="1"))
    assert names(run.ready()) == ["c"]
    assert run.start(run.pipeline.step("c")).inputs["x"].digest == "1"
    assert run.running == {"b", "c"}


def test_what_depends_on_a_failure_is_blocked_and_the_rest_goes_on() -> None:
    run = progress(pipeline(("a", "b", "x"), ("b", "c", "y")))
    run.start(run.pipeline.step("a"))
    run.finish(StepResult("a", "failed", {}))
    assert run.blocked() == {"b": "a", "c": "a"}
    assert names(run.ready()) == ["d"]


@pytest.mark.parametrize(
    ("choice", "chosen", "required"),
    [
        ({"only": "c"}, "c", "ab"),
        ({"from_step": "b"}, "bc", "a"),
        ({"until": "b"}, "ab", ""),
        ({"from_step": "b", "until": "b"}, "b", "a"),
        ({}, "abcd", ""),
    ],
)
def test_choosing_steps(choice: dict[str, str], chosen: str, required: str) -> None:
    run = progress(pipeline(("a", "b", "x"), ("b", "c", "y")), **choice)
    assert run.selection == Selection(frozenset(chosen), frozenset(required))


def test_choosing_a_step_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(RequestError, match="a, b, c, d"):
        progress(pipeline(), only="clean")


def test_a_change_that_is_learnt_too_late_contradicts_the_step_that_used_the_old_value() -> None:
    graph = pipeline(("a", "b", "x"), ("a", "c", "x"))
    run = progress(graph)
    for name in "abc":
        run.start(run.pipeline.step(name))
        run.finish(completed(name, x="old") if name == "a" else completed(name))
    learnt = pipeline(("a", "b", "x"), ("b", "c", "x"))
    run.results["b"] = completed("b", x="new")
    run.pipeline = learnt
    [found] = run.contradictions()
    assert found.step == "c"
    assert "`x`, which b changes" in str(found)


def test_an_unchanged_value_from_another_producer_is_no_contradiction() -> None:
    run = progress(pipeline(("a", "b", "x"), ("a", "c", "x")))
    for name in "abc":
        run.start(run.pipeline.step(name))
        run.finish(completed(name, x="same") if name != "c" else completed(name))
    run.pipeline = pipeline(("a", "b", "x"), ("b", "c", "x"))
    assert run.contradictions() == []


def test_a_file_that_two_unordered_steps_touched_is_a_contradiction() -> None:
    graph = pipeline()
    run = progress(graph)
    for name in "ab":
        run.start(run.pipeline.step(name))
    for name in "ab":
        run.finish(completed(name))
    run.pipeline = replace(graph, edges=(Edge("a", "b", EdgeKind.FILE, "/data.csv"),))
    assert [found.step for found in run.contradictions()] == ["b"]


def test_taking_a_step_back_takes_back_what_used_it() -> None:
    run = progress(pipeline(("a", "b", "x"), ("b", "c", "y")))
    for name in "abc":
        run.start(run.pipeline.step(name))
        run.finish(completed(name, x="1", y="2"))
    assert run.forget(["b"]) == {"b", "c"}
    assert names(run.ready()) == ["b", "d"]


def test_a_failed_step_that_is_taken_back_may_start_again() -> None:
    run = progress(pipeline(("a", "b", "x")))
    run.start(run.pipeline.step("a"))
    run.finish(StepResult("a", "refused", {}))
    assert run.blocked() == {"b": "a"}
    run.forget(["a"])
    assert names(run.ready()) == ["a", "c", "d"]
    assert run.blocked() == {}


def test_a_step_that_was_not_known_to_hand_a_value_on_runs_again_before_who_takes_it() -> None:
    run = progress(pipeline(("a", "b", "x"), ("a", "c", "x")))
    for name in "ab":
        run.start(run.pipeline.step(name))
        run.finish(completed(name, x="same") if name == "a" else completed(name))
    run.pipeline = pipeline(("a", "b", "x"), ("b", "c", "x"))
    [found] = run.contradictions()
    assert found.step == "b"
    assert "b hands on `x` to c" in str(found)


def test_a_step_that_was_not_known_to_hand_state_on_runs_again_with_who_started_without_it() -> None:
    run = progress(pipeline())
    for name in "ab":
        run.start(run.pipeline.step(name))
        run.finish(completed(name))
    seeds, draws, *others = pipeline().steps
    steps = (replace(seeds, state_outputs=("random",)), replace(draws, state_inputs={"random": "a"}), *others)
    run.pipeline = replace(pipeline(), steps=steps, edges=(Edge("a", "b", EdgeKind.STATE, "random"),))
    [found] = run.contradictions()
    assert str(found) == "a hands on random to b, but it ran before that was known"
    assert run.forget([found.step]) == {"a", "b"}
    run.start(run.pipeline.step("a"))
    run.finish(completed("a"))
    assert run.contradictions() == []  # it was asked for it now, and had none


def test_what_a_step_takes_for_loaded_must_have_been_loaded_before_it() -> None:
    lent = StepResult("b", "completed", {}, observed=Observed(modules_lent=("matplotlib.pyplot",)))
    loading = StepResult("a", "completed", {}, observed=Observed(modules_loaded=("matplotlib.pyplot",)))

    run = progress(pipeline(steps="ab"))
    run.finish(lent)
    assert run.unfounded() == ""  # not known yet: a has not ended
    run.finish(loading)
    assert run.unfounded() == ""

    run = progress(pipeline(steps="ab"))
    run.finish(completed("a"))
    run.finish(lent)
    assert "Step b asks for matplotlib.pyplot, which nothing before it loads" in run.unfounded()

    run = progress(pipeline(steps="bac"))
    for result in (lent, loading, completed("c")):
        run.finish(result)
    assert "Step b asks for matplotlib.pyplot" in run.unfounded()  # a comes behind it


def test_the_cell_that_takes_a_module_for_loaded_is_told() -> None:
    cells = [("setup", "import wsgiref as w"), ("step:a", "1"), ("step:a", "w.headers"), ("step:a", "w.headers")]
    notebook = new_notebook(
        cells=[new_code_cell(source, metadata={"tags": [tag]}) for tag, source in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python"}},
    )
    run = progress(compile_pipeline(read_notebook(nbformat.writes(notebook).encode(), "nb.ipynb")))
    run.finish(StepResult("a", "completed", {}, observed=Observed(modules_lent=("wsgiref.headers",))))
    assert "Step a asks for wsgiref.headers in cell 3 (w.headers), which nothing" in run.unfounded()
