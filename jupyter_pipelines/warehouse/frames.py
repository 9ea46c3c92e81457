"""Results as DataFrames, and the types of their columns as SQL calls them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jupyter_pipelines.errors import RequestError

if TYPE_CHECKING:
    import pyarrow

    from jupyter_pipelines.notebook.sql_magic import FrameForm

_NAMES: Final = {
    "bool": "BOOLEAN",
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "uint8": "UTINYINT",
    "uint16": "USMALLINT",
    "uint32": "UINTEGER",
    "uint64": "UBIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "large_string": "VARCHAR",
    "string_view": "VARCHAR",
    "binary": "BLOB",
    "large_binary": "BLOB",
    "binary_view": "BLOB",
    "date32[day]": "DATE",
    "time64[us]": "TIME",
    "month_day_nano_interval": "INTERVAL",
    "null": "NULL",
}


_INFINITE: Final = {sign * (2**bits - 1) for bits in (31, 63) for sign in (1, -1)}
"""DuckDB's infinite dates and times, as they come: no clock of Python's goes as far."""


def type_name(kind: pyarrow.DataType) -> str:
    """What SQL calls an Arrow type."""
    from pyarrow import types

    if types.is_timestamp(kind):
        return "TIMESTAMP" if kind.tz is None else "TIMESTAMPTZ"
    if types.is_decimal(kind):
        return "HUGEINT" if (kind.precision, kind.scale) == (38, 0) else f"DECIMAL({kind.precision},{kind.scale})"
    if types.is_dictionary(kind):
        return "ENUM"
    if types.is_map(kind):
        return f"MAP({type_name(kind.key_type)}, {type_name(kind.item_type)})"
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return f"{type_name(kind.value_type)}[]"
    if types.is_struct(kind):
        return f"STRUCT({', '.join(f'{field.name} {type_name(field.type)}' for field in kind)})"
    return _NAMES.get(str(kind), str(kind).upper())


def with_texts(schema: pyarrow.Schema) -> pyarrow.Schema:
    """The columns with texts for the values of an ENUM: a stream of Flight's has no place for what it lists."""
    import pyarrow

    return pyarrow.schema([field.with_type(_with_texts(field.type)) for field in schema])


def _with_texts(kind: pyarrow.DataType) -> pyarrow.DataType:
    import pyarrow
    from pyarrow import types

    if types.is_dictionary(kind):
        return _with_texts(kind.value_type)
    if types.is_map(kind):
        return pyarrow.map_(_with_texts(kind.key_type), _with_texts(kind.item_type))
    if types.is_struct(kind):
        return pyarrow.struct([field.with_type(_with_texts(field.type)) for field in kind])
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        item = kind.value_field.with_type(_with_texts(kind.value_type))
        if types.is_fixed_size_list(kind):
            return pyarrow.list_(item, kind.list_size)
        return pyarrow.large_list(item) if types.is_large_list(kind) else pyarrow.list_(item)
    return kind


def python_values(column: pyarrow.ChunkedArray | pyarrow.Array) -> list[Any]:
    """The values of a column as Python's own; as text where Python has none: `infinity`, a day of the year 10000."""
    try:
        return column.to_pylist()  # type: ignore[no-any-return]
    except (ArithmeticError, ValueError):
        return [_python_value(value) for value in column]


def _python_value(value: Any) -> Any:
    import pyarrow

    try:
        return value.as_py()
    except (ArithmeticError, ValueError):
        if isinstance(value, pyarrow.StructScalar):
            return {name: _python_value(part) for name, part in value.items()}
        if isinstance(value, pyarrow.ListScalar | pyarrow.LargeListScalar | pyarrow.FixedSizeListScalar):
            return [_python_value(part) for part in value.values]
        number = getattr(value, "value", None)
        if isinstance(number, int) and number in _INFINITE:
            return "infinity" if number > 0 else "-infinity"
        try:
            return str(value.cast(pyarrow.string()))
        except pyarrow.ArrowException:
            return "?"


def frame_as(table: pyarrow.Table, form: FrameForm) -> Any:
    """A result as a pandas or polars DataFrame, or as the Arrow table that it is.

    Raises :class:`RequestError` when polars is not installed.
    """
    if form == "arrow":
        return table
    if form == "pandas":
        return data_frame(table)
    try:
        import polars
    except ImportError:
        raise RequestError("polars is not installed here.", "Install it: pip install polars.") from None
    return polars.from_arrow(table)


def data_frame(table: pyarrow.Table) -> Any:
    """A result as a pandas DataFrame, its types as DuckDB's own ``df()`` gives them.

    Dates are ``datetime64``; decimals are floats, whole ones integers where they fit.
    """
    import pyarrow

    for place, field in enumerate(table.schema):
        if pyarrow.types.is_decimal(field.type):
            column = table.column(place)
            try:
                column = column.cast(pyarrow.int64() if field.type.scale == 0 else pyarrow.float64())
            except pyarrow.ArrowInvalid:  # too large
                column = column.cast(pyarrow.float64())
            table = table.set_column(place, field.name, column)
    return table.to_pandas(date_as_object=False)
