"""What ``%%sql`` and ``%%check`` cells do when they run, apart from showing it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from jupyter_pipelines.errors import CheckError, SqlError
from jupyter_pipelines.notebook.check_magic import CheckCell, CheckLine, read_check_lines, split_checks
from jupyter_pipelines.warehouse.building import BuildResult, BuildSpec, build
from jupyter_pipelines.warehouse.building.appends import Attempt
from jupyter_pipelines.warehouse.building.backups import Backup
from jupyter_pipelines.warehouse.checks import CheckReport, run_checks
from jupyter_pipelines.warehouse.frames import frame_as, python_values, type_name
from jupyter_pipelines.warehouse.own_schemas import OWN_SCHEMAS
from jupyter_pipelines.warehouse.recording import (
    earlier_values,
    record_build,
    record_checks,
)
from jupyter_pipelines.warehouse.run_notes import run_of_this_kernel
from jupyter_pipelines.warehouse.statements import at_its_line, frames_of, values_of
from jupyter_pipelines.warehouse.values import is_frame

if TYPE_CHECKING:
    from jupyter_pipelines.graph.sql import SqlStatement
    from jupyter_pipelines.notebook.sql_magic import SqlMagic
    from jupyter_pipelines.notebook.table_names import TableName
    from jupyter_pipelines.warehouse.session import Session

Names = Mapping[str, Any]  # what the notebook has bound
Say = Callable[[CheckReport], None]

ROWS_SHOWN: Final = 20
ROWS_AT_HAND: Final = 100  # that are there when somebody wants to see more
MOST_COUNTED: Final = 100_000  # rows of a result that is only looked at
_CHANGES: Final = frozenset(
    {"create table", "create view", "create", "insert", "update", "delete", "merge", "drop", "alter", "copy"}
)
_PARAMETER = re.compile(r"\$(\w+)")
_FIRST_WORD = re.compile(r"\w+")
_ALONE: Final = frozenset({"call", "checkpoint", "export", "force", "import", "vacuum"})  # in no transaction of others


@dataclass(frozen=True, slots=True)
class Looked:
    """The beginning of a result. ``counted`` is how many rows it has; more than that if ``has_more``."""

    columns: tuple[tuple[str, str], ...]  # name and type
    rows: tuple[tuple[object, ...], ...]
    shown: int
    counted: int
    has_more: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """Statements that give no rows. ``rows`` is how many they inserted, changed or deleted."""

    rows: int


@dataclass(frozen=True, slots=True)
class Assigned:
    """A result as a DataFrame, or as an Arrow table."""

    frame: Any


@dataclass(frozen=True, slots=True)
class Built:
    """A table as it was built and, where the cell has checks, checked."""

    result: BuildResult
    report: CheckReport | None = None


def run_sql_cell(
    session: Session, magic: SqlMagic, body: str, names: Names, say: Say
) -> Looked | Changed | Assigned | Built:
    """Carry out a ``%%sql`` cell, whose values and DataFrames are among ``names``.

    Several statements are one transaction, unless there is one among them that cannot be. ``say`` is told how the
    checks of the cell came out. Raises :class:`SqlError` with the line within ``body``, :class:`BuildError`, and
    :class:`CheckError` when checks have failed, which leaves the table as it was.
    """
    from jupyter_pipelines.graph.sql import read_statements

    sql, checks, above = split_checks(body)
    statements = read_statements(sql)
    _refuse_own_tables(statements)
    if magic.table is not None:
        return _build(session, magic, sql, _check_lines(checks, above), names, say)
    if checks.strip():
        raise SqlError(
            "The cell has checks, and builds no table.", "Add --table NAME, or use a %%check cell.", line=above
        )
    if not statements:
        raise SqlError("The cell has no SQL.", "Write a query below the first line.")
    _refuse_open_transaction(statements)
    *before, last = statements
    with _one_transaction(session, statements):
        changed = sum(_execute(session, one, names) for one in before)
        if magic.assign:
            with at_its_line(last):
                table = session.query(last.text, values_of(last, names), frames=frames_of(last, names))
            return Assigned(frame_as(table, magic.form))
        if last.kind in _CHANGES:
            changed += _execute(session, last, names)
            return Changed(changed)
        with at_its_line(last):
            looked = _look(session, last, names, ROWS_SHOWN if magic.rows is None else magic.rows)
    return Changed(changed) if [name for name, _ in looked.columns] == ["Success"] else looked


def run_check_cell(session: Session, cell: CheckCell, names: Names, say: Say) -> CheckReport:
    """Check a table, or a DataFrame of that name among ``names``.

    ``say`` is told how it came out before anything is raised. Raises :class:`CheckError` when a check has failed.
    """
    assert cell.subject is not None
    report = _check(session, cell.subject, cell.checks, names, _earlier(session, cell.subject, cell.checks))
    record_checks(session, report)
    say(report)
    _refuse_failed(report, f"{report.table} has not passed")
    return report


def _build(session: Session, magic: SqlMagic, sql: str, checks: tuple[CheckLine, ...], names: Names, say: Say) -> Built:
    spec = BuildSpec.of(magic)
    earlier = _earlier(session, spec.table, checks)
    reports: list[CheckReport] = []

    def guard() -> None:
        if checks:
            reports.append(_check(session, spec.table, checks, names, earlier, in_transaction=True))
            _refuse_failed(reports[0], f"{spec.table} is as it was: what was to take its place has not passed")

    about = run_of_this_kernel()
    backup = Backup(about["backfill"], about["run"]) if about.get("backfill") else None
    attempt = _attempt(about, spec)
    try:
        result = build(session, spec, sql, names, names, guard=guard, backup=backup, attempt=attempt)
    finally:  # what has failed is history, too, though the transaction it was seen in is none
        for report in reports:
            record_checks(session, report)
            say(report)
    record_build(session, result)
    return Built(result, reports[0] if reports else None)


_appends: Final = Counter[tuple[str, str, object]]()  # that steps of this kernel have been asked for, by table


def _attempt(about: Mapping[str, Any], spec: BuildSpec) -> Attempt | None:
    """Which of a run's appends this is, if it is one."""
    if spec.materialize != "append" or not about.get("origin"):
        return None
    key = about["origin"], about["step"], spec.table
    _appends[key] += 1
    return Attempt(about["origin"], about["step"], _appends[key], about["version"])


