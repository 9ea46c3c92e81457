"""What reading SQL gives. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jupyter_pipelines.notebook.table_names import TableName

StatementKind = Literal[
    "query",
    "create table",
    "create view",
    "create",  # a schema, macro, index, sequence, type
    "insert",
    "update",
    "delete",
    "merge",
    "drop",
    "alter",
    "copy",
    "transaction",  # begin, commit, rollback
    "session",  # settings, attached databases: what holds for the connection it ran on
    "other",
]

WHOLE_SCHEMA = "*"  # instead of a table: all of its schema


@dataclass(frozen=True, slots=True)
class Reference:
    """A table named in a statement, and the line of the text it is named on (from 1)."""

    name: TableName
    line: int


@dataclass(frozen=True, slots=True)
class SqlStatement:
    """One statement. ``text`` is the author's own, from its first word to its last; ``line`` counts those above it.

    A macro called ``f`` counts as a table called ``f()``; a ``-- ignore-upstream`` behind a reference keeps it out of
    ``read``. What cannot be told is said by ``anything``: it may read and, unless it ``only_reads``, write every table.
    """

    text: str
    line: int
    kind: StatementKind
    read: tuple[Reference, ...] = ()
    written: tuple[Reference, ...] = ()
    temporary: tuple[TableName, ...] = ()  # made for this connection only
    parameters: tuple[str, ...] = ()  # the names of `$name`
    files_read: tuple[str | None, ...] = ()  # None: not known which
    files_written: tuple[str | None, ...] = ()
    problem: str = ""  # why it was not understood
    anything: bool = False
    only_reads: bool = False
    session: str = ""  # what it sets for the connection, for messages

    @property
    def reads(self) -> tuple[TableName, ...]:
        """The tables it reads, each once."""
        return tuple(dict.fromkeys(reference.name for reference in self.read))

    @property
    def writes(self) -> tuple[TableName, ...]:
        """The tables it makes, fills, changes or drops, each once."""
        return tuple(dict.fromkeys(reference.name for reference in self.written))

    @property
    def is_query(self) -> bool:
        """Whether it gives rows that a table could be made of."""
        return self.kind == "query"
