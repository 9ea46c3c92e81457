"""Six trivial steps behind `import pandas, numpy, sklearn`: what is paid for starting steps."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

import notebooks
from measure import Row, Table, at_least, drive, scratch, service, timed

AGAIN = 4  # warm runs, of which the median is taken


def benchmark() -> list[Table]:
    """Ours, papermill in its two ways, and a script."""
    work = notebooks.DIAMOND
    with scratch() as folder, service():
        path = notebooks.write(notebooks.tagged(work), folder / "diamond.ipynb")
        script = folder / "diamond.py"
        script.write_text(notebooks.script(work))
        steps = [str(step) for step in notebooks.step_notebooks(work, folder)]

        bare = timed([sys.executable, script], repeat=3)
        ours = drive("pipeline_runs", 1 + AGAIN, path)
        check_answer(Path(ours["runs"][-1]["executed"]))
        whole = drive("papermill_runs", "default", 3, path)
        each = drive("papermill_runs", "default", 2, *steps)
    warm, one, six = (statistics.median(runs["again"]) for runs in (ours, whole, each))
    first = Table(
        "Six-step diamond, in a new process",
        "ours",
        [
            Row("ours", ours["first"], "each step in a fresh kernel, as a Prefect flow; the service is up"),
            Row("papermill, whole notebook", whole["first"], "one kernel"),
            Row("papermill per step", each["first"], "a fresh kernel each, pickle between"),
            Row("python script.py", bare, "no notebook, no isolation"),
        ],
    )
    again = Table(
        "Six-step diamond, again in the same process",
        "ours",
        [
            Row("ours", warm, f"median of {AGAIN}"),
            Row("papermill, whole notebook", one, "papermill is imported already"),
            Row("papermill per step", six, "papermill is imported already"),
            Row("python script.py", bare, "a new process each time, as ever"),
        ],
        targets=(
            at_least("at least 30 times faster than papermill per step", six / warm, 30),
            at_least("at least 5 times faster than papermill on the whole notebook", one / warm, 5),
            at_least("faster than a bare script", bare / warm, 1),
        ),
    )
    return [first, again]


def check_answer(executed: Path) -> None:
    if notebooks.ANSWER not in executed.read_text():
        raise AssertionError(f"{executed} does not hold the answer {notebooks.ANSWER}…")
