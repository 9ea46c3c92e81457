"""Each process of the service, and each that asks it for something, may die at any file that it touches, by chance.

A schedule runs every few seconds meanwhile; notebooks are published, runs submitted, schedules made and removed, old
runs removed, the database backed up. After it: each occurrence has one true run, what was announced is there and can be
read, the database is whole, no process is left.

python tests/faults/any_file.py [--rounds 100]     a round is one thing asked for
"""

from __future__ import annotations

import multiprocessing
import os
import random
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import serving
from common import FaultError, own_home, report, rounds, say, wait_until, write_notebook
from dying import deaths, die_by_chance, have_all_die
from service import NOTE, judge_notes

SELDOM = 400  # a process of the service dies at one file of so many
ASKER_SELDOM = 120  # one that asks for something
EVERY = 5  # seconds between two runs of the schedule
PAUSE = 0.0, 2.0  # seconds between two things that are asked for
LONGEST = 90.0  # seconds that one of them may take
PATIENCE = 900.0  # seconds for all runs to end, on whatever machine
DATA = list(range(2000))
ROUND = 3  # seconds that a round takes, at least


class World:
    """What goes on in a project home, and what of it was announced."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.announced = folder, folder / "announced"
        self.noting = write_notebook(folder, "noting.ipynb", ("parameters", "moment: str = ''"), ("step:note", NOTE))
        steps = ("step:make", "data = list(range(2000))"), ("step:use", "data[number]")
        self.churning = write_notebook(folder, "churning.ipynb", ("parameters", "number: int = 0"), *steps)
        self.published = write_notebook(folder, "published.ipynb", ("step:one", "import helper\nhelper.NUMBER"))

    def announce(self, kind: str, what: str) -> None:
        with open(self.announced, "a") as file:
            file.write(f"{kind} {what}\n")

    def said(self, kind: str) -> list[str]:
        lines = self.announced.read_text().splitlines() if self.announced.exists() else []
        return [line.split(" ", 1)[1] for line in lines if line.startswith(f"{kind} ")]


# What is done by processes that may die: each announces what it was told is done.


def publish(world: World) -> None:
    import jupyter_pipelines as jp

    (world.folder / "helper.py").write_text(f"NUMBER = {random.randrange(10**9)}\n")
    world.announce("version", jp.publish(world.published).id)


def submit(world: World) -> None:
    import jupyter_pipelines as jp

    world.announce("submitted", jp.submit(world.churning, {"number": random.randrange(2000)}))


def clean(world: World) -> None:
    import jupyter_pipelines as jp

    jp.gc(dry_run=False)


def back_up_database(world: World) -> None:
    from jupyter_pipelines.orchestration.service.database.backups import back_up
    from jupyter_pipelines.orchestration.service.database.files import Database

    back_up(Database(world.folder / "home"))


def change_schedules(world: World) -> None:
    import jupyter_pipelines as jp

    made = jp.schedule(world.churning, f"every day {random.randrange(24):02}:{random.randrange(60):02}")
    jp.pause(made.id)
    jp.unpause(made.id)
    jp.unschedule(made.id)
    world.announce("unscheduled", made.id)


ASKED = (publish, submit, clean, back_up_database, change_schedules)


def ask(world: World, control: Path, asked: Callable[[World], None]) -> str:
    """Have it done by a process of its own that may die; says how that ended."""
    asker = multiprocessing.get_context("fork").Process(target=_ask, args=(world, control, asked))
    asker.start()
    asker.join(LONGEST)
    if asker.is_alive():
        asker.kill()
        asker.join()
        raise FaultError(f"{asked.__name__} took longer than {LONGEST:.0f} s")
    return "killed" if (asker.exitcode or 0) < 0 else "failed" if asker.exitcode else "done"


def _ask(world: World, control: Path, asked: Callable[[World], None]) -> None:
    os.setsid()
    log = os.open(world.folder / "askers.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    random.seed(os.urandom(8))
    die_by_chance(str(control))
    asked(world)


def check(count: int) -> str:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="faults-dying-") as own:
        control, of_askers = Path(own, "dies"), Path(own, "asker-dies")
        have_all_die(Path(own, "site"), control)
        with own_home() as folder:
            told = within(folder, count, control, of_askers)
        wait_until(lambda: not serving.family(folder / "home"), "the end of all processes")
        return f"{len(deaths(control))} deaths in the service, {len(deaths(of_askers))} of who asked it; {told}"


def within(folder: Path, count: int, control: Path, of_askers: Path) -> str:
    import jupyter_pipelines as jp
    from jupyter_pipelines.orchestration.schedules import Schedule

    world = World(folder)
    jp.set_retention(world.churning, keep_runs=20)
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=10)
    expected = [start + timedelta(seconds=EVERY * number) for number in range(count * ROUND // EVERY)]
    every = Schedule(interval=timedelta(seconds=EVERY), anchor=start, start=start, count=len(expected), missed="all")
    made = jp.schedule(world.noting, every, {"moment": "{{ scheduled_time.isoformat() }}"})
    expected = [moment for moment in expected if moment > made.active_since]
    control.write_bytes(b"x" * SELDOM)
    of_askers.write_bytes(b"x" * ASKER_SELDOM)
    ends = Counter[str]()
    number = 0
    while number < count or datetime.now(UTC) < expected[-1]:
        number += 1
        asked = random.choice(ASKED)
        ends[f"{asked.__name__} {ask(world, of_askers, asked)}"] += 1
        start_again()
        if number % 20 == 0:
            so_far = Counter(run.state for run in jp.list_runs(100_000))
            say(f"{number:4} {len(deaths(control))} and {len(deaths(of_askers))} deaths, runs: {dict(so_far)}")
        time.sleep(random.uniform(*PAUSE))
    control.unlink()
    of_askers.unlink()
    start_again()
    say(f"{dict(ends)}")
    wait_until(lambda: serving.all_ended([made.id], expected[-1]), "the end of all runs", PATIENCE)
    if made not in jp.schedules():
        raise FaultError("the schedule has changed")
    states = serving.judge(made.id, expected, {"completed", "crashed", "failed"})
    judge_notes(folder / "noted", made.id)
    judge_announced(world)
    with closing(sqlite3.connect(folder / "home" / "prefect.db")) as connection:
        if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise FaultError("Prefect's database is damaged")
    return f"{number} requests, {len(expected)} runs ({', '.join(f'{n} {name}' for name, n in states.items())})"


def start_again() -> None:
    """Start the service as the next command would, which may find it dying."""
    from jupyter_pipelines.errors import ServiceError

    for _ in range(5):
        with suppress(ServiceError):
            serving.start_again()
            return
    raise FaultError("the service does not start")


def judge_announced(world: World) -> None:
    """All that whoever asked was told is there, and can be read."""
    import jupyter_pipelines as jp

    versions = {one.id for one in jp.versions(world.published)}
    for version in world.said("version"):
        if version not in versions or jp.check_version(version):
            raise FaultError(f"version {version} is gone, or cannot be run")
    left = {schedule.id for schedule in jp.schedules()}
    if back := left & set(world.said("unscheduled")):
        raise FaultError(f"schedules {back} are there again")
    runs = {run.id: run for run in jp.runs(world.churning, limit=100_000)}
    for run_id in world.said("submitted")[-10:]:
        if run_id not in runs:
            raise FaultError(f"submitted run {run_id} is gone")
    for run in (run for run in runs.values() if run.state == "completed"):
        if run.value("make.data") != DATA:
            raise FaultError(f"the values of run {run.id} are not what they were")
        run.notebook()


if __name__ == "__main__":
    sys.exit(report(lambda: check(rounds(__doc__ or "", 100))))
