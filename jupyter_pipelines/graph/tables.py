"""Order between steps that touch one table of the warehouse, and what no order can make good."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from jupyter_pipelines.graph.diagnose import Reporter
from jupyter_pipelines.graph.events import Use
from jupyter_pipelines.graph.facts import Facts, TableFact
from jupyter_pipelines.graph.model import Edge, EdgeKind, StepPlan
from jupyter_pipelines.graph.sql.model import WHOLE_SCHEMA
from jupyter_pipelines.graph.sql_cells import statements_of
from jupyter_pipelines.notebook.model import NotebookDocument, Role
from jupyter_pipelines.notebook.table_names import TableName

_ANY = TableName("", "tables")  # stands for the tables of a notebook that names none


def table_edges(document: NotebookDocument, facts: Facts, reporter: Reporter) -> list[Edge]:
    """Edges between steps whenever the later one could see what the earlier one did to a table, in notebook order.

    Whoever reads a table that was checked comes after the check. A view is what it reads.
    """
    if not facts.tables:
        return []
    views = _views(document)
    if len(facts.steps) > 1:
        _report_sessions(facts.tables, reporter)
    facts.tables = list(_without_temporary(facts.tables, reporter))
    by_table = _by_table([found for use in facts.tables for found in _seen_through(use, views)])
    if len(facts.steps) > 1:
        _report_setup(by_table, reporter)
    _report_skipped(document, by_table, reporter)
    edges: dict[tuple[str, str], dict[str, Edge]] = {}
    for table, group in by_table.items():
        for before, after in _conflicts(group):
            assert before.step is not None
            assert after.step is not None
            found = edges.setdefault((before.step, after.step), {})
            certain = before.certain and after.certain and before.name is not None and after.name is not None
            edge = Edge(
                before.step,
                after.step,
                EdgeKind.TABLE,
                str(table),
                certain=certain,
                written=before.location,
                read=after.location,
                uses=(before.use.value, after.use.value),
            )
            known = found.get(edge.name)
            if known is None or (certain and not known.certain):
                found[edge.name] = edge
    return [edge for found in edges.values() for edge in _worth_telling(list(found.values()))]


def _worth_telling(edges: list[Edge]) -> list[Edge]:
    """What is certain; of what is only possible between two steps one reason will do."""
    certain = [edge for edge in edges if edge.certain]
    return certain or edges[:1]


@dataclass(slots=True)
class _Line:
    """One table in notebook order: who wrote it last, or may have since, and who has read or checked it since."""

    writers: list[TableFact] = field(default_factory=list)  # two at most: later ones come after those left out
    readers: list[TableFact] = field(default_factory=list)  # those that check it, too
    checks: list[TableFact] = field(default_factory=list)


def _conflicts(uses: Sequence[TableFact]) -> Iterator[tuple[TableFact, TableFact]]:
    """Pairs of uses of one table whose order counts; what follows from others is left out."""
    line = _Line()
    for use in uses:
        if use.step is None:
            continue
        before = list(line.writers)
        if use.use is Use.WRITE:
            before += line.readers
            certain = use.certain and use.name is not None
            line = _Line([use]) if certain else _Line([*line.writers[:1], use], [], line.checks)
        else:
            line.readers.append(use)
            if use.use is Use.CHECK:
                line.checks.append(use)
            else:
                before += line.checks
        for other in before:
            if other.step != use.step:
                yield other, use


def _by_table(uses: Sequence[TableFact]) -> dict[TableName, list[TableFact]]:
    """The uses of each table; one of any table, or of a whole schema, is a use of each of those that are named."""
    written = {use.name for use in uses if use.use is Use.WRITE}
    named = dict.fromkeys(
        use.name
        for use in uses
        if use.name is not None
        and use.name.table != WHOLE_SCHEMA
        and (use.name in written or not use.name.table.endswith("()"))  # a function of DuckDB's own, else
    )
    tables = list(named) or [_ANY]
    by_table: dict[TableName, list[TableFact]] = {table: [] for table in tables}
    for use in uses:
        if use.name is None:
            touched = tables
        elif use.name.table == WHOLE_SCHEMA:
            touched = [table for table in tables if table.key[:2] == use.name.key[:2]]
        else:
            touched = [use.name] if use.name in named else []
        for table in touched:
            by_table[table].append(use)
    return by_table


def _views(document: NotebookDocument) -> dict[TableName, frozenset[TableName]]:
    """What the views and macros that the notebook makes read."""
    views: dict[TableName, frozenset[TableName]] = {}
    for cell in document.cells:
        if cell.sql is None or cell.role is Role.SKIP:
            continue
        statements = statements_of(cell)
        for statement in statements:
            if statement.kind in {"create view", "create"}:
                views |= {name: views.get(name, frozenset()) | set(statement.reads) for name in statement.writes}
        if cell.sql.table is not None and cell.sql.materialize == "view" and statements:
            name = cell.sql.table
            views[name] = views.get(name, frozenset()) | set(statements[-1].reads)
    return views


def _seen_through(use: TableFact, views: Mapping[TableName, frozenset[TableName]]) -> Iterator[TableFact]:
    """The use, and those of the tables that the view it reads is made of."""
    yield use
    if use.use is Use.WRITE or use.name is None:
        return
    pending, seen = [use.name], {use.name}
    while pending:
        for name in sorted(views.get(pending.pop(), ())):
            if name not in seen:
                seen.add(name)
                pending.append(name)
                yield replace(use, name=name, use=Use.READ)


def _without_temporary(uses: Sequence[TableFact], reporter: Reporter) -> Iterator[TableFact]:
    """The uses of what all connections see; a temporary table of another step's connection is a finding."""
    made: dict[str, dict[str | None, TableFact]] = {}  # by name: the steps that have one, or setup
    for use in uses:
        name = use.name
        if name is None or name.catalog or name.schema.casefold() not in {"", "temp"}:
            if use.use is not Use.SESSION:
                yield use
            continue
        word = name.table.casefold()
        makers = made.get(word)
        if use.use is Use.TEMPORARY:
            made.setdefault(word, {})[use.step] = use
        elif makers is None:
            yield use
        elif use.step in makers or None in makers:
            if use.use is Use.WRITE and use.step is not None:  # what others have under that name is another by now
                made[word] = {use.step: use}
        else:
            reporter.temporary_table(name, use, next(reversed(makers.values())))


