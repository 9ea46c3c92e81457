"""The clock set ahead and back by an hour, and the machine suspended for hours, while runs go on and wait.

The wall clock of the service, and of all that it starts, is led astray; no other process sees it. After it: no run
lost, none twice, none called dead that lived, and whatever was asked for in that moment runs within seconds.

python tests/faults/clock.py [--rounds 12]
"""

from __future__ import annotations

import mmap
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import serving
from common import FaultError, own_home, report, rounds, say, wait_until, write_notebook

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.scheduling.model import ScheduleRecord

HOUR = 3600
KINDS = ("ahead", "back", "suspended", "back, and its worker killed")
EVERY = timedelta(minutes=10)
OFTEN = timedelta(seconds=20)
SOON = 60.0  # real seconds for what takes one on a machine that has nothing else to do
PATIENCE = 300.0
HELD = """
import os, time
open(f'held-{number}', 'w').close()
while not os.path.exists(f'go-{number}'):
    time.sleep(0.05)"""


class WallClock:
    """How far ahead the clock is for those who were started with it."""

    def __init__(self, page: mmap.mmap) -> None:
        self._page = page
        self.ahead = 0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead)

    def set(self, by: int) -> None:
        """Put it forward by so many seconds, or back."""
        self.ahead += by
        self._page[:] = struct.pack("q", self.ahead)


def check(count: int) -> str:
    with astray() as clock:
        if clock is None:
            return "the clock was left alone: to lead it astray takes Linux, and a C compiler"
        return jumps(count, clock)


def jumps(count: int, clock: WallClock) -> str:
    import jupyter_pipelines as jp
    from jupyter_pipelines.orchestration.schedules import Schedule

    chosen = random.Random()
    done: Counter[str] = Counter()
    with own_home() as folder:
        home = Path(os.environ["JUPYTER_PIPELINES_HOME"])
        path = write_notebook(folder, "one.ipynb", ("step:one", "1"))
        held = write_notebook(folder, "held.ipynb", ("parameters", "number: int = 0"), ("step:wait", HELD))
        start = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=10)
        seldom = jp.schedule(path, Schedule(interval=EVERY, anchor=start, start=start, missed="all"))
        often = jp.schedule(path, Schedule(interval=OFTEN, anchor=start, start=start, missed="latest"))
        for number in range(count):
            kind = KINDS[number % len(KINDS)]
            going_on = jp.submit(held, {"number": number})
            wait_until((folder / f"held-{number}").exists, "the beginning of a run", SOON)
            asked = jp.submit(path)
            seconds = strike(clock, home, kind, chosen)
            done[kind] += 1
            took = completed(asked, f"the run that was asked for when the clock went {kind}")
            (folder / f"go-{number}").touch()
            completed(going_on, f"the run that went on when the clock went {kind}")
            say(f"{number + 1:3} {kind}, {seconds / HOUR:+.1f} h: what was asked for had run after {took:.1f} s")
        jp.pause(often.id)
        wait_until(lambda: all_ended(seldom, clock.now()), "the end of all runs", PATIENCE)
        count_of = (handled(seldom) - start) // EVERY + 1
        states = serving.judge(seldom.id, [start + EVERY * number for number in range(count_of)], {"completed"})
        seen = Counter(run.scheduled_time for run in jp.list_runs(100_000) if run.schedule == often.id)
        if max(seen.values()) > 1:
            raise FaultError(f"of the schedule that runs often, twice: {[at for at, n in seen.items() if n > 1]}")
        if [one.schedule for one in jp.schedules() if one.id == seldom.id] != [seldom.schedule]:
            raise FaultError("the schedule has changed")
    wait_until(lambda: not serving.family(home), "the end of all processes")
    told = ", ".join(f"{number} {kind}" for kind, number in done.items())
    return f"{told}; {sum(states.values())} runs of one schedule, {len(seen)} of another"


def handled(record: ScheduleRecord) -> datetime:
    """Up to which time the schedule has been dealt with: all until then, and none after it, are to have run."""
    from jupyter_pipelines.orchestration.scheduling.shelf import Shelf
    from jupyter_pipelines.settings import Settings

    progress = Shelf(Settings.load().home).progress(record)
    return progress.handled.until or record.active_since


def all_ended(record: ScheduleRecord, now: datetime) -> bool:
    """Whether the schedule has been dealt with up to ``now``, and no run goes on."""
    import jupyter_pipelines as jp

    runs = jp.list_runs(100_000)
    times = {run.scheduled_time for run in runs if run.schedule == record.id}
    return all(run.ended for run in runs) and handled(record) > now - EVERY and handled(record).timestamp() in times


def completed(run_id: str, what: str) -> float:
    """Wait for the run to complete; returns how long that took."""
    import jupyter_pipelines as jp

    took = wait_until(lambda: jp.get_run(run_id).ended, f"the end of {what}", SOON)
    run = jp.get_run(run_id)
    if run.state != "completed":
        raise FaultError(f"{what} {run.state}: {run.error}")
    return took


def strike(clock: WallClock, home: Path, kind: str, chosen: random.Random) -> int:
    """Set the clock; returns by how many seconds."""
    if kind == "suspended":
        seconds = chosen.randrange(2 * HOUR, 4 * HOUR)
        serving.signal_all(home, signal.SIGSTOP)
        clock.set(seconds)
        serving.signal_all(home, signal.SIGCONT)
        return seconds
    seconds = HOUR if kind == "ahead" else -HOUR
    clock.set(seconds)
    if "killed" in kind and (pid := serving.pid_of(home, "worker")):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return seconds


@contextmanager
def astray() -> Iterator[WallClock | None]:
    """A clock for what is started meanwhile; ``None`` where that cannot be had."""
    compiler = shutil.which("cc")
    if not sys.platform.startswith("linux") or compiler is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="faults-clock-") as folder:
        library, file = Path(folder, "wall_clock.so"), Path(folder, "ahead")
        source = Path(__file__).with_name("wall_clock.c")
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
        file.write_bytes(struct.pack("q", 0))
        own = {"LD_PRELOAD": str(library), "WALL_CLOCK": str(file)}
        os.environ.update(own)
        try:
            with open(file, "r+b") as opened, mmap.mmap(opened.fileno(), 8) as page:
                yield WallClock(page)
        finally:
            for name in own:
                del os.environ[name]


if __name__ == "__main__":
    sys.exit(report(lambda: check(rounds(__doc__ or "", 12))))
