"""``jp.metric("auc", 0.91)``: a number that a run is to be remembered by."""

from __future__ import annotations

import math
import numbers
import sys

from jupyter_pipelines.errors import RequestError

_SESSION = "_jupyter_pipelines_kernel.session"  # of the step that this kernel runs, if it runs one
MOST_CHARACTERS = 200


def metric(name: str, value: float) -> None:
    """Put a number on record with the run that this step belongs to.

    It is on disk when this returns, so that a crash does not take it; given again, the last value counts. In a kernel
    that runs no step nothing happens: the notebook does the same there. Raises :class:`RequestError` for what is no
    number, and for a name that nobody could find again.
    """
    if not isinstance(name, str) or not name.strip() or len(name) > MOST_CHARACTERS or not name.isprintable():
        raise RequestError(f"{str(name)[:60]!r} cannot name a metric.", f"Give up to {MOST_CHARACTERS} characters.")
    number = _number(value)
    if number is None:
        raise RequestError(
            f"The metric {name} is of type {type(value).__name__}, not a number.", "Give it as float(value)."
        )
    session = sys.modules.get(_SESSION)
    if session is not None:
        session.record_metric(name, number)


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return float(value)
    if getattr(value, "shape", None) == () and callable(item := getattr(value, "item", None)):  # numpy, torch
        value = item()
    if not isinstance(value, numbers.Real) and type(value).__name__ != "Decimal":
        return None
    try:
        return float(value)  # type: ignore[arg-type]  # a real number
    except OverflowError:
        return math.inf
