"""What the fault scripts share: a home of their own, processes found by a mark, one line for each round."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

MARK = "FAULTS"  # environment variable that everything started here inherits
TRUE_WITHIN = 15.0  # seconds from a fault to a true state


class FaultError(AssertionError):
    """Something did not survive."""


@contextmanager
def own_home(parent: Path | None = None) -> Iterator[Path]:
    """A folder, in ``parent``, with a project home and a running service; both are gone afterwards."""
    from jupyter_pipelines.orchestration.service import ensure_service, stop_service
    from jupyter_pipelines.settings import Settings

    folder = Path(tempfile.mkdtemp(prefix="faults-", dir=parent))
    before = {name: os.environ.get(name) for name in ("JUPYTER_PIPELINES_HOME", "JUPYTER_PIPELINES_STORE", MARK)}
    os.environ.pop("JUPYTER_PIPELINES_STORE", None)
    os.environ["JUPYTER_PIPELINES_HOME"] = str(folder / "home")
    try:
        ensure_service(Settings.load())  # without the mark: it outlives what is started here
        os.environ[MARK] = uuid.uuid4().hex
        yield folder
    finally:
        stop_service(Settings.load())
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        shutil.rmtree(folder, ignore_errors=True)


def marked(mark: str) -> list[psutil.Process]:
    """The processes, other than this one, that carry ``mark``."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(MARK) == mark:
                if process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        except psutil.Error:
            continue
    return found


def wait_until(condition: Callable[[], object], what: str, seconds: float = TRUE_WITHIN) -> float:
    """Wait for ``condition``; returns how long that took. Raises :class:`FaultError` when it takes too long."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise FaultError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.05)
    return time.monotonic() - began


def write_notebook(folder: Path, name: str, *cells: tuple[str, str]) -> Path:
    """A notebook of ``(tags, source)`` pairs."""
    import nbformat

    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for number, (tags, source) in enumerate(cells):
        cell = nbformat.v4.new_code_cell(source, id=f"cell-{number}")
        cell.metadata["tags"] = tags.split()
        notebook.cells.append(cell)
    path = folder / name
    nbformat.write(notebook, path)
    return path


def rounds(description: str, default: int) -> int:
    """How many rounds the command line asks for."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=default, help=f"{default} by default")
    asked: int = parser.parse_args().rounds
    return asked


def say(line: str) -> None:
    print(line, flush=True)


def report(check: Callable[[], str]) -> int:
    """Run a script's check; prints its summary, or what did not survive. Returns the exit code."""
    began = time.monotonic()
    try:
        say(f"survived: {check()} ({time.monotonic() - began:.0f} s)")
    except FaultError as error:
        say(f"FAILED: {error}")
        return 1
    return 0


sys.path.insert(0, str(Path(__file__).parent))
