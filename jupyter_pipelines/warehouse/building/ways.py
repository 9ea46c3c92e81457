"""The ways in which a table comes to its new content. Each gives rows added, changed and removed.

All but ``append`` give the same table when they are repeated with the same rows: that is what makes it safe to run a
notebook again, and to fill a table window by window in any order. ``append`` does when a run is continued.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from jupyter_pipelines.errors import BuildError
from jupyter_pipelines.notebook.table_names import quoted
from jupyter_pipelines.warehouse.building.appends import find_append, note_append, require_same_rows
from jupyter_pipelines.warehouse.building.literals import literal, with_literals
from jupyter_pipelines.warehouse.building.snapshot import snapshot
from jupyter_pipelines.warehouse.building.work import STAGED, Work, count, names, rows
from jupyter_pipelines.warehouse.statements import values_of

if TYPE_CHECKING:
    from jupyter_pipelines.notebook.sql_magic import Materialization

START, END, WATERMARK = "interval_start", "interval_end", "watermark"
_LOWEST: Mapping[str, object] = {"DATE": datetime.min, "TIME": datetime.min.time(), "VARCHAR": ""}


class Counts(NamedTuple):
    """Rows that a build has added, changed and removed."""

    added: int = 0
    changed: int = 0
    removed: int = 0


def table(work: Work) -> Counts:
    """All of it anew."""
    work.keep()
    work.drop_view()
    work.write(f"CREATE OR REPLACE TABLE {work.target} AS")
    return Counts(added=count(work.session, work.target), removed=work.had)


def view(work: Work) -> Counts:
    """A query by that name; values of parameters stand in it as they are now."""
    if work.frames:
        raise BuildError(
            f"The view {work.spec.table} cannot be made of {' and '.join(f'`{one}`' for one in work.frames)}: "
            "a DataFrame is gone when the kernel is.",
            "Build a table of it first, or use --materialize table.",
        )
    work.keep()
    if work.kind == "table":
        work.session.execute(f"DROP TABLE {work.target}")
    query = with_literals(work.query.text, values_of(work.query, work.parameters))
    work.session.execute(f"CREATE OR REPLACE VIEW {work.target} AS {query}")
    return Counts(removed=work.had)


def incremental(work: Work) -> Counts:
    """By key, by the run's window, or behind the watermark."""
    _stage(work)
    work.require(*work.spec.unique_key, *filter(None, [work.spec.time_column]), *work.spec.partition_by)
    if work.spec.unique_key:
        work.one_row_each(work.spec.unique_key)
    elif WATERMARK not in work.query.parameters:
        _inside_window(work)
    if work.is_anew:
        work.create_from_staged()
        return Counts(added=count(work.session, work.target), removed=work.had)
    work.same_columns()
    if work.spec.unique_key:
        return _merge(work)
    return _behind_watermark(work) if WATERMARK in work.query.parameters else _window(work)


def append(work: Work) -> Counts:
    """More rows, each time; once only where a run is tried again."""
    earlier = find_append(work)
    if earlier is not None and work.attempt is not None and earlier.version == work.attempt.version:
        return Counts()
    _stage(work)
    work.require(*work.spec.partition_by)
    if earlier is not None:
        require_same_rows(work, earlier)
        return Counts()
    if work.is_anew:
        work.create_from_staged()
        counts = Counts(added=count(work.session, work.target), removed=work.had)
    else:
        work.same_columns()
        counts = Counts(added=work.insert_staged())
    note_append(work, work.had - counts.removed + counts.added)
    return counts


def watermark(work: Work) -> object:
    """The latest time in the table, or what comes before all times where there is no table yet."""
    column = work.spec.time_column
    if not column:
        raise BuildError(
            f"The query for {work.spec.table} uses $watermark, and it is not known of which column.",
            "Add --time-column COLUMN.",
        )
    if not work.is_anew:
        found = rows(work.session, f"SELECT max({quoted(column)}) FROM {work.target}")[0][0]
        if found is not None:
            return found
    work.stage({WATERMARK: None})
    work.require(column)
    kind = next(kind for name, kind in work.columns.items() if name.casefold() == column.casefold())
    if kind.startswith("TIMESTAMP"):
        return datetime.min
    return _LOWEST.get(kind, -1 if kind.startswith("U") else -(2**31))


