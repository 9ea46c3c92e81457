"""List the versions of a notebook that were published, the newest first.

Tells whether the published version would still work here today (packages that are missing or have another major
version, a kernel that is gone, code that no longer compiles), and how far the notebook has drifted from it.

NB may also be the name of a pipeline, or the path of a notebook that is gone.

--format json: {"versions": [...] as `publish` reports them, "notes" those of today; "drift": {"version", "cells":
[{"kind", "number", "before"}], "files", "settings", "counts", "clean"} or null}
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.versions import Drift, Version


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format, add_notebook

    add_notebook(parser)
    parser.add_argument("--check", action="store_true", help="say of every version whether it would work today")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from dataclasses import replace

    from jupyter_pipelines.cli.arguments import notebook_path
    from jupyter_pipelines.cli.output import clean, print_json
    from jupyter_pipelines.orchestration.versions import check_version, drift, versions

    found = versions(arguments.notebook)
    path = Path(os.path.expanduser(arguments.notebook))
    if not found:
        notebook_path(arguments.notebook)
    found = [
        replace(version, notes=check_version(version.id)) if version.published or arguments.check else version
        for version in found
    ]
    drifted = drift(path) if found and path.is_file() else None
    if arguments.format == "json":
        listed = [version.to_dict() for version in found]
        print_json({"versions": listed, "drift": drifted.to_dict() if drifted is not None else None})
    elif not found:
        print(
            clean(f"no version of {arguments.notebook} was published: jupyter pipelines publish {arguments.notebook}")
        )
    else:
        _print(found, drifted, arguments.notebook)
    return 0


def _print(found: Sequence[Version], drifted: Drift | None, notebook: str) -> None:
    from rich.table import Table
    from rich.text import Text

    from jupyter_pipelines.cli.output import clean, console
    from jupyter_pipelines.cli.report import moment, print_table

    table = Table(box=None, pad_edge=False, show_header=False)
    for version in found:
        mark = "pinned" if version.pinned else "published" if version.published else ""
        table.add_row(
            Text(version.id[:8], "bold" if mark else ""),
            Text(f"v{version.number}", "dim"),
            Text(mark, "green"),
            moment(version.time),
            Text(clean(version.author)),
            Text(clean(version.message)),
        )
    print_table(table)
    screen = console()
    for version in found:
        for note in version.notes:
            style = "bold red" if note.is_error else "yellow" if note.severity == "warning" else "dim"
            fix = f" {note.fix}" if note.fix else ""
            told = f"{note.severity} {note.code}: {note.message.rstrip('.')}."
            screen.print(Text.assemble((f"{version.id[:8]} ", "dim"), (clean(told), style), clean(fix)), soft_wrap=True)
    if drifted is not None and not drifted.is_clean:
        screen.print(
            Text(clean(f"The notebook has drifted from {drifted.version[:8]}: {_told(drifted)}.")), soft_wrap=True
        )
        screen.print(Text(clean(f"  jupyter pipelines diff {notebook}"), "dim"), soft_wrap=True)


def _told(drifted: Drift) -> str:
    from jupyter_pipelines.cli.output import count

    parts = [
        f"{count(drifted.count(kind), 'cell')} {kind}"
        for kind in ("changed", "added", "removed", "moved")
        if drifted.count(kind)
    ]
    parts += [f"{count(len(drifted.files), 'file')} changed"] if drifted.files else []
    return ", ".join(parts + (["its settings changed"] if drifted.settings else []))
