"""DuckDB asked about one statement without running it: what it would say, and which columns a query would give.

The statement is bound in a database in memory that has the tables it reads and no rows. That database sees no files
and loads no extensions, parameters are ``NULL`` there, and DuckDB's optimizer, which works out constants, is off: of
what the author wrote nothing is carried out. Answers are kept, by the text and the columns of the tables.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal

from jupyter_pipelines.notebook.table_names import quoted

if TYPE_CHECKING:
    from jupyter_pipelines.notebook.table_names import TableName

Columns = tuple[tuple[str, str], ...]
"""Names and types of columns in their order; a type is empty where it is not known."""

SECONDS: Final = 1.0  # after which DuckDB is not asked any longer
LONGEST: Final = 50_000  # characters of a statement; longer ones are generated
_CONFIGURATION: Final[dict[str, str | bool | int | float | list[str]]] = {
    "python_enable_replacements": False,
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "threads": 1,
    "memory_limit": "256MB",
}
_ASKED: Final = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE_INTO", "CREATE"})
_LINE: Final = re.compile(r"^LINE (\d+):", re.MULTILINE)
_NAMES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r'Referenced (?:update )?column "?([^"!]+?)"? not found',
        r'does not have a column (?:named|with name) "([^"]+)"',
        r'Referenced table "([^"]+)" not found',
        r'Ambiguous reference to (?:a )?column name "([^"]+)"',
        r'column "([^"]+)" must appear in the GROUP BY',
        r'Column "([^"]+)" does not exist on (?:left|right) side of join',
    )
)
"""What is wrong whatever the types are."""
_TYPES: Final = re.compile(
    r"No function matches|Cannot compare values of type|same number of result columns|columns? but \d+ values? w"
)
_FUNCTION: Final = re.compile(r"Function with name (\S+?) does not exist")
_CANDIDATES: Final = re.compile(r"(?:Candidate \w+|Did you mean):? (.*)")


@dataclass(frozen=True, slots=True)
class Mistake:
    """What DuckDB would say. ``line`` is that within the statement, from 1; ``name`` what it is about, if a name."""

    kind: Literal["syntax", "name", "types", "function"]
    said: str
    line: int
    name: str = ""
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What is wrong, or the columns that the query gives; neither where DuckDB was not to be asked."""

    mistake: Mistake | None = None
    columns: Columns | None = None


_turn = threading.Lock()  # to ask


@lru_cache(maxsize=4096)
def read(text: str) -> Mistake | None:
    """What is wrong with the grammar of a statement."""
    import duckdb

    try:
        with _turn:
            _connection().extract_statements(text)
    except duckdb.ParserException as error:
        return _mistake(error, "syntax", 0)
    except duckdb.Error:
        return None
    return None


@lru_cache(maxsize=4096)
def bind(text: str, tables: tuple[tuple[TableName, Columns], ...], *, is_query: bool) -> Answer:
    """What DuckDB says of a statement that reads and writes these tables; the columns, if it ``is_query``."""
    import duckdb

    if len(text) > LONGEST:
        return Answer()
    with _turn:
        connection = _connection()
        connection.execute("BEGIN")
        timer = threading.Timer(SECONDS, connection.interrupt)
        timer.start()
        try:
            (statement,) = connection.extract_statements(text)
            if statement.type.name not in _ASKED:
                return Answer()
            for name, columns in tables:
                _create(connection, name, columns)
            (asked,) = connection.extract_statements(f"{'DESCRIBE' if is_query else 'EXPLAIN'}\n{text}")
            values = dict.fromkeys(asked.named_parameters)
            found = connection.execute(asked, values or None).fetchall()
        except (duckdb.Error, ValueError) as error:
            typed = not _may_have_parameters(text) and all(kind for _, each in tables for _, kind in each)
            return Answer(_understood(error, typed))
        finally:
            timer.cancel()
            connection.execute("ROLLBACK")
    return Answer(columns=_described(found, values, tables) if is_query else None)


@lru_cache(maxsize=1024)
def defined(text: str, name: TableName) -> Columns | None:
    """The columns that a ``CREATE TABLE name (…)`` without a query gives a table; ``None`` where that is not known."""
    import duckdb

    with _turn:
        connection = _connection()
        connection.execute("BEGIN")
        try:
            (statement,) = connection.extract_statements(text)
            if statement.type.name != "CREATE" or statement.named_parameters:
                return None
            if name.schema and name.schema.casefold() != "temp":
                connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(name.schema)}")
            connection.execute(statement)
            found = connection.execute(f"DESCRIBE {name.sql}").fetchall()
        except (duckdb.Error, ValueError):
            return None
        finally:
            connection.execute("ROLLBACK")
    return tuple((str(row[0]), str(row[1])) for row in found)


def _may_have_parameters(text: str) -> bool:
    """Whether there may be a ``$name`` in it."""
    return "$" in text or "?" in text


def _described(found: list[tuple[Any, ...]], values: dict[str, None], tables: Any) -> Columns:
    """The columns of a query; what comes of values that are not known has no known type."""
    known = not values and all(kind for _, columns in tables for _, kind in columns)
    return tuple((str(row[0]), str(row[1]) if known else "") for row in found)


@cache
def _connection() -> Any:
    import duckdb

    connection = duckdb.connect(":memory:", config=_CONFIGURATION)
    connection.execute("PRAGMA disable_optimizer")
    return connection


def _create(connection: Any, name: TableName, columns: Columns) -> None:
    """A table; a view with values that fit every type, where types are not known."""
    if name.schema:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(name.schema)}")
    if all(kind for _, kind in columns):
        listed = ", ".join(f"{quoted(column)} {kind}" for column, kind in columns)
        connection.execute(f"CREATE TABLE {name.sql} ({listed})")
    else:
        listed = ", ".join(f"NULL{f'::{kind}' if kind else ''} AS {quoted(column)}" for column, kind in columns)
        connection.execute(f"CREATE VIEW {name.sql} AS SELECT {listed}")


def _understood(error: Exception, typed: bool) -> Mistake | None:
    """The mistake, if it is sure to be one: not every error here would be one where the statement is run."""
    import duckdb

    said = str(error)
    if isinstance(error, duckdb.BinderException):
        for pattern in _NAMES:
            if found := pattern.search(said):
                name = found[1]
                return None if name.casefold() == "rowid" else _mistake(error, "name", 1, name)
        return _mistake(error, "types", 1) if typed and _TYPES.search(said) else None
    if isinstance(error, duckdb.CatalogException) and (found := _FUNCTION.search(said)):
        return _mistake(error, "function", 1, found[1])
    return None


def _mistake(
    error: Exception, kind: Literal["syntax", "name", "types", "function"], before: int, name: str = ""
) -> Mistake:
    """``before``: the lines that stood before the statement."""
    said = str(error)
    line = _LINE.search(said)
    guesses = _CANDIDATES.search(said)
    candidates = tuple(re.findall(r'"([^"]+)"', guesses[1])) if guesses else ()
    first = said.partition("\n")[0].partition(" Error: ")[2].strip().rstrip("!.")
    return Mistake(kind, first, max(1, int(line[1]) - before) if line else 1, name, candidates)
