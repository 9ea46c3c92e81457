"""The warehouse of a verification: a copy for each run, so that the author's own is only read, and what it holds then.

Every run finds the tables as they were; where no cell can reach others than it names, only those have their rows. What
the pipeline has left in the tables it writes is compared with what the notebook as a whole has left there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_pipelines.graph.reach import reachable_tables
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.verification.model import ValueReport

if TYPE_CHECKING:
    from jupyter_pipelines.graph.model import Pipeline

_VARIABLE = "JUPYTER_PIPELINES_WAREHOUSE"
Contents = Mapping[str, str]  # a fingerprint of each table


class Tables:
    """The tables that a pipeline writes, in a warehouse of its own below ``folder``; nothing if it uses none."""

    def __init__(self, pipeline: Pipeline, folder: Path) -> None:
        self._is_used = any(step.uses_warehouse for step in pipeline.steps)
        self._step_of = {table: step.name for step in pipeline.steps for table in step.tables_written}
        self._reached = reachable_tables(pipeline.document)
        self._own = Settings.load().warehouse
        self._folder = folder
        self._number = 0
        self._copy: Path | None = None

    def renew(self) -> None:
        """Have the next run find what the author's warehouse holds now, in a file that no run has touched."""
        if not self._is_used:
            return
        from jupyter_pipelines.warehouse import Warehouse
        from jupyter_pipelines.warehouse.databases.declared import CATALOG, is_lake

        self.release()
        self._number += 1
        kind = CATALOG if is_lake(self._own) else ".duckdb"  # what one refuses, both do
        self._copy = self._folder / f"warehouse-{self._number}{kind}"
        if self._own.exists():
            Warehouse(self._own).copy_to(self._copy, only=self._reached)
        os.environ[_VARIABLE] = str(self._copy)

    def release(self) -> None:
        """Have the copy closed, and removed."""
        from jupyter_pipelines.warehouse import Warehouse
        from jupyter_pipelines.warehouse.owner.copying import remove_database

        copy, self._copy = self._copy, None
        if copy is not None:
            Warehouse(copy).release(force=True)
            remove_database(copy)

    def contents(self) -> Contents:
        """What the tables hold by now."""
        if not self._step_of:
            return {}
        from jupyter_pipelines.warehouse import open_session
        from jupyter_pipelines.warehouse.fingerprints import fingerprints

        session = open_session()
        try:
            return fingerprints(session, self._step_of)
        finally:
            session.close()

    def compare(self, got: Contents, references: Sequence[Contents]) -> tuple[ValueReport, ...]:
        """Each table after the pipeline against the same table after each run of the whole notebook."""
        return tuple(
            _compare(step, table, got[table], [contents[table] for contents in references])
            for table, step in self._step_of.items()
        )


def _compare(step: str, table: str, got: str, expected: Sequence[str]) -> ValueReport:
    if got in expected:
        return ValueReport(step, table, "table", "same")
    detail = f"the pipeline left {_rows(got)}, the notebook as a whole {_rows(expected[0])}"
    detail += " that are not the same" if _rows(got) == _rows(expected[0]) else ""
    return ValueReport(step, table, "table", "nondeterministic" if len(set(expected)) > 1 else "different", detail)


@contextmanager
def scratch_tables(pipeline: Pipeline, folder: Path) -> Iterator[Tables]:
    """While inside, this process and its kernels have a warehouse below ``folder``, if the pipeline uses one."""
    before = os.environ.get(_VARIABLE)
    tables = Tables(pipeline, folder)
    try:
        yield tables
    finally:
        tables.release()
        if before is None:
            os.environ.pop(_VARIABLE, None)
        else:
            os.environ[_VARIABLE] = before


def _rows(fingerprint: str) -> str:
    """``12 rows`` of a fingerprint, or that there is no table."""
    return " ".join(fingerprint.split()[:2]) if fingerprint != "missing" else "no table"
