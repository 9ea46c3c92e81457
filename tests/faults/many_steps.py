"""A thousand steps in a row: no growth in processes, descriptors, memory, or files in temporary folders.

python tests/faults/many_steps.py [--rounds 50]      a round is a run of twenty steps
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from dataclasses import astuple, dataclass

import psutil
from common import FaultError, own_home, report, rounds, say, write_notebook

STEPS = 20
SETTLED_AFTER = 3  # rounds; then everything is loaded that will be
GROWTH = 0.15  # of memory, that is not yet called growth
SLACK = 20e6  # bytes


@dataclass(frozen=True)
class Footprint:
    """What our process, the service and the temporary folder hold."""

    processes: int
    descriptors: int
    files: int
    memory: int  # resident bytes of this process
    service: int  # resident bytes of the service's processes

    def __str__(self) -> str:
        return (
            f"{self.processes} processes, {self.descriptors} descriptors, {self.files} files, "
            f"{self.memory / 1e6:.0f} MB, service {self.service / 1e6:.0f} MB"
        )


def check(count: int) -> str:
    import jupyter_pipelines as jp
    from jupyter_pipelines.execution.kernels import pool

    cells = [("step:s0", "x0 = 1")] + [(f"step:s{n}", f"x{n} = x{n - 1} + 1") for n in range(1, STEPS)]
    with own_home() as folder:
        path = write_notebook(folder, "chain.ipynb", ("setup", "import math"), *cells)
        before = None
        for number in range(1, count + 1):
            run = jp.run(path)
            if run.state != "completed":
                raise FaultError(f"run {number} {run.state}: {run.error}")
            pool.close()  # what is ready for the next run is no growth, and not the same number each time
            now = measure(str(folder))
            say(f"{number * STEPS:5} steps: {now}")
            if number == min(SETTLED_AFTER, count - 1):
                before = now
        assert before is not None, "at least two rounds are needed"
    compare(before, now)
    return f"{count * STEPS} steps; {now}"


def measure(home: str) -> Footprint:
    gc.collect()
    this = psutil.Process()
    service = 0
    for process in psutil.process_iter():
        try:
            if process.pid != this.pid and any(home in word for word in process.cmdline()):
                service += process.memory_info().rss
        except psutil.Error:
            continue
    prefix = f"jupyter-pipelines-{os.getpid()}-"
    files = [name for name in os.listdir(tempfile.gettempdir()) if name.startswith(prefix)]
    return Footprint(len(this.children(recursive=True)), this.num_fds(), len(files), this.memory_info().rss, service)


def compare(before: Footprint, after: Footprint) -> None:
    for name, first, last in zip(Footprint.__dataclass_fields__, astuple(before), astuple(after), strict=True):
        room = max(first * GROWTH, SLACK) if name in {"memory", "service"} else 2
        if last > first + room:
            raise FaultError(f"{name} grew from {first} to {last}")


if __name__ == "__main__":
    sys.exit(report(lambda: check(rounds(__doc__ or "", 50))))