_DECIDING = re.compile(r"use\b|prepare\b|set\s+(?:session\s+)?(?:schema|search_path|variable)\b", re.IGNORECASE)


def _report_sessions(uses: Sequence[TableFact], reporter: Reporter) -> None:
    """What a step sets for its own connection is not set for those of later steps."""
    for at, use in enumerate(uses):
        if use.use is Use.SESSION and use.step is not None:
            later = next((one for one in uses[at:] if one.step not in {use.step, None}), None)
            if later is not None:
                reporter.session_state(use, later, decides=_DECIDING.match(use.what) is not None)


def _report_setup(by_table: Mapping[TableName, Sequence[TableFact]], reporter: Reporter) -> None:
    """Setup runs at the start of every step: what it writes it writes again, what it reads changes meanwhile."""
    for table, uses in by_table.items():
        writer = next((use for use in uses if use.step is not None and use.use is Use.WRITE and use.certain), None)
        for use in uses:
            if use.step is not None or not use.certain or use.name != table:
                continue
            if use.use is Use.WRITE and not table.table.endswith("()"):
                reporter.setup_writes_table(table, use.location)
            elif use.use is not Use.WRITE and writer is not None:
                reporter.setup_reads_table(table, use.location, writer)


def _report_skipped(
    document: NotebookDocument, by_table: Mapping[TableName, Sequence[TableFact]], reporter: Reporter
) -> None:
    """A table that nothing but a skipped cell above makes is not what it is in the notebook."""
    for cell in document.cells:
        if cell.role is not Role.SKIP or cell.sql is None:
            continue
        written = {name for statement in statements_of(cell) for name in statement.writes}
        for table in sorted(written | ({cell.sql.table} if cell.sql.table is not None else set())):
            uses = by_table.get(table, ())
            reader = next((use for use in uses if use.location.cell > cell.number), None)
            if reader is not None and reader.use is not Use.WRITE and reader.certain:
                reporter.skipped_table(table, cell.number, reader.location)


def with_tables(plans: Sequence[StepPlan], facts: Facts) -> list[StepPlan]:
    """The plans with the tables that their steps are known to read and to write, as the source names them."""
    read: dict[str | None, set[TableName]] = {}
    written: dict[str | None, set[TableName]] = {}
    for use in facts.tables:
        if use.name is None or use.name.table.endswith(("()", WHOLE_SCHEMA)):
            continue
        if use.use is Use.WRITE:
            written.setdefault(use.step, set()).add(use.name)
        elif use.certain or use.name.schema:  # else it may well be a DataFrame
            read.setdefault(use.step, set()).add(use.name)
    users = {use.step for use in facts.tables if use.name is None or use.name.table != WHOLE_SCHEMA}
    return [
        replace(
            plan,
            tables_read=tuple(str(name) for name in sorted(read.get(plan.name, ()))),
            tables_written=tuple(str(name) for name in sorted(written.get(plan.name, ()))),
            uses_warehouse=True,
        )
        if plan.name in users or None in users
        else plan
        for plan in plans
    ]
