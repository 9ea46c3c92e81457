"""The files of a version: those that the notebook declares by ``files`` patterns, and the local modules it imports.

All lie below the notebook's folder, links followed; what does not is refused, by name, before anything is kept.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from jupyter_pipelines.diagnostics import Diagnostic, Severity
from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.notebook.model import NotebookDocument, Role
from jupyter_pipelines.orchestration.versions.modules import LocalModules, find_local_modules
from jupyter_pipelines.orchestration.versions.paths import IGNORED, is_below, is_safe

MOST_FILES = 10_000
LARGEST_FILE = 200_000_000  # bytes
LARGEST_VERSION = 1_000_000_000  # bytes of all files
_LEAVE_OUT = "Leave it out of `files`: what is not declared is read from beside the notebook when the version runs."


@dataclass(frozen=True)
class FoundFiles:
    """The files by their path below the notebook's folder, and what was found on the way."""

    files: Mapping[str, Path]
    foreign: frozenset[str]  # top-level modules that are imported and not local
    notes: tuple[Diagnostic, ...]


def find_files(document: NotebookDocument, notebook: Path) -> FoundFiles:
    """The files that belong to a version of the notebook at ``notebook``; their content is not looked at.

    Raises :class:`RequestError` for a pattern that matches nothing or leads out of the folder, and for too many files.
    """
    folder = notebook.absolute().parent
    found: dict[str, Path] = {}
    for pattern in document.options.files:
        matched = dict(_matching(pattern, folder, notebook.name))
        if not matched:
            raise RequestError(
                f"`files` of {document.name} has the pattern {pattern!r}, which nothing beside the notebook matches.",
                "Mend the pattern in the notebook's metadata, or put the file there.",
            )
        found |= matched
        _check_number(found)
    modules = _modules(document, folder)
    for path in sorted(modules.files):
        found.setdefault(*_named(path, folder))
    _check_number(found)
    return FoundFiles(dict(sorted(found.items())), frozenset(modules.foreign), tuple(_notes(modules)))


def read_file(path: str, place: Path) -> tuple[bytes, bool]:
    """The content of the file of a version, and whether it is executable. Raises :class:`RequestError`."""
    try:
        descriptor = os.open(place, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise RequestError(f"{path} is not a regular file, so it cannot be frozen.", _LEAVE_OUT)
            content = file.read(LARGEST_FILE + 1) if status.st_size <= LARGEST_FILE else b""
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}.", "Check its permissions.") from None
    if status.st_size > LARGEST_FILE or len(content) > LARGEST_FILE:
        raise RequestError(
            f"{path} has {_megabytes(status.st_size)}; the most is {_megabytes(LARGEST_FILE)}.", _LEAVE_OUT
        )
    return content, bool(status.st_mode & stat.S_IXUSR)


def check_total(size: int) -> None:
    """Raise :class:`RequestError` when the files of a version are larger, together, than they may be."""
    if size > LARGEST_VERSION:
        raise RequestError(
            f"The files of this version have more than {_megabytes(LARGEST_VERSION)} together.",
            "Declare fewer in `files`: what is not declared is read from beside the notebook when the version runs.",
        )


def _matching(pattern: str, folder: Path, notebook: str) -> Iterator[tuple[str, Path]]:
    plain = pattern.rstrip("/").removeprefix("./")
    if not is_safe(plain):
        raise RequestError(
            f"The pattern {pattern!r} in `files` leads out of the notebook's folder.",
            "Name files in the notebook's folder or below it, with / between the parts.",
        )
    try:
        for place in folder.glob(plain):
            for path in _files_at(place):
                if path.name != notebook or path.parent != folder:
                    yield _named(path, folder)
    except (OSError, ValueError, NotImplementedError, RecursionError) as error:
        raise RequestError(f"The pattern {pattern!r} in `files` cannot be looked up: {error}.", "Mend it.") from None


def _files_at(place: Path) -> Iterator[Path]:
    """``place``, or all files below it when it is a folder."""
    if place.name in IGNORED or IGNORED.intersection(place.parts):
        return
    if not place.is_dir() or place.is_symlink():
        yield place
        return
    for path in sorted(place.iterdir()):
        yield from _files_at(path)


def _named(path: Path, folder: Path) -> tuple[str, Path]:
    """The name of ``path`` in a version. Raises :class:`RequestError` when it cannot be in one."""
    name = os.path.normpath(path.relative_to(folder) if path.is_relative_to(folder) else path).replace(os.sep, "/")
    shown = name.encode("utf-8", "backslashreplace").decode()
    if not is_below(path, folder):
        raise RequestError(f"{shown} leads out of the notebook's folder, to {os.path.realpath(path)}.", _LEAVE_OUT)
    if not is_safe(name):
        raise RequestError(f"{shown} has a name that other systems cannot have.", "Rename it.")
    if path.is_dir():
        raise RequestError(f"{shown} is a link to a folder.", "Declare the folder itself, or leave it out of `files`.")
    return name, path


def _check_number(found: Mapping[str, Path]) -> None:
    if len(found) > MOST_FILES:
        raise RequestError(f"This version would have more than {MOST_FILES:,} files.", "Declare fewer in `files`.")


def _modules(document: NotebookDocument, folder: Path) -> LocalModules:
    if not document.is_python:
        return LocalModules()
    return find_local_modules(sources_of(document), folder)


def sources_of(document: NotebookDocument) -> Iterable[str]:
    """The Python that runs of the notebook execute."""
    return [cell.python for cell in document.cells if cell.python and cell.role not in (Role.SKIP, Role.TEXT)]


def _notes(modules: LocalModules) -> Iterator[Diagnostic]:
    for name, path in sorted(modules.outside.items()):
        yield Diagnostic(
            "JP601",
            Severity.WARNING,
            f"`import {name}` reads {path}, outside of the notebook's folder: it is not frozen, runs take it as it is.",
            "Move it beside the notebook, or install it as a package.",
        )


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.0f} MB"
