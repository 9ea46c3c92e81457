"""Libraries that dislike fork: each imported in setup and used in a step, again and again, with no hang.

python tests/faults/libraries.py [--rounds 20]
"""

from __future__ import annotations

import importlib.util
import sys

from common import FaultError, own_home, report, rounds, say, write_notebook

USES = {
    "numpy": "import numpy as np\nA = np.ones((400, 400)); made = float((A @ A).sum())",
    "sklearn": "from sklearn.cluster import KMeans\n"
    "from sklearn.ensemble import HistGradientBoostingRegressor as Boosting\nimport numpy as np\n"
    "X = np.random.default_rng(0).random((500, 4))\n"
    "Boosting(max_iter=3).fit(X, X[:, 0]); made = KMeans(3, n_init=1).fit(X).n_iter_",
    "pyarrow": "import pyarrow as pa, pyarrow.compute as pc\nmade = pc.sum(pa.array(range(100_000))).as_py()",
    "polars": "import polars as pl\nmade = pl.DataFrame({'a': range(10_000)}).group_by(pl.col('a') % 7).len().height",
    "duckdb": "import duckdb\nmade = duckdb.sql('select sum(i) from range(100000) t(i)').fetchall()",
    "matplotlib": "import matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.close(); made = 1",
    "numba": "import numba\nmade = numba.njit(parallel=True)(lambda n: n + 1)(1)",
    "lightgbm": "import lightgbm, numpy as np\nX = np.random.default_rng(0).random((200, 3))\n"
    "made = lightgbm.LGBMRegressor(n_estimators=3, verbose=-1).fit(X, X[:, 0]).n_features_",
    "xgboost": "import xgboost, numpy as np\nX = np.random.default_rng(0).random((200, 3))\n"
    "made = xgboost.XGBRegressor(n_estimators=3).fit(X, X[:, 0]).n_features_in_",
}
SECONDS = 120  # for one step on a slow machine: a hang takes longer


def check(count: int, chosen: tuple[str, ...] = tuple(USES)) -> str:
    import jupyter_pipelines as jp

    there = [name for name in chosen if importlib.util.find_spec(name)]
    for name in chosen:
        if name not in there:
            say(f"    {name}: skipped, it is not installed")
    with own_home() as folder:
        paths = {}
        for name in there:
            code = USES[name]
            imports = "\n".join(line for line in code.splitlines() if line.startswith(("import", "from")))
            use = "\n".join(line for line in code.splitlines() if not line.startswith(("import", "from")))
            again = use.replace("made", "again")
            paths[name] = write_notebook(
                folder, f"{name}.ipynb", ("setup", imports), ("step:use", use), ("step:again", f"{again}\nmade, again")
            )
        for number in range(1, count + 1):
            for name, path in paths.items():
                run = jp.run(path)
                if run.state != "completed":
                    raise FaultError(f"{name}, round {number}: the run {run.state}: {run.error}")
                slowest = max(step.ended - step.started for step in run.steps)
                if slowest > SECONDS:
                    raise FaultError(f"{name}, round {number}: a step took {slowest:.0f} s")
            say(f"{number:3} {', '.join(there)}: completed")
    return f"{len(there)} libraries, {count} rounds; not installed: {', '.join(set(chosen) - set(there)) or 'none'}"


if __name__ == "__main__":
    sys.exit(report(lambda: check(rounds(__doc__ or "", 20))))
