"""Cleaning up after old runs: which ones go is asked here, what goes with them the store knows."""

from __future__ import annotations

import time

from jupyter_pipelines.orchestration.runs import list_runs
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store
from jupyter_pipelines.store.collection import Garbage, collect, find_garbage

EVERY_RUN = 1_000_000


def find_old(*, keep_last: int | None = None, older_than: float | None = None) -> Garbage:
    """What goes when only the newest ``keep_last`` runs stay, and none that ended ``older_than`` seconds ago.

    With neither, only what no run refers to. Runs that go on always stay. Nothing is changed.
    """
    now = time.time()
    records = list_runs(limit=EVERY_RUN)
    dropped = set() if keep_last is None else {record.id for record in records[keep_last:]}
    if older_than is not None:
        dropped |= {record.id for record in records if record.ended and record.ended < now - older_than}
    return find_garbage(Store(Settings.load().store), dropped, now=now)


def remove(garbage: Garbage) -> None:
    """Remove what :func:`find_old` found."""
    collect(Store(Settings.load().store), garbage)
