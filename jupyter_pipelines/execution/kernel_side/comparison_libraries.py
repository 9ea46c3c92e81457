"""How values of numpy, pandas, polars, pyarrow, torch and matplotlib are compared, where the user has imported them."""

from __future__ import annotations

import importlib
import pickle
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .arrays import FRAME_ATTRIBUTES

if TYPE_CHECKING:
    from .comparison import Comparison

Compare = Callable[["Comparison", Any, Any, str], str | None]


def known() -> list[tuple[Any, Compare]]:
    """Types of the libraries that are loaded, and how each is compared; the first that fits counts."""
    found: list[tuple[Any, Compare]] = []
    for module, types in _TYPES.items():
        loaded = sys.modules.get(module)
        for name, compare in types.items() if loaded is not None else ():
            kind = getattr(loaded, name, None)
            if isinstance(kind, type):
                found.append((kind, compare))
    return found


# numpy


def _masked(comparison: Comparison, first: Any, second: Any, path: str) -> str | None:
    ma = sys.modules["numpy"].ma
    if first.dtype != second.dtype or first.shape != second.shape:
        return f"{path}: {first.dtype} {first.shape} against {second.dtype} {second.shape}"
    if (first.mask is ma.nomask) != (second.mask is ma.nomask):
        return f"{path}: only one has a mask"
    found = _array(comparison, ma.getmaskarray(first), ma.getmaskarray(second), f"{path}.mask")
    visible = ~ma.getmaskarray(first) if first.dtype.names is None else ...
    return (
        found
        or _array(comparison, first.data[visible], second.data[visible], path)
        or comparison.compare(first.fill_value, second.fill_value, f"{path}.fill_value")
    )


def _array(comparison: Comparison, first: Any, second: Any, path: str) -> str | None:
    numpy = sys.modules["numpy"]
    if first.dtype != second.dtype or first.shape != second.shape:
        return f"{path}: {first.dtype} {first.shape} against {second.dtype} {second.shape}"
    if type(first) is not numpy.ndarray and getattr(first, "__dict__", None):
        found = comparison.all_of(path, [(name, held, vars(second).get(name)) for name, held in vars(first).items()])
        if found is not None:
            return found
    first, second = first.view(numpy.ndarray), second.view(numpy.ndarray)
    if first.dtype.names is not None:
        return comparison.all_of(path, [(name, first[name], second[name]) for name in first.dtype.names])
    if first.dtype.kind == "O":
        return comparison.sequences(first.ravel().tolist(), second.ravel().tolist(), path)
    if first.dtype.kind in "fc":
        with numpy.errstate(all="ignore"):
            unlike = ~((first == second) & (numpy.signbit(first.real) == numpy.signbit(second.real)))
            unlike &= ~(numpy.isnan(first) & numpy.isnan(second))
    elif first.dtype.kind in "mM":
        unlike = first.view("i8") != second.view("i8")
    elif first.dtype.kind == "T":
        return comparison.sequences(first.ravel().tolist(), second.ravel().tolist(), path)
    else:
        unlike = numpy.atleast_1d(first.tobytes() != second.tobytes()) if first.dtype.kind == "V" else first != second
    if not numpy.any(unlike):
        return None
    place = numpy.unravel_index(int(numpy.argmax(unlike)), numpy.shape(unlike))
    if numpy.shape(unlike) != first.shape:
        return f"{path}: the elements differ"
    where = f"{path}[{', '.join(str(int(step)) for step in place)}]" if place else path
    return f"{where}: {first[place]!r} against {second[place]!r}"


def _scalar(comparison: Comparison, first: Any, second: Any, path: str) -> str | None:
    numpy = sys.modules["numpy"]
    return _array(comparison, numpy.asarray(first), numpy.asarray(second), path)


def _dtype(comparison: Comparison, first: Any, second: Any, path: str) -> str | None:
    return None if first == second and str(first) == str(second) else f"{path}: {first} against {second}"


# pandas


def _index(comparison: Comparison, first: Any, second: Any, path: str) -> str | None:
    if type(first).__name__ == "MultiIndex":
        inside = ("names", "levels", "codes")
        return comparison.all_of(
            path, [(name, list(getattr(first, name)), list(getattr(second, name))) for name in inside]
        )
    parts: list[tuple[str, Any, Any]] = [("dtype", first.dtype, second.dtype), ("name", first.name, second.name)]
    parts += [("freq", getattr(first, "freq", None), getattr(second, "freq", None))]
    if type(first).__name__ == "RangeIndex":
        return comparison.all_of(path, [*parts, ("range", first._range, second._range)])
    return comparison.all_of(path, [*parts, ("array", first.array, second.array)])


def _series(comparison: Comparison, first: Any, second: Any, path: str) -> str | None:
    parts = [(name, getattr(first, name), getattr(second, name)) for name in ("name", "index", "array")]
    return comparison.all_of(path, parts) or _frame_extras(comparison, first, second, path)


def _frame(comparison: Comparison, first: Any, second: Any, path: str) -> str | None:
    found = comparison.all_of(path, [("columns", first.columns, second.columns), ("index", first.index, second.index)])
    if found is not None:
        return found
    for place, name in enumerate(first.columns):
        found = comparison.compare(first.iloc[:, place].array, second.iloc[:, place].array, f"{path}[{name!r}]")
        if found is not None:
            return found
    return _frame_extras(comparison, first, second, path)


