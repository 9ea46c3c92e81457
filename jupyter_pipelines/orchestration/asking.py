"""Runs that have been asked for and have not begun: what is on record of them, so that none is lost with Prefect's.

Beside the record stands what Prefect was given. When a backup has taken the place of Prefect's database and the run is
not in it, the same is asked for again: it gets another id, by which it is on record from then on, and is found by both.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from jupyter_pipelines.errors import ServiceError
from jupyter_pipelines.orchestration.model import RunRecord
from jupyter_pipelines.orchestration.service.endpoint import UNREACHABLE, Endpoint
from jupyter_pipelines.orchestration.service.wake import RUN_DUE, tell_worker
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store

MOST_TRIES = 5  # to have a run started

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """What Prefect was asked for: a run of this name, with these parameters of the flow; ``place`` is which Prefect."""

    name: str
    run: dict[str, object]
    key: str
    place: str


def place_of(endpoint: Endpoint, home: Path) -> str:
    """Which Prefect ``endpoint`` is, whatever its address is today: a project home's, or one of your own."""
    return str(home) if endpoint.pid else endpoint.api_url


def put_on_record(store: Store, record: RunRecord, asked: Asked) -> None:
    """Put a run on record that Prefect has been asked for, unless it has begun by now."""
    if store.load_run(record.id) is None:
        store.mark_active(record.id, True)  # first: what is on record and not noted as going on, nobody looks after
        store.save_run(record.id, asdict(record) | {"process": None, "asked": asdict(asked)})


def ask_again(store: Store, endpoint: Endpoint, record: RunRecord, found: Mapping[str, object]) -> bool:
    """Ask for the run of ``record``, saved as ``found``, again, which Prefect does not know; says whether it lives on.

    Where another Prefect was asked it is left alone: that one may still run it. Who is killed meanwhile asks for the
    same run the next time.
    """
    from jupyter_pipelines.orchestration.deployment import create_run

    asked, home = _read(found.get("asked")), Settings.load().home
    if asked is None:
        return False
    if asked.place != place_of(endpoint, home):
        return True
    try:
        now = create_run(endpoint, home, asked.name, asked.run, asked.key or f"again {record.id}")
    except ServiceError as error:
        logger.warning("Run %s could not be asked for again: %s", record.id, error)
        return True  # the next look tries it
    if now != record.id:  # else it is there after all
        put_on_record(store, replace(record, id=now), asked)
        store.move_run(record.id, now)
        store.mark_active(record.id, False)
        logger.warning("Prefect has lost run %s, which had not begun; it was asked for again, as %s", record.id, now)
    tell_worker(home, RUN_DUE)
    return True


def try_again(store: Store, endpoint: Endpoint, run_id: str, found: Mapping[str, object]) -> int:
    """Have Prefect start the run saved as ``found`` once more, which it could not; the how-manieth time, 0 when not."""
    times = found.get("tried", 0)
    if _read(found.get("asked")) is None or not isinstance(times, int) or times >= MOST_TRIES:
        return 0
    state = {"type": "SCHEDULED", "name": "Scheduled", "message": "the server was too busy to have it started"}
    try:
        endpoint.call(f"/flow_runs/{run_id}/set_state", {"state": state, "force": True})
    except UNREACHABLE:
        return times + 1  # the next look tries it
    store.save_run(run_id, {**found, "tried": times + 1})
    tell_worker(Settings.load().home, RUN_DUE)
    return times + 1


def _read(found: object) -> Asked | None:
    if not isinstance(found, dict):
        return None
    try:
        asked = Asked(**found)
    except TypeError:
        return None
    return asked if isinstance(asked.run, dict) else None
