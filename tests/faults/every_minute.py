"""The flights example, scheduled every minute for 30 minutes, while the service is killed at random.

Its server, launcher, worker, the service itself or all four: runs go on meanwhile, and exactly 30 complete.

python tests/faults/every_minute.py [--rounds 30]
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import serving
from common import FaultError, own_home, report, rounds, say, wait_until

NOTEBOOK = Path(__file__).parent.parent.parent / "example_notebooks" / "flights.ipynb"
VICTIMS = (*serving.PARTS, "all")
PAUSE = 5.0, 40.0  # seconds between two kills
DOWN = 0.0, 20.0  # seconds until the service is started again


def check(count: int) -> str:
    import jupyter_pipelines as jp
    from jupyter_pipelines.orchestration.schedules import Schedule

    chosen = random.Random()
    with own_home() as folder:
        home = Path(os.environ["JUPYTER_PIPELINES_HOME"])
        path = shutil.copy(NOTEBOOK, folder / NOTEBOOK.name)
        start = (datetime.now(UTC) + timedelta(seconds=75)).replace(second=0, microsecond=0)
        every = Schedule(interval=timedelta(minutes=1), anchor=start, start=start, count=count, missed="all")
        made = jp.schedule(path, every)
        expected = [start + timedelta(minutes=number) for number in range(count)]
        kills = 0
        while datetime.now(UTC) < expected[-1] + timedelta(seconds=20):
            time.sleep(chosen.uniform(*PAUSE))
            victim = chosen.choice(VICTIMS)
            hurt(home, victim)
            kills += 1
            if victim in {"supervisor", "all"}:
                time.sleep(chosen.uniform(*DOWN))
                serving.start_again()
            say(f"{datetime.now(UTC):%H:%M:%S} {victim} killed; {len(jp.list_runs(1000))} runs so far")
        serving.start_again()
        wait_until(lambda: serving.all_ended([made.id], expected[-1]), "the end of all runs", 900.0)
        states = serving.judge(made.id, expected, {"completed"})
        late = sorted(run.started - run.scheduled_time for run in jp.list_runs(1000))
        if jp.schedules() != [made]:
            raise FaultError("the schedule has changed")
    wait_until(lambda: not serving.family(home), "the end of all processes")
    return f"{dict(states)} of {count} runs, {kills} kills; begun {late[len(late) // 2]:.1f} s late at the median"


def hurt(home: Path, victim: str) -> None:
    """Kill one process of the service, or all of them; runs are not part of it."""
    for part in serving.PARTS if victim == "all" else (victim,):
        if pid := serving.pid_of(home, part):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(report(lambda: check(rounds(__doc__ or "", 30))))
