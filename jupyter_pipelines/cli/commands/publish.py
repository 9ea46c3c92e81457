"""Publish a notebook: freeze it, with its files and the description of its environment, as a version.

Schedules, and `jupyter pipelines run NB --version published`, run what was published, never the file being edited.
Frozen are the notebook without outputs, the files that `files` in its metadata names, and the local modules that it
imports. What was published before stays: see `versions`, `diff` and `rollback`.

A notebook's pipeline is the one that `name` in its metadata says, else it is known by its path. After a move,
`publish NEW.ipynb --as OLD.ipynb` continues the history of the old path.

Exit codes: 0 published (or nothing had changed), 1 --verify found a difference, 2 the notebook or a file is refused.

--format json: the version: {"id", "pipeline", "notebook", "time", "author", "message", "published", "pinned", "is_new",
"files": [{"path", "address", "size", "executable"}], "environment": {"kernel", "python", "platform", "packages",
"imported"}, "notes": [diagnostics]}. Times are seconds since 1970, sizes bytes.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.versions import Version


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format, add_notebook

    add_notebook(parser)
    parser.add_argument("-m", "--message", default="", help="what is new, for those who read the list of versions")
    parser.add_argument("--as", dest="continuing", metavar="PIPELINE", help="continue this pipeline: a name, or a path")
    parser.add_argument("--verify", action="store_true", help="publish only what `verify` finds equivalent")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.arguments import notebook_path
    from jupyter_pipelines.cli.output import print_json
    from jupyter_pipelines.orchestration.versions import publish

    path = notebook_path(arguments.notebook)
    if arguments.verify:
        code = _verify(path, as_json=arguments.format == "json")
        if code:
            return code
    version = publish(path, message=arguments.message, continuing=arguments.continuing)
    if arguments.format == "json":
        print_json(version.to_dict())
    else:
        _print(arguments.notebook, version)
    return 0


def _verify(path: Path, *, as_json: bool) -> int:
    """Prove the notebook; says what differs, and returns the exit code: 0 when it may be published."""
    import sys

    from jupyter_pipelines.cli.output import clean, print_json
    from jupyter_pipelines.cli.progress import progress_on
    from jupyter_pipelines.errors import NotebookError, RequestError
    from jupyter_pipelines.orchestration import load
    from jupyter_pipelines.verification import verify

    before = path.read_bytes()
    pipeline = load(path)
    if pipeline.errors:
        raise NotebookError(path.name, pipeline.errors)
    with progress_on(sys.stderr, pipeline, {}, grid={}) as progress:
        report = verify(path, {}, on_event=progress)
    if report.exit_code:
        if as_json:
            print_json(report.to_dict())
        else:
            print(clean(report.render()))
        print("Nothing was published.", file=sys.stderr)
    elif path.read_bytes() != before:
        raise RequestError(f"{path.name} was changed while it was verified.", "Publish it again.")
    return report.exit_code


def _print(notebook: str, version: Version) -> None:
    from jupyter_pipelines.cli.diagnostics import print_diagnostics
    from jupyter_pipelines.cli.output import clean, count, size

    print_diagnostics(notebook, version.notes)
    if version.is_new:
        files = version.content.files
        frozen = f" with {count(len(files), 'file')}, {size(sum(file.size for file in files))}" if files else ""
        print(clean(f"published {version.id[:8]}: {notebook}{frozen}"))
        for file in files[:20]:
            print(clean(f"  {file.path}"))
        if len(files) > 20:
            print(f"  and {len(files) - 20:,} more")
    else:
        from jupyter_pipelines.cli.report import moment

        said = f": {version.message}" if version.message else ""
        print(clean(f"nothing new: this is version {version.id[:8]} of {moment(version.time)}{said}"))
    if not version.published:
        print(clean(f"The pipeline is pinned to another version; `jupyter pipelines rollback {notebook} --unpin`."))
