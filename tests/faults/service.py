"""The service hurt in every way we know, at random, while schedules run.

kill -9 of each of its parts, of a run's process, of a kernel, of all at once (a power cut), a sleep of the machine; two
services started in the same instant; a full disk; a notebook that goes; many runs due in the same second.
After it: no run lost, none twice, each in a true state, no process left, the schedules as they were.

python tests/faults/service.py [--rounds 100]
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import serving
from common import FaultError, own_home, report, rounds, say, wait_until, write_notebook

VICTIMS = (*serving.PARTS, "flow", "kernel", "power", "sleep")
EVERY = 3  # seconds between two runs
PAUSE = 0.5, 5.0  # seconds between two blows
LONG = 20  # rounds from which all is tried
CROWD = 200  # runs that are due in the same second
PATIENCE = 300.0  # seconds for what takes a few on a machine that has nothing else to do
FULL = 24  # MB of the disk that gets full
NOTE = """
import time
open('noted', 'a').write(f'{moment}\\n')
time.sleep(0.5)"""
START = """
from jupyter_pipelines.orchestration.service import ensure_service
from jupyter_pipelines.settings import Settings
print(ensure_service(Settings.load()).pid)"""


def check(count: int) -> str:
    told = [kills(count), gone()]
    if count >= LONG:
        told += [twins(count // 10), crowd(CROWD), full_disk()]
    return "; ".join(told)


def kills(count: int) -> str:
    """A schedule of a run every few seconds, and as many blows as are asked for."""
    import jupyter_pipelines as jp
    from jupyter_pipelines.orchestration.schedules import Schedule

    seed = random.randrange(10_000)
    chosen = random.Random(seed)
    say(f"kills, seed {seed}")
    blows: Counter[str] = Counter()
    with own_home() as folder:
        home = Path(os.environ["JUPYTER_PIPELINES_HOME"])
        path = write_notebook(folder, "noting.ipynb", ("parameters", "moment: str = ''"), ("step:note", NOTE))
        start = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=10)
        expected = [start + timedelta(seconds=EVERY * number) for number in range(2 * count)]
        every = Schedule(
            interval=timedelta(seconds=EVERY), anchor=start, start=start, count=len(expected), missed="all"
        )
        made = jp.schedule(path, every, {"moment": "{{ scheduled_time.isoformat() }}"})
        expected = [moment for moment in expected if moment > made.active_since]  # a busy machine takes its time
        order = [victim for _ in range(0, count, len(VICTIMS)) for victim in chosen.sample(VICTIMS, len(VICTIMS))]
        order = order[:count]
        for number, victim in enumerate(order, 1):
            time.sleep(chosen.uniform(*PAUSE))
            what = serving.strike(home, victim, chosen)
            blows[victim] += "none" not in what
            serving.start_again()
            say(f"{number:4} {what}")
        wait_until(lambda: serving.all_ended([made.id], expected[-1]), "the end of all runs", PATIENCE + 10 * count)
        if jp.schedules() != [made]:
            raise FaultError("the schedule has changed")
        states = serving.judge(made.id, expected, {"completed", "crashed", "failed"})
        judge_notes(folder / "noted", made.id)
    wait_until(lambda: not serving.family(home), "the end of all processes")
    return f"{sum(blows.values())} blows ({_listed(blows)}), {len(expected)} runs ({_listed(states)})"


def judge_notes(noted: Path, schedule: str) -> None:
    """A run that completed has noted its time once; one that did not, at most once."""
    import jupyter_pipelines as jp

    seen = Counter(noted.read_text().split()) if noted.exists() else Counter()
    for run in (run for run in jp.list_runs(100_000) if run.schedule == schedule):
        moment = datetime.fromtimestamp(run.scheduled_time, UTC).isoformat()
        wanted = {1} if run.state == "completed" else {0, 1}
        if seen[moment] not in wanted:
            raise FaultError(f"the run of {moment} {run.state}, and its step ran {seen[moment]} times")
        if run.state == "failed" and "kernel" not in run.error.lower():
            raise FaultError(f"the run of {moment} failed: {run.error}")


def twins(count: int) -> str:
    """Services started in the same instant: one wins, all are told the same."""
    with own_home() as folder:
        from jupyter_pipelines.orchestration.service import stop_service
        from jupyter_pipelines.settings import Settings

        for _ in range(count):
            stop_service(Settings.load())
            starters = [
                subprocess.Popen([sys.executable, "-c", START], stdout=subprocess.PIPE, text=True) for _ in range(4)
            ]
            said = {starter.communicate()[0].strip() for starter in starters}
            if len(said) != 1 or not said.copy().pop():
                raise FaultError(f"{len(said)} services were started at once: {said}")
        home = folder / "home"
        supervisors = [p for p in serving.family(home) if any(w.endswith(".supervisor") for w in p.cmdline())]
        if len(supervisors) != 1:
            raise FaultError(f"{len(supervisors)} services run")
    wait_until(lambda: not serving.family(home), "the end of all processes")
    return f"{count} starts of 4 services at once"


def gone() -> str:
    """The notebook is deleted, moved, replaced by nonsense: each run is on record, with what is wrong."""
    import jupyter_pipelines as jp
    from jupyter_pipelines.orchestration.schedules import Schedule

    with own_home() as folder:
        start = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=20)
        once = Schedule(interval=timedelta(days=1), anchor=start, start=start, count=1)
        paths = [
            write_notebook(folder, f"{n}.ipynb", ("step:one", "1")) for n in ("deleted", "moved", "torn", "folder")
        ]
        made = [jp.schedule(path, once) for path in paths]
        paths[0].unlink()
        paths[1].rename(folder / "elsewhere.ipynb")
        paths[2].write_bytes(paths[2].read_bytes()[:50])
        paths[3].unlink()
        paths[3].mkdir()
        wait_until(lambda: serving.all_ended((record.id for record in made), start), "the end of all runs", PATIENCE)
        for record, path in zip(made, paths, strict=True):
            (run,) = [run for run in jp.list_runs(100) if run.schedule == record.id]
            if run.state != "failed" or path.name not in run.error:
                raise FaultError(f"the run of {path.name} {run.state}: {run.error}")
    return f"{len(paths)} notebooks gone or torn"


def crowd(count: int) -> str:
    """So many schedules due in the same second; each runs once."""
    import jupyter_pipelines as jp
    from jupyter_pipelines.orchestration.schedules import Schedule

    with own_home() as folder:
        home = Path(os.environ["JUPYTER_PIPELINES_HOME"])
        path = write_notebook(folder, "one.ipynb", ("step:one", "1"))
        start = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=20 + count // 5)
        once = Schedule(interval=timedelta(days=1), anchor=start, start=start, count=1)
        made = [jp.schedule(path, once, name=f"the {number}th") for number in range(count)]
        began = time.monotonic()
        wait_until(
            lambda: serving.all_ended((record.id for record in made), start),
            f"the end of {count} runs",
            PATIENCE + 5 * count,
        )
        seconds = time.monotonic() - began
        for record in made:
            serving.judge(record.id, [start], {"completed"})
    wait_until(lambda: not serving.family(home), "the end of all processes")
    return f"{count} runs due in one second took {seconds:.0f} s"


def full_disk() -> str:
    """The disk of the project home is full for a while; what was due meanwhile runs when there is room again."""
    import jupyter_pipelines as jp
    from jupyter_pipelines.orchestration.schedules import Schedule

    with small_disk() as disk:
        if disk is None:
            return "a full disk was not tried: that needs root, and mounts"
        with own_home(disk) as folder:
            home = folder / "home"
            path = write_notebook(folder, "one.ipynb", ("step:one", "1"))
            start = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=10)
            expected = [start + timedelta(seconds=EVERY * number) for number in range(8)]
            every = Schedule(
                interval=timedelta(seconds=EVERY), anchor=start, start=start, count=len(expected), missed="all"
            )
            made = jp.schedule(path, every)
            expected = [moment for moment in expected if moment > made.active_since]
            wait_until(lambda: any(run.state == "completed" for run in jp.list_runs()), "the first run", PATIENCE)
            ballast = folder / "ballast"
            _fill(ballast)
            time.sleep(4 * EVERY)
            ballast.unlink()
            serving.start_again()
            wait_until(lambda: serving.all_ended([made.id], expected[-1]), "the end of all runs", PATIENCE)
            states = serving.judge(made.id, expected, {"completed", "crashed", "failed"})
        wait_until(lambda: not serving.family(home), "the end of all processes")
    return f"a full disk, {len(expected)} runs ({_listed(states)})"


@contextmanager
def small_disk() -> Iterator[Path | None]:
    """A folder on a small disk of its own; ``None`` where that cannot be had."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="faults-disk-") as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={FULL}m,mode=700", "tmpfs", folder]
        if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            yield None
            return
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


def _fill(path: Path) -> None:
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue


def _listed(counted: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counted.items()))


if __name__ == "__main__":
    sys.exit(report(lambda: check(rounds(__doc__ or "", 100))))
