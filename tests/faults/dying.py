"""Has a process die at a file of a project home: just before it is touched, or a moment later.

One that calls :func:`die_at` dies at a certain one. With :func:`have_all_die` in their environment all processes of
Python die by chance, those of the service, too, as long as the file is there that they were told of; its size says at
one touch of how many.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

CONTROL = "FAULTS_DYING"  # environment variable: the file that has processes die while it is there
START = "import dying; dying.die_by_chance()"  # what processes do before anything else
TOUCHES = {
    *("open", "os.rename", "os.remove", "os.rmdir", "os.link", "os.mkdir", "os.truncate", "os.chmod"),
    *("sqlite3.connect", "fcntl.flock", "os.utime"),
}
LATER = 0.003  # seconds at most; a file has been opened by then, and perhaps written


def watch(home: str, touched: Callable[[str], None]) -> None:
    """Have ``touched`` called, from now on, before this process touches a file below ``home``."""

    def hear(event: str, arguments: tuple[object, ...]) -> None:
        if event in TOUCHES and arguments:
            path = arguments[0]
            if event == "fcntl.flock" or (isinstance(path, str | os.PathLike) and home in os.fspath(path)):
                touched(f"{event} {path}")

    sys.addaudithook(hear)


def die_at(home: str, number: int) -> None:
    """Have this process die at the ``number``-th time, from 0, that it touches a file below ``home``."""
    numbers = count()

    def touched(_: str) -> None:
        if next(numbers) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    watch(home, touched)


def have_all_die(folder: Path, control: Path) -> None:
    """Have processes that are started from now on die by chance, while ``control`` is there; ``folder`` is for us."""
    here = str(Path(__file__).parent)
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(f"import sys\nsys.path.insert(0, {here!r})\n{START}\n")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    os.environ[CONTROL] = str(control)


def deaths(control: Path) -> list[str]:
    """Which processes have died by chance, and where."""
    path = Path(f"{control}.deaths")
    return path.read_text().splitlines() if path.exists() else []


def die_by_chance(control: str = "") -> None:
    """Have this process, from now on, die by chance while the file ``control`` is there."""
    control = control or os.environ.get(CONTROL, "")
    home = os.environ.get("JUPYTER_PIPELINES_HOME", "")
    if control and home:
        watch(home, lambda what: _perhaps_die(control, what))


def _perhaps_die(control: str, what: str) -> None:
    try:
        seldom = os.stat(control).st_size
    except OSError:
        return
    chosen = random.Random(os.urandom(8))
    if not seldom or chosen.randrange(seldom):
        return
    line = f"{' '.join(sys.orig_argv)[-60:]!r} {what}\n"
    descriptor = os.open(f"{control}.deaths", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, line.encode())
    os.close(descriptor)
    if chosen.random() < 0.5:
        threading.Thread(target=_die_later, args=(chosen.uniform(0, LATER),), daemon=True).start()
    else:
        os.kill(os.getpid(), signal.SIGKILL)


def _die_later(seconds: float) -> None:
    time.sleep(seconds)
    os.kill(os.getpid(), signal.SIGKILL)
