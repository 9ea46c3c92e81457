"""Values and frames on their way into SQL: parameters as DuckDB takes them, frames as Arrow tables."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jupyter_pipelines.errors import RequestError

if TYPE_CHECKING:
    import pyarrow


def bindable(name: str, value: object) -> object:
    """``value`` as DuckDB can bind it: numpy's and pandas' as Python's own, paths as text.

    Raises :class:`RequestError` for a value, such as an object of a class of one's own, that SQL has no type for.
    """
    import datetime
    import decimal
    import os
    import uuid

    if value is None or _is_missing(value):
        return None
    if callable(convert := getattr(value, "to_pydatetime", None) or getattr(value, "to_pytimedelta", None)):
        return convert()
    if type(value).__module__.partition(".")[0] in {"numpy", "pandas", "polars", "pyarrow"}:
        return _of_library(name, value)
    if isinstance(value, bool | int | float | str | bytes):
        return value
    if isinstance(value, decimal.Decimal | datetime.date | datetime.time | datetime.timedelta | uuid.UUID):
        return value
    if isinstance(value, list | tuple):
        return [bindable(name, each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): bindable(name, each) for key, each in value.items()}
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise _not_bindable(name, value)


def arrow_table(name: str, frame: object) -> pyarrow.Table:
    """A frame as an Arrow table, without a copy where that is possible.

    Raises :class:`RequestError` for what is no frame, and for a column that mixes types.
    """
    import pyarrow

    try:
        if isinstance(frame, pyarrow.Table):
            return frame
        if isinstance(frame, pyarrow.RecordBatch):
            return pyarrow.Table.from_batches([frame])
        if isinstance(frame, pyarrow.RecordBatchReader):
            return frame.read_all()
        if isinstance(frame, _class("pandas", "DataFrame")):
            table = pyarrow.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
            _refuse_periods(name, table)
            return table
        if isinstance(frame, _class("polars", "LazyFrame")):
            frame = frame.collect()  # type: ignore[attr-defined]  # polars is not loaded for its types
        if isinstance(frame, _class("polars", "DataFrame")):
            return frame.to_arrow()  # type: ignore[attr-defined]
        if hasattr(frame, "__arrow_c_stream__"):
            return pyarrow.table(frame)
    except (pyarrow.ArrowException, TypeError, ValueError, OverflowError) as error:
        said = str(error).splitlines()[0]
        raise RequestError(
            f"The frame `{name}` cannot be read as a table: {said}.",
            "Give every column values of one type, for example with `astype`.",
        ) from None
    raise RequestError(
        f"`{name}` is of type {type(frame).__name__}, which SQL cannot read as a table.",
        "Make a pandas, polars or Arrow table of it.",
    )


def _refuse_periods(name: str, table: pyarrow.Table) -> None:
    """What Arrow has of them is a number, of which nobody could tell a month."""
    for field in table.schema:
        if getattr(field.type, "extension_name", "") == "pandas.period":
            raise RequestError(
                f"The column `{field.name}` of the frame `{name}` has periods, which SQL has no type for.",
                f"Make times of them: {name}[{field.name!r}].dt.to_timestamp().",
            )


def is_frame(value: object) -> bool:
    """Whether SQL can read ``value`` as a table; loads no library for it."""
    if isinstance(value, (_class("pandas", "DataFrame"), _class("polars", "DataFrame"), _class("polars", "LazyFrame"))):
        return True
    return isinstance(value, (_class("pyarrow", "Table"), _class("pyarrow", "RecordBatch")))


def _class(module: str, name: str) -> type:
    """A class of a library, if that is loaded: a value of it cannot be without."""
    return getattr(sys.modules.get(module), name, _Nobody)


class _Nobody:
    """Has no instances."""


def _is_missing(value: object) -> bool:
    """pandas' ``NaT`` and ``NA``."""
    return type(value).__name__ in {"NaTType", "NAType"} and type(value).__module__.startswith("pandas.")


def _of_library(name: str, value: Any) -> object:
    """A scalar or an array of numpy and its kin; ``numpy.datetime64`` as finely as Python tells time."""
    if type(value).__name__ in {"datetime64", "timedelta64"}:
        return value.astype(f"{type(value).__name__}[us]").item()
    for convert in ("as_py", "to_pylist", "tolist", "to_list", "item"):
        if callable(method := getattr(value, convert, None)):
            plain = method()
            return [bindable(name, each) for each in plain] if isinstance(plain, list) else bindable(name, plain)
    raise _not_bindable(name, value)


def _not_bindable(name: str, value: object) -> RequestError:
    return RequestError(
        f"${name} is of type {type(value).__name__}, which SQL has no type for.",
        "Give a number, a text, a date or a time, or a list of these; a table is named in FROM, without the $.",
    )
