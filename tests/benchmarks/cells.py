"""Notebooks with many cells and with a large output, through papermill: its engine against ours."""

from __future__ import annotations

import statistics
from pathlib import Path

import notebooks
from measure import Row, Table, drive, scratch

REPEAT = 3  # runs in one process, the first of which imports papermill and is left out
LARGE = "from IPython.display import HTML, display\ndisplay(HTML('x' * 5_000_000))"


def benchmark() -> list[Table]:
    many = [("", f"x = {number}\nx + 1") for number in range(100)]
    large = [("", LARGE), *(("", f"x = {number}\nx + 1") for number in range(20))]
    with scratch() as folder:
        return [
            _compare("100 cells", notebooks.write(notebooks.notebook(many), folder / "many.ipynb")),
            _compare("20 cells and a 5 MB output", notebooks.write(notebooks.notebook(large), folder / "large.ipynb")),
        ]


def _compare(title: str, path: Path) -> Table:
    engines = ("jupyter-pipelines", "default")
    times = {engine: drive("papermill_runs", engine, REPEAT, path)["again"] for engine in engines}
    return Table(
        f"{title}, through papermill",
        "our engine",
        [
            Row("our engine", statistics.median(times["jupyter-pipelines"]), "`--engine jupyter-pipelines`"),
            Row("papermill's own", statistics.median(times["default"]), "two writes of the whole notebook per cell"),
        ],
    )
