"""Show what the pipeline service has written: its own log, those of the Prefect server, the launcher and the worker.

Of a traceback only what it says in the end is shown; --full shows all.

--format json: {"logs": {NAME: [LINE, ...]}}
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

POLL = 0.2  # seconds between two looks at logs that are followed
_BETWEEN = ("The above exception was", "During handling of the above")
_DETAILS = ("[SQL: ", "[parameters: ", "(Background on this error at: ")  # SQLAlchemy's
MOST = 1_000_000  # bytes that are looked at, from the end of each log


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format, positive_int

    parser.add_argument("-f", "--follow", action="store_true", help="go on and show what is added, until Ctrl-C")
    parser.add_argument("--lines", type=positive_int, default=20, metavar="N", help="of each log (default: 20)")
    parser.add_argument("--full", action="store_true", help="with tracebacks")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.settings import Settings

    folder = Settings.load().home / "logs"
    logs = sorted(path for path in folder.glob("*.log") if not path.name.endswith(".old.log"))
    ends = {path: path.stat().st_size for path in logs}
    wanted = list if arguments.full else without_tracebacks
    shown = {path.stem: wanted(_last(path, ends[path]))[-arguments.lines :] for path in logs}
    if arguments.format == "json":
        from jupyter_pipelines.cli.output import print_json

        print_json({"logs": shown})
        return 0
    if not logs:
        print("The service has never run; start it with: jupyter pipelines up")
        return 0
    for name, lines in shown.items():
        _print(name, lines)
    while arguments.follow:
        time.sleep(POLL)
        for path in logs:
            _print(path.stem, wanted(_added(path, ends)))
    return 0


def without_tracebacks(lines: Iterable[str]) -> list[str]:
    """The lines with each traceback reduced to its exceptions."""
    kept = []
    inside = False
    for line in lines:
        if line.startswith(("Traceback (most recent call last)", *_BETWEEN)):
            inside = True
        elif inside and (not line.strip() or line.startswith((" ", "\t"))):
            continue
        elif not line.startswith(_DETAILS):
            inside = False
            kept.append(line)
    return kept


def _last(path: Path, end: int) -> list[str]:
    with open(path, "rb") as file:
        file.seek(max(0, end - MOST))
        return file.read().decode(errors="replace").splitlines()


def _added(path: Path, ends: dict[Path, int]) -> list[str]:
    """The lines that were added since the last look."""
    with suppress(OSError), open(path, "rb") as file:
        size = path.stat().st_size
        file.seek(ends[path] if size >= ends[path] else 0)  # smaller: the service has begun a new one
        content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        ends[path] = file.tell() - len(content) + len(whole)
        return whole.decode(errors="replace").splitlines()
    return []


def _print(name: str, lines: list[str]) -> None:
    from jupyter_pipelines.cli.output import clean

    for line in lines:
        print(clean(f"{name:<8} | {line}"), flush=True)