def _frame_extras(comparison: Comparison, first: Any, second: Any, path: str) -> str | None:
    extras = [
        {name: held for name, held in vars(frame).items() if name not in FRAME_ATTRIBUTES} for frame in (first, second)
    ]
    parts = [("attrs", first.attrs, second.attrs), ("attributes", *extras)]
    labels = [frame.flags.allows_duplicate_labels for frame in (first, second)]
    return comparison.all_of(path, [*parts, ("flags", *labels)])


def _extension_array(comparison: Comparison, first: Any, second: Any, path: str) -> str | None:
    if len(first) != len(second) or first.dtype != second.dtype:
        return f"{path}: {first.dtype}, {len(first):,} long, against {second.dtype}, {len(second):,} long"
    name = type(first).__name__
    if name == "Categorical":
        found = comparison.compare(first.categories, second.categories, f"{path}.categories")
        parts = [("ordered", first.ordered, second.ordered), ("codes", first.codes, second.codes)]
        return found or comparison.all_of(path, parts)
    for inner in _INSIDES:
        if all(hasattr(first, part) for part in inner):
            if inner == ("_data", "_mask"):
                return _masked_extension(comparison, first, second, path)
            return comparison.all_of(path, [(part, getattr(first, part), getattr(second, part)) for part in inner])
    return comparison.sequences(list(first), list(second), path)


_INSIDES = (("_pa_array",), ("_data", "_mask"), ("_sparse_values", "_sparse_index"), ("_left", "_right"), ("_ndarray",))


def _masked_extension(comparison: Comparison, first: Any, second: Any, path: str) -> str | None:
    found = comparison.compare(first._mask, second._mask, f"{path}.mask")
    return found or comparison.compare(first._data[~first._mask], second._data[~second._mask], path)


# other libraries


def _by_equals(comparison: Comparison, first: Any, second: Any, path: str) -> str | None:
    if first.equals(second):
        return None
    if hasattr(first, "to_pylist"):
        one, other = (value.schema if hasattr(value, "schema") else value.type for value in (first, second))
        if not one.equals(other):
            return f"{path}: {one} against {other}"
        return comparison.compare(first.to_pylist(), second.to_pylist(), path)
    return f"{path}: {first!r} against {second!r}"[:200]


def _polars_series(comparison: Comparison, first: Any, second: Any, path: str) -> str | None:
    found = comparison.all_of(path, [("name", first.name, second.name), ("dtype", str(first.dtype), str(second.dtype))])
    if found is not None or first.equals(second, null_equal=True):
        return found
    return comparison.sequences(first.to_list(), second.to_list(), path)


def _polars_frame(comparison: Comparison, first: Any, second: Any, path: str) -> str | None:
    one, other = ([(name, str(dtype)) for name, dtype in frame.schema.items()] for frame in (first, second))
    found = comparison.compare(one, other, f"{path}.schema")
    if found is not None:
        return found
    return comparison.all_of(path, [(name, first[name], second[name]) for name in first.columns])


def _polars_lazy(comparison: Comparison, first: Any, second: Any, path: str) -> str | None:
    return comparison.compare(first.explain(optimized=False), second.explain(optimized=False), path)


def _tensor(comparison: Comparison, first: Any, second: Any, path: str) -> str | None:
    for name in ("dtype", "shape", "device", "requires_grad", "layout"):
        one, other = getattr(first, name), getattr(second, name)
        if one != other:
            return f"{path}.{name}: {one} against {other}"
    torch = sys.modules["torch"]
    return None if torch.allclose(first, second, rtol=0, atol=0, equal_nan=True) else f"{path}: the elements differ"


def _figure(comparison: Comparison, first: Any, second: Any, path: str) -> str | None:
    """Figures pixel by pixel: drawing changes so much inside them that their state says little."""
    return None if _pixels(first) == _pixels(second) else f"{path}: the figures look different"


def _artist(comparison: Comparison, first: Any, second: Any, path: str) -> str | None:
    one, other = (getattr(artist, "figure", None) for artist in (first, second))
    if one is None or other is None:
        return None if one is other else f"{path}: only one is in a figure"
    return comparison.compare(one, other, f"{path}.figure")


def _pixels(figure: Any) -> bytes:
    agg = importlib.import_module("matplotlib.backends.backend_agg")
    canvas = agg.FigureCanvasAgg(pickle.loads(pickle.dumps(figure)))  # of a copy: drawing changes a figure
    canvas.draw()
    return bytes(canvas.buffer_rgba())


_TYPES: dict[str, dict[str, Compare]] = {
    "numpy.ma": {"MaskedArray": _masked},
    "numpy": {"ndarray": _array, "generic": _scalar, "dtype": _dtype},
    "pandas": {"Index": _index, "Series": _series, "DataFrame": _frame},
    "pandas.api.extensions": {"ExtensionArray": _extension_array},
    "polars": {"Series": _polars_series, "DataFrame": _polars_frame, "LazyFrame": _polars_lazy},
    "pyarrow": dict.fromkeys(
        ("Table", "RecordBatch", "Array", "ChunkedArray", "Schema", "DataType", "Scalar"), _by_equals
    ),
    "torch": {"Tensor": _tensor},
    "matplotlib.figure": {"FigureBase": _figure},
    "matplotlib.artist": {"Artist": _artist},
}
