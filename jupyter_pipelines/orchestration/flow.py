"""The one Prefect flow of the product: `run_pipeline`, whose task runs are the steps of a notebook.

It takes plain JSON, so that the same flow can be called in this process, or deployed by its module path and started by
any worker that reaches the store.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Cancelled, Completed, Failed

from jupyter_pipelines.orchestration.model import OnRunEvent, RunOptions, RunRecord, ignore
from jupyter_pipelines.orchestration.pipeline_run import PipelineRun
from jupyter_pipelines.orchestration.recorder import is_alive
from jupyter_pipelines.orchestration.records import record_from
from jupyter_pipelines.orchestration.settling import settle_runs
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store

FLOW_NAME = "jupyter-pipeline"


@dataclass
class Session:
    """What a caller in this process shares with the flow it calls: who is told of progress, how to stop it."""

    on_event: OnRunEvent = ignore
    cancel: threading.Event = field(default_factory=threading.Event)
    record: RunRecord | None = None  # the final record, put here by the flow


_session: ContextVar[Session | None] = ContextVar("jupyter_pipelines_session", default=None)


@contextmanager
def session(given: Session) -> Iterator[None]:
    """Share ``given`` with the flow that is called inside."""
    token = _session.set(given)
    try:
        yield
    finally:
        _session.reset(token)


# There can be no file in it. Whatever is said of results, Prefect pickles the error that a flow ends with, and one of
# its own client holds the secret. Without a place it would ask the server for one twice in each run, before it begins.
_NO_RESULTS = Path(os.devnull)


@flow(name=FLOW_NAME, validate_parameters=False, persist_result=False, result_storage=_NO_RESULTS)
def run_pipeline(
    version: str,
    notebook: str,
    parameters: dict[str, Any] | None = None,
    options: dict[str, Any] | None = None,
) -> State[Any]:
    """Run a version of a notebook.

    ``version`` is the notebook's address in the store, ``notebook`` the path it was taken from (its folder is the
    steps' working directory), ``parameters`` are in JSON form, ``options`` are those of
    :class:`~jupyter_pipelines.orchestration.model.RunOptions`.
    """
    shared = _session.get() or Session()
    if (ended := _ended_before(options or {})) is not None:
        shared.record = ended
        return _final_state(ended)
    run = PipelineRun(
        str(flow_run.id),
        str(flow_run.name),
        version,
        notebook,
        parameters or {},
        RunOptions(**(options or {})),
        on_event=shared.on_event,
        cancel=shared.cancel,
    )
    with _cancelled_by_signals(shared.cancel):
        shared.record = run.execute()
    return _final_state(shared.record)


@contextmanager
def _cancelled_by_signals(cancel: threading.Event) -> Iterator[None]:
    """Have SIGTERM and Ctrl-C end the run in order, as cancelled; Prefect's worker sends the first to cancel a run.

    Ctrl-C interrupts whatever is being done when it is pressed again only: Prefect may be about to start a step, and
    would wait for its end. Another thread sets ``cancel``: this one may have been waiting for it, and hold its lock.
    """
    interrupted = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def terminate(*_: object) -> None:
        threading.Thread(target=cancel.set, daemon=True).start()

    def interrupt(number: int, frame: FrameType | None) -> None:
        again = cancel.is_set()
        terminate()
        try:
            if callable(interrupted):
                interrupted(number, frame)
        except KeyboardInterrupt:
            if again:
                raise

    before = [(signal.SIGTERM, signal.signal(signal.SIGTERM, terminate))]
    if callable(interrupted):
        before.append((signal.SIGINT, signal.signal(signal.SIGINT, interrupt)))
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _ended_before(options: Mapping[str, Any]) -> RunRecord | None:
    """The record of this run when it has begun before and Prefect does not know it: its database was restored.

    Where it still goes on in another process, its end is waited for: a run runs once.
    """
    if (flow_run.run_count or 0) > 1:  # somebody has asked Prefect to run it again
        return None
    store = Store(options.get("store") or Settings.load().store)
    while (found := store.load_run(str(flow_run.id))) is not None and found.get("state") == "running":
        if is_alive(found.get("process")):
            time.sleep(1.0)
        elif str(flow_run.id) in store.active_runs():
            settle_runs(store, None)  # it was killed, and that is its end
        else:
            return None
    record = record_from(found) if found is not None else None
    return record if record is not None and record.state != "pending" else None


def _final_state(record: RunRecord) -> State[Any]:
    if record.state == "completed":
        return Completed(message=f"{len(record.steps)} steps")
    if record.state == "cancelled":
        return Cancelled(message=record.error)
    return Failed(message=record.error)
