"""What the scripts about the service share: its processes, ways to hurt it, the judgement of all runs afterwards."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil
from common import FaultError, wait_until

PARTS = ("supervisor", "server", "launcher", "worker")
ENDS = {"completed": "COMPLETED", "failed": "FAILED", "crashed": "CRASHED", "cancelled": "CANCELLED"}


def family(home: Path) -> list[psutil.Process]:
    """All processes of the service of ``home``, and all that they have started, wherever it has gone."""
    found = []
    for process in psutil.process_iter():
        try:
            ours = process.environ().get("JUPYTER_PIPELINES_HOME") == str(home) or str(home) in process.cmdline()
            if ours and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def pid_of(home: Path, victim: str) -> int:
    """The process that is called ``victim``; 0 when there is none just now."""
    from jupyter_pipelines.orchestration.service.home import ServiceHome
    from jupyter_pipelines.settings import Settings
    from jupyter_pipelines.store import Store

    keeper = ServiceHome(home)
    if victim == "supervisor":
        return max(0, keeper.holder())
    status = keeper.load_status()
    if victim in PARTS:
        return status.parts[victim].pid if status is not None and keeper.holder() else 0
    store = Store(Settings.load().store)
    processes = [(store.load_run(run_id) or {}).get("process") for run_id in store.active_runs()]
    flows = [int(process["pid"]) for process in processes if isinstance(process, dict)]
    with suppress(psutil.Error, IndexError):
        if victim == "flow":
            return psutil.Process(flows[0]).pid
        return random.choice(psutil.Process(flows[0]).children(recursive=True)).pid
    return 0


def strike(home: Path, victim: str, chosen: random.Random) -> str:
    """Kill ``victim``, or all at once ("power"), or freeze all for a while ("sleep"); says what was done."""
    if victim == "power":
        return f"power: {signal_all(home, signal.SIGKILL)} processes"
    if victim == "sleep":
        count = signal_all(home, signal.SIGSTOP)
        seconds = chosen.uniform(1.0, 6.0)
        time.sleep(seconds)
        signal_all(home, signal.SIGCONT)
        return f"sleep: {count} processes for {seconds:.1f} s"
    pid = pid_of(home, victim)
    if not pid:
        return f"{victim}: there is none just now"
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return f"{victim}: process {pid}"


def signal_all(home: Path, number: int) -> int:
    """Send it to the whole family, until no new one has come up meanwhile."""
    told: set[int] = set()
    while new := [process for process in family(home) if process.pid not in told]:
        for process in new:
            told.add(process.pid)
            with suppress(psutil.Error):
                process.send_signal(number)
    return len(told)


def start_again() -> None:
    """Start the service as whoever looks after it would: the system, JupyterLab, or the next command."""
    from jupyter_pipelines.orchestration.service import ensure_service
    from jupyter_pipelines.settings import Settings

    ensure_service(Settings.load())


def all_ended(schedules: Iterable[str], last: datetime) -> bool:
    """Whether every occurrence up to ``last`` has a run, and no run goes on."""
    import jupyter_pipelines as jp
    from jupyter_pipelines.orchestration.scheduling.shelf import Shelf
    from jupyter_pipelines.settings import Settings

    if datetime.now(UTC) < last:
        return False
    shelf = Shelf(Settings.load().home)
    wanted = set(schedules)
    for record in (record for record in shelf.records() if record.id in wanted):
        progress = shelf.progress(record)
        following = record.next_time(progress.handled.until or progress.handled.active_since)
        if progress.active or progress.waiting or (following is not None and following <= last):
            return False
    return all(run.ended for run in jp.list_runs(100_000))


def judge(schedule: str, expected: Sequence[datetime], allowed: set[str]) -> Counter[str]:
    """Each of the ``expected`` times has one run, in a state that is true, here and in Prefect; returns the states."""
    import jupyter_pipelines as jp
    from jupyter_pipelines.orchestration.service import endpoint_of
    from jupyter_pipelines.settings import Settings

    runs = [run for run in jp.list_runs(100_000) if run.schedule == schedule]
    times = Counter(datetime.fromtimestamp(run.scheduled_time, UTC) for run in runs)
    twice = [moment for moment, count in times.items() if count > 1]
    lost = [moment for moment in expected if moment not in times]
    more = [moment for moment in times if moment not in set(expected)]
    if twice or lost or more:
        raise FaultError(f"of {len(expected)} runs were lost: {lost}, run twice: {twice}, not asked for: {more}")
    endpoint = endpoint_of(Settings.load())
    assert endpoint is not None, "the service runs"
    for run in runs:
        if run.state not in allowed:
            raise FaultError(
                f"run {run.id} of {datetime.fromtimestamp(run.scheduled_time, UTC)} {run.state}: {run.error}"
            )
        wait_until(_says(endpoint.call, run.id, ENDS[run.state]), f"Prefect's state of run {run.id}: {run.state}", 30.0)
    return Counter(run.state for run in runs)


def _says(call: Callable[[str], object], run_id: str, kind: str) -> Callable[[], bool]:
    def says() -> bool:
        found = call(f"/flow_runs/{run_id}")
        return isinstance(found, dict) and found.get("state_type") == kind

    return says
