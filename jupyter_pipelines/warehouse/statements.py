"""Statements of a cell on their way to the warehouse: the frames they name, and the lines their errors are about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jupyter_pipelines.errors import SqlError
from jupyter_pipelines.warehouse.values import is_frame

if TYPE_CHECKING:
    from jupyter_pipelines.graph.sql import SqlStatement


def values_of(statement: SqlStatement, names: Mapping[str, object]) -> dict[str, object]:
    """The values among ``names`` that a statement names with a ``$``."""
    return {name: names[name] for name in statement.parameters if name in names}


def frames_of(statement: SqlStatement, names: Mapping[str, object]) -> dict[str, object]:
    """The DataFrames among ``names`` that a statement reads: those it names without a schema."""
    read = {table.table for table in statement.reads if not table.schema and not table.catalog}
    return {name: value for name in sorted(read) if is_frame(value := names.get(name))}


@contextmanager
def at_its_line(statement: SqlStatement) -> Iterator[None]:
    """Have errors say their line within the text that the statement is from."""
    try:
        yield
    except SqlError as error:
        error.line += statement.line if error.line else 0
        raise
