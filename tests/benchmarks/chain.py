"""Twenty trivial steps in a row: what each one costs."""

from __future__ import annotations

import statistics
from itertools import pairwise

import notebooks
from measure import Row, Table, at_most, drive, scratch, service

LENGTH = 20
BY_HAND = 3  # steps that papermill runs, each in a kernel of its own; twenty would tell no more


def benchmark() -> list[Table]:
    """With Prefect (from one step's start to the next one's), without, Prefect alone, papermill."""
    work = notebooks.chain(LENGTH)
    with scratch() as folder, service():
        path = notebooks.write(notebooks.tagged(work), folder / "chain.ipynb")
        runs = drive("pipeline_runs", 3, path)
        bare = drive("bare_steps", 2, path, folder / "objects")
        prefect = drive("plain_prefect", 2, LENGTH)
        by_hand = drive("papermill_runs", "default", 2, *notebooks.step_notebooks(work, folder)[:BY_HAND])
    starts = [step["started"] for step in runs["steps"][-1]]
    ours = statistics.median(later - earlier for earlier, later in pairwise(starts))
    alone = statistics.median(bare[-1])
    nothing = statistics.median(prefect[-1])
    papermill = statistics.median(by_hand["again"]) / BY_HAND
    table = Table(
        f"Chain of {LENGTH} trivial steps: one step",
        "ours",
        [
            Row("ours", 1000 * ours, "median from one step's start to the next one's, Prefect's states included"),
            Row("ours, without a server", 1000 * alone, "`execution.run_step`, median"),
            Row("Prefect alone", 1000 * nothing, "tasks that do nothing: no kernel, no notebook"),
            Row("papermill", 1000 * papermill, "a fresh kernel each, pickle between"),
        ],
        unit="ms",
        targets=(
            at_most("at most 100 ms a step, Prefect's states included", 1000 * ours, 100, "ms"),
            at_most("at most 60 ms a step without a server", 1000 * alone, 60, "ms"),
        ),
    )
    return [table]
