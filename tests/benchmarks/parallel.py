"""Two independent fits, each with as many threads as there are processors: at once against one after the other."""

from __future__ import annotations

import json
import os
import statistics
from pathlib import Path

import notebooks
from measure import Row, Skipped, Table, at_most, drive, scratch, service

AGAIN = 3
SETUP = "import numpy as np\nfrom sklearn.ensemble import HistGradientBoostingRegressor as Boosting"
DATA = "X = np.random.default_rng(1).random((20_000, 20))\ny = X[:, 0] + X[:, 1] ** 2"
FIT = "score_{n} = Boosting(max_iter=60, random_state={n}).fit(X, y).score(X, y)"


def benchmark() -> list[Table]:
    """The same notebook with and without the option that has its steps run one by one."""
    if (os.cpu_count() or 1) < 2:
        raise Skipped("there is one processor")
    cells = [("setup", SETUP), ("step:data", DATA), *((f"step:fit-{n}", FIT.format(n=n)) for n in (1, 2))]
    with scratch() as folder, service():
        path = notebooks.write(notebooks.notebook(cells), folder / "fits.ipynb")
        at_once = _seconds(path)
        whole = json.loads(path.read_text())
        whole["metadata"]["pipeline"] = {"max_parallel": 1}
        path.write_text(json.dumps(whole))
        in_a_row = _seconds(path)
    table = Table(
        "Two fits of scikit-learn's gradient boosting, each on all processors",
        "at once",
        [
            Row("at once", at_once, "two steps side by side, as a pipeline runs them"),
            Row("in a row", in_a_row, "`max_parallel: 1`"),
        ],
        how="From the start of the first fit to the end of the last.",
        targets=(at_most("at once not slower than in a row", at_once / in_a_row, 1.0, "times"),),
    )
    return [table]


def _seconds(path: Path) -> float:
    rounds = []
    for steps in drive("pipeline_runs", 1 + AGAIN, path)["steps"][1:]:
        fits = [step for step in steps if step["name"].startswith("fit")]
        rounds.append(max(step["ended"] for step in fits) - min(step["started"] for step in fits))
    return statistics.median(rounds)
