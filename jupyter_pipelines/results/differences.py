"""How two values of one kind differ, in words: frames by columns and rows, arrays by elements, numbers by how much.

All of it is about values that differ already. Whatever their own methods raise is left to the caller.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

MOST_NAMES: Final = 20  # columns that are named


def describe_difference(first: Any, second: Any) -> str:
    """In a few words; ``""`` where nothing is known of such values."""
    if type(first) is not type(second):
        return ""
    if isinstance(first, int | float) and not isinstance(first, bool):
        return f"{second - first:+.6g}"
    tell = _TELLERS.get(type(first).__module__.partition(".")[0])
    return tell(first, second) if tell is not None else ""


def _pandas(first: Any, second: Any) -> str:
    """Two frames, or two series as frames of one column. Columns may have any names, also the same twice."""
    if not hasattr(first, "dtypes") or not hasattr(first, "index"):
        return ""
    if not hasattr(first, "columns"):
        first, second = first.to_frame("its values"), second.to_frame("its values")
    told = _columns(_typed(first.columns, first.dtypes), _typed(second.columns, second.dtypes))
    if list(first.columns) != list(second.columns) and not told:
        return "the columns are in another order"
    if len(first) != len(second):
        return "; ".join([*told, f"{len(second) - len(first):+,} rows"])
    if list(first.columns) != list(second.columns):
        return "; ".join(told)
    import numpy as np

    unlike = [_unlike(first.iloc[:, at], second.iloc[:, at]) for at in range(len(first.columns))]
    rows = int(np.logical_or.reduce(unlike).sum()) if unlike else 0
    if rows:
        names = [name for name, found in zip(first.columns, unlike, strict=True) if found.any()]
        where = f" in {_listed(names)}" if len(names) < len(unlike) or len(unlike) > 1 else ""
        told.append(f"{rows:,} of {len(first):,} rows differ{where}")
    if not first.index.equals(second.index):
        told.append("the index differs")
    return "; ".join(told)


def _unlike(first: Any, second: Any) -> Any:
    """Where two columns of pandas differ, as an array of bools; missing values are equal to each other."""
    import numpy as np

    missing, left, right = first.isna().to_numpy() & second.isna().to_numpy(), first.to_numpy(), second.to_numpy()
    try:
        unlike = np.asarray(left != right, dtype=bool)
    except (TypeError, ValueError):  # of what has no truth, such as arrays in cells, or pandas' NA
        from jupyter_pipelines.execution.comparison import same_value

        unlike = np.fromiter((not same_value(*pair) for pair in zip(left, right, strict=True)), bool, len(left))
    return unlike & ~missing


def _polars(first: Any, second: Any) -> str:
    if not hasattr(first, "height"):
        if not hasattr(first, "to_frame"):
            return ""
        first, second = first.to_frame("its values"), second.to_frame("its values")
    told = _columns(list(first.schema.items()), list(second.schema.items()))
    if first.height != second.height:
        told.append(f"{second.height - first.height:+,} rows")
    elif not told:
        unlike = {name: first[name].ne_missing(second[name]) for name in first.columns}
        names = [name for name, found in unlike.items() if found.any()]
        rows = type(first)({name: unlike[name] for name in names}).max_horizontal().sum() if names else 0
        told.append(f"{rows:,} of {first.height:,} rows differ in {_listed(names)}")
    return "; ".join(told)


def _arrow(first: Any, second: Any) -> str:
    if not hasattr(first, "schema"):
        return ""
    told = _columns(
        [(each.name, each.type) for each in first.schema], [(each.name, each.type) for each in second.schema]
    )
    if first.num_rows != second.num_rows:
        told.append(f"{second.num_rows - first.num_rows:+,} rows")
    elif not told:
        pairs = zip(first.schema.names, first.columns, second.columns, strict=True)
        told.append(f"rows differ in {_listed([name for name, one, other in pairs if not one.equals(other)])}")
    return "; ".join(told)


def _numpy(first: Any, second: Any) -> str:
    shapes = getattr(first, "shape", ()), getattr(second, "shape", ())
    if shapes[0] != shapes[1]:
        return f"shape {shapes[0]} against {shapes[1]}"
    if first.dtype != second.dtype:
        return f"{second.dtype}, was {first.dtype}"
    if not shapes[0]:
        return f"{second - first:+.6g}" if first.dtype.kind in "iuf" else ""
    import numpy as np

    unlike = first != second
    if first.dtype.kind in "fcmM":
        is_missing = np.isnat if first.dtype.kind in "mM" else np.isnan
        unlike &= ~(is_missing(first) & is_missing(second))
    return f"{int(unlike.sum()):,} of {unlike.size:,} elements differ"


def _typed(names: Iterable[Any], types: Iterable[Any]) -> list[tuple[Any, Any]]:
    return list(zip(names, types, strict=True))


def _columns(before: list[tuple[Any, Any]], after: list[tuple[Any, Any]]) -> list[str]:
    """Columns that are new or gone, and those that hold something else. A name that comes twice counts twice."""
    old, new = Counter(name for name, _ in before), Counter(name for name, _ in after)
    told = [f"column {name} is new" for name in (new - old)] + [f"column {name} is gone" for name in (old - new)]
    types = dict(before)
    for name, kind in after:
        if old[name] == new[name] == 1 and types[name] != kind:
            told.append(_retyped(name, types[name], kind))
    return [*told[:MOST_NAMES], *(["and more"] if len(told) > MOST_NAMES else [])]


def _retyped(name: Any, before: Any, after: Any) -> str:
    if str(before) == str(after):
        return f"column {name} has other categories" if str(after) == "category" else f"column {name} has another type"
    return f"column {name} is {after}, was {before}"


def _listed(names: list[Any]) -> str:
    return ", ".join(map(str, names[:MOST_NAMES])) + (" …" if len(names) > MOST_NAMES else "")


_TELLERS: Final[Mapping[str, Callable[[Any, Any], str]]] = {
    "pandas": _pandas,
    "polars": _polars,
    "pyarrow": _arrow,
    "numpy": _numpy,
}
