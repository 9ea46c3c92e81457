"""Tables between pipelines: who builds what others read, told from their notebooks as they are.

What is read of a notebook is kept until its file changes, and notebooks that speak no SQL are not compiled.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jupyter_pipelines.errors import PipelinesError
from jupyter_pipelines.graph import compile_pipeline
from jupyter_pipelines.graph.model import Pipeline
from jupyter_pipelines.notebook import read_notebook
from jupyter_pipelines.notebook.table_names import TableName, read_table_name
from jupyter_pipelines.orchestration.loading import read_source
from jupyter_pipelines.orchestration.model import RunRecord
from jupyter_pipelines.store import Store

_LARGEST = 20_000_000  # bytes of a notebook that is looked into for what it reads
_SQL = (b"%%sql", b"warehouse(")

Builders = Mapping[TableName, tuple[tuple[str, str], ...]]  # by table: who builds it, and that one's notebook


@dataclass(frozen=True, slots=True)
class Upstream:
    """A table that a pipeline reads, and the pipeline that builds it."""

    table: str
    pipeline: str  # what it is called: its name, or the path of its notebook
    notebook: str


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables that a pipeline reads without building them itself, and those that it builds."""

    read: tuple[str, ...] = ()
    written: tuple[str, ...] = ()


def tables_of(notebook: Path | str) -> Tables:
    """The tables of the pipeline of a notebook, as its file is now; none where it cannot be read."""
    try:
        found = os.stat(notebook)
    except OSError:
        return Tables()
    return _tables(str(notebook), found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=4096)
def _tables(notebook: str, _changed: int, size: int) -> Tables:
    if size > _LARGEST:
        return Tables()
    try:
        source = read_source(Path(notebook))
    except PipelinesError:
        return Tables()
    pipeline = _compiled(source, Path(notebook).name)
    return Tables(pipeline.tables_read, pipeline.tables_written) if pipeline is not None else Tables()


def _compiled(source: bytes, name: str) -> Pipeline | None:
    """The pipeline, if it speaks SQL."""
    return compile_pipeline(read_notebook(source, name)) if any(word in source for word in _SQL) else None


def upstream_of(notebook: str, builders: Builders) -> tuple[Upstream, ...]:
    """Which pipelines build the tables that the pipeline of ``notebook`` reads; see :func:`builders_of`."""
    return tuple(
        Upstream(table, pipeline, other)
        for table in tables_of(notebook).read
        if (name := read_table_name(table)) is not None
        for pipeline, other in builders.get(name, ())
        if other != notebook
    )


def builders_of(pipelines: Iterable[tuple[str, str]]) -> Builders:
    """By table the pipelines that build it; ``pipelines`` are pairs of what one is called and its notebook."""
    builders: dict[TableName, tuple[tuple[str, str], ...]] = {}
    for pipeline, notebook in pipelines:
        for table in tables_of(notebook).written:
            name = read_table_name(table)
            if name is not None:
                builders[name] = (*builders.get(name, ()), (pipeline, notebook))
    return builders


def tables_written_by(run: RunRecord, store: Store) -> tuple[str, ...]:
    """The tables that the steps of a run have built or changed: as they told, and as the source of those that
    completed shows."""
    told = {table.table for step in run.steps for table in step.tables if not step.reused_from}
    shown = _written_by_steps(str(store.root), run.version, Path(run.notebook).name)
    done = {step.name for step in run.steps if step.state == "completed"}
    return tuple(sorted(told | {table for name in done for table in shown.get(name, ())}))


@lru_cache(maxsize=256)
def _written_by_steps(store: str, version: str, name: str) -> Mapping[str, tuple[str, ...]]:
    try:
        pipeline = _compiled(Store(store).get_notebook(version), name)
    except PipelinesError:
        return {}
    return {step.name: step.tables_written for step in pipeline.steps} if pipeline is not None else {}
