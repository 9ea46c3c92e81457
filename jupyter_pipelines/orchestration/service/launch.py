"""``python -I -S launch.py HOME [MODULE]``: run a module (a flow run by default) in a process forked from the launcher.

This is the command that Prefect's worker starts for each run: it stands for the forked process, passes signals on to it
and ends as it ends. Where there is no launcher, it becomes an ordinary interpreter itself. Only what is quick to import
is used, and nothing of the package: that would be the start it saves. The command line uses :func:`ask` and
:func:`follow` for commands that run steps.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Sequence
from types import FrameType

FLOW_RUN = "jupyter_pipelines.orchestration.service.flow_run"
ANSWER_SECONDS = 5.0  # for the launcher to fork
SIGNALS_SEEN = 0.5  # seconds until a signal is heard that came at the moment when we began to wait


def main(home: str, module: str = FLOW_RUN) -> int:
    """Run ``module``; returns its exit code."""
    try:
        connection, pid = ask(home, module)
    except (OSError, ValueError):
        os.execv(sys.executable, [sys.executable, "-P", "-m", module, home])
    code = follow(connection, pid)
    return 0 if code is None else code  # it reports for itself


def ask(home: str, module: str, arguments: Sequence[str] = ()) -> tuple[socket.socket, int]:
    """Have ``module.main(home, *arguments)`` run in a forked process with our environment, directory and streams.

    Returns the connection that it lives by and its process. Raises :class:`OSError` or :class:`ValueError` when there
    is no launcher, or none that can.
    """
    with open(os.path.join(home, "sockets")) as file:
        path = os.path.join(file.read().strip(), "launcher")
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(ANSWER_SECONDS)
    connection.connect(path)
    request = {
        "module": module,
        "arguments": list(arguments),
        "home": home,
        "env": dict(os.environ),
        "directory": os.getcwd(),
    }
    socket.send_fds(connection, [b"\n"], [0, 1, 2])
    connection.sendall(json.dumps(request).encode() + b"\n")
    pid = int(_line(connection))
    connection.settimeout(None)
    return connection, pid


def follow(connection: socket.socket, pid: int) -> int | None:
    """Pass signals on to the process until it ends; returns its exit code, ``None`` where that cannot be learnt.

    Where a signal has ended it, the same one ends us, so that who waits for us sees it.
    """

    def forward(number: int, _: FrameType | None) -> None:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, forward)
    while not select.select([connection], [], [], SIGNALS_SEEN)[0]:
        pass
    said = _line(connection)
    if not said:  # the launcher is gone; what it has started goes on
        while _exists(pid):
            time.sleep(0.5)
        return None
    code = int(said)
    if code < 0:
        if -code not in {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


def _line(connection: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        part = connection.recv(1)
        if not part:
            return b""
        line += part
    return line


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
