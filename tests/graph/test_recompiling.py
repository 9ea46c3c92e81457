"""Compiling after an edit gives exactly what compiling from nothing gives."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random

from jupyter_pipelines.graph import compile_pipeline, to_json
from jupyter_pipelines.graph.compile import compile_with
from jupyter_pipelines.graph.model import Observations, Pipeline
from jupyter_pipelines.graph.walk import Memory
from tests.graph.edits import Cells, document, edited, observed, sql_starting_points, starting_points

NOTEBOOKS = starting_points()
EDITS = 12


def everything(pipeline: Pipeline) -> tuple[object, ...]:
    return pipeline.steps, pipeline.edges, pipeline.diagnostics, pipeline.seeded, to_json(pipeline)


def follow(seed: int, notebooks: Sequence[Cells]) -> None:
    """Edit one notebook again and again; after each edit both ways of compiling must agree."""
    random = Random(seed)
    memory = Memory()
    states = [random.choice(notebooks)]
    seen = Observations()
    for number in range(EDITS):
        back = number > 1 and random.random() < 0.1  # undo
        before = random.choice(states) if back else states[-1]
        cells = edited(before, notebooks, random, number) if number else before
        states.append(cells)
        for observations in (seen, Observations()) if random.random() < 0.3 else (seen,):
            read = document(cells)
            after_edit = compile_with(memory, read, observations)
            from_nothing = compile_with(Memory(), read, observations)
            assert everything(after_edit) == everything(from_nothing), (seed, number, cells)
        seen = observed(from_nothing, random)


def test_compiling_after_an_edit_gives_what_compiling_from_nothing_gives() -> None:
    for seed in range(40):
        follow(seed, NOTEBOOKS)


def test_so_it_does_with_sql() -> None:
    for seed in range(30):
        follow(seed, sql_starting_points())


def test_compiling_in_any_order_gives_the_same() -> None:
    documents = [document(cells) for cells in NOTEBOOKS[::20]]
    first = [everything(compile_pipeline(read)) for read in documents]
    again = [everything(compile_pipeline(read)) for read in reversed(documents)]
    assert first == again[::-1]


def test_compiling_in_several_threads_gives_the_same() -> None:
    documents = [document(cells) for cells in NOTEBOOKS[::40]] * 4
    with ThreadPoolExecutor(4) as threads:
        at_once = list(threads.map(compile_pipeline, documents))
    for read, pipeline in zip(documents, at_once, strict=True):
        assert everything(pipeline) == everything(compile_with(Memory(), read, Observations()))
