"""Versions of a lake that runs refer to: while a run is kept, the tables that it found and left can be read."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Final

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.notebook.options import parse_duration
from jupyter_pipelines.orchestration.history import list_runs
from jupyter_pipelines.typed import typed

SHORTEST: Final = 86_400.0  # seconds: what goes on has told by then what it found


def pinned_versions() -> frozenset[int]:
    """The versions that a run on record has found or left."""
    steps = (step for run in list_runs(None) for step in run.steps)
    found = (
        version
        for step in steps
        for version in (step.version_found, step.version_left, *(table.version for table in step.tables))
    )
    return frozenset(version for version in found if version is not None)


@typed
def expire_versions(older_than: timedelta | str | float) -> tuple[int, ...]:
    """Have the lake forget versions older than that (``"90d"``, or seconds) to which no run refers; gives those.

    The files that only they have are removed. Raises :class:`RequestError` where none are kept, or for less than a day.
    """
    from jupyter_pipelines.warehouse.warehouse import warehouse

    try:
        age = parse_duration(older_than)
    except ValueError:
        age = -1.0
    if age < SHORTEST:
        raise RequestError(f"Versions cannot be expired after {older_than!r}.", 'Give a day or more, such as "90d".')
    return warehouse().expire(time.time() - age, pinned_versions())
