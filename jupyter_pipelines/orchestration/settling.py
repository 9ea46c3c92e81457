"""Runs whose process is gone, and ends that Prefect has missed: records and Prefect's states are made true."""

from __future__ import annotations

import logging
import time
import urllib.error
from collections.abc import Mapping
from dataclasses import asdict, replace

from jupyter_pipelines.orchestration.asking import ask_again, try_again
from jupyter_pipelines.orchestration.model import RunRecord, RunState, not_reached
from jupyter_pipelines.orchestration.recorder import is_alive, is_elsewhere
from jupyter_pipelines.orchestration.records import record_from
from jupyter_pipelines.orchestration.service.endpoint import UNREACHABLE, Endpoint
from jupyter_pipelines.store import Store

logger = logging.getLogger(__name__)

BEGINNING = 60.0  # seconds from a run's being noted as going on to its being on record, at most
TELLING = 10.0  # seconds that a process has to tell Prefect of the end of its run
CANCELLED = "cancelled on request; it had to be killed"
KILLED = "the process that ran the pipeline was killed"
NOT_STARTED = "Failed to submit flow run to infrastructure: PrefectHTTP"  # said by a worker whose server was too busy
UNKNOWN = "Prefect does not know this run any more"

_ENDS: dict[str, RunState] = {
    "COMPLETED": "completed",
    "FAILED": "failed",
    "CANCELLED": "cancelled",
    "CRASHED": "crashed",
}
_TYPES = {state: kind for kind, state in _ENDS.items()}


def settle_runs(store: Store, endpoint: Endpoint | None) -> list[str]:
    """Look at every run that is not known to have ended, here and in Prefect; returns those that turned out killed.

    Prefect is told where it answers. Where it does not, the run is looked at again the next time.
    """
    killed = []
    submitted: list[tuple[RunRecord, Mapping[str, object]]] = []
    for run_id in store.active_runs():
        try:
            if _settle(store, endpoint, run_id, submitted):
                killed.append(run_id)
        except Exception:  # one that cannot be looked after keeps us from none of the others
            logger.exception("Run %s could not be looked after.", run_id)
    if endpoint is not None and submitted and not _all_wait(endpoint, [record.id for record, _ in submitted]):
        for record, found in submitted:
            try:
                _settle_submitted(store, endpoint, record, found)
            except Exception:
                logger.exception("Run %s could not be looked after.", record.id)
    return killed


def _all_wait(endpoint: Endpoint, runs: list[str]) -> bool:
    """Whether Prefect knows all of these, and that none has ended: one question, however many wait their turn."""
    if len(runs) == 1:
        return False  # to ask for that one costs as much
    going_on = ["SCHEDULED", "PENDING", "RUNNING", "PAUSED", "CANCELLING"]
    wanted = {"flow_runs": {"id": {"any_": runs}, "state": {"type": {"any_": going_on}}}}
    try:
        return endpoint.call("/flow_runs/count", wanted) == len(runs)
    except UNREACHABLE:
        return True  # nothing is known, the next look asks again


def _settle(
    store: Store,
    endpoint: Endpoint | None,
    run_id: str,
    submitted: list[tuple[RunRecord, Mapping[str, object]]],
) -> bool:
    """Make true what is said of one run; says whether it turned out killed.

    One that was handed to Prefect and has not begun is put among those that were ``submitted``.
    """
    found = store.load_run(run_id)
    record = None if found is None else record_from(found)
    if found is None or record is None:
        if store.has_run(run_id):
            logger.warning("The record of run %s cannot be read.", run_id)
        elif time.time() - store.active_since(run_id) < BEGINNING:
            return False  # it is about to be put on record
        store.mark_active(run_id, False)  # there is nothing to make true
        return False
    over = record.state not in {"pending", "running"}
    if is_elsewhere(found.get("process")) and not (endpoint is not None and endpoint.pid):
        _settle_elsewhere(store, endpoint, record)  # ours run here: there it is our own name that has changed
        return False
    if is_alive(found.get("process")) and not (over and abs(time.time() - record.ended) > TELLING):
        store.note_alive(run_id)
        return False
    if record.state == "pending" and not found.get("process"):
        submitted.append((record, found))
        return False
    if not over:
        record = _end(store, record, "crashed", KILLED)
    if endpoint is not None and _tell_prefect(endpoint, record):
        store.mark_active(run_id, False)
    return not over


