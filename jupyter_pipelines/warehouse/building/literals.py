"""Parameters in a view: a view keeps no bound values, so each stands in its text as a typed literal.

What is replaced is found by sqlglot's tokenizer, so that a ``$name`` in a string or a comment stays; all else stays as
its author wrote it. A text becomes a literal by doubling its quotes, which is all that DuckDB reads in one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

from jupyter_pipelines.errors import BuildError
from jupyter_pipelines.notebook.table_names import text_literal


def literal(value: object) -> str:
    """``value`` as SQL of its type. Raises :class:`BuildError` for a type that has none."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case int():
            return f"({value})"
        case float():
            return f"({value!r}::DOUBLE)" if math.isfinite(value) else f"'{value}'::DOUBLE"
        case Decimal():
            return _decimal(value)
        case str():
            return _text(value)
        case bytes() | bytearray():
            return f"from_hex('{value.hex()}')"
        case datetime():
            return f"{_text(value.isoformat(' '))}::{'TIMESTAMP' if value.tzinfo is None else 'TIMESTAMPTZ'}"
        case date():
            return f"{_text(value.isoformat())}::DATE"
        case time():
            return f"{_text(value.isoformat())}::TIME"
        case timedelta():
            microseconds = value // timedelta(microseconds=1)
            return f"to_microseconds({microseconds})"
        case UUID():
            return f"{_text(str(value))}::UUID"
        case list() | tuple():
            return f"[{', '.join(map(literal, value))}]"
        case _:
            raise BuildError(
                f"A view cannot keep a value of type {type(value).__name__}.",
                "Give a number, a text, a date or a list of these, or build a table.",
            )


def with_literals(sql: str, parameters: Mapping[str, object]) -> str:
    """``sql`` with the values of ``parameters`` in the place of their ``$names``."""
    from sqlglot.dialects.duckdb import DuckDB

    pieces, at = [], 0
    tokens = DuckDB.Tokenizer().tokenize(sql)
    for sign, name in pairwise(tokens):
        if sign.token_type.name == "PARAMETER" and name.start == sign.end + 1 and name.text in parameters:
            pieces += [sql[at : sign.start], literal(parameters[name.text])]
            at = name.end + 1
    return "".join([*pieces, sql[at:]])


def _text(value: str) -> str:
    if "\x00" in value:
        raise BuildError("A view cannot keep a text with a NUL character.", "Take it out, or build a table.")
    return text_literal(value)


def _decimal(value: Decimal) -> str:
    if not value.is_finite():
        raise BuildError(f"A view cannot keep the decimal {value}.", "Give a finite number.")
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    scale = max(0, -exponent)
    return f"'{value:f}'::DECIMAL({min(38, max(len(digits) + max(exponent, 0), scale + 1))}, {scale})"
