"""A short, fixed part of the acceptance set; ``make corpus`` verifies all of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from corpus import Source, UnreachableError, manifest, prepare
from judging import EQUIVALENT, REFUSED, judge

pytestmark = [pytest.mark.slow, pytest.mark.corpus]

SAMPLE = {  # their packages are among the requirements of the tests
    "scikit-learn/plot_dbscan",
    "scikit-learn/plot_inductive_clustering",
    "statsmodels/chi2_fitting",
    "statsmodels/copula",
    "statsmodels/ols",
}


@pytest.mark.parametrize(
    "source", [source for source in manifest() if source.name in SAMPLE], ids=lambda source: source.name
)
def test_a_public_notebook_is_equivalent_or_refused(source: Source, tmp_path: Path) -> None:
    try:
        notebook = prepare(source, tmp_path / "notebook")
    except UnreachableError as error:
        pytest.skip(str(error))
    outcome = judge(notebook)
    assert outcome.verdict in {EQUIVALENT, REFUSED}, f"{outcome.verdict}: {outcome.reason}\n{outcome.report}"


def test_the_sample_is_in_the_manifest() -> None:
    assert {source.name for source in manifest()} >= SAMPLE
