"""``python -m jupyter_pipelines.orchestration.service.worker HOME``: Prefect's own process worker, woken by us.

It asks for due runs seldom, and at once when somebody has a run for now. Told to stop it lets go of the runs that go
on; the next one looks after them again: runs whose process is gone are found by :mod:`upkeep`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import traceback
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from jupyter_pipelines.errors import PipelinesError
from jupyter_pipelines.orchestration.service.forgiving import make_output_forgiving
from jupyter_pipelines.orchestration.service.home import ServiceHome
from jupyter_pipelines.settings import Settings

if TYPE_CHECKING:
    from prefect.workers.process import ProcessWorker

    from jupyter_pipelines.orchestration.limits.setting import LimitShelf

UNTIL_FREE = 0.5  # seconds between two looks for runs that wait until another has ended, as there are as many as may be
SPARE_THREADS = 4  # beside one for each duty
AFTER_FAILURE = 5.0  # seconds until a duty that failed is tried again


class Duty(Protocol):
    """Something that the worker does again and again, beside starting runs."""

    def look(self) -> float:
        """Do what is due; returns in how many seconds to look again, unless the worker is told of something sooner."""
        ...


def duties_of(home: Path) -> list[Duty]:
    """What the worker of ``home`` attends to."""
    from jupyter_pipelines.orchestration.alerts.alerting import Alerting
    from jupyter_pipelines.orchestration.backfills.runner import BackfillRunner
    from jupyter_pipelines.orchestration.cleaning import Cleaner
    from jupyter_pipelines.orchestration.following.follower import Follower
    from jupyter_pipelines.orchestration.retrying import Retrying
    from jupyter_pipelines.orchestration.scheduling.foreseeing import Foreseer
    from jupyter_pipelines.orchestration.scheduling.scheduler import Scheduler
    from jupyter_pipelines.orchestration.service.database.keeping import Keeper
    from jupyter_pipelines.orchestration.service.upkeep import Upkeep
    from jupyter_pipelines.orchestration.triggers.duty import Triggers

    return [
        Upkeep(home),
        Scheduler(home),
        Alerting(home),
        BackfillRunner(home),
        Follower(home),
        Foreseer(home),
        Cleaner(home),
        Keeper(home),
        Triggers(home),
        Retrying(home),
    ]


async def serve(home: Path) -> None:
    """Work until told to stop, or until the service is gone."""
    from jupyter_pipelines.orchestration.deployment import deploy, kind_of_pool, work_pool
    from jupyter_pipelines.orchestration.service.database.keeping import Keeper
    from jupyter_pipelines.orchestration.service.endpoint import UNREACHABLE, recorded_endpoint
    from jupyter_pipelines.orchestration.service.local_worker import local_worker

    endpoint = recorded_endpoint(home)
    assert endpoint is not None, "the service has said where it is before it starts us"
    try:
        await asyncio.to_thread(deploy, endpoint, home, create_pool=True)
    except UNREACHABLE:
        await asyncio.to_thread(Keeper(home).suspect)
        raise
    worker = None
    if await asyncio.to_thread(kind_of_pool, endpoint) == "process":
        worker = local_worker(home, Settings.load().max_runs)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, os._exit, 0)  # an orderly end of Prefect's worker would kill the runs
    loop.add_reader(0, _check_leash)
    duties = {duty: asyncio.Event() for duty in duties_of(home)}  # set when it is to look at once
    # By default there are four threads more than cores: few duties that take long would keep the others from looking.
    loop.set_default_executor(ThreadPoolExecutor(len(duties) + SPARE_THREADS))
    works = [_listen(worker, home, list(duties.values())), *(_attend(duty, told) for duty, told in duties.items())]
    tasks = [asyncio.create_task(work) for work in works]
    if worker is None:
        print(f"the runs of work pool {work_pool()} are started elsewhere; schedules are kept here", flush=True)
        await asyncio.gather(*tasks)
        return
    await worker.start(printer=lambda text: print(text, file=sys.stderr, flush=True))
    for task in tasks:
        task.cancel()


def _check_leash() -> None:
    if not os.read(0, 512):
        os._exit(0)


async def _listen(worker: ProcessWorker | None, home: Path, duties: Sequence[asyncio.Event]) -> None:
    """Ask for due runs whenever somebody says that there is one; have all duties looked at when something else is."""
    from jupyter_pipelines.orchestration.limits.setting import LimitShelf
    from jupyter_pipelines.orchestration.service.wake import LOOK, RUN_DUE

    shelf, most = LimitShelf(home), Settings.load().max_runs
    while worker is not None and not worker.is_setup:  # noqa: ASYNC110 - nothing tells us
        await asyncio.sleep(0.02)
    path = ServiceHome(home).socket("worker")
    assert path is not None, "the service has said where its sockets are before it starts us"
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wake:
        wake.bind(str(path))
        wake.setblocking(False)
        loop = asyncio.get_running_loop()
        told = {RUN_DUE}
        while True:
            if RUN_DUE in told and worker is not None:
                if worker.limiter.borrowed_tokens >= most:
                    worker.limiter.total_tokens = await asyncio.to_thread(_room, shelf, most)
                if worker.limiter.available_tokens > 0:  # else all that wait would be listed for nothing
                    await _quietly(worker.get_and_submit_flow_runs)
            if LOOK in told:
                for duty in duties:
                    duty.set()
            full = worker is not None and worker.limiter.borrowed_tokens >= most
            told = await _told(wake, loop, UNTIL_FREE if full else None)


def _room(limits: LimitShelf, most: int) -> int:
    """How many runs may be there when ``most`` may be at work: those that wait for a slot are not.

    They have a process, so there is a bound to that, too.
    """
    try:
        return most + min(most, limits.waiting_runs())
    except PipelinesError:  # limits that cannot be read: who asks for a slot is told
        return most


async def _told(wake: socket.socket, loop: asyncio.AbstractEventLoop, longest: float | None) -> set[bytes]:
    """All that has been said by now; waits for something, and after ``longest`` seconds takes it that a run is due."""
    from jupyter_pipelines.orchestration.service.wake import RUN_DUE

    try:
        told = {await asyncio.wait_for(loop.sock_recv(wake, 512), longest)}
    except TimeoutError:
        return {RUN_DUE}
    with contextlib.suppress(BlockingIOError):
        while True:
            told.add(wake.recv(512))
    return told


async def _attend(duty: Duty, told: asyncio.Event) -> None:
    while True:
        told.clear()
        wait = AFTER_FAILURE
        try:
            wait = await asyncio.to_thread(duty.look)
        except Exception:
            traceback.print_exc()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(told.wait(), wait)


async def _quietly(work: Callable[[], Awaitable[object]]) -> None:
    """Do it; a failure is put in the log, and it is tried again the next time."""
    try:
        await work()
    except Exception:
        traceback.print_exc()


def main(home: Path) -> None:
    """Be the worker of ``home``."""
    make_output_forgiving()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(home))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
