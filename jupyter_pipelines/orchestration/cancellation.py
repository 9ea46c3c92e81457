"""Hearing that a run was cancelled in Prefect, also where no worker is there to hear it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.exceptions import PrefectException

INTERVAL = 2.0  # seconds between two looks; one look costs the server a few milliseconds


@contextmanager
def watch_for_cancellation(run_id: str, cancel: threading.Event) -> Iterator[None]:
    """Set ``cancel`` when the flow run is cancelled through Prefect's API or interface, while inside."""
    done = threading.Event()
    if FlowRunContext.get() is None:
        yield
        return
    from contextvars import copy_context

    context = copy_context()
    watcher = threading.Thread(
        target=context.run, args=(_watch, UUID(run_id), cancel, done), name="cancellation", daemon=True
    )
    watcher.start()
    try:
        yield
    finally:
        done.set()


def _watch(run_id: UUID, cancel: threading.Event, done: threading.Event) -> None:
    with get_client(sync_client=True) as client:
        while not done.wait(INTERVAL):
            try:
                state = client.read_flow_run(run_id).state
            except (httpx.HTTPError, PrefectException):
                continue  # a server that is away says nothing about the run
            if state is not None and (state.is_cancelling() or state.is_cancelled()):
                cancel.set()
                return
