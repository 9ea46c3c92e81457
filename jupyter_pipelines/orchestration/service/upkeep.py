"""Keeping Prefect's states true while the service lives: no run is called running whose process is gone."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

import psutil

from jupyter_pipelines.orchestration.deployment import work_pool, worker_name
from jupyter_pipelines.orchestration.recorder import is_alive
from jupyter_pipelines.orchestration.service.endpoint import UNREACHABLE, Endpoint, recorded_endpoint
from jupyter_pipelines.orchestration.service.home import ServiceHome
from jupyter_pipelines.orchestration.settling import KILLED, settle_runs
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store

UPKEEP = 5.0  # seconds between two looks at the runs that go on
GRACE = 10.0  # seconds that a run may be without a process: it is being started


class Upkeep:
    """Looks after the runs of the service of ``home``."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._own = Store(Settings.load().store)
        self._stores = [self._own]  # where the runs are on record that we are given
        self._lost: dict[str, float] = {}  # runs without a process, and since when, by the monotonic clock

    def look(self) -> float:
        """Make true what is not, here and in Prefect; returns the seconds until it is due again."""
        endpoint = recorded_endpoint(self._home)
        if endpoint is not None:
            self._settle(endpoint)
        return UPKEEP

    def _settle(self, endpoint: Endpoint) -> None:
        others = (path for path in ServiceHome(self._home).stores() if path != str(self._own.root))
        self._stores = [self._own, *map(Store, others)]
        for store in self._stores:
            settle_runs(store, endpoint)
        wanted = {
            "work_pools": {"name": {"any_": [work_pool()]}},
            "flow_runs": {"state": {"type": {"any_": ["PENDING", "RUNNING", "CANCELLING"]}}},
            "limit": 200,
        }
        try:
            found = endpoint.call("/flow_runs/filter", wanted)
            lost = [run for run in found if self._is_ours(run, endpoint) and self._is_lost(run)] if found else []  # type: ignore[attr-defined]  # a list
            now = time.monotonic()
            self._lost = {run["id"]: self._lost.get(run["id"], now) for run in lost}
            for run in lost:
                if now - self._lost[run["id"]] >= GRACE or run["state_type"] != "PENDING":
                    endpoint.call(f"/flow_runs/{run['id']}/set_state", {"state": _end_of(run), "force": True})
        except UNREACHABLE:
            return

    def _is_ours(self, run: object, endpoint: Endpoint) -> TypeGuard[dict[str, Any]]:
        """Whether it is for us to say what became of the run: others may work for a server that is not ours."""
        if not isinstance(run, dict):
            return False
        labels = run.get("labels")
        told = labels.get("prefect.worker.name") if isinstance(labels, dict) else None
        return bool(endpoint.pid) or told == worker_name(self._home)

    def _is_lost(self, run: Mapping[str, object]) -> bool:
        """Whether nothing works on this run any more."""
        records = (store.load_run(str(run["id"])) for store in self._stores)
        record = next((record for record in records if record is not None), None)
        if record is not None and (is_alive(record.get("process")) or record.get("state") not in {"pending"}):
            return False  # it goes on, or has an end on record, which Prefect is told of
        place = str(run.get("infrastructure_pid") or "").rpartition(":")[2]
        return not (place.isdigit() and _is_ours(int(place)))


def _is_ours(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and __package__ + "." in ".".join(process.cmdline()).replace(
            "/", "."
        )
    except psutil.Error:
        return False


def _end_of(run: Mapping[str, object]) -> dict[str, str]:
    if run["state_type"] == "CANCELLING":
        return {"type": "CANCELLED", "name": "Cancelled", "message": "cancelled on request"}
    if run["state_type"] == "PENDING":  # it has not begun: nothing is lost if it begins again
        return {"type": "SCHEDULED", "name": "Scheduled", "message": "its worker was stopped before it began"}
    return {"type": "CRASHED", "name": "Crashed", "message": KILLED}
