"""Waking the worker: what it is told through its socket, so that it need not look often."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path
from typing import Final

from jupyter_pipelines.orchestration.service.home import ServiceHome

RUN_DUE: Final = b"now"
"""There is a run for now."""

LOOK: Final = b"look"
"""A run has ended, or what the worker's duties go by was changed."""


def tell_worker(home: Path, what: bytes) -> None:
    """Tell the worker of ``home`` of :data:`RUN_DUE` or :data:`LOOK`; where it is not there, it looks when it comes."""
    path = ServiceHome(home).socket("worker")
    if path is not None:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wake:
            wake.setblocking(False)
            wake.sendto(what, str(path))
