"""What is wrong with a ``%%sql`` cell by itself: SQL that is not understood, or does not fit what is asked for."""

from __future__ import annotations

from jupyter_pipelines.diagnostics import Location
from jupyter_pipelines.graph.diagnose import Reporter
from jupyter_pipelines.graph.digests import EXECUTED
from jupyter_pipelines.graph.sql import SqlStatement
from jupyter_pipelines.graph.sql_cells import WATERMARK, statements_of
from jupyter_pipelines.notebook.model import Cell, NotebookDocument
from jupyter_pipelines.notebook.sql_cells import magic_body
from jupyter_pipelines.notebook.table_names import is_external


def report_statements(document: NotebookDocument, reporter: Reporter, sources: frozenset[str] = frozenset()) -> None:
    """Report what is wrong with the statements of the cells that a pipeline executes.

    ``sources`` are the names of external sources.
    """
    secrets = {parameter.name for parameter in document.parameters if parameter.secret}
    begun: dict[str | None, Location] = {}  # transactions, by step
    for cell in document.cells:
        if cell.sql is None or cell.role not in EXECUTED:
            continue
        above, _ = magic_body(cell)
        statements = statements_of(cell)
        for statement in statements:
            place = Location(cell.number, above + statement.line + 1)
            if statement.problem:
                reporter.sql_not_understood(statement.problem, place)
            if any(not name.isidentifier() for name in statement.parameters):
                reporter.sql_positions(place)
            if statement.kind == "transaction":
                if statement.text.split()[0].lower() in {"begin", "start"}:
                    begun[cell.step] = place
                else:
                    begun.pop(cell.step, None)
        _report_building(cell, statements, Location(cell.number, above), reporter)
        _report_sources(cell, statements, above, sources, reporter)
        if cell.sql.table is not None and cell.sql.materialize == "view":
            used = {name for statement in statements for name in statement.parameters}
            for name in sorted(secrets & used):
                reporter.secret_in_view(cell.sql.table, name, Location(cell.number, above))
    for step, place in begun.items():
        reporter.open_transaction(step, place)


def _report_building(cell: Cell, statements: tuple[SqlStatement, ...], place: Location, reporter: Reporter) -> None:
    assert cell.sql is not None
    if not statements:
        reporter.no_sql(place)
    elif cell.sql.table is not None and not statements[-1].is_query and not statements[-1].problem:
        reporter.builds_of_no_query(cell.sql.table, place)
    elif cell.sql.assign and not statements[-1].is_query and not statements[-1].problem:
        reporter.assigns_no_query(cell.sql.assign, place)
    asks = any(WATERMARK in statement.parameters for statement in statements)
    if asks and cell.sql.table is not None and not cell.sql.time_column:
        reporter.watermark_of_nothing(cell.sql.table, place)


def _report_sources(
    cell: Cell, statements: tuple[SqlStatement, ...], above: int, sources: frozenset[str], reporter: Reporter
) -> None:
    """Sources are only read, and by who builds a table."""
    assert cell.sql is not None
    if cell.sql.table is not None and is_external(cell.sql.table, sources):
        reporter.writes_source(cell.sql.table, Location(cell.number, above))
    for statement in statements:
        for reference in statement.written:
            if is_external(reference.name, sources):
                reporter.writes_source(reference.name, Location(cell.number, above + reference.line))
        is_view = cell.sql.materialize == "view" and cell.sql.table is not None and statement is statements[-1]
        if is_view or statement.kind in {"create view", "create"}:
            for reference in statement.read:
                if is_external(reference.name, sources):
                    reporter.view_of_source(reference.name, Location(cell.number, above + reference.line))
