"""From the text of a cell to its statements: split where they end, each read by itself, the author's text kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from jupyter_pipelines.graph.sql.model import SqlStatement
from jupyter_pipelines.graph.sql.parsing import NotUnderstoodError, tokenize

if TYPE_CHECKING:
    from sqlglot import Token

IGNORE_UPSTREAM = "ignore-upstream"


@dataclass(frozen=True, slots=True)
class Source:
    """One statement on its way to being understood. Positions are those in ``sql``, the text of the whole cell."""

    sql: str
    tokens: Sequence[Token]
    ignored_lines: frozenset[int]  # from 1: whose references a comment opts out

    @property
    def start(self) -> int:
        return self.tokens[0].start

    @property
    def text(self) -> str:
        return self.sql[self.start : self.tokens[-1].end + 1]

    @property
    def line(self) -> int:
        """How many lines stand above it."""
        return self.sql.count("\n", 0, self.start)


@lru_cache(maxsize=2048)
def read_statements(sql: str) -> tuple[SqlStatement, ...]:
    """The statements of a text, in order. Never raises: one that is not understood says so in its ``problem``."""
    if not sql.strip():
        return ()
    from jupyter_pipelines.graph.sql.reading import read_statement

    try:
        tokens = tokenize(sql)
    except NotUnderstoodError as reason:
        lines_above = sql.count("\n", 0, len(sql) - len(sql.lstrip()))
        return (SqlStatement(sql.strip(), lines_above, "other", problem=str(reason), anything=True),)
    ignored = frozenset(_ignored_lines(sql, tokens))
    return tuple(read_statement(Source(sql, part, ignored)) for part in _split(tokens))


def _split(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    from sqlglot import TokenType

    begin = 0
    for at, token in enumerate(tokens):
        if token.token_type is TokenType.SEMICOLON:
            if at > begin:
                yield tokens[begin:at]
            begin = at + 1
    if begin < len(tokens):
        yield tokens[begin:]


def _ignored_lines(sql: str, tokens: Sequence[Token]) -> Iterator[int]:
    """Lines with a comment that says ``ignore-upstream``; comments are what stands between tokens."""
    if IGNORE_UPSTREAM not in sql:
        return
    ends = [0, *(token.end + 1 for token in tokens)]
    begins = [*(token.start for token in tokens), len(sql)]
    for end, begin in zip(ends, begins, strict=True):
        at = sql.find(IGNORE_UPSTREAM, end, begin)
        while at >= 0:
            yield sql.count("\n", 0, at) + 1
            at = sql.find(IGNORE_UPSTREAM, at + 1, begin)
