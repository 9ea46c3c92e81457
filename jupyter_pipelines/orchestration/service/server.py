"""``python -m jupyter_pipelines.orchestration.service.server DESCRIPTOR HOME``: the Prefect server of a project home.

Prefect's own application on uvicorn, without the command line that the stock launcher loads first. It serves the
socket that the service has bound: while it starts anew requests wait there, and nobody else can take the address.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

from jupyter_pipelines.errors import ServiceError


def main(descriptor: int, home: Path) -> None:
    """Serve until told to stop, or until the service is gone."""
    from jupyter_pipelines.orchestration.service.collector import collect_aside
    from jupyter_pipelines.orchestration.service.database.readying import ready
    from jupyter_pipelines.orchestration.service.leash import end_with_parent

    end_with_parent()
    _wait_for_database(home)
    with ready(home):
        import uvicorn
        from prefect.server.api.server import create_app

        configuration = uvicorn.Config(create_app(final=True), log_level="warning", timeout_keep_alive=30)
        configuration.timeout_graceful_shutdown = 3
        _keep_events_out_of_the_log()
        collect_aside()
        # uvicorn passes on the signal that ended it: ours is to find that the database was closed well.
        signal.signal(signal.SIGTERM, lambda *_: None)
        uvicorn.Server(configuration).run(sockets=[socket.socket(fileno=descriptor)])


def _keep_events_out_of_the_log() -> None:
    """Have errors not show what was no event: it may be a client's greeting, sent twice, with the secret in it."""
    from prefect.server.events.schemas.events import Event

    Event.model_config["hide_input_in_errors"] = True
    Event.model_rebuild(force=True)


def _wait_for_database(home: Path) -> None:
    """Hold the database for as long as we live: two servers on one SQLite file lock each other out."""
    import fcntl

    lock = os.open(home / "server.lock", os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)  # its last holder is about to end, as its service has


if __name__ == "__main__":
    os.umask(0o077)
    try:
        main(int(sys.argv[1]), Path(sys.argv[2]))
    except ServiceError as error:
        sys.exit(str(error))
