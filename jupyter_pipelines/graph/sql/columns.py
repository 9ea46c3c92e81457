"""Column-level lineage: of which columns of which tables each column of a query is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlglot import exp
from sqlglot.errors import OptimizeError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

from jupyter_pipelines.graph.sql.parsing import parse_text
from jupyter_pipelines.graph.sql.reading import is_cte
from jupyter_pipelines.notebook.table_names import TableName

ColumnsOf = Callable[[TableName], Sequence[str] | None]
MOST_CHARACTERS = 50_000  # of a query; longer ones are generated, and take too long
EVERY_COLUMN = "*"


class ColumnSource(NamedTuple):
    """A column that another is made of; ``certain`` unless the columns of several tables would have to be known."""

    table: TableName
    column: str
    certain: bool = True


Lineage = Mapping[str, tuple[ColumnSource, ...]]


def lineage(sql: str, columns_of: ColumnsOf = lambda _: None) -> Lineage:
    """What each column of the query ``sql`` is made of, in the query's order; empty where that cannot be told.

    ``CREATE … AS`` and ``INSERT`` are about their query.
    ``columns_of`` gives the columns of a table where they are known, else ``None``: they are what ``*`` stands for, and
    what tells to which table of several a column belongs. ``*`` of a table whose columns are not known is one column.
    """
    if len(sql) > MOST_CHARACTERS:
        return {}
    try:
        return _lineage(parse_text(sql), columns_of)
    except Exception:  # sqlglot's optimizer fails in any way at what it does not expect
        return {}


def _lineage(tree: exp.Expr, columns_of: ColumnsOf) -> Lineage:
    if isinstance(tree, exp.Create | exp.Insert) and isinstance(tree.expression, exp.Query):
        tree = tree.expression.pop()
    if not isinstance(tree, exp.Query):
        return {}
    names = [one.alias_or_name or one.sql("duckdb").lower() for one in tree.selects if not _is_open(one)]
    tables: dict[str, _Table] = {}
    for table in list(tree.find_all(exp.Table)):
        if isinstance(table.this, exp.Identifier) and (table.db or not is_cte(table)):
            _rename(table, tables, columns_of)
    schema: dict[str, object] = {
        key: dict.fromkeys(table.columns, "unknown") for key, table in tables.items() if table.columns
    }
    qualified = _qualified(tree, schema)
    scope = build_scope(qualified)
    if scope is None:
        return {}
    walk = _Walk(tables)
    selects = _selects(scope)
    if len(names) != len(selects):  # a `*` was taken apart
        names = [one.alias_or_name for one in selects]
    found: dict[str, tuple[ColumnSource, ...]] = {}
    for at, select in enumerate(selects):
        sources = walk.column(scope, at)
        spelled = next((one.column for one in sources if one.column.casefold() == names[at].casefold()), names[at])
        found[EVERY_COLUMN if _is_open(select) else spelled] = sources
    return found


def _qualified(tree: exp.Expr, schema: dict[str, object]) -> exp.Expr:
    """The query with every column said of its table, and `*` taken apart, as far as the schema tells."""

    def attempt(expand_alias_refs: bool) -> exp.Expr:
        return qualify(
            tree.copy(),
            dialect="duckdb",
            schema=schema or None,
            expand_alias_refs=expand_alias_refs,
            validate_qualify_columns=False,
            quote_identifiers=False,
            identify=False,
        )

    try:
        return attempt(True)
    except OptimizeError:  # a name that may be a column or another's alias, and the columns are not known
        return attempt(False)


@dataclass(frozen=True, slots=True)
class _Table:
    """A table that the query reads; ``columns``: as they are spelled, by their names in lower case."""

    name: TableName
    columns: Mapping[str, str]


def _rename(table: exp.Table, tables: dict[str, _Table], columns_of: ColumnsOf) -> None:
    """Give the table a name of one part, which no other has; by its own name it goes on being known in the query."""
    name = TableName(table.db, table.name, table.catalog)
    key = next((key for key, known in tables.items() if known.name == name), f"table_{len(tables)}")
    if key not in tables:
        tables[key] = _Table(name, {column.lower(): column for column in columns_of(name) or ()})
    if not table.alias:
        table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name, quoted=True)))
    table.set("this", exp.to_identifier(key))
    table.set("db", None)
    table.set("catalog", None)


def _selects(scope: Scope) -> list[exp.Expr]:
    expression = scope.expression
    while isinstance(expression, exp.SetOperation):
        expression = expression.left.unnest()
    return list(getattr(expression, "selects", ()))


def _is_open(select: exp.Expr) -> bool:
    """Whether it stands for columns that are not known."""
    return bool(select.is_star) or select.find(exp.Columns) is not None


@dataclass(slots=True)
class _Walk:
    """Follows columns down to tables, each once."""

    tables: Mapping[str, _Table]
    known: dict[tuple[int, int], tuple[ColumnSource, ...]] = field(default_factory=dict)

    def column(self, scope: Scope, at: int) -> tuple[ColumnSource, ...]:
        """What the column at a position of the scope's query is made of."""
        key = id(scope), at
        if key not in self.known:
            self.known[key] = ()  # what a recursive query sees of itself
            self.known[key] = tuple(sorted(set(self._column(scope, at))))
        return self.known[key]

    def _column(self, scope: Scope, at: int) -> Iterator[ColumnSource]:
        if isinstance(scope.expression, exp.SetOperation):
            for part in scope.set_operation_scopes:
                yield from self.column(part, at)
            return
        selects = _selects(scope)
        if at >= len(selects):
            return
        select = selects[at]
        if _is_open(select):
            named = select.table if isinstance(select, exp.Column) else ""
            for name in [named] if named else list(scope.sources):
                yield from self._of(scope, name, EVERY_COLUMN)
            return
        for column in select.find_all(exp.Column):
            if column.find_ancestor(exp.Query) is scope.expression:
                yield from self._of(scope, column.table, column.name)
        for inner in scope.subquery_scopes:
            if _is_within(inner.expression, select):
                for position in range(len(_selects(inner))):
                    yield from self.column(inner, position)

    def _of(self, scope: Scope, source: str, column: str) -> Iterator[ColumnSource]:
        """A column of one source; of all that may have it, where it is not known of which."""
        if not source:
            able = [name for name in scope.sources if self._may_have(scope, name, column)]
            for name in able:
                for found in self._of(scope, name, column):
                    yield found._replace(certain=found.certain and len(able) == 1)
            return
        below = scope.sources.get(source)
        if isinstance(below, exp.Table):
            table = self.tables.get(below.name)
            if table is not None:
                yield ColumnSource(table.name, table.columns.get(column.lower(), column))
        elif isinstance(below, Scope):
            for at, one in enumerate(_selects(below)):
                if column == EVERY_COLUMN or one.alias_or_name.casefold() == column.casefold():
                    yield from self.column(below, at)
                elif _is_open(one):
                    for found in self.column(below, at):
                        yield found._replace(column=column) if found.column == EVERY_COLUMN else found

    def _may_have(self, scope: Scope, source: str, column: str) -> bool:
        found = scope.sources[source]
        if isinstance(found, exp.Table):
            table = self.tables.get(found.name)
            return table is not None and (not table.columns or column.lower() in table.columns)
        return any(_is_open(one) or one.alias_or_name.casefold() == column.casefold() for one in _selects(found))


def _is_within(node: exp.Expr, outer: exp.Expr) -> bool:
    above: exp.Expr | None = node
    while above is not None and above is not outer:
        above = above.parent
    return above is outer
