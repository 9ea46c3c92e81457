"""Cleaning up after old runs: which ones go is asked here, what goes with them the store knows."""

from __future__ import annotations

import time
from dataclasses import replace

from jupyter_pipelines.orchestration.history import list_runs
from jupyter_pipelines.orchestration.versions.folders import unused_folders
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store
from jupyter_pipelines.store.collection import Garbage, collect, find_garbage

EVERY_RUN = 1_000_000


def find_old(*, keep_last: int | None = None, older_than: float | None = None) -> Garbage:
    """What goes: runs that are neither among the newest ``keep_last`` nor ended within the last ``older_than`` seconds.

    With one of them given only that one counts; with neither, only what no run refers to goes. Runs that go on always
    stay. Nothing is changed.
    """
    now = time.time()
    dropped: set[str] = set()
    if keep_last is not None or older_than is not None:
        records = list_runs(limit=EVERY_RUN)[keep_last or 0 :]
        dropped = {record.id for record in records if older_than is None or 0 < record.ended < now - older_than}
    store = Store(Settings.load().store)
    return replace(find_garbage(store, dropped, now=now), folders=unused_folders(store, now=now))


def remove(garbage: Garbage) -> None:
    """Remove what :func:`find_old` found."""
    collect(Store(Settings.load().store), garbage)
