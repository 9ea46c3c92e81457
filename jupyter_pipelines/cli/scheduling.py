"""What the commands about schedules and backfills have in common: parameters, and changing one of them by its id."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from jupyter_pipelines.errors import RequestError

if TYPE_CHECKING:
    from jupyter_pipelines.notebook.model import NotebookDocument


@dataclass(frozen=True)
class Kind:
    """Something that is paused, resumed and removed by its id: where it is, who finds it, and who changes it."""

    room: str
    find: str
    changes: Mapping[str, str]  # the name of a command -> the function that carries it out
    describe: str = ""  # the function that makes JSON of it; by default it has a `to_dict`

    @property
    def module(self) -> ModuleType:
        """The room that keeps it."""
        return import_module(f"jupyter_pipelines.orchestration.{self.room}")


KINDS: Mapping[str, Kind] = {
    "schedule": Kind(
        "scheduling",
        "get_schedule",
        {"pause": "pause", "unpause": "unpause", "unschedule": "unschedule"},
        "describe",
    ),
    "trigger": Kind(
        "triggers", "get_trigger", {"pause": "pause", "unpause": "unpause", "unschedule": "unschedule"}, "describe"
    ),
    "backfill": Kind(
        "backfills",
        "get_backfill",
        {"pause": "pause_backfill", "unpause": "resume_backfill", "cancel": "cancel_backfill"},
    ),
}


def add_id(parser: argparse.ArgumentParser, what: str) -> None:
    """``ID`` and ``--format``; ``what`` may be meant by it."""
    from jupyter_pipelines.cli.arguments import add_format

    parser.add_argument("id", metavar="ID", help=what)
    add_format(parser)


def change(arguments: argparse.Namespace, command: str, done: str, **options: object) -> int:
    """Do what ``command`` does to what was named, and say that it is ``done``; returns the exit code."""
    from jupyter_pipelines.cli.output import print_json

    name, kind, found = kind_of(arguments.id, command)
    if options and name != "backfill":
        raise RequestError(f"{arguments.id} is a {name}: there are no windows to skip.", "Leave --skip out.")
    before = _described(kind, found)
    changed = getattr(kind.module, kind.changes[command])(arguments.id, **options)
    if arguments.format == "json":
        print_json(before if command == "unschedule" else _described(kind, changed))
        return 0
    waiting = before.get("waiting") if command in {"pause", "unschedule"} else None
    dropped = f"; dropped, because they waited for an earlier run to end: {', '.join(waiting)}" if waiting else ""
    print(f"{changed.id}: {done}{dropped}")
    return 0


def _described(kind: Kind, found: Any) -> dict[str, Any]:
    description: dict[str, Any] = getattr(kind.module, kind.describe)(found) if kind.describe else found.to_dict()
    return description


def kind_of(identifier: str, command: str) -> tuple[str, Kind, Any]:
    """What ``identifier`` names among that which ``command`` changes. Raises :class:`RequestError`."""
    possible = {name: kind for name, kind in KINDS.items() if command in kind.changes}
    found: list[tuple[str, Kind, Any]] = []
    refusal = None
    for name, kind in possible.items():
        try:
            found.append((name, kind, getattr(kind.module, kind.find)(identifier)))
        except RequestError as error:
            refusal = refusal or error
    if len(found) == 1:
        return found[0]
    if found:
        kinds = " and a ".join(name for name, _, _ in found)
        raise RequestError(f"{identifier!r} is a {kinds}.", "Give more of the id.")
    assert refusal is not None, "nothing was found"
    if len(possible) == 1 or "meant" in refusal.message:
        raise refusal
    lists = " and ".join(f"`jupyter pipelines {name}s`" for name in possible)
    raise RequestError(f"There is no {' and no '.join(possible)} {identifier!r}.", f"{lists} list them.")


def read_expressions(arguments: argparse.Namespace, version: str | None) -> dict[str, object]:
    """What ``-p`` and ``-f`` say as JSON values, by the types that the notebook that runs declares.

    Expressions stay as they are written: they are evaluated for each run.
    """
    from jupyter_pipelines.cli.arguments import read_parameters, split_assignment
    from jupyter_pipelines.notebook import parameters_json

    if not (arguments.parameters or arguments.parameters_file):
        return {}
    document = _document(arguments.notebook, version)
    plain = [text for text in arguments.parameters if "{{" not in text]
    expressions = [split_assignment(text, "-p") for text in arguments.parameters if "{{" in text]
    values = parameters_json(document, read_parameters(document, plain, arguments.parameters_file))
    return values | dict(expressions)


def _document(notebook: str, version: str | None) -> NotebookDocument:
    """The notebook that is to run: a version of it, or the file."""
    from pathlib import Path

    from jupyter_pipelines.cli.arguments import load_pipeline
    from jupyter_pipelines.orchestration.versions import get_version, load_version, versions

    if version == "file" or (
        version is None and Path(os.path.expanduser(notebook)).exists() and not versions(notebook)
    ):
        return load_pipeline(notebook).document
    return load_version(get_version(notebook, version or "published")).document
