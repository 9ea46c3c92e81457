"""Rules about a table as a whole: its columns, their types, and how far a number is from what it used to be."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from jupyter_pipelines.errors import SqlError
from jupyter_pipelines.notebook.check_magic import CheckLine, Rule
from jupyter_pipelines.notebook.table_names import quoted

if TYPE_CHECKING:
    from jupyter_pipelines.warehouse.session import Session

FEWEST: Final = 3  # earlier numbers that a drift is told from
_NUMBERS: Final = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "U", "FLOAT", "DOUBLE", "DECIMAL", "BOOL")
Frames = Mapping[str, object]


def columns_differ(session: Session, table: str, rule: Rule, frames: Frames) -> str:
    """How the columns of ``table`` differ from those the rule lists; ``""`` when they do not."""
    there = {name.casefold(): (name, kind) for name, kind in _columns(session, table, frames).items()}
    told, listed = [], set[str]()
    for name, kind in rule.columns:
        listed.add(name.casefold())
        expected = _known_type(session, kind)
        if name.casefold() not in there:
            told.append(f"`{name}` is missing")
        elif there[name.casefold()][1] != expected:
            told.append(f"`{name}` is {there[name.casefold()][1]}, not {expected}")
    if not rule.others:
        told += [f"`{name}` is not expected" for key, (name, _) in there.items() if key not in listed]
    return "; ".join(told[:10]) + (f" and {len(told) - 10} more" if len(told) > 10 else "")


def type_differs(session: Session, table: str, line: CheckLine, rule: Rule, frames: Frames) -> str:
    """How the type of a column differs from the rule's; ``""`` when it does not."""
    kind, expected = _type_of(session, table, line.columns[0], frames), _known_type(session, rule.values[0])
    return "" if kind == expected else f"`{line.columns[0]}` is {kind}, not {expected}"


def drift_value(session: Session, table: str, line: CheckLine, frames: Frames) -> float | None:
    """The number whose drift is looked at: of rows, the mean of numbers, of different values of anything else.

    ``None`` where that is no number: of an empty table, and where NaN or infinity is among the values.
    """
    if not line.columns:
        asked = "count(*)"
    else:
        is_number = _type_of(session, table, line.columns[0], frames).startswith(_NUMBERS)
        column = quoted(line.columns[0])
        asked = f"avg({column}::DOUBLE)" if is_number else f"count(DISTINCT {column})"
    found = session.query(f"SELECT ({asked})::DOUBLE AS value FROM {table}", frames=frames)["value"][0].as_py()
    return float(found) if found is not None and math.isfinite(found) else None


def drifted(value: float | None, earlier: Sequence[float], bound: float) -> tuple[str, bool]:
    """What is to be said of ``value`` beside the median of ``earlier`` ones, and whether it is too far from it."""
    known = [number for number in earlier if math.isfinite(number)]
    if len(known) < FEWEST:
        return f"nothing to compare with yet: {len(known)} of {FEWEST} earlier runs", False
    usual = statistics.median(known)
    if value is None:
        return f"there is no value; usual is {usual:.6g}", True
    change = abs(value - usual) / abs(usual) if usual else float(value != usual)
    return f"{value:.6g} is {change:.1%} from the usual {usual:.6g}", change >= bound


def _columns(session: Session, table: str, frames: Frames) -> dict[str, str]:
    asked = f"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {table})"
    return {row["column_name"]: row["column_type"] for row in session.query(asked, frames=frames).to_pylist()}


def _type_of(session: Session, table: str, column: str, frames: Frames) -> str:
    for name, kind in _columns(session, table, frames).items():
        if name.casefold() == column.casefold():
            return kind
    raise SqlError(f"There is no column `{column}`.", kind="Binder")


def _known_type(session: Session, written: str) -> str:
    """A type as DuckDB calls it: ``int`` is ``INTEGER``."""
    found = session.query(f"SELECT column_type FROM (DESCRIBE SELECT CAST(NULL AS {written}) AS value)")
    return str(found["column_type"][0].as_py())
