"""Ordinary code that is hard to cut into steps: each pattern ends as it says itself, never silently different."""

from __future__ import annotations

from pathlib import Path

import pytest
from judging import Outcome
from patterns import Pattern, patterns, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> dict[str, Outcome]:
    """All chosen patterns, verified two at a time against one service."""
    chosen = [item.callspec.params["pattern"] for item in request.session.items if item.module is request.module]
    work: Path = tmp_path_factory.mktemp("patterns")
    return {pattern.name: outcome for pattern, outcome in run(chosen, work, jobs=2)}


@pytest.mark.parametrize("pattern", patterns(), ids=lambda pattern: pattern.name)
def test_the_outcome_is_right(pattern: Pattern, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[pattern.name]
    assert outcome.verdict in pattern.expected, f"{outcome.verdict}: {outcome.reason}\n{outcome.report}"