def _earlier(session: Session, table: TableName, checks: tuple[CheckLine, ...]) -> Mapping[str, Sequence[float]]:
    """What the numbers of drifts used to be."""
    drifts = any(rule.kind == "drift" for line in checks for rule in line.rules)
    return earlier_values(session, str(table)) if drifts else {}


def _check(
    session: Session,
    table: TableName,
    checks: tuple[CheckLine, ...],
    names: Names,
    earlier: Mapping[str, Sequence[float]],
    *,
    in_transaction: bool = False,
) -> CheckReport:
    from jupyter_pipelines.graph.sql import read_statements

    frames: dict[str, object] = {}
    if not table.schema and is_frame(frame := names.get(table.table)):
        frames[table.table] = frame
    rules = [rule for line in checks for rule in line.rules]
    for rule in rules:
        for statement in read_statements(rule.values[0]) if rule.kind == "query" else ():
            frames |= frames_of(statement, names)
    named = {name for rule in rules for value in rule.values for name in _PARAMETER.findall(value)}
    given = {name: names[name] for name in named if name in names}
    return run_checks(session, table, checks, given, frames, earlier, in_transaction=in_transaction)


def _refuse_failed(report: CheckReport, what: str) -> None:
    failed = report.failed
    if failed:
        told = "; ".join(f"{one.name} ({one.message or f'{one.violations:,} violations'})" for one in failed[:5])
        more = f" and {len(failed) - 5} more" if len(failed) > 5 else ""
        raise CheckError(
            f"{what}: {len(failed)} of {len(report.results)} checks failed: {told}{more}.",
            "Look at the rows in the report, and correct the data or the check; `| warn` lets a check only warn.",
        )


def _check_lines(checks: str, above: int) -> tuple[CheckLine, ...]:
    lines, problems = read_check_lines(checks)
    for problem in problems:
        raise SqlError(problem.message, problem.fix, line=problem.line + above)
    return lines


def _refuse_own_tables(statements: tuple[SqlStatement, ...]) -> None:
    """What the warehouse writes down for itself is not to be changed: without it, nobody could write any more."""
    for statement in statements:
        for name in statement.writes:
            if name.schema.casefold() in OWN_SCHEMAS:
                raise SqlError(
                    f"{name.schema} is where the warehouse keeps what it needs itself: it is only read.",
                    "Write into another schema.",
                    line=statement.line + 1,
                )


def _refuse_open_transaction(statements: tuple[SqlStatement, ...]) -> None:
    """What one cell begins another one cannot be relied on to end."""
    of_transactions = [one for one in statements if one.kind == "transaction"]
    if of_transactions and _first_word(of_transactions[-1]) in {"begin", "start"}:
        raise SqlError(
            "The cell begins a transaction, and does not end it.",
            "Remove BEGIN: the statements of a cell are one transaction. Or end it here, with COMMIT.",
            line=of_transactions[-1].line + 1,
        )


def _first_word(statement: SqlStatement) -> str:
    found = _FIRST_WORD.match(statement.text)
    return found[0].lower() if found else ""


def _one_transaction(session: Session, statements: tuple[SqlStatement, ...]) -> AbstractContextManager[None]:
    """All of the statements or none, where that can be."""
    own = {"transaction", "session"} & {one.kind for one in statements}
    own |= _ALONE & {_first_word(one) for one in statements}
    return nullcontext() if own or len(statements) == 1 else session.transaction()


def _execute(session: Session, statement: SqlStatement, names: Names) -> int:
    with at_its_line(statement):
        return session.execute(statement.text, values_of(statement, names), frames=frames_of(statement, names))


def _look(session: Session, statement: SqlStatement, names: Names, shown: int) -> Looked:
    """The first rows of a result, and how many there are as far as that is soon known."""
    reader = session.stream(statement.text, values_of(statement, names), frames=frames_of(statement, names))
    columns = tuple((field.name, type_name(field.type)) for field in reader.schema)
    rows: list[tuple[object, ...]] = []
    counted, at_hand = 0, max(shown, ROWS_AT_HAND)
    for batch in reader:
        if len(rows) < at_hand:
            first = batch.slice(0, at_hand - len(rows))
            rows += zip(*(python_values(column) for column in first.columns), strict=True)
        counted += batch.num_rows
        if counted > MOST_COUNTED:
            break
    return Looked(columns, tuple(rows), shown, min(counted, MOST_COUNTED), counted > MOST_COUNTED)
