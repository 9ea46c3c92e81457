"""Every pattern: its edges, what is replayed, and that its steps print what the whole notebook prints."""

from __future__ import annotations

import pytest

from jupyter_pipelines.graph.model import EdgeKind, Pipeline
from tests.graph.cases import ALL, Case
from tests.graph.equivalence import check
from tests.graph.notebooks import notebook


def edges_of(pipeline: Pipeline) -> set[str]:
    return {
        f"{edge.source}>{edge.target}:{edge.name}"
        for edge in pipeline.edges
        if edge.kind in {EdgeKind.VALUE, EdgeKind.STATE}
    }


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
