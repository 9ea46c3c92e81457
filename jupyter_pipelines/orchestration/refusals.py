"""Runs that could not begin, when nobody is there to be told: they are on record as failed, with the reason."""

from __future__ import annotations

import time
import uuid
from dataclasses import asdict, replace

from jupyter_pipelines.orchestration.model import RunOptions, RunRecord, RunRequest
from jupyter_pipelines.store import Store


def record_refused(store: Store, key: str, request: RunRequest, error: str, pipeline: str = "") -> str:
    """Put the run that ``request`` asks for on record as failed; returns its id, the same for the same ``key``."""
    run_id = str(uuid.uuid5(uuid.NAMESPACE_URL, key))
    now = time.time()
    options = RunOptions(**request.options())
    path = request.notebook
    record = RunRecord.pending(
        run_id, path.stem, str(path), "", dict(request.parameters), options, (), pipeline=pipeline
    )
    record = replace(record, state="failed", started=now, ended=now, error=error)
    store.save_run(run_id, asdict(record) | {"process": None})
    return run_id