def _settle_submitted(store: Store, endpoint: Endpoint, record: RunRecord, found: Mapping[str, object]) -> None:
    """A run that was handed to Prefect and has not begun: only Prefect knows what became of it.

    One that Prefect has lost, because its database was restored, is asked for again.
    """
    try:
        answer = endpoint.call(f"/flow_runs/{record.id}")
    except urllib.error.HTTPError as error:
        if error.code != 404 or ask_again(store, endpoint, record, found):
            return
        state: RunState = "crashed"
        message = UNKNOWN
    except UNREACHABLE:
        return
    else:
        known = answer.get("state") if isinstance(answer, dict) else None
        kind = known.get("type") if isinstance(known, dict) else None
        if not isinstance(known, dict) or kind not in _ENDS:
            return
        state, message = _ENDS[str(kind)], str(known.get("message") or "it did not begin")
        if message.startswith(NOT_STARTED) and (again := try_again(store, endpoint, record.id, found)):
            logger.warning("Run %s could not be started, the %s. time: %s", record.id, again, message)
            return
    latest = store.load_run(record.id)
    if latest is None or not latest.get("process"):  # else it has begun in the meantime, and speaks for itself
        _end(store, record, state, message)
        store.mark_active(record.id, False)
        latest = store.load_run(record.id)
        if latest is None or latest.get("process"):  # it has begun just now, and its record is the newer one
            store.mark_active(record.id, True)


def end_cancelled(store: Store, endpoint: Endpoint, run_id: str) -> None:
    """Put on record that a run was cancelled which did not say so itself. One that still goes on is left alone."""
    found = store.load_run(run_id)
    record = None if found is None else record_from(found)
    if found is None or record is None or record.state not in {"pending", "running"}:
        return
    if is_alive(found.get("process")) or is_elsewhere(found.get("process")):
        return
    ended = _end(store, record, "cancelled", CANCELLED)
    store.mark_active(run_id, not _tell_prefect(endpoint, ended))


def _settle_elsewhere(store: Store, endpoint: Endpoint | None, record: RunRecord) -> None:
    """A run of another machine, or in a container: what becomes of it Prefect and its worker there know."""
    if endpoint is None:
        return
    if record.state not in {"pending", "running"}:
        if abs(time.time() - record.ended) > TELLING and _tell_prefect(endpoint, record):
            store.mark_active(record.id, False)
        return
    try:
        answer = endpoint.call(f"/flow_runs/{record.id}")
    except UNREACHABLE:
        return
    known = answer.get("state") if isinstance(answer, dict) else None
    state = _ENDS.get(str(known.get("type"))) if isinstance(known, dict) else None
    heard = (store.run_folder(record.id) / "run.json").stat().st_mtime
    if known is not None and state is not None and abs(time.time() - heard) > TELLING:  # it may be about to say so
        _end(store, record, state, str(known.get("message") or KILLED) if state != "completed" else "")
        store.mark_active(record.id, False)


def _end(store: Store, record: RunRecord, state: RunState, why: str) -> RunRecord:
    """Put the end of a run on record that could not do so itself.

    When it ended nobody knows: it is said to be when it was seen alive last, or heard of, whichever came later. While
    the service lives that is seconds before, and it is never too late, also where the machine was off for days.
    """
    files = (store.run_folder(record.id) / name for name in ("run.json", "executed.ipynb"))
    heard = max((path.stat().st_mtime for path in files if path.exists()), default=time.time())
    heard = max(heard, store.active_since(record.id))
    steps = tuple(
        replace(step, state="crashed", error=why, ended=heard) if step.state == "running" else step
        for step in not_reached(record.steps)
    )
    ended = replace(record, state=state, error=why, steps=steps, ended=heard)
    given = (store.load_run(record.id) or {}).get("given", {})
    store.save_run(record.id, asdict(ended) | {"process": None, "given": given})
    return ended


def _tell_prefect(endpoint: Endpoint, record: RunRecord) -> bool:
    """Have Prefect's state say how the run ended, unless it does; says whether it does now."""
    try:
        found = endpoint.call(f"/flow_runs/{record.id}")
        if isinstance(found, Mapping) and found.get("state_type") not in _ENDS:
            kind = _TYPES[record.state]
            state = {"type": kind, "name": kind.capitalize(), "message": record.error}
            endpoint.call(f"/flow_runs/{record.id}/set_state", {"state": state, "force": True})
    except urllib.error.HTTPError as error:
        return error.code == 404
    except UNREACHABLE as error:
        logger.debug("Prefect could not be told of %s: %s", record.id, error)
        return False
    return True
