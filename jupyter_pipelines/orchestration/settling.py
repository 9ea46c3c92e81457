"""Runs whose process was killed: their records, and Prefect's states, are made true."""

from __future__ import annotations

import json
import logging
import urllib.error
import urllib.request
from base64 import b64encode
from dataclasses import asdict, replace

from jupyter_pipelines.orchestration.recorder import is_alive, record_from
from jupyter_pipelines.orchestration.service import Endpoint
from jupyter_pipelines.store import Store

logger = logging.getLogger(__name__)

KILLED = "the process that ran the pipeline was killed"


def settle_killed_runs(store: Store, endpoint: Endpoint | None) -> list[str]:
    """Put every run on record as crashed that is going on without its process; returns their ids.

    Prefect is told where it answers. Where it does not, the run is looked at again the next time.
    """
    settled = []
    for run_id in store.active_runs():
        found = store.load_run(run_id)
        if found is not None and is_alive(found.get("process")):
            continue
        if found is not None:
            record = record_from(found)
            if record.state in {"pending", "running"}:
                steps = tuple(
                    replace(step, state="crashed", error=KILLED) if step.state == "running" else step
                    for step in record.steps
                )
                record = replace(record, state="crashed", error=KILLED, steps=steps)
                store.save_run(run_id, asdict(record) | {"process": None})
                settled.append(run_id)
        if found is None or (endpoint is not None and _tell_prefect(endpoint, run_id)):
            store.mark_active(run_id, False)
    return settled


def _tell_prefect(endpoint: Endpoint, run_id: str) -> bool:
    """Set the flow run to Crashed unless it has ended; says whether Prefect knows now. Plain HTTP: no slow import."""
    try:
        state = _request(endpoint, f"/flow_runs/{run_id}", None).get("state_type")
        if state not in {"COMPLETED", "FAILED", "CANCELLED", "CRASHED"}:
            crashed = {"type": "CRASHED", "name": "Crashed", "message": KILLED}
            _request(endpoint, f"/flow_runs/{run_id}/set_state", {"state": crashed, "force": True})
        return True
    except urllib.error.HTTPError as error:
        return error.code == 404
    except (OSError, ValueError) as error:
        logger.debug("Prefect could not be told of %s: %s", run_id, error)
        return False


def _request(endpoint: Endpoint, path: str, body: dict[str, object] | None) -> dict[str, object]:
    request = urllib.request.Request(endpoint.api_url + path, data=None if body is None else json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    if endpoint.auth:
        request.add_header("Authorization", f"Basic {b64encode(endpoint.auth.encode()).decode()}")
    with urllib.request.urlopen(request, timeout=5) as response:
        answer = json.load(response)
    return answer if isinstance(answer, dict) else {}
