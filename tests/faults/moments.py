"""Whoever changes something in a project home is killed at each file that it touches, one after the other.

After each death what there is can be listed; asked for again, all is as if nobody had died; a notebook that was moved
can be moved back; and what was left half-written is removed, once it is old.

python tests/faults/moments.py [--rounds 1]     a round tries all moments; "--rounds 0" every tenth
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from common import FaultError, report, rounds, say, write_notebook
from dying import die_at, watch

import jupyter_pipelines as jp
from jupyter_pipelines.errors import PipelinesError, RequestError
from jupyter_pipelines.orchestration.model import RunRecord
from jupyter_pipelines.orchestration.service import Endpoint
from jupyter_pipelines.orchestration.service.home import ServiceHome
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store
from jupyter_pipelines.store.files import make_folder, write_json

FEW = 10  # of so many moments one is tried in short
DIED = object()
SERVER = "http://127.0.0.1:9/api"  # nobody answers; the service of the home is only pretended
PARAMETERS = "from datetime import date\ninterval_start: date = date(2020, 1, 1)"
OLD = 7200.0  # seconds: what was left half-written goes when it is older than an hour


class World:
    """A project home without a service, with something of everything in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.notebook = write_notebook(folder, "here.ipynb", ("parameters", PARAMETERS), ("step:one", "import helper"))
        self.moved = folder / "there.ipynb"
        self.other = write_notebook(folder, "other.ipynb", ("step:one", "1"))
        (folder / "helper.py").write_text("NUMBER = 1\n")

    def fill(self) -> None:
        write_json(self.home / "endpoint.json", asdict(Endpoint(SERVER, "")))
        jp.publish(self.notebook)
        (self.folder / "helper.py").write_text("NUMBER = 2\n")
        jp.publish(self.notebook)
        jp.schedule(self.notebook, "every day 07:00")
        jp.alert(self.notebook, "https://example.com/hook")
        jp.trigger(self.notebook, after=self.other)
        jp.set_retention(self.notebook, keep_runs=3)
        self.save_runs()
        jp.publish(self.other)
        (self.folder / "helper.py").write_text("NUMBER = 3\n")

    def save_runs(self) -> None:
        """Two runs of the notebook: an old one that may go, and one that stays."""
        store = Store(str(self.home / "store"))
        name = str(self.notebook)
        for run, age in (("old-run", 90 * 86400.0), ("new-run", 60.0)):
            at = time.time() - age
            record = RunRecord(run, "n", name, "", "failed", {}, at - 1, at, (), pipeline=name)
            store.save_run(run, asdict(record) | {"process": None})

    def seen(self) -> dict[str, object]:
        """All that can be listed, without ids that are made anew and times."""
        path = self.notebook if self.notebook.exists() else self.moved
        notebooks = (path, self.other)
        return {
            "schedules": sorted((Path(one.notebook).name, str(one.schedule)) for one in jp.schedules()),
            "alerts": sorted((Path(one.notebook).name, one.on) for one in jp.alerts()),
            "triggers": sorted(Path(one.notebook).name for one in jp.triggers()),
            "backfills": sorted((one.notebook, one.state) for one in jp.backfills()),
            "versions": [[one.id for one in jp.versions(notebook)] for notebook in notebooks],
            "runs": sorted(run.id for run in jp.list_runs(notebook=path)),
            "kept": jp.is_kept("new-run"),
            "limits": sorted(str(one) for one in jp.limits()),
            "retention": str(jp.retention(path)),
            "pipelines": sorted(one.notebook for one in jp.pipelines()),
        }


def only(found: list[Any]) -> str:
    if not found:
        raise RequestError("It is gone already.", "")
    return str(found[0].id)


def move(world: World) -> None:
    if world.notebook.exists():
        world.notebook.rename(world.moved)
    jp.relink(world.notebook, world.moved)


def move_back(world: World) -> None:
    world.moved.rename(world.notebook)
    jp.relink(world.moved, world.notebook)


