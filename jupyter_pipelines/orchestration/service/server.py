"""``python -m jupyter_pipelines.orchestration.service.server HOME PORT``: a Prefect server for one project home.

Prefect's own application on uvicorn, without the command line that the stock launcher loads first. The server holds a
lock on its home for as long as it lives: two servers on one SQLite database lock each other out.
"""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path


def main(home: Path, port: int) -> int:
    """Serve until killed; returns 3 when another server holds the home. The lock is released by our death."""
    with open(home / "server.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"another server holds {home}", file=sys.stderr)
            return 3
        _serve(port)
    return 0


def _serve(port: int) -> None:
    from jupyter_pipelines.orchestration.fast_imports import make_imports_fast

    make_imports_fast()
    import uvicorn
    from prefect.server.api.server import create_app

    uvicorn.run(create_app(final=True), host="127.0.0.1", port=port, log_level="warning", timeout_keep_alive=30)


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
