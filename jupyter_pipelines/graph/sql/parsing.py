"""sqlglot, asked for DuckDB's SQL: tokens and trees, or one kind of error."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import Token, exp
    from sqlglot.dialects.dialect import Dialect

MOST_CHARACTERS = 200_000  # of one cell; some 1.5 s of work
_HIGHLIGHTED = re.compile(r"\x1b\[[0-9;]*m")


class NotUnderstoodError(Exception):
    """What was read is not SQL as we know it."""


@cache
def _dialect() -> Dialect:
    import logging

    from sqlglot.dialects.dialect import Dialect as Dialects

    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # it logs every statement that it does not take apart
    return Dialects.get_or_raise("duckdb")


def tokenize(sql: str) -> list[Token]:
    """The tokens of a text. Raises :class:`NotUnderstoodError`."""
    from sqlglot.errors import SqlglotError

    if len(sql) > MOST_CHARACTERS:
        raise NotUnderstoodError(f"it is longer than {MOST_CHARACTERS:,} characters")
    try:
        return _dialect().tokenize(sql)
    except SqlglotError:
        raise NotUnderstoodError("a quote or a comment in it has no end") from None


def parse(sql: str, tokens: Sequence[Token]) -> exp.Expr:
    """The tree of the one statement that ``tokens``, of ``sql``, are. Raises :class:`NotUnderstoodError`."""
    try:
        return _parse(sql, list(tokens))
    except RecursionError:
        return _parse_with_room(sql, list(tokens))


def parse_text(sql: str) -> exp.Expr:
    """The tree of a text that is one statement. Raises :class:`NotUnderstoodError`."""
    return parse(sql, tokenize(sql))


def written(tree: exp.Expr) -> str:
    """The tree as text, the same for all texts that differ in nothing that counts. Raises as :func:`parse`."""
    try:
        return tree.sql("duckdb", comments=False)
    except RecursionError:
        raise NotUnderstoodError("it is nested too deeply") from None
    except Exception as error:  # sqlglot writes what it has read, and fails in any way at what it has read wrongly
        raise NotUnderstoodError(f"{type(error).__name__} while it was written") from error


def _parse(sql: str, tokens: list[Token]) -> exp.Expr:
    from sqlglot.errors import ParseError

    try:
        trees = _dialect().parser().parse(tokens, sql)
    except ParseError as error:
        raise NotUnderstoodError(_reason(error)) from None
    except RecursionError:
        raise
    except Exception as error:  # it fails in any way at what it does not expect
        raise NotUnderstoodError(f"{type(error).__name__} while it was read") from error
    found = [tree for tree in trees if tree is not None]
    if len(found) != 1:
        raise NotUnderstoodError("it is not one statement")
    return found[0]


def _parse_with_room(sql: str, tokens: list[Token]) -> exp.Expr:
    """Once more where the stack is empty: what is too deep must not depend on who asks."""
    outcome: list[exp.Expr | NotUnderstoodError] = []

    def attempt() -> None:
        try:
            outcome.append(_parse(sql, tokens))
        except RecursionError:
            outcome.append(NotUnderstoodError("it is nested too deeply"))
        except NotUnderstoodError as reason:
            outcome.append(reason)

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    if isinstance(outcome[0], NotUnderstoodError):
        raise outcome[0]
    return outcome[0]


def _reason(error: Exception) -> str:
    errors = getattr(error, "errors", None) or [{}]
    description, near = str(errors[0].get("description") or ""), str(errors[0].get("highlight") or "")
    if not near:
        return "it ends too early" if description.startswith("Required keyword") else "it is not SQL that is known here"
    return f"near `{_HIGHLIGHTED.sub('', near)[:40]}`"
