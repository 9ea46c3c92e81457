"""Random notebooks: their steps print what the whole notebook prints, or the compiler says why not."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.graph.equivalence import check
from tests.graph.notebooks import notebook
from tests.graph.programs import random_program


@settings(max_examples=80, derandomize=True, deadline=None, database=None)
@given(st.integers(0, 10**9))
def test_random_programs(seed: int) -> None:
    check(notebook(*random_program(Random(seed))))


def test_most_random_programs_are_not_refused() -> None:
    verdicts = [check(notebook(*random_program(Random(seed))))[1] for seed in range(25)]
    assert verdicts.count("equal") >= 20, verdicts
