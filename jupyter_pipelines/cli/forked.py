"""Commands that run steps, in a process forked from the service's launcher: it has loaded what takes seconds to load.

Such a process becomes all that this one is: its environment, directory, streams, limits. Where it cannot, where there
is no launcher, or where what it has loaded is not what is installed here, the command runs in this process as ever.
"""

from __future__ import annotations

import json
import locale
import logging
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from jupyter_pipelines.orchestration.service import launch
from jupyter_pipelines.settings import Settings

UNFIT = 254
"""Exit code of a process that cannot become what it was asked by: nothing has been done."""

_PYTHON = {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}  # that it was started with

Json = dict[str, Any]


def run_forked(words: list[str]) -> int | None:
    """Run the command line ``words`` in a forked process; its exit code, or ``None``: it has to be run here."""
    if sys.platform != "linux" or not {"-h", "--help"}.isdisjoint(words):
        return None
    try:
        arguments = (json.dumps(_circumstances()), *words)
        connection, pid = launch.ask(str(Settings.load().home), __name__, arguments)
    except (OSError, ValueError):
        return None
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGTSTP)}
    signal.signal(signal.SIGTSTP, lambda *_: _stop(pid))
    code = launch.follow(connection, pid)
    for number, handler in before.items():
        signal.signal(number, handler)
    if code is None:
        print("What became of it could not be learnt; see `jupyter pipelines runs`.", file=sys.stderr)
        return 1
    return None if code == UNFIT else code


def main(_home: Path, circumstances: str, *words: str) -> None:
    """Be the command line ``words`` of another process (:class:`SystemExit`)."""
    from jupyter_pipelines.cli.application import run_here

    wanted: Json = json.loads(circumstances)
    if not _adopt(wanted):
        sys.exit(UNFIT)
    with suppress(locale.Error):
        locale.setlocale(locale.LC_ALL, "")
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        setattr(sys, name, _stream(descriptor, wanted[name]))
    sys.argv = [launch.__file__, *words]
    logging.getLogger("prefect").setLevel(logging.CRITICAL)  # as where Prefect is loaded for a run
    sys.exit(run_here(words))


def _stream(descriptor: int, encoding: str) -> TextIO:
    lines = descriptor == 2 or os.isatty(descriptor)
    return open(
        descriptor,
        "w",
        buffering=1 if lines else -1,
        encoding=encoding,
        errors="backslashreplace",
        closefd=False,
    )


def _stop(pid: int) -> None:
    """Ctrl-Z: the command stops, and goes on when its shell has it go on."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
    os.kill(os.getpid(), signal.SIGSTOP)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def _circumstances() -> Json:
    """What a process is given from outside, and hands on to kernels, apart from environment and directory."""
    umask = os.umask(0o077)
    os.umask(umask)
    return {
        "same": _same() | {"python": {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}},
        "umask": umask,
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
        "processors": sorted(os.sched_getaffinity(0)),
        "limits": _limits(),
        "stdout": sys.stdout.encoding,
        "stderr": sys.stderr.encoding,
    }


def _adopt(wanted: Json) -> bool:
    """Become what is ``wanted``; says whether that could be done."""
    import resource

    if wanted["same"] != json.loads(json.dumps(_same() | {"python": _PYTHON})):
        return False
    try:
        os.umask(wanted["umask"])
        os.setpriority(os.PRIO_PROCESS, 0, wanted["nice"])
        os.sched_setaffinity(0, wanted["processors"])
        for number, limits in wanted["limits"].items():
            resource.setrlimit(int(number), tuple(limits))
    except (OSError, ValueError):
        return False
    return True


def _same() -> Json:
    """What cannot be changed afterwards, and so has to be the same: installation, user, control group, namespaces."""
    import jupyter_pipelines

    package = os.stat(jupyter_pipelines.__file__)
    with open("/proc/self/cgroup") as file:
        groups = file.read()
    return {
        "installation": [sys.version, sys.prefix, jupyter_pipelines.__file__, package.st_ino, package.st_mtime_ns],
        "user": [os.getuid(), os.geteuid(), os.getgid(), os.getegid(), sorted(os.getgroups())],
        "groups": groups,
        "namespaces": sorted(os.readlink(f"/proc/self/ns/{name}") for name in os.listdir("/proc/self/ns")),
    }


def _limits() -> dict[str, tuple[int, int]]:
    import resource

    numbers = [getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")]
    return {str(number): resource.getrlimit(number) for number in numbers}
