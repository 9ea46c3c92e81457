"""What one statement does to tables, files and the connection: read off sqlglot's tree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlglot import TokenType, exp

from jupyter_pipelines.graph.sql.model import WHOLE_SCHEMA, Reference, SqlStatement, StatementKind
from jupyter_pipelines.graph.sql.parsing import NotUnderstoodError, parse, tokenize
from jupyter_pipelines.notebook.table_names import TableName

if TYPE_CHECKING:
    from jupyter_pipelines.graph.sql.statements import Source

_KINDS: tuple[tuple[type[exp.Expr], StatementKind], ...] = (
    (exp.Query, "query"),
    (exp.Values, "query"),
    (exp.Pivot, "query"),
    (exp.Describe, "query"),
    (exp.Summarize, "query"),
    (exp.Show, "query"),
    (exp.Insert, "insert"),
    (exp.Update, "update"),
    (exp.Delete, "delete"),
    (exp.TruncateTable, "delete"),
    (exp.Merge, "merge"),
    (exp.Drop, "drop"),
    (exp.Alter, "alter"),
    (exp.Comment, "alter"),
    (exp.Create, "create"),
    (exp.Copy, "copy"),
    (exp.Transaction, "transaction"),
    (exp.Commit, "transaction"),
    (exp.Rollback, "transaction"),
    (exp.Set, "session"),
    (exp.Use, "session"),
    (exp.Attach, "session"),
    (exp.Detach, "session"),
    (exp.Pragma, "session"),
    (exp.Install, "session"),
)
_UPKEEP = frozenset({"checkpoint", "force", "vacuum", "analyze"})
_SESSION_COMMANDS = frozenset({"load", "install", "reset", "deallocate"})
_FILE_NAME = re.compile(r"[*/\\]|\.(?:csv|tsv|parquet|json|jsonl|ndjson|txt|arrow|xlsx|db|duckdb)(?:\.\w+)?$", re.I)
_FILE_FUNCTIONS = re.compile(r"(?:read_|parquet_|sniff_csv|delta_scan|iceberg_scan|glob$|\w+_scan$)", re.I)
_CATALOGS = frozenset({"information_schema", "pg_catalog"})
_CATALOG_FUNCTIONS = re.compile(r"(?:duckdb_|pragma_|show_|query$)", re.I)
_SEQUENCE_FUNCTIONS = frozenset({"nextval", "currval"})
_CHANGING = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.TruncateTable)


def read_statement(source: Source) -> SqlStatement:
    """Understand one statement."""
    words = [token.text.lower() for token in source.tokens[:3]]
    statement = SqlStatement(source.text, source.line, "other", parameters=tuple(_parameters(source)))
    if words[0] in _UPKEEP:
        return statement
    if words[0] in {"explain", "prepare"}:
        return _read_wrapped(source, words, statement)
    try:
        tree = parse(source.sql, source.tokens)
        return _Reader(source, statement).read(tree)
    except NotUnderstoodError as reason:
        return replace(statement, problem=str(reason), anything=True)
    except (AttributeError, TypeError, ValueError, KeyError, IndexError) as error:  # a tree that is not as it should be
        return replace(statement, problem=f"{type(error).__name__} while it was read", anything=True)


def _parameters(source: Source) -> Iterator[str]:
    """The names behind dollars, and ``?``; off the tokens, so that those of what is not understood are known, too."""
    seen = set()
    for mark, name in zip(source.tokens, [*source.tokens[1:], None], strict=True):
        if mark.token_type is TokenType.PLACEHOLDER:
            found = "?"
        elif mark.token_type is TokenType.PARAMETER and name is not None and name.start == mark.end + 1:
            found = name.text
        else:
            continue
        if found not in seen:
            seen.add(found)
            yield found


def _read_wrapped(source: Source, words: list[str], statement: SqlStatement) -> SqlStatement:
    """``EXPLAIN [ANALYZE] …`` and ``PREPARE name AS …``: what they are about, which sqlglot takes for one word."""
    beginning = re.match(r"explain\s+(analyze\b)?|prepare\s+\S+(?:\s*\(.*?\))?\s+as\b", source.text, re.I | re.S)
    if beginning is None:
        return replace(statement, problem="it ends too early", anything=True)
    at = source.start + beginning.end()
    sql = re.sub(r"[^\n]", " ", source.sql[:at]) + source.sql[at : source.tokens[-1].end + 1]
    try:
        tokens = tokenize(sql)
    except NotUnderstoodError as reason:
        return replace(statement, problem=str(reason), anything=True)
    if not tokens or tokens[0].text.lower() in {"explain", "prepare"}:
        return replace(statement, problem="it ends too early", anything=True)
    inner = read_statement(replace(source, sql=sql, tokens=tokens))
    found = replace(inner, text=statement.text, line=statement.line)
    if words[0] == "prepare":
        return replace(found, kind="session", session=_short(statement.text))
    if beginning[1]:  # it is carried out
        return found
    return replace(found, kind="query", written=(), temporary=(), files_written=(), only_reads=True)


@dataclass(slots=True)
class _Reader:
    """Goes through one tree."""

    source: Source
    statement: SqlStatement
    targets: dict[int, exp.Table] = field(default_factory=dict)  # tables that are written, by their identity
    written: list[Reference] = field(default_factory=list)
    files_read: list[str | None] = field(default_factory=list)
    anything: bool = False

    def read(self, tree: exp.Expr) -> SqlStatement:
        if isinstance(tree, exp.Command):
            return self._command(tree)
        kind = next((kind for type_, kind in _KINDS if isinstance(tree, type_)), None)
        if kind is None:
            raise NotUnderstoodError(f"`{self.source.tokens[0].text[:40]}` begins no statement")
        if kind == "session":
            return replace(self.statement, kind=kind, session=_short(self.statement.text))
        if isinstance(tree, exp.Create):
            kind = self._create(tree)
        self._find_targets(tree)
        read = tuple(self._references(tree))
        temporary = tuple(reference.name for reference in self.written) if _is_temporary(tree) else ()
        return replace(
            self.statement,
            kind=kind,
            read=read,
            written=() if temporary else tuple(dict.fromkeys(self.written)),
            temporary=temporary,
            files_read=tuple(dict.fromkeys(self.files_read)),
            files_written=tuple(self._files_written(tree)),
            anything=self.anything or isinstance(tree, exp.Show),
            only_reads=kind == "query" and not self.written,
        )

    def _command(self, tree: exp.Command) -> SqlStatement:
        word = str(tree.this).lower()
        text = _short(self.statement.text)
        if word in _SESSION_COMMANDS or re.match(r"create\b.*?\bsecret\b", text, re.I):
            return replace(self.statement, kind="session", session=text)
        if word == "show":
            return replace(self.statement, kind="query", anything=True, only_reads=True)
        return replace(self.statement, anything=True)

    def _create(self, tree: exp.Create) -> StatementKind:
        what = str(tree.kind).upper()
        if what in {"MACRO", "FUNCTION"}:
            function = tree.find(exp.Table)
            if function is not None:
                self.targets[id(function)] = function
                self.written.append(self._reference(function, f"{function.name}()"))
            return "create"
        if isinstance(tree.this, exp.Index):
            self._write(tree.this.args.get("table"))
            return "create"
        self._write(tree.this)
        return "create table" if what == "TABLE" else "create view" if what == "VIEW" else "create"

    def _find_targets(self, tree: exp.Expr) -> None:
        if isinstance(tree, exp.Drop):
            functions = str(tree.kind).upper() in {"MACRO", "FUNCTION"}
            for table in tree.args.get("tables") or [tree.this]:
                if functions and isinstance(table, exp.Table):
                    self.targets[id(table)] = table
                    self.written.append(self._reference(table, f"{table.name}()"))
                else:
                    self._write(table)
        elif isinstance(tree, exp.Alter):
            for table in tree.find_all(exp.Table):
                self._write(table)
        elif isinstance(tree, exp.Comment):
            self._comment(tree)
        elif isinstance(tree, exp.Copy):
            if tree.args.get("kind"):
                self._write(tree.this)
                self.anything |= self.source.tokens[1].text.lower() == "database"
        for node in tree.find_all(*_CHANGING):
            for table in [node.this, *(node.expressions if isinstance(node, exp.TruncateTable) else [])]:
                self._write(table)

    def _comment(self, tree: exp.Comment) -> None:
        column = tree.this
        if isinstance(column, exp.Column) and column.table:
            name = TableName(column.db, column.table, column.catalog)
            self.written.append(Reference(name, self.source.line + 1))
        else:
            self._write(column)

    def _write(self, node: object) -> None:
        table = node.this if isinstance(node, exp.Schema) else node
        if isinstance(table, exp.Table) and id(table) not in self.targets:
            self.targets[id(table)] = table
            self.written.append(self._reference(table, table.name or WHOLE_SCHEMA))

    def _reference(self, table: exp.Table, name: str) -> Reference:
        return Reference(TableName(table.db, name, table.catalog), self._line(table))

    def _line(self, node: exp.Expr) -> int:
        positions = [child.meta["start"] for child in node.find_all(exp.Identifier) if "start" in child.meta]
        return self.source.sql.count("\n", 0, min(positions)) + 1 if positions else self.source.line + 1

    def _references(self, tree: exp.Expr) -> Iterator[Reference]:
        names = tree.find(exp.With) is not None
        for table in tree.find_all(exp.Table):
            if id(table) in self.targets:
                continue
            if not isinstance(table.this, exp.Identifier):
                yield from self._function(table)
            elif not table.db and _FILE_NAME.search(table.name):
                self.files_read += _paths([exp.Literal.string(table.name)])
            elif table.db.casefold() in _CATALOGS:
                self.anything = True
            elif table.db or not (names and is_cte(table)):
                yield from self._unless_ignored(self._reference(table, table.name))
        for function in tree.find_all(exp.Anonymous):
            name = function.name.casefold()
            first = function.expressions[0] if function.expressions else None
            if name in _SEQUENCE_FUNCTIONS and isinstance(first, exp.Literal):
                self.written.append(Reference(_dotted(first.name), self._line(function)))
            elif not isinstance(function.parent, exp.Table):
                yield Reference(TableName("", f"{function.name}()"), self.source.line + 1)
        if isinstance(tree, exp.Summarize) and isinstance(tree.this, exp.Literal):
            self.files_read.append(tree.this.name)
        if isinstance(tree, exp.Copy) and tree.args.get("kind"):
            self.files_read += _paths(tree.args.get("files") or ())

    def _unless_ignored(self, reference: Reference) -> Iterator[Reference]:
        if reference.line not in self.source.ignored_lines:
            yield reference

    def _function(self, table: exp.Table) -> Iterator[Reference]:
        """A function that gives a table: one that reads files, one that looks at the catalog, or a macro."""
        function = table.this
        if not isinstance(function, exp.Func):
            return
        name = function.name if isinstance(function, exp.Anonymous) else function.sql_name()
        first = None if isinstance(function, exp.Anonymous) else function.this
        arguments = [*([first] if isinstance(first, exp.Expr) else []), *function.expressions]
        if name.casefold() == "query_table" and arguments and isinstance(arguments[0], exp.Literal):
            yield from self._unless_ignored(Reference(_dotted(arguments[0].name), self._line(table)))
        elif name.casefold() == "query_table" or _CATALOG_FUNCTIONS.match(name):
            self.anything = True
        elif _FILE_FUNCTIONS.match(name):
            self.files_read += _paths(arguments[:1])
        elif isinstance(function, exp.Anonymous):
            yield Reference(TableName(table.db, f"{name}()"), self.source.line + 1)

    def _files_written(self, tree: exp.Expr) -> list[str | None]:
        if isinstance(tree, exp.Copy) and not tree.args.get("kind"):
            return _paths(tree.args.get("files") or ())
        return []


def _is_temporary(tree: exp.Expr) -> bool:
    properties = tree.args.get("properties") if isinstance(tree, exp.Create) else None
    return properties is not None and properties.find(exp.TemporaryProperty) is not None


def is_cte(table: exp.Table) -> bool:
    """Whether the name is that of a query in a ``WITH`` that is in sight; without ``RECURSIVE`` those above only."""
    name, child = table.name.casefold(), table.parent
    inside: exp.Expr | None = None  # the query of a WITH that the reference stands in
    while child is not None:
        if isinstance(child, exp.CTE):
            inside = child
        elif isinstance(child, exp.With):
            for cte in child.expressions:
                if cte is inside and not child.recursive:
                    break
                if cte.alias.casefold() == name:
                    return True
        else:
            own = child.args.get("with_")
            if own is not None and (inside is None or inside.parent is not own):
                if any(cte.alias.casefold() == name for cte in own.expressions):
                    return True
        child = child.parent
    return False


def _paths(arguments: Iterable[object]) -> list[str | None]:
    """The paths that a function is given: texts, or a list of texts; what lies on a server is no file here."""
    paths: list[str | None] = []
    for argument in arguments:
        if isinstance(argument, exp.Array):
            paths += _paths(argument.expressions)
        elif isinstance(argument, exp.Literal):
            if "://" not in argument.name:
                paths.append(argument.name)
        elif argument is not None:
            paths.append(None)
    return paths


def _dotted(text: str) -> TableName:
    schema, _, table = text.replace('"', "").rpartition(".")
    return TableName(schema, table)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:57] + "…"