def _stage(work: Work) -> None:
    work.stage({WATERMARK: watermark(work)} if WATERMARK in work.query.parameters else None)


def _merge(work: Work) -> Counts:
    keys = {key.casefold() for key in work.spec.unique_key}
    others = [name for name in work.columns if name.casefold() not in keys]
    keys_of = f"SELECT {names(work.spec.unique_key)} FROM {STAGED}"
    work.keep(f"EXISTS (FROM {{keys}} AS s WHERE {_same_keys(work, work.target)})", keys_of)
    matched = _same_keys(work, "t")
    statement = f"MERGE INTO {work.target} AS t USING {STAGED} AS s ON ({matched})"
    if others:
        differs = " OR ".join(f"t.{quoted(one)} IS DISTINCT FROM s.{quoted(one)}" for one in others)
        changes = ", ".join(f"{quoted(one)} = s.{quoted(one)}" for one in others)
        statement += f" WHEN MATCHED AND ({differs}) THEN UPDATE SET {changes}"
    values = ", ".join(f"s.{quoted(one)}" for one in work.columns)
    statement += f" WHEN NOT MATCHED THEN INSERT ({names(tuple(work.columns))}) VALUES ({values})"
    touched = work.session.execute(statement)
    added = count(work.session, work.target) - work.had
    return Counts(added=added, changed=touched - added)


def _same_keys(work: Work, target: str) -> str:
    return " AND ".join(f"{target}.{quoted(key)} IS NOT DISTINCT FROM s.{quoted(key)}" for key in work.spec.unique_key)


def _window(work: Work) -> Counts:
    column, ends = quoted(work.spec.time_column), _ends(work)
    work.keep(f"{column} >= {literal(ends['start'])} AND {column} < {literal(ends['end'])}")
    removed = work.session.execute(f"DELETE FROM {work.target} WHERE {column} >= $start AND {column} < $end", ends)
    return Counts(added=work.insert_staged(), removed=removed)


def _behind_watermark(work: Work) -> Counts:
    """Rows behind the watermark are added; where the query goes back to earlier ones, those from there on replaced."""
    column = quoted(work.spec.time_column)
    first = rows(work.session, f"SELECT min({column}) FROM {STAGED}")[0][0]
    work.keep(f"{column} >= {literal(first)}")
    removed = work.session.execute(f"DELETE FROM {work.target} WHERE {column} >= $first", {"first": first})
    return Counts(added=work.insert_staged(), removed=removed)


def _inside_window(work: Work) -> None:
    """Refuse rows outside of the run's window: a later run of theirs would not replace them."""
    column, ends = quoted(work.spec.time_column), _ends(work)
    stray = f"FROM {STAGED} WHERE NOT coalesce({column} >= $start AND {column} < $end, false)"
    found = rows(work.session, f"SELECT count(*), min({column})::VARCHAR {stray}", ends)[0]
    if found[0]:
        raise BuildError(
            f"{work.spec.table} cannot be built: {found[0]:,} rows of the query lie outside of the run's window, "
            f"which reaches from {ends['start']} up to {ends['end']}; one has {work.spec.time_column} = "
            f"{'NULL' if found[1] is None else found[1]}.",
            f"Add WHERE {work.spec.time_column} >= $interval_start AND {work.spec.time_column} < $interval_end.",
        )


def _ends(work: Work) -> dict[str, object]:
    if START not in work.parameters or END not in work.parameters:
        raise BuildError(
            f"{work.spec.table} is built by time range, and the range is not known.",
            f"Declare `{START}` and `{END}` in the parameters cell, with a value each; runs over data windows give "
            "them. Or use $watermark in the query, or --unique-key.",
        )
    return {"start": work.parameters[START], "end": work.parameters[END]}


WAYS: Mapping[Materialization, Callable[[Work], tuple[int, int, int]]] = {
    "table": table,
    "view": view,
    "incremental": incremental,
    "append": append,
    "snapshot": snapshot,
}
