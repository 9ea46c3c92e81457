"""What a pipeline reads and writes, as its source names it: what a trigger by updates waits for, unless it is told."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from jupyter_pipelines.errors import NotebookError, RequestError
from jupyter_pipelines.graph import compile_pipeline
from jupyter_pipelines.graph.model import Pipeline
from jupyter_pipelines.notebook import read_notebook
from jupyter_pipelines.notebook.table_names import is_external, read_table_name
from jupyter_pipelines.orchestration.loading import read_source
from jupyter_pipelines.orchestration.triggers import patterns
from jupyter_pipelines.orchestration.triggers.filling import filled_in
from jupyter_pipelines.orchestration.triggers.model import OnUpdate, TriggerRecord
from jupyter_pipelines.orchestration.versions.publishing import find_version, read_content
from jupyter_pipelines.store import Store
from jupyter_pipelines.warehouse.sources.declared import sources


@dataclass(frozen=True)
class Touched:
    """Tables of the warehouse, and absolute patterns of files, that a pipeline reads of others, and that it writes."""

    tables_read: tuple[str, ...] = ()
    tables_written: tuple[str, ...] = ()
    files_read: tuple[str, ...] = ()
    files_written: tuple[str, ...] = ()


def waited_for(record: TriggerRecord) -> OnUpdate:
    """What a trigger by updates waits for now: what was said, or what its pipeline reads.

    Raises :class:`PipelinesError` where that cannot be told, as the notebook cannot be read or compiled.
    """
    assert isinstance(record.cause, OnUpdate)
    if not record.cause.reads:
        return record.cause
    touched = touched_by(record)
    return replace(record.cause, tables=touched.tables_read, files=touched.files_read)


def require_something_read(record: TriggerRecord) -> None:
    """Raise :class:`RequestError` when nothing could set off a trigger that waits for what its pipeline reads."""
    cause = waited_for(record)
    if not (cause.tables or cause.files or cause.outputs):
        raise RequestError(
            f"{Path(record.notebook).name} reads no table and no file that could be updated, as far as its source "
            "names them.",
            'Say what is waited for, such as "table:mart.orders", "data/*.csv" or "load.ipynb:orders".',
        )


def touched_by(record: TriggerRecord) -> Touched:
    """What the pipeline that ``record`` runs reads and writes. Raises as :func:`waited_for`."""
    known = tuple(sorted(sources().known_names()))
    given = json.dumps(dict(record.parameters), default=str, sort_keys=True)
    if not record.version:
        try:
            found = os.stat(record.notebook)
        except OSError:
            read_source(Path(record.notebook))  # says what is wrong with it
            raise
        return _of_file(record.notebook, found.st_mtime_ns, found.st_size, given, known)
    version = find_version(Store(record.store), record.pipeline, record.version, record.notebook).id
    return _of_version(record.store, version, record.notebook, given, known)


def may_set_off(writer: Touched, cause: OnUpdate) -> bool:
    """Whether runs that write what ``writer`` does are what ``cause`` waits for."""
    tables = {read_table_name(table) for table in writer.tables_written}
    if any(read_table_name(table) in tables for table in cause.tables):
        return True
    return any(_overlap(written, pattern) for written in writer.files_written for pattern in cause.files)


def _overlap(one: str, other: str) -> bool:
    """Whether two patterns may be about one file: one names what the other matches."""
    return one == other or patterns.matches(_plain(one), other) or patterns.matches(_plain(other), one)


def _plain(pattern: str) -> str:
    """A file that the pattern names, if it names one; else as good as one that it matches."""
    return pattern.replace("[[]", "[").replace("[*]", "*").replace("[?]", "?")


@lru_cache(maxsize=256)
def _of_file(notebook: str, _changed: int, _size: int, given: str, known: tuple[str, ...]) -> Touched:
    return _touched(read_source(Path(notebook)), notebook, given, known)


@lru_cache(maxsize=256)
def _of_version(store: str, version: str, notebook: str, given: str, known: tuple[str, ...]) -> Touched:
    kept = Store(store)
    return _touched(kept.get_notebook(read_content(kept, version).notebook), notebook, given, known)


def _touched(source: bytes, notebook: str, given: str, known: tuple[str, ...]) -> Touched:
    """``given`` is what the trigger says of the parameters, as JSON."""
    path = Path(notebook)
    document = read_notebook(source, path.name)
    pipeline = compile_pipeline(document, sources=frozenset(known))
    if pipeline.errors:
        raise NotebookError(path.name, pipeline.errors)
    if document.parameters:
        pipeline = compile_pipeline(filled_in(document, json.loads(given)), sources=frozenset(known))
    written = _patterns(_files(pipeline, writes=True), path.parent)
    read = _patterns(_files(pipeline, writes=False), path.parent)
    tables = ((table, read_table_name(table)) for table in pipeline.tables_read)
    return Touched(
        tuple(table for table, name in tables if name is not None and not is_external(name, known)),
        pipeline.tables_written,
        tuple(pattern for pattern in read if pattern not in written),
        written,
    )


def _files(pipeline: Pipeline, *, writes: bool) -> Iterable[str]:
    return (path for step in pipeline.steps for path in (step.files_written if writes else step.files_read))


def _patterns(paths: Iterable[str], folder: Path) -> tuple[str, ...]:
    return tuple(dict.fromkeys(pattern for path in paths for pattern in _pattern(path, folder)))


def _pattern(path: str, folder: Path) -> Iterator[str]:
    """The pattern of a file, and of those below it should it be a folder; nothing for what is on another machine."""
    if "://" in path or not path.strip("./"):
        return
    whole = path.rstrip("/")
    try:
        yield patterns.absolute(whole, folder)
        if os.path.isdir(folder / whole) or not (glob.has_magic(whole) or Path(whole).suffix):
            yield patterns.absolute(f"{whole}/**", folder)
    except RequestError:  # no name that a file could have
        return
