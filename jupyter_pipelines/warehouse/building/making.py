"""A table built in one transaction: whoever reads it sees the old one or the new one, never a part."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from jupyter_pipelines.errors import BuildError
from jupyter_pipelines.notebook.table_names import MAIN, quoted
from jupyter_pipelines.warehouse.building.appends import Attempt, open_appends
from jupyter_pipelines.warehouse.building.backups import BOOK, Backup, open_backups
from jupyter_pipelines.warehouse.building.model import BuildResult, BuildSpec
from jupyter_pipelines.warehouse.building.ways import WATERMARK, WAYS
from jupyter_pipelines.warehouse.building.work import STAGED, Work, count
from jupyter_pipelines.warehouse.own_schemas import OWN_SCHEMAS
from jupyter_pipelines.warehouse.statements import at_its_line, frames_of, values_of

if TYPE_CHECKING:
    from jupyter_pipelines.graph.sql import SqlStatement
    from jupyter_pipelines.notebook.table_names import TableName
    from jupyter_pipelines.warehouse.session import Session


_SCHEMA = """SELECT 'database' AS kind FROM duckdb_databases() WHERE lower(database_name) = lower($name)
UNION ALL SELECT 'schema' FROM duckdb_schemas()
WHERE database_name = current_database() AND lower(schema_name) = lower($name)"""


def build(
    session: Session,
    spec: BuildSpec,
    sql: str,
    parameters: Mapping[str, object] | None = None,
    frames: Mapping[str, object] | None = None,
    *,
    guard: Callable[[], None] = lambda: None,
    backup: Backup | None = None,
    attempt: Attempt | None = None,
) -> BuildResult:
    """Have ``spec.table`` hold what the last statement of ``sql`` gives; those before it run in the same transaction.

    Of ``parameters`` and ``frames`` (values and DataFrames by name) each statement is given what it names. ``guard``
    runs before the new content is published: what it raises leaves the table as it was. For a ``backup`` what is
    overwritten is kept; an ``attempt`` appends nothing that an earlier one of its run has appended. Raises
    :class:`BuildError`, :class:`SqlError`, and what ``guard`` raises.
    """
    from jupyter_pipelines.graph.sql import read_statements

    statements = read_statements(sql)
    check_query(spec, statements)
    began = time.monotonic()
    make_schema(session, spec)
    if backup is not None:
        if spec.full_refresh:
            raise BuildError(
                f"A backfill would leave {spec.table} with the rows of its last window only.",
                "Remove --full-refresh: it is for one run that makes the table anew.",
            )
        open_backups(session)
    if spec.materialize != "append":
        attempt = None
    elif attempt is not None:
        open_appends(session)
    with session.transaction(_written(spec, statements, backup)):
        result = build_within(session, spec, statements, parameters or {}, frames or {}, backup, attempt)
        guard()
    return replace(result, seconds=time.monotonic() - began, version=session.version)


def build_within(
    session: Session,
    spec: BuildSpec,
    statements: tuple[SqlStatement, ...],
    parameters: Mapping[str, object],
    frames: Mapping[str, object],
    backup: Backup | None = None,
    attempt: Attempt | None = None,
) -> BuildResult:
    """The same, in a transaction that is open."""
    *before, query = statements
    for statement in before:
        with at_its_line(statement):
            session.execute(statement.text, values_of(statement, parameters), frames=frames_of(statement, frames))
    work = Work(session, spec, query, parameters, frames_of(query, frames), backup, attempt)
    work.look()
    with at_its_line(query):
        added, changed, removed = WAYS[spec.materialize](work)
    session.execute(f"DROP TABLE IF EXISTS {STAGED}")
    rows = None if spec.materialize == "view" else count(session, work.target)
    return BuildResult(str(spec.table), spec.materialize, rows, added, changed, removed, not work.kind)


def _written(
    spec: BuildSpec, statements: tuple[SqlStatement, ...], backup: Backup | None
) -> tuple[TableName | str, ...] | None:
    """The tables that a build writes, so that others need not wait for it; ``None`` when that is not known."""
    if any(statement.anything and not statement.only_reads for statement in statements[:-1]):
        return None
    others = (name for statement in statements[:-1] for name in statement.writes)
    return (spec.table, *others, *((BOOK,) if backup is not None else ()))


def check_query(spec: BuildSpec, statements: tuple[SqlStatement, ...]) -> None:
    """Refuse SQL that a table cannot be built of."""
    if not statements:
        raise BuildError(f"{spec.table} cannot be built: the cell has no SQL.", "Write a query below the first line.")
    if spec.table.schema.casefold() in OWN_SCHEMAS:
        raise BuildError(
            f"{spec.table} cannot be built: {spec.table.schema} is where the warehouse keeps what it needs itself.",
            "Choose another schema.",
        )
    if any(statement.kind == "transaction" for statement in statements):
        raise BuildError(
            f"{spec.table} cannot be built: the cell begins or ends a transaction by itself.",
            "Remove BEGIN, COMMIT and ROLLBACK: all of the cell is one transaction, its checks included.",
        )
    query = statements[-1]
    if query.writes or not (query.is_query or query.problem):
        raise BuildError(
            f"{spec.table} cannot be built: the last statement of the cell gives no rows.",
            "End the cell with the query for the table: a SELECT, WITH, FROM or VALUES.",
        )
    if WATERMARK in query.parameters and spec.materialize not in {"incremental", "append"}:
        raise BuildError(
            f"The query for {spec.table} uses $watermark, which a {spec.materialize} has no use for.",
            "Add --materialize incremental --time-column COLUMN.",
        )


def make_schema(session: Session, spec: BuildSpec) -> None:
    """Before the transaction, in which two steps that make one schema would get into each other's way."""
    if (spec.table.schema or MAIN) != MAIN and not spec.table.catalog:
        found = session.query(_SCHEMA, {"name": spec.table.schema})["kind"].to_pylist()
        if "database" in found:
            raise BuildError(
                f"{spec.table} cannot be built: {spec.table.schema} is the name of a database, and would be ambiguous "
                "as that of a schema.",
                "Choose another schema.",
            )
        if not found:
            session.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(spec.table.schema)}")
