"""Comparing two versions, or a version with the notebook as it is: cell by cell, as a review reads it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from difflib import unified_diff
from pathlib import Path
from typing import Any, Literal

from jupyter_pipelines.notebook import read_notebook
from jupyter_pipelines.notebook.check_magic import split_checks
from jupyter_pipelines.notebook.frozen import without_outputs
from jupyter_pipelines.notebook.model import Cell, NotebookDocument, Parameter, Role, StepOptions
from jupyter_pipelines.notebook.parse import parse
from jupyter_pipelines.notebook.sql_cells import magic_body
from jupyter_pipelines.orchestration.loading import read_source
from jupyter_pipelines.orchestration.versions.cells import CellPrint, Match, cell_prints, match_cells
from jupyter_pipelines.orchestration.versions.environment import describe_environment
from jupyter_pipelines.orchestration.versions.files import find_files, read_file
from jupyter_pipelines.orchestration.versions.model import Content, Environment
from jupyter_pipelines.orchestration.versions.publishing import PUBLISHED, get_version
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store
from jupyter_pipelines.typed import typed

_LARGEST_TEXT = 200_000  # bytes of a file whose lines are compared
_CONTEXT = 2  # lines around a change


@dataclass(frozen=True, slots=True)
class Change:
    """Something with a name that has another value: an option, a parameter, a package. ``None``: it is not there."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class CellChange:
    """A cell that differs. Numbers are 1-based, ``before`` is ``None`` for an added cell, ``after`` for a removed one.

    ``lines`` are those of a unified diff of its source, without headers; ``marks`` are its role, tags and options as
    far as they differ; ``sql`` says what another text of a ``%%sql`` cell means to those who rely on its result.
    """

    kind: Literal["added", "removed", "changed", "moved"]
    before: int | None
    after: int | None
    first_line: str
    moved: bool = False  # of a changed cell: it stands elsewhere, too
    lines: tuple[str, ...] = ()
    marks: tuple[Change, ...] = ()
    sql: str = ""


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that differs; ``lines`` as for cells where it is text of moderate size."""

    kind: Literal["added", "removed", "changed"]
    path: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class VersionDiff:
    """What differs between version ``old`` and version ``new``; ``""`` is the notebook as it is now."""

    old: str
    new: str
    cells: tuple[CellChange, ...] = ()
    parameters: tuple[Change, ...] = ()
    options: tuple[Change, ...] = ()  # of steps (`step train: retries`) and of the pipeline (`max_parallel`)
    files: tuple[FileChange, ...] = ()
    environment: tuple[Change, ...] = ()  # Python, kernel, platform and packages

    @property
    def is_empty(self) -> bool:
        return not (self.cells or self.parameters or self.options or self.files or self.environment)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)


@dataclass(frozen=True)
class _Side:
    """One of the two that are compared."""

    id: str
    document: NotebookDocument
    cells: tuple[CellPrint, ...]
    environment: Environment
    addresses: Mapping[str, str]
    store: Store | None = None  # else the files are in `folder`
    folder: Path = Path()

    def read(self, path: str) -> bytes:
        if self.store is not None:
            return self.store.get(self.addresses[path], f"file {path}")
        return read_file(path, self.folder / path)[0]


@typed
def diff(
    notebook: Path | str, old: str = PUBLISHED, new: str | None = None, content: bytes | None = None
) -> VersionDiff:
    """Compare version ``old`` of the notebook with version ``new``, or with the notebook as it is now.

    ``content`` stands for what the notebook's file does not hold yet, as in :func:`drift`.
    Raises :class:`RequestError` for an unknown version, or a notebook whose files cannot be found.
    """
    store = Store(Settings.load().store)
    before = _of_version(store, get_version(notebook, old).id, get_version(notebook, old).content, str(notebook))
    if new is None:
        after = _of_file(Path(os.path.expanduser(notebook)), content)
    else:
        chosen = get_version(notebook, new)
        after = _of_version(store, chosen.id, chosen.content, str(notebook))
    return VersionDiff(
        old=before.id,
        new=after.id,
        cells=tuple(_cell_changes(before, after)),
        parameters=tuple(_changes(_parameters(before.document), _parameters(after.document))),
        options=tuple(_changes(_options(before.document), _options(after.document))),
        files=tuple(_file_changes(before, after)),
        environment=tuple(_changes(_environment(before.environment), _environment(after.environment))),
    )


def compare_sources(old: str, new: str, notebook: str) -> tuple[CellChange, ...]:
    """In which cells two frozen notebooks differ, by their addresses. Raises :class:`StoreError` when one is gone."""
    store, nothing = Store(Settings.load().store), Environment("", "", "")
    before, after = (
        _of_version(store, "", Content(address, Path(notebook).suffix, (), nothing), notebook) for address in (old, new)
    )
    return tuple(_cell_changes(before, after))


def _of_version(store: Store, version: str, content: Content, notebook: str) -> _Side:
    source = store.get_notebook(content.notebook)
    name = Path(notebook).with_suffix(content.suffix).name
    addresses = {file.path: file.address for file in content.files}
    document = read_notebook(source, name)
    return _Side(version, document, cell_prints(parse(source, name)), content.environment, addresses, store)


def _of_file(path: Path, content: bytes | None) -> _Side:
    source = without_outputs(read_source(path) if content is None else content)
    document = read_notebook(source, path.name)
    found = find_files(document, path)
    return _Side(
        "",
        document,
        cell_prints(parse(source, path.name)),
        describe_environment(document.kernel_name, found.foreign),
        {name: Store.address(read_file(name, place)[0], ".file") for name, place in found.files.items()},
        folder=path.absolute().parent,
    )


def _cell_changes(before: _Side, after: _Side) -> Iterator[CellChange]:
    for match in match_cells(before.cells, after.cells):
        if match.old is None and match.new is not None:
            cell = after.document.cells[match.new]
            lines = tuple(f"+{line}" for line in cell.source.splitlines())
            yield CellChange("added", None, cell.number, cell.first_line, lines=lines, marks=_marks(None, cell))
        elif match.new is None and match.old is not None:
            cell = before.document.cells[match.old]
            lines = tuple(f"-{line}" for line in cell.source.splitlines())
            yield CellChange("removed", cell.number, None, cell.first_line, lines=lines, marks=_marks(cell, None))
        else:
            yield from _changed(match, before, after)


def _changed(match: Match, before: _Side, after: _Side) -> Iterator[CellChange]:
    assert match.old is not None
    assert match.new is not None
    old, new = before.document.cells[match.old], after.document.cells[match.new]
    lines, marks = _unified(old.source, new.source), _marks(old, new)
    name = new.first_line or old.first_line
    if lines or marks:
        sql = _meaning(old, new) if lines else ""
        yield CellChange("changed", old.number, new.number, name, match.moved, lines, marks, sql)
    elif match.moved:
        yield CellChange("moved", old.number, new.number, name)


def _meaning(old: Cell, new: Cell) -> str:
    if old.sql is None or new.sql is None:
        return ""
    if old.sql != new.sql:
        return "what is built, or how"
    from jupyter_pipelines.graph.sql.changes import compare

    before, after = (split_checks(magic_body(cell)[1])[0].strip() for cell in (old, new))
    change = compare(before, after)
    return str(change) if change.kind != "same" else "checks only"


def _marks(old: Cell | None, new: Cell | None) -> tuple[Change, ...]:
    return tuple(_changes(_marks_of(old), _marks_of(new)))


def _marks_of(cell: Cell | None) -> dict[str, str]:
    if cell is None or cell.role is Role.TEXT:
        return {}
    marks = {"role": f"step {cell.step}" if cell.role is Role.STEP else str(cell.role)}
    return marks | ({"tags": " ".join(sorted(cell.tags))} if cell.tags else {})


def _unified(old: str, new: str) -> tuple[str, ...]:
    if old == new:
        return ()
    lines = unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=_CONTEXT)
    return tuple(line for line in list(lines)[2:] if not line.startswith("@@")) or ("-", "+")


def _parameters(document: NotebookDocument) -> dict[str, str]:
    return {parameter.name: _signature(parameter) for parameter in document.parameters}


def _signature(parameter: Parameter) -> str:
    if parameter.required:
        return parameter.annotation
    return f"{parameter.annotation} = {'…' if parameter.computed else repr(parameter.default)}"


def _options(document: NotebookDocument) -> dict[str, str]:
    found = {
        field.name: str(value)
        for field in fields(document.options)
        if (value := getattr(document.options, field.name)) != field.default
    }
    plain = StepOptions()
    for step, options in document.steps.items():
        for field in fields(options):
            value = getattr(options, field.name)
            if value != getattr(plain, field.name):
                found[f"step {step}: {field.name}"] = _plain(value)
    return found


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _environment(environment: Environment) -> dict[str, str]:
    machine = {"python": environment.python, "kernel": environment.kernel, "platform": environment.platform}
    return {name: value for name, value in machine.items() if value} | dict(environment.packages)


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) != after.get(name):
            yield Change(name, before.get(name), after.get(name))


def _file_changes(before: _Side, after: _Side) -> Iterator[FileChange]:
    for path in sorted({*before.addresses, *after.addresses}):
        if path not in after.addresses:
            yield FileChange("removed", path)
        elif path not in before.addresses:
            yield FileChange("added", path)
        elif before.addresses[path] != after.addresses[path]:
            yield FileChange("changed", path, _text_lines(before.read(path), after.read(path)))


def _text_lines(old: bytes, new: bytes) -> tuple[str, ...]:
    if max(len(old), len(new)) > _LARGEST_TEXT or b"\0" in old + new:
        return ()
    try:
        return _unified(old.decode(), new.decode())
    except UnicodeDecodeError:
        return ()
