"""Compile time of a large notebook, and what it costs to import us or to ask for help."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from statistics import median

import notebooks
from measure import Row, Table, at_most, drive, scratch, timed

CELLS = 300
LINES = 13  # per cell, about


def benchmark() -> list[Table]:
    with scratch() as folder:
        large = notebooks.write(notebooks.notebook(large_cells()), folder / "large.ipynb")
        lines = sum(source.count("\n") + 1 for _, source in large_cells())
        compiled = drive("compiling", large)
    edited: dict[str, list[float]] = compiled["edited"]
    every = [seconds for times in edited.values() for seconds in times]
    return [
        Table(
            f"Compiling {CELLS} cells, {lines:,} lines",
            "`ast.parse` of the same cells",
            [
                Row("`ast.parse` of the same cells", 1000 * compiled["parse"], "what Python itself needs to read them"),
                Row("first time", 1000 * compiled["cold"], "read and compiled, a new process after imports"),
                *(
                    Row(f"after {kind}", 1000 * median(times), f"median of {len(times)} cells, worst {_ms(max(times))}")
                    for kind, times in edited.items()
                ),
                Row("nothing changed", 1000 * compiled["again"], "median of 5"),
            ],
            unit="ms",
            how="CPU time.",
            targets=(
                at_most("first time under 700 ms", 1000 * compiled["cold"], 700, "ms"),
                at_most("after one edit under 20 ms", 1000 * median(every), 20, "ms"),
            ),
        ),
        _starting(),
    ]


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"


def _starting() -> Table:
    commands = Path(sys.executable).parent
    ways = {
        "`python -c pass`": [sys.executable, "-c", "pass"],
        "`import jupyter_pipelines`": [sys.executable, "-c", "import jupyter_pipelines"],
        "`jupyter-pipelines --help`": [commands / "jupyter-pipelines", "--help"],
        "`jupyter --help`": [commands / "jupyter", "--help"],
        "`papermill --help`": [commands / "papermill", "--help"],
        "`prefect --help`": [commands / "prefect", "--help"],
    }
    rows = [Row(way, 1000 * timed(command, repeat=5), "median of 5") for way, command in ways.items()]
    base = rows[0].value
    return Table(
        "Starting",
        "`python -c pass`",
        rows,
        unit="ms",
        targets=(
            at_most("`import jupyter_pipelines` adds under 100 ms", rows[1].value - base, 100, "ms"),
            at_most("`jupyter pipelines --help` under 200 ms", rows[2].value, 200, "ms"),
        ),
    )


def large_cells() -> list[tuple[str, str]]:
    """A long analysis: every tenth cell starts a step; functions, loops, frames changed in place, plots."""
    random.seed(20261122)
    cells = [("setup", "import numpy as np\nimport pandas as pd\nimport matplotlib.pyplot as plt")]
    for number in range(1, CELLS):
        earlier = random.randrange(max(0, number - 25), number)
        tags = f"step:part-{number // 10}" if number % 10 == 1 else ""
        cells.append((tags, _function(number) if number % 7 == 0 else _analysis(number, earlier)))
    return cells


def _function(number: int) -> str:
    return (
        f"def clean_{number}(frame, limit=0.5, *, columns=('a', 'b')):\n"
        '    """Keep what is above the limit."""\n'
        "    kept = frame[frame['a'] > limit].copy()\n"
        "    for column in columns:\n"
        "        if column in kept:\n"
        "            kept[column] = kept[column].fillna(kept[column].mean())\n"
        "    totals = {name: float(kept[name].sum()) for name in columns}\n"
        "    try:\n"
        "        ratio = totals['a'] / totals['b']\n"
        "    except ZeroDivisionError as error:\n"
        "        print(f'no ratio: {error}')\n"
        "        ratio = np.nan\n"
        "    return kept, ratio\n"
        f"df_{number} = pd.DataFrame({{'a': np.linspace(0, 1, 50), 'b': np.arange(50.0)}})"
    )


def _analysis(number: int, earlier: int) -> str:
    source = f"df_{earlier}" if earlier else "None"
    return (
        f"df_{number} = ({source} if {earlier} else pd.DataFrame({{'a': np.ones(50), 'b': np.arange(50.0)}})).copy()\n"
        f"df_{number}['c'] = df_{number}['a'] * {number} + df_{number}['b']\n"
        f"df_{number}.loc[df_{number}['c'] > {number * 3}, 'c'] = 0\n"
        f"grouped_{number} = df_{number}.groupby('a')['c'].agg(['mean', 'sum'])\n"
        f"values_{number} = []\n"
        f"for row in df_{number}.itertuples():\n"
        f"    if row.c > {number}:\n"
        f"        values_{number}.append(row.a * row.b)\n"
        f"best_{number} = max(values_{number}, key=lambda value: abs(value - {number}), default=0)\n"
        "fig, ax = plt.subplots()\n"
        f"ax.plot(df_{number}['a'], df_{number}['c'], label='part {number}')\n"
        "ax.legend()\n"
        f"print(f'{{best_{number}:.2f}} of {{len(values_{number})}}')"
    )
