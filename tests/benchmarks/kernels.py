"""What a step costs: papermill with a new kernel for each, ours with new kernels, ours with ready ones.

    python tests/benchmarks/kernels.py

Prints medians and ratios of one run on this machine; only the ratios travel.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import papermill
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from jupyter_pipelines.execution.engine import KernelRequest, execute_cells, prepare
from jupyter_pipelines.execution.kernels import pool

SETUP = "import pandas as pd\nimport numpy as np\nfrom sklearn.linear_model import LinearRegression"
DIAMOND: Mapping[str, tuple[str, ...]] = {
    "load": (), "clean": ("load",), "left": ("clean",), "right": ("clean",), "join": ("left", "right"),
    "report": ("join",),
}  # fmt: skip


def notebook(*cells: str) -> NotebookNode:
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=[new_code_cell(cell) for cell in cells], metadata={"kernelspec": kernelspec})


def by_papermill(*cells: str) -> None:
    papermill.execute_notebook(notebook(*cells), None, kernel_name="python3", progress_bar=False)


def by_us(*cells: str, imports: tuple[str, ...] = ()) -> float:
    request = KernelRequest("python3", Path(tempfile.gettempdir()), {}, imports)
    outcome = execute_cells(notebook(*cells), request, on_cell=lambda *_: None, cancel=threading.Event(), timeout=None)
    assert outcome.error is None, outcome.error
    return outcome.kernel_seconds


def timed(work: Callable[[], object], times: int) -> float:
    def once() -> float:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    return statistics.median(once() for _ in range(times))


def diamond(step: Callable[[str], object]) -> None:
    """Each step as soon as those before it have ended."""
    futures = {}
    with ThreadPoolExecutor(len(DIAMOND)) as threads:
        for name, after in DIAMOND.items():

            def run(name: str = name, after: tuple[str, ...] = after) -> None:
                for other in after:
                    futures[other].result()
                step(name)

            futures[name] = threads.submit(run)
        for future in futures.values():
            future.result()


def ready(count: int, imports: tuple[str, ...] = ()) -> None:
    """Wait until the pool is as full as it gets."""
    prepare(KernelRequest("python3", Path(tempfile.gettempdir()), {}, imports), count)
    while not all(len(stock._ready) >= min(count, pool.MAX_READY) for stock in pool._stocks.values()):
        time.sleep(0.01)


def row(name: str, seconds: float, base: float) -> None:
    print(f"  {name:<46} {seconds:8.3f} s   {base / seconds:6.1f} x")


def main() -> None:
    """Run all and print."""
    by_us("1"), by_papermill("1")  # imports are not what is measured
    print("One trivial cell, in one process")
    base = timed(lambda: by_papermill("1 + 1"), 5)
    cold = timed(lambda: by_us("1 + 1"), 5)
    warm = []
    for _ in range(7):
        ready(1)
        warm.append(timed(lambda: by_us("1 + 1"), 1))
    pool.close()
    row("papermill", base, base)
    row("ours, a new kernel", cold, base)
    row("ours, a ready kernel", statistics.median(warm), base)

    print("Six steps in a diamond; setup imports pandas, numpy and scikit-learn in each")
    imports = tuple(SETUP.splitlines())
    base = timed(lambda: diamond(lambda _: by_papermill(SETUP, "x = 1")), 1)
    whole = timed(lambda: by_papermill(SETUP, *["x = 1"] * 6), 1)
    cold = timed(lambda: diamond(lambda _: by_us(SETUP, "x = 1")), 1)
    row("papermill, a kernel per step", base, base)
    row("papermill, one kernel for the whole notebook", whole, base)
    row("ours, new kernels", cold, base)
    warm = []
    for _ in range(3):
        ready(6, imports)
        warm.append(timed(lambda: diamond(lambda _: by_us(SETUP, "x = 1", imports=imports)), 1))
    row("ours, ready kernels (made while others run)", statistics.median(warm), base)
    pool.close()

    print("100 cells in one kernel")
    base = timed(lambda: by_papermill(*["1"] * 100), 1)
    row("papermill, no file", base, base)
    row("ours, a new kernel, no file", timed(lambda: by_us(*["1"] * 100), 1), base)


if __name__ == "__main__":
    main()
