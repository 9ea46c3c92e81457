"""Every pattern: its edges, what is replayed, and that its steps print what the whole notebook prints."""

from __future__ import annotations

import pytest

from jupyter_pipelines.graph import compile_pipeline
from jupyter_pipelines.graph.model import EdgeKind, Pipeline
from tests.graph.cases import ALL, LAMBDAS, SETTINGS, Case
from tests.graph.equivalence import check
from tests.graph.notebooks import notebook


def edges_of(pipeline: Pipeline) -> set[str]:
    return {
        f"{edge.source}>{edge.target}:{edge.name}"
        for edge in pipeline.edges
        if edge.kind in {EdgeKind.VALUE, EdgeKind.STATE}
    }


@pytest.mark.parametrize("case", SETTINGS, ids=lambda case: case.name)
def test_modules_keep_their_state(case: Case) -> None:
    pipeline, verdict = check(notebook(*case.cells), apart=True)
    assert case.ends in verdict, verdict
    assert case.edges is None or edges_of(pipeline) == set(case.edges.split())


@pytest.mark.parametrize("case", LAMBDAS, ids=lambda case: case.name)
def test_lambdas_need_what_they_read(case: Case) -> None:
    assert case.edges is not None
    pipeline = compile_pipeline(notebook(*case.cells))
    assert not pipeline.errors
    assert edges_of(pipeline) == set(case.edges.split())


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_pattern(case: Case) -> None:
    pipeline, verdict = check(notebook(*case.cells))
    if case.ends != "equal":
        assert case.ends in verdict, verdict
        return
    assert verdict == "equal"
    if case.edges is not None:
        assert edges_of(pipeline) == set(case.edges.split())
    replayed = {
        f"{step.name}:{name}"
        for step in pipeline.steps
        for replay in (*step.definitions, *step.late_definitions)
        for name in replay.names or ("*",)
    }
    assert set(case.replays.split()) <= replayed


def test_enough_patterns() -> None:
    assert len(ALL) >= 80
    assert len({case.name for case in ALL}) == len(ALL)
