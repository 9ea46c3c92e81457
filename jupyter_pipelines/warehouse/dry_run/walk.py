"""The SQL cells of a notebook in its order: which tables each statement finds, and what DuckDB says of it then.

What is not known makes it silent: a DataFrame, a file, a table of which nobody here knows the columns, whatever comes
after something that may have changed any table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from jupyter_pipelines.diagnostics import Location
from jupyter_pipelines.graph.digests import EXECUTED, executed_cells
from jupyter_pipelines.graph.sql import read_statements
from jupyter_pipelines.graph.sql_cells import statements_of
from jupyter_pipelines.notebook.check_magic import split_checks
from jupyter_pipelines.notebook.model import Role
from jupyter_pipelines.notebook.sql_cells import magic_body
from jupyter_pipelines.notebook.table_names import is_external
from jupyter_pipelines.warehouse.dry_run.asking import Answer, Mistake, bind, defined, read
from jupyter_pipelines.warehouse.dry_run.naming import keeps_columns, named_columns
from jupyter_pipelines.warehouse.sources.declared import sources

if TYPE_CHECKING:
    from jupyter_pipelines.graph.model import Pipeline
    from jupyter_pipelines.graph.sql import SqlStatement
    from jupyter_pipelines.notebook.check_magic import CheckCell
    from jupyter_pipelines.notebook.model import Cell
    from jupyter_pipelines.notebook.sql_magic import SqlMagic
    from jupyter_pipelines.notebook.table_names import TableName
    from jupyter_pipelines.warehouse.dry_run.asking import Columns
    from jupyter_pipelines.warehouse.dry_run.known import KnownTables

_USES_WAREHOUSE: Final = re.compile(r"\b(?:warehouse|duckdb|EngineSession|open_session)\b")
_CHANGES_TABLES: Final = re.compile(
    r"\b(?:create|alter|drop|insert|update|merge|replace|copy|import|attach|use|restore)\b", re.IGNORECASE
)
_RUNS_OTHERS: Final = re.compile(r"\bjp\.|\bjupyter_pipelines\b|\bpipelines? (?:run|resume|backfill)\b|%run\b")
_IMPORTS: Final = re.compile(r"^[ \t]*(?:import|from)\s.*$|^[ \t]*%(?:re)?load_ext.*$", re.MULTILINE)
_OF_DUCKDB: Final = re.compile(r"(?:duckdb|pg|sqlite|pragma)_", re.IGNORECASE)
_NAMES_UNKNOWN: Final = frozenset({"JP305", "JP306"})
_HISTORY: Final = (("valid_from", "TIMESTAMP"), ("valid_to", "TIMESTAMP"), ("is_current", "BOOLEAN"))


@dataclass(frozen=True, slots=True)
class Found:
    """Something DuckDB would say, or a table that nobody has.

    ``certain``: it follows from the notebook alone. ``tables``: those whose columns the statement was bound with.
    """

    cell: Cell
    place: Location
    statement: SqlStatement | None = None
    mistake: Mistake | None = None
    missing: TableName | None = None
    certain: bool = False
    tables: tuple[tuple[TableName, Columns], ...] = ()
    made_below: int = 0  # the cell that makes the missing table, further down


@dataclass(frozen=True, slots=True)
class _Table:
    """A table as a statement finds it. ``maker``: how many cells of Python stood above the one that has made it."""

    columns: Columns
    maker: int = -1  # it was in the warehouse
    certain: bool = False


@dataclass
class Walk:
    """Goes through a notebook once."""

    pipeline: Pipeline
    warehouse: KnownTables | None
    tables: dict[TableName, _Table | None] = field(default_factory=dict)  # that cells above make; None: columns unknown
    temporary: dict[TableName, str | None] = field(default_factory=dict)  # the step that has made it, or setup
    step: str | None = None  # of the cell at hand
    python_above: int = 0
    frames: frozenset[str] = frozenset()  # names that may be DataFrames, in lower case
    any_frame: bool = False  # any name may be one
    only_grammar: bool = False
    extended: bool = False  # DuckDB's grammar, too
    sources: frozenset[str] = field(default_factory=lambda: sources().known_names())  # of which nothing is known here

    def __post_init__(self) -> None:
        self._look_at_python()
        self._look_at_sql()

    def go(self) -> Iterator[Found]:
        """What is found, in notebook order."""
        for cell in self.pipeline.document.cells:
            if cell.role not in EXECUTED:
                continue
            if cell.sql is not None:
                yield from self._cell(cell)
            elif cell.check is not None:
                yield from self._checks(cell, cell.check.subject, cell.check)
            elif cell.role is Role.STEP:
                self.python_above += 1

    def _look_at_python(self) -> None:
        document = self.pipeline.document
        names: set[str] = set()
        for index, effects in executed_cells(document).items():
            cell = document.cells[index]
            names |= {name.casefold() for name in effects.bound}
            if cell.sql is not None or cell.check is not None:
                continue
            text = _IMPORTS.sub("", cell.code)
            if _USES_WAREHOUSE.search(text) or _RUNS_OTHERS.search(text):
                self.warehouse = None  # it may have other tables by the time that one is read
            if _USES_WAREHOUSE.search(text) and _CHANGES_TABLES.search(text):
                self.only_grammar = True
        self.frames = frozenset(names)
        self.any_frame = any(finding.code in _NAMES_UNKNOWN for finding in self.pipeline.diagnostics)

    def _look_at_sql(self) -> None:
        """Settings of the connection may change what any statement means."""
        for cell in self.pipeline.document.cells:
            if cell.sql is not None and cell.role in EXECUTED:
                for statement in statements_of(cell):
                    if statement.kind == "session" or statement.session:
                        self.only_grammar = True
                        self.extended |= _word(statement) in {"load", "install", "force"}

    def _cell(self, cell: Cell) -> Iterator[Found]:
        assert cell.sql is not None
        above, _ = magic_body(cell)
        statements = statements_of(cell)
        self.step = cell.step
        silent = cell.may_fail
        answer, certain = Answer(), False
        for statement in statements:
            answer, certain, found = self._statement(cell, statement, above)
            if not silent:
                yield from found
            self._note(statement, answer, certain, silent)
        if cell.sql.table is not None and statements:
            columns = self._columns(statements[-1], answer)
            if columns is not None and not silent:
                yield from self._options(cell, cell.sql, columns, certain or answer.columns is None)
            if columns is not None and cell.sql.materialize == "snapshot":
                columns = (*columns, *_HISTORY)
            self._make(cell.sql.table, None if silent else columns, certain or answer.columns is None)
            if cell.check is not None:
                yield from self._checks(cell, cell.sql.table, cell.check)

    def _statement(self, cell: Cell, statement: SqlStatement, above: int) -> tuple[Answer, bool, list[Found]]:
        """What DuckDB says of it, and whether that follows from the notebook alone."""
        if not self.extended and (mistake := read(statement.text)) is not None:
            place = Location(cell.number, above + statement.line + mistake.line)
            return Answer(mistake), False, [Found(cell, place, statement, mistake, certain=True)]
        if self.only_grammar or statement.problem or statement.anything or statement.files_read:
            return Answer(), False, []
        tables: dict[TableName, _Table] = {}
        missing: list[Found] = []
        for reference in (*statement.read, *statement.written):
            name = reference.name
            if name.table.endswith("()"):
                if name in self.tables:  # a macro of the notebook
                    return Answer(), False, []
                continue
            table = self._table(name)
            if table is not None:
                tables[name] = table
                continue
            place = Location(cell.number, above + reference.line)
            if reference in statement.read and self._is_missing(name):
                below = self._made_below(name, cell.number)
                missing.append(Found(cell, place, statement, missing=name, made_below=below))
            elif reference in statement.read or statement.kind not in {"create table", "create view"}:
                return Answer(), False, []
        if missing:
            return Answer(), False, missing
        given = tuple(sorted((name, table.columns) for name, table in tables.items()))
        made = set(statement.writes) if statement.kind.startswith("create") else set()
        given = tuple((name, columns) for name, columns in given if name not in made or name in statement.reads)
        certain = all(table.certain and table.maker == self.python_above for table in tables.values())
        answer = bind(statement.text, given, is_query=statement.is_query)
        if answer.mistake is None or not self._is_sure(answer.mistake):
            return answer, certain, []
        place = Location(cell.number, above + statement.line + answer.mistake.line)
        sure = certain and answer.mistake.kind != "function"
        return answer, certain, [Found(cell, place, statement, answer.mistake, None, sure, given)]

    def _options(self, cell: Cell, magic: SqlMagic, columns: Columns, certain: bool) -> Iterator[Found]:
        """Columns that the line of the magic names, which the query has to give."""
        assert magic.table is not None
        known = {name.casefold() for name, _ in columns}
        named = list(magic.partition_by)
        if magic.materialize in {"incremental", "snapshot"}:
            named = [*magic.unique_key, *filter(None, [magic.time_column]), *named]
        for column in dict.fromkeys(named):
            if column.casefold() not in known:
                mistake = Mistake("name", f"the query gives no column `{column}`", 1, column)
                place = Location(cell.number, magic_body(cell)[0])
                yield Found(cell, place, None, mistake, None, certain, ((magic.table, columns),))

    def _checks(self, cell: Cell, subject: TableName | None, check: CheckCell) -> Iterator[Found]:
        """Columns that checks name, and their queries."""
        if self.only_grammar or cell.may_fail:
            return
        above, _ = magic_body(cell)
        lines_above = above + split_checks(magic_body(cell)[1])[2] if cell.sql is not None else above
        self.step = cell.step
        for line in check.checks:
            place = Location(cell.number, lines_above + line.line)
            for column in line.columns:
                yield from self._column(cell, subject, column, place)
            for rule in line.rules:
                if rule.kind == "in table":
                    yield from self._column(cell, rule.table, rule.column, place)
                elif rule.kind == "query":
                    for statement in read_statements(rule.text):
                        yield from self._statement(cell, statement, place.line - 1)[2]

    def _column(self, cell: Cell, name: TableName | None, column: str, place: Location) -> Iterator[Found]:
        table = self._table(name) if name is not None else None
        if name is None or table is None or column.casefold() in {known.casefold() for known, _ in table.columns}:
            return
        mistake = Mistake("name", f"{name} has no column `{column}`", 1, column)
        certain = table.certain and table.maker == self.python_above
        yield Found(cell, place, None, mistake, None, certain, ((name, table.columns),))

    def _is_sure(self, mistake: Mistake) -> bool:
        if mistake.kind != "function":
            return True
        return self.warehouse is not None and mistake.name.casefold() not in self.warehouse.functions

    def _table(self, name: TableName) -> _Table | None:
        """The table as it is found here, if its columns are known."""
        if name.catalog or is_external(name, self.sources):
            return None
        if not name.schema and (self.any_frame or name.table.casefold() in self.frames):
            return None
        if self.temporary.get(name) not in {None, self.step}:
            return None
        if name in self.tables:
            return self.tables[name]
        columns = self.warehouse.tables.get(name) if self.warehouse is not None else None
        return _Table(columns) if columns is not None else None

    def _is_missing(self, name: TableName) -> bool:
        """Whether neither the warehouse has it, nor anything above makes it."""
        if self.warehouse is None or name.catalog or name in self.tables or name in self.warehouse.tables:
            return False
        if is_external(name, self.sources):
            return False
        own = not name.schema and (self.any_frame or name.table.casefold() in self.frames)
        return not own and not _OF_DUCKDB.match(name.table) and name.table != "*"

    def _made_below(self, name: TableName, number: int) -> int:
        for cell in self.pipeline.document.cells[number:]:
            if cell.sql is not None and cell.role in EXECUTED:
                made = {name for statement in statements_of(cell) for name in (*statement.writes, *statement.temporary)}
                if name == cell.sql.table or name in made:
                    return cell.number
        return 0

    def _columns(self, statement: SqlStatement, answer: Answer) -> Columns | None:
        """Those of a query, as far as they are known."""
        if answer.columns is not None:
            typed = all(kind for _, kind in answer.columns)
            return answer.columns if keeps_columns(statement.text, typed=typed) else None
        return named_columns(statement.text) if not statement.problem and answer.mistake is None else None

    def _make(self, name: TableName, columns: Columns | None, certain: bool) -> None:
        self.tables[name] = _Table(columns, self.python_above, certain) if columns else None

    def _note(self, statement: SqlStatement, answer: Answer, certain: bool, silent: bool) -> None:
        """What the statements below find."""
        unread = answer.mistake is not None and answer.mistake.kind == "syntax"
        if statement.anything and not statement.only_reads and not unread:
            self.only_grammar = True
        if statement.kind in {"insert", "update", "delete", "merge", "copy", "query"}:
            return
        made = (*statement.writes, *statement.temporary)
        for name in made:
            self.tables[name] = None
        self.temporary |= dict.fromkeys(statement.temporary, self.step)
        if statement.kind not in {"create table", "create view"} or silent or answer.mistake is not None:
            return
        if len(made) == 1 and not _is_conditional(statement.text):
            query = _query_of(statement.text)
            columns = defined(statement.text, made[0]) if query is None else self._defined(query, statement)
            self._make(made[0], columns, certain)

    def _defined(self, query: str, statement: SqlStatement) -> Columns | None:
        """The columns of what is made of a query that stands in a statement."""
        if not query or self.only_grammar or statement.anything or statement.files_read:
            return None
        tables = {name: self._table(name) for name in statement.reads if not name.table.endswith("()")}
        known = tuple(sorted((name, table.columns) for name, table in tables.items() if table is not None))
        answer = bind(query, known, is_query=True) if len(known) == len(tables) else Answer()
        if answer.mistake is not None:
            return None
        if answer.columns is None:
            return named_columns(query)
        typed = all(kind for _, kind in answer.columns)
        return answer.columns if keeps_columns(query, typed=typed) else None


def _word(statement: SqlStatement) -> str:
    found = re.match(r"\w+", statement.text)
    return found[0].lower() if found else ""


def _is_conditional(text: str) -> bool:
    """Whether something of that name may stay as it is."""
    return re.match(r"create\s[^(]*?\bif\s+not\s+exists\b|create\s[^(]*?\brecursive\b", text, re.IGNORECASE) is not None


@lru_cache(maxsize=1024)
def _query_of(text: str) -> str | None:
    """The query of ``CREATE … AS query``, empty where its columns get other names; ``None`` where there is none."""
    from sqlglot import TokenType

    from jupyter_pipelines.graph.sql.parsing import NotUnderstoodError, tokenize

    try:
        tokens = tokenize(text)
    except NotUnderstoodError:
        return None
    depth = 0
    for at, token in enumerate(tokens):
        depth += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
        if depth == 0 and token.token_type is TokenType.ALIAS:
            renamed = any(one.token_type is TokenType.R_PAREN for one in tokens[:at])
            return "" if renamed else text[token.end + 1 :].strip()
    return None
