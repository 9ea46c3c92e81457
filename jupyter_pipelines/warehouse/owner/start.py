"""Finding the owner of a warehouse, and starting one where there is none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Final

from jupyter_pipelines.errors import WarehouseError
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.warehouse.owner import wire
from jupyter_pipelines.warehouse.owner.files import LOCKS, Endpoint, WarehouseFiles

START_SECONDS: Final = 60.0  # for an owner to be ready; it takes one, and the log of a large warehouse may be replayed
POLL: Final = 0.02
_OF_A_RUN: Final = {"JUPYTER_PIPELINES_RUN", "JUPYTER_PIPELINES_KERNEL", "JUPYTER_PIPELINES_LEASH"}
"""Processes that carry these end with their run."""


def running_owner(files: WarehouseFiles) -> Endpoint | None:
    """Where the owner answers, if there is one."""
    return files.load_endpoint() if files.is_owned() else None


def ensure_owner(files: WarehouseFiles) -> Endpoint:
    """Where the owner answers; it is started when there is none. Many may call this at once: all get the same one.

    Raises :class:`WarehouseError` when the warehouse cannot be opened.
    """
    if not LOCKS:
        raise WarehouseError(
            "Several processes cannot share a warehouse on this system yet.",
            "Use it from one process: jupyter_pipelines.warehouse.EngineSession.open(path).",
        )
    deadline = time.monotonic() + START_SECONDS
    while (endpoint := running_owner(files)) is None:
        if time.monotonic() > deadline:
            raise WarehouseError(
                f"The owner of the warehouse {files.path} did not start in {START_SECONDS:.0f} s.",
                f"See its log, {files.log}.",
            )
        if files.is_owned():
            time.sleep(POLL)  # it is about to answer, or about to end
        else:
            files.make_folder()
            _start(files)
    return endpoint


def _start(files: WarehouseFiles) -> None:
    """Start an owner; returns when it is ready, or another one is. Raises :class:`WarehouseError`."""
    log = os.open(files.log, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "jupyter_pipelines.warehouse.owner", str(files.path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            env=_environment(),
        )
    finally:
        os.close(log)
    told, _ = process.communicate()
    try:
        found = json.loads(told)
    except ValueError:
        raise WarehouseError(
            f"The owner of the warehouse {files.path} ended while it started.", f"See its log, {files.log}."
        ) from None
    if found["state"] == "failed":
        error = wire.decode_error(found["error"].encode())
        raise error if error is not None else WarehouseError(str(found))


def _environment() -> dict[str, str]:
    """Ours, without what marks the processes of a run, and with the settings that we have."""
    kept = {name: value for name, value in os.environ.items() if name not in _OF_A_RUN}
    quiet = {"ACERO_ALIGNMENT_HANDLING": "ignore"}  # else Arrow writes a line into the log for each frame
    return quiet | kept | {"JUPYTER_PIPELINES_HOME": str(Settings.load().home)}
