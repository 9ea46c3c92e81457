"""The effects of SQL, in a cell or in a text: names of the notebook it reads and binds, tables it touches."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from jupyter_pipelines.graph.events import (
    FRESH,
    Bind,
    CellEffects,
    Event,
    File,
    Read,
    Statement,
    StatementKind,
    TableUse,
    Use,
)
from jupyter_pipelines.graph.sql import SqlStatement, read_statements
from jupyter_pipelines.notebook.check_magic import CheckCell, split_checks
from jupyter_pipelines.notebook.model import Cell
from jupyter_pipelines.notebook.sql_cells import magic_body
from jupyter_pipelines.notebook.sql_magic import SqlMagic
from jupyter_pipelines.notebook.table_names import TableName

WATERMARK = "watermark"  # the one parameter that the table gives itself
_PARAMETER = re.compile(r"'(?:[^']|'')*'|\$([^\W\d]\w*)")


@lru_cache(maxsize=4096)
def sql_effects(sql: SqlMagic | None, check: CheckCell | None, above: int, body: str, may_fail: bool) -> CellEffects:
    """The effects of a ``%%sql`` or ``%%check`` cell whose ``body`` has ``above`` lines above it."""
    events: list[Event] = []
    if sql is not None:
        text, _, _ = split_checks(body)
        events += _statements(read_statements(text), above, may_fail, sql)
        if sql.table is not None:
            events.append(TableUse(above, may_fail, sql.table, Use.WRITE))
    if check is not None:
        events += _checks(check, above, may_fail, gates=sql is None)
    if sql is not None and sql.assign:
        events.append(Bind(above, may_fail, sql.assign, FRESH))
    return CellEffects(
        (Statement(1, above + body.count("\n"), StatementKind.ORDINARY, tuple(events)),),
        bound=frozenset(event.name for event in events if isinstance(event, Bind)),
        read=frozenset(event.name for event in events if isinstance(event, Read)),
    )


def statements_of(cell: Cell) -> tuple[SqlStatement, ...]:
    """The statements of a ``%%sql`` cell; their lines count those of its body."""
    return read_statements(split_checks(magic_body(cell)[1])[0])


@lru_cache(maxsize=1024)
def sql_events(sql: str, line: int) -> tuple[Event, ...]:
    """What SQL in a text of line ``line`` does to tables and files; whoever runs it gives it its parameters."""
    events = _statements(read_statements(sql), 0, False, None)
    kept = [event for event in events if not isinstance(event, Read)]
    for event in kept:
        event.line = line
    return tuple(kept)


def _statements(statements: Iterable[SqlStatement], above: int, maybe: bool, magic: SqlMagic | None) -> Iterator[Event]:
    for statement in statements:
        line = above + statement.line + 1
        yield from _parameters(statement, line, maybe, magic)
        if statement.anything:
            yield TableUse(line, True, None, Use.READ if statement.only_reads else Use.WRITE)
        for reference in statement.read:
            name, place = reference.name, above + reference.line
            if _may_be_a_variable(name):
                yield Read(place, True, name.table, quiet=True)
            yield TableUse(place, maybe, name, Use.READ)
        for reference in statement.written:
            yield TableUse(above + reference.line, maybe, reference.name, Use.WRITE)
        for name in statement.temporary:
            yield TableUse(line, maybe, name, Use.TEMPORARY)
        if statement.session:
            yield TableUse(line, maybe, None, Use.SESSION, statement.session)
        for path in statement.files_read:
            yield File(line, maybe, path, False)
        for path in statement.files_written:
            yield File(line, maybe, path, True)


def _parameters(statement: SqlStatement, line: int, maybe: bool, magic: SqlMagic | None) -> Iterator[Event]:
    for name in statement.parameters:
        if name.isidentifier() and not (name == WATERMARK and magic is not None and magic.time_column):
            yield Read(line, maybe, name)


def _may_be_a_variable(name: TableName) -> bool:
    """Whether a DataFrame of that name is read instead, wherever there is one."""
    return not name.schema and not name.catalog and name.table.isidentifier()


def _checks(check: CheckCell, above: int, maybe: bool, *, gates: bool) -> Iterator[Event]:
    """``gates``: whoever reads the table later relies on the outcome, which else its building does."""
    if check.subject is not None and gates:
        if _may_be_a_variable(check.subject):
            yield Read(above, True, check.subject.table, quiet=True)
        yield TableUse(above, maybe, check.subject, Use.CHECK)
    for line in check.checks:
        place = above + line.line
        for rule in line.rules:
            if rule.table is not None:
                yield TableUse(place, maybe, rule.table, Use.READ)
            if rule.kind == "query":
                for event in _statements(read_statements(rule.text), 0, maybe, None):
                    event.line += place - 1
                    yield event
            else:
                for name in _PARAMETER.findall(" ".join(rule.values)):
                    if name:
                        yield Read(place, maybe, name)
