"""How late scheduled runs begin: single ones among 200 active schedules, and 200 that are due in the same second."""

from __future__ import annotations

import argparse
import statistics
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import notebooks
from latency import NOW, first_line
from measure import Row, Table, at_most, scratch, service

SCHEDULES = 200
SINGLE, APART = 40, 5  # how many are due one after the other, and how many seconds lie between two
AHEAD = 10.0  # seconds from the last schedule's making to the first run
PATIENCE = 600.0  # seconds for all to end


def benchmark() -> list[Table]:
    """The time of a run's first line less its scheduled time."""
    with scratch() as folder, service():
        path = notebooks.write(notebooks.notebook([("step:first", NOW)]), folder / "late.ipynb")
        return [single(path), together(path, SCHEDULES)]


def single(path: Path) -> Table:
    """Runs that are due one by one while 200 schedules are active."""
    import jupyter_pipelines as jp

    resting = [jp.schedule(path, f"daily at {(datetime.now(UTC).hour + 12) % 24:02}:00", timezone="UTC").id] + [
        jp.schedule(path, "every month", timezone="UTC", name=f"resting {number}").id
        for number in range(SCHEDULES - SINGLE - 1)
    ]
    first = _soon(AHEAD + SINGLE * 0.1)
    made = [_once(path, first + timedelta(seconds=APART * number)) for number in range(SINGLE)]
    late = sorted(_lateness(made))
    for schedule in (*resting, *made):
        jp.unschedule(schedule)
    rows = [Row("median", statistics.median(late)), Row("p99", late[-1 - SINGLE // 100], f"of {len(late)}")]
    targets = (at_most("median under 1 s", rows[0].value, 1.0), at_most("p99 under 3 s", rows[1].value, 3.0))
    title = f"Lateness of scheduled runs, to the first line of the first step, {SCHEDULES} schedules active"
    return Table(title, "median", rows, targets=targets)


def together(path: Path, number: int) -> Table:
    """Runs that are all due in the same second: each must run, once; the machine decides how fast."""
    import jupyter_pipelines as jp

    moment = _soon(AHEAD + number * 0.1)
    made = [_once(path, moment) for _ in range(number)]
    late = sorted(_lateness(made))
    for schedule in made:
        jp.unschedule(schedule)
    rows = [Row("the first", late[0]), Row("median", statistics.median(late)), Row("the last", late[-1])]
    return Table(f"Lateness of {number} runs that are due in the same second", "median", rows)


def _soon(seconds: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=round(seconds))


def _once(path: Path, moment: datetime) -> str:
    import jupyter_pipelines as jp
    from jupyter_pipelines.orchestration.schedules import Schedule

    once = Schedule(interval=timedelta(days=1), anchor=moment, start=moment, count=1)
    return jp.schedule(path, once, name=uuid.uuid4().hex).id  # what is the same in all is one schedule


def _lateness(made: Sequence[str]) -> list[float]:
    """Seconds from its time to the first line of the one run of each schedule."""
    import jupyter_pipelines as jp

    deadline = time.monotonic() + PATIENCE
    while True:
        runs = {run.schedule: run for run in jp.list_runs(10 * SCHEDULES) if run.schedule in made and run.ended}
        if len(runs) == len(made):
            break
        assert time.monotonic() < deadline, f"{len(made) - len(runs)} runs have not ended"
        time.sleep(2.0)
    failed = [run for run in runs.values() if run.state != "completed"]
    assert not failed, failed[0].error
    return [first_line(Path(run.executed_notebook)) - run.scheduled_time for run in runs.values()]


if __name__ == "__main__":  # with a service that runs already: `lateness.py single|together`
    parser = argparse.ArgumentParser()
    parser.add_argument("which", choices=["single", "together"])
    parser.add_argument("--number", type=int, default=SCHEDULES)
    chosen = parser.parse_args()
    with scratch() as here:
        notebook = notebooks.write(notebooks.notebook([("step:first", NOW)]), here / "late.ipynb")
        print((single(notebook) if chosen.which == "single" else together(notebook, chosen.number)).as_text())
