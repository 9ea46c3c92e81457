"""The tables that a notebook's SQL builds: by which step, how, and of which columns of which other tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jupyter_pipelines.graph.digests import EXECUTED
from jupyter_pipelines.graph.model import Pipeline
from jupyter_pipelines.graph.sql import SqlStatement
from jupyter_pipelines.graph.sql.columns import EVERY_COLUMN, ColumnsOf, ColumnSource, lineage
from jupyter_pipelines.graph.sql_cells import statements_of
from jupyter_pipelines.notebook.model import Cell
from jupyter_pipelines.notebook.table_names import TableName


@dataclass(frozen=True, slots=True)
class BuiltTable:
    """A table or view that one cell builds or adds to.

    ``how`` is the cell's ``--materialize``, or the kind of the statement; ``columns`` say what each is made of, and are
    empty where that cannot be told.
    """

    name: TableName
    step: str
    cell: int  # number
    how: str
    reads: tuple[TableName, ...]
    columns: Mapping[str, tuple[ColumnSource, ...]]


@dataclass(frozen=True)
class TableLineage:
    """All tables that a notebook builds, in its order; a table stands there once for each cell that does."""

    tables: tuple[BuiltTable, ...] = ()

    def of(self, table: TableName) -> TableLineage:
        """The table, and those that it is made of, directly or not. Raises :class:`KeyError` for one not built here."""
        wanted = {table}
        if not any(built.name == table for built in self.tables):
            raise KeyError(str(table))
        for built in reversed(self.tables):
            if built.name in wanted:
                wanted.update(built.reads)
        return TableLineage(tuple(built for built in self.tables if built.name in wanted))

    def to_json(self) -> dict[str, object]:
        """``tables``: ``name``, ``step``, ``cell``, ``how``, ``reads``; ``columns``: ``name`` and ``sources``, each
        with ``table``, ``column`` and ``certain``."""
        return {
            "tables": [
                {
                    "name": str(built.name),
                    "step": built.step,
                    "cell": built.cell,
                    "how": built.how,
                    "reads": [str(name) for name in built.reads],
                    "columns": [
                        {
                            "name": column,
                            "sources": [
                                {"table": str(one.table), "column": one.column, "certain": one.certain}
                                for one in sources
                            ],
                        }
                        for column, sources in built.columns.items()
                    ],
                }
                for built in self.tables
            ]
        }


def table_lineage(pipeline: Pipeline, columns_of: ColumnsOf = lambda _: None) -> TableLineage:
    """The tables that the SQL cells of a pipeline build; ``columns_of`` gives those of tables that others made."""
    built: list[BuiltTable] = []
    known: dict[TableName, tuple[str, ...]] = {}

    def columns(name: TableName) -> tuple[str, ...] | None:
        return known.get(name) or tuple(columns_of(name) or ()) or None

    for cell in pipeline.document.cells:
        if cell.sql is None or cell.role not in EXECUTED:
            continue
        for statement in statements_of(cell):
            for name in statement.temporary:
                known[name] = tuple(lineage(statement.text, columns))
        for name, how, statement in _built_by(cell):
            made = lineage(statement.text, columns)
            built.append(BuiltTable(name, cell.step or "setup", cell.number, how, statement.reads, made))
            if made and EVERY_COLUMN not in made and name not in known:
                known[name] = tuple(made)
    return TableLineage(tuple(built))


def _built_by(cell: Cell) -> Iterator[tuple[TableName, str, SqlStatement]]:
    assert cell.sql is not None
    statements = statements_of(cell)
    for statement in statements:
        if statement.kind in {"create table", "create view", "insert", "merge"}:
            for name in statement.writes:
                yield name, statement.kind.removeprefix("create "), statement
    if cell.sql.table is not None and statements:
        yield cell.sql.table, cell.sql.materialize, statements[-1]
