"""Set how long runs are kept: those of one pipeline, or of all where NB is left out. Without options, show it.

A run goes when it is beyond any of the limits, with its executed notebook and every value that no run left refers to.
Runs that go on, that another run continues, or that are marked by `keep` stay, and published versions always do.
Nothing is removed by default. The service removes what is beyond within hours; `gc` shows it, and `gc --yes` removes it
at once. JUPYTER_PIPELINES_KEEP_RUNS, _KEEP_DAYS and _KEEP_SIZE set limits where nothing is set here.

--format json: {"pipeline": NAME or null, "keep_runs": N or null, "keep_days": N or null, "keep_size": BYTES or null},
the limits that hold; null is none.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.retention import Retention

NAMES = ("keep_runs", "keep_days", "keep_size")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    parser.add_argument("notebook", metavar="NB", nargs="?", help="a notebook, or a pipeline's name; all by default")
    parser.add_argument("--keep-runs", metavar="N", help="the newest N runs; `all` sets no limit")
    parser.add_argument("--keep-days", metavar="N", help="those that ended in the last N days, or `all`")
    parser.add_argument("--keep-size", metavar="SIZE", help="the newest that take no more than 5GB, say, or `all`")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    from jupyter_pipelines.cli.output import print_json, short_path
    from jupyter_pipelines.orchestration.retention import own_retention, own_retentions, retention, set_retention

    given = {name: text for name in NAMES if (text := getattr(arguments, name)) is not None}
    if given:
        before = asdict(own_retention(arguments.notebook))
        set_retention(arguments.notebook, **(before | {name: _read(name, text) for name, text in given.items()}))
    found = retention(arguments.notebook)
    if arguments.format == "json":
        print_json({"pipeline": arguments.notebook, **asdict(found)})
    else:
        print(_told(found, arguments.notebook))
        for pipeline, own in own_retentions().items() if arguments.notebook is None else ():
            print(_told(own, short_path(pipeline)))
    return 0


def _read(name: str, text: str) -> float | int | None:
    from jupyter_pipelines.errors import RequestError
    from jupyter_pipelines.settings import read_size

    if text == "all":
        return None
    if name == "keep_size":
        return read_size(text)
    try:
        return int(text) if name == "keep_runs" else float(text)
    except ValueError:
        option = f"--{name.replace('_', '-')}"
        raise RequestError(f"{option} {text} is not a number.", f"Write {option} 100, or `all`.") from None


def _told(found: Retention, notebook: str | None) -> str:
    from jupyter_pipelines.cli.output import clean, count, size

    whose = clean(notebook) if notebook else "every pipeline"
    said = []
    if found.keep_runs is not None:
        said.append(f"the newest {count(found.keep_runs, 'run')}")
    if found.keep_days is not None:
        said.append(f"of the last {found.keep_days:g} days")
    if found.keep_size is not None:
        said.append(f"up to {size(found.keep_size)}")
    if not said:
        return f"{whose}: all runs are kept"
    return f"{whose}: kept are {', '.join(said)}; `jupyter pipelines gc` shows what goes next"
