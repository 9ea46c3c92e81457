"""How what patsy makes of a formula is pickled, which statsmodels keeps in its models.

patsy's classes refuse to be pickled because their format is not meant to last. Between two kernels of one pipeline it
need not: both have the same patsy.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import rebuild

if TYPE_CHECKING:
    from .pickling import ValuePickler

Reduction = Any


def reducer_of(kind: type) -> Callable[[ValuePickler, Any], Reduction] | None:
    """How instances of ``kind`` are pickled, if it is of patsy or holds what patsy made; ``None``: as they say."""
    data = sys.modules.get("statsmodels.base.data")
    if data is not None and issubclass(kind, data.ModelData):
        return _by_attributes  # its own way leaves the formula out, and evaluates it anew where it is read
    if not str(kind.__module__).startswith("patsy.") or issubclass(kind, BaseException):
        return None
    own = [vars(base) for base in kind.__mro__ if str(base.__module__).startswith("patsy.")]
    if not any("__getstate__" in held or "__reduce__" in held for held in own):
        return None
    numpy = sys.modules.get("numpy")
    if numpy is not None and issubclass(kind, numpy.ndarray):
        return _design_matrix
    return _namespaces if kind.__name__ == "EvalEnvironment" else _by_attributes


def _by_attributes(pickler: ValuePickler, value: Any) -> Reduction:
    return object.__new__, (type(value),), vars(value)


def _namespaces(pickler: ValuePickler, value: Any) -> Reduction:
    """The variables that a formula sees: those of the notebook are there already, wherever it goes."""
    notebook = sys.modules["__main__"].__dict__
    spaces = [None if space is notebook else space for space in value._namespaces]
    return rebuild.formula_environment, (type(value), spaces, value.flags)


def _design_matrix(pickler: ValuePickler, value: Any) -> Reduction:
    pickler.arrays.append(value)
    make, arguments, state = sys.modules["numpy"].ndarray.__reduce__(value)
    return make, arguments, (state, vars(value)), None, None, rebuild.set_state_and_extras