CHANGES: dict[str, Callable[[World], object]] = {
    "publish": lambda world: jp.publish(world.notebook),
    "pin": lambda world: jp.pin(world.notebook, only(jp.versions(world.notebook)[-1:])),
    "rollback": lambda world: jp.rollback(world.notebook, only(jp.versions(world.notebook)[-1:])),
    "schedule": lambda world: jp.schedule(world.notebook, "every day 09:00"),
    "replace": lambda world: jp.schedule(world.notebook, "every day 11:00", replacing=only(jp.schedules())),
    "pause": lambda world: jp.pause(only(jp.schedules())),
    "unschedule": lambda world: jp.unschedule(only(jp.schedules())),
    "alert": lambda world: jp.alert(world.notebook, "https://example.com/other"),
    "unalert": lambda world: jp.unalert(only(jp.alerts())),
    "trigger": lambda world: jp.trigger(world.notebook, file=str(world.folder / "*.csv")),
    "backfill": lambda world: jp.backfill(world.notebook, "2024-01-01", "2024-01-03"),
    "limit": lambda world: jp.limit(world.notebook, 2),
    "retention": lambda world: jp.set_retention(world.notebook, keep_runs=7),
    "keep": lambda world: jp.keep("new-run"),
    "gc": lambda world: jp.gc(older_than="30d", dry_run=False),
    "move": move,
}


def check(count: int) -> str:
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    os.environ["JUPYTER_PIPELINES_HOME"] = str(folder / "world" / "home")
    os.environ["PREFECT_API_URL"] = SERVER
    os.environ.pop("JUPYTER_PIPELINES_STORE", None)
    deaths = 0
    try:
        make_folder(folder / "world" / "home")
        world = World(folder / "world")
        with ServiceHome(world.home).held():  # here, and not in a process of its own: so that those have all loaded
            world.fill()
            world.seen()
            jp.gc(dry_run=False)
        shutil.copytree(world.folder, folder / "as it was")
        for name, change in CHANGES.items():
            tried = each_moment(world, name, change, FEW if count == 0 else 1)
            say(f"{name:10} {tried} deaths")
            deaths += tried
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return f"{deaths} deaths in {len(CHANGES)} changes"


def each_moment(world: World, name: str, change: Callable[[World], object], step: int) -> int:
    """Die in ``change`` at every ``step``-th file it touches; returns how often that was."""
    before = forked(world.seen)
    touches = forked(lambda: count_touches(world, change))
    after = forked(world.seen)
    restore(world)
    numbers = range(len(name) % step, touches, step)
    for number in numbers:
        for again in (change, move_back) if change is move else (change,):
            died = forked(partial(die, world, change, number))
            where = f"{name}, killed at file {number} of {touches}"
            if died is not DIED:
                raise FaultError(f"{where}: it did not die")
            forked(world.seen, where)
            forked(partial(repeated, world, again), where)
            seen, wanted = forked(world.seen, where), before if again is move_back else after
            if seen != wanted:
                raise FaultError(f"{where}, then asked for {again.__name__}:\n{seen}\ninstead of\n{wanted}")
            forked(lambda: clean(world), where)
            restore(world)
    return len(numbers)


def die(world: World, change: Callable[[World], object], number: int) -> None:
    die_at(str(world.home), number)
    change(world)


def count_touches(world: World, change: Callable[[World], object]) -> int:
    touches: list[str] = []
    watch(str(world.home), touches.append)
    change(world)
    return len(touches)


def repeated(world: World, change: Callable[[World], object]) -> None:
    """Ask for it again; that it was done already, or that there is nothing to move back, may be said."""
    with suppress(RequestError):
        change(world)


def clean(world: World) -> None:
    """Raise :class:`FaultError` unless cleaning takes what was left half-written."""
    for path in world.home.rglob(".*"):
        os.utime(path, (time.time() - OLD,) * 2)
    jp.gc(dry_run=False)
    left = [path for path in world.home.rglob(".*") if path.name not in {".lock", ".key"}]
    if left:
        raise FaultError(f"what was left half-written stays: {left}")


def restore(world: World) -> None:
    shutil.rmtree(world.folder)
    shutil.copytree(world.folder.parent / "as it was", world.folder)


def forked(work: Callable[[], Any], where: str = "") -> Any:
    """What ``work`` returns in a process of its own, as JSON has it; :data:`DIED` when that was killed."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.close(reading)
            try:
                with ServiceHome(Settings.load().home).held():
                    said: dict[str, Any] = {"returned": work()}
            except (PipelinesError, FaultError) as error:
                said = {"raised": str(error)}
            with open(writing, "w") as file:
                json.dump(said, file, default=str)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writing)
    with open(reading) as file:
        content = file.read()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status == -signal.SIGKILL:
        return DIED
    told = json.loads(content) if status == 0 else {"raised": "it failed, see above"}
    if "raised" in told:
        raise FaultError(f"{where}: {told['raised']}")
    return told["returned"]


if __name__ == "__main__":
    sys.exit(report(lambda: check(rounds(__doc__ or "", 1))))
