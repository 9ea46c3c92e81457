"""Many runs: a question that is asked when something is wanted of its answer, and no sooner."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, overload

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.history import get_run
from jupyter_pipelines.orchestration.model import RunState
from jupyter_pipelines.orchestration.records import read_record
from jupyter_pipelines.orchestration.service import endpoint_of
from jupyter_pipelines.orchestration.settling import settle_runs
from jupyter_pipelines.results.run import Run
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store
from jupyter_pipelines.store.run_index import RunIndex, RunRow
from jupyter_pipelines.store.run_questions import STARTERS, Question
from jupyter_pipelines.typed import typed

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from jupyter_pipelines.results.trends import Trend

Moment = float | str | date | timedelta
STATES: tuple[str, ...] = get_args(RunState)
TEXTS = ("id", "pipeline", "state", "by")  # columns of every table of runs, also of an empty one
PAGE = 100  # runs that are read at once
_AGO = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d|w)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


@typed
def runs(
    pipeline: Path | str | None = None,
    *,
    state: RunState | Collection[RunState] | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    parameters: Mapping[str, object] | None = None,
    by: str | Collection[str] | None = None,
    schedule: str | None = None,
    backfill: str | None = None,
    limit: int | None = None,
) -> Runs:
    """The runs that fit all that is given, newest first; nothing is read before it is needed.

    ``pipeline`` is a notebook, or the name of its pipeline. ``since`` and ``until`` are about when a run started: a
    date or a time, a length of time ago (``"2d"``, a timedelta), or seconds since the epoch. ``parameters`` are values
    that it was given; ``by`` is what asked for it, ``hand``, ``schedule`` or ``backfill``.
    """
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 0):
        raise RequestError(f"{limit!r} is no number of runs.", "Give a whole number, or None for all.")
    for unknown in _strange(by, STARTERS):
        raise RequestError(f"{unknown!r} starts no runs.", f"Give `by` one of {', '.join(STARTERS)}.")
    for unknown in _strange(state, STATES):
        raise RequestError(f"No run is ever {unknown!r}.", f"A state is one of {', '.join(STATES)}.")
    wanted: dict[str, Any] = {"state": state, "schedule": schedule, "backfill": backfill}
    if pipeline is not None:
        from jupyter_pipelines.orchestration.versions.identity import pipeline_of

        wanted["pipeline"] = pipeline_of(Store(Settings.load().store), pipeline)
    question = Question(
        {name: value for name, value in wanted.items() if value is not None},
        moment(since),
        moment(until),
        by=[by] if isinstance(by, str) else by,
        parameters=parameters or {},
    )
    return Runs(question, limit)


class Runs:
    """A lazy list of runs, newest first: iterated, counted, cut, looked up by number or id, or made a table."""

    def __init__(self, question: Question, limit: int | None = None) -> None:
        self.question = question
        self.limit = limit

    def __iter__(self) -> Iterator[Run]:
        left, question = self.limit, self.question
        store, index = _opened()
        while left is None or left > 0:
            part = index.rows(question, PAGE if left is None else min(PAGE, left))
            for row in part:
                record = read_record(store, row.id)
                if record is not None:
                    yield Run(record)
            if len(part) < PAGE:
                return
            left = None if left is None else left - len(part)
            question = replace(question, after=part[-1].id)

    def __len__(self) -> int:
        _, index = _opened()
        found = index.count(self.question)
        return found if self.limit is None else min(found, self.limit)

    def __bool__(self) -> bool:
        return bool(self.rows(1))

    @overload
    def __getitem__(self, place: int | str) -> Run: ...
    @overload
    def __getitem__(self, place: slice) -> list[Run]: ...
    def __getitem__(self, place: int | str | slice) -> Run | list[Run]:
        """A run by its number (0 is the newest), or by its id or the beginning of it; or a part of them."""
        if isinstance(place, str):
            return Run(get_run(place))
        if isinstance(place, slice):
            ends_known = (place.start or 0) >= 0 and place.stop is not None and place.stop >= 0
            many = self.limit if self.limit is not None else sys.maxsize
            # Counting them all is dear, and a page does not need it.
            start, stop, step = place.indices(many if ends_known and place.step in {None, 1} else len(self))
            first, last = (start, stop) if step > 0 else (stop + 1, start + 1)
            found = self._part(first, last - first)
            return found[:: abs(step)] if step > 0 else found[::-1][:: abs(step)]
        wanted = place if place >= 0 else len(self) + place
        inside = wanted >= 0 and (self.limit is None or wanted < self.limit)
        one = self._part(wanted, 1) if inside else []
        if not one:
            raise IndexError(f"there is no run with the number {place} among {len(self):,}")
        return one[0]

    def _part(self, skip: int, number: int) -> list[Run]:
        if number <= 0:
            return []
        store, index = _opened()
        records = (read_record(store, run) for run in index.ids(self.question, number, skip))
        return [Run(record) for record in records if record is not None]

    def rows(self, limit: int | None = None) -> list[RunRow]:
        """What the index says of them, without opening their records."""
        _, index = _opened()
        wanted = [one for one in (limit, self.limit) if one is not None]
        return index.rows(self.question, min(wanted, default=-1))

    def columns(self) -> dict[str, list[Any]]:
        """A table of them: ``parameters.X`` and ``metrics.Y`` have a column each, ``duration`` is in seconds."""
        rows = self.rows()
        given = [json.loads(row.parameters) for row in rows]
        table: dict[str, list[Any]] = {
            "id": [row.id for row in rows],
            "pipeline": [row.pipeline for row in rows],
            "state": [row.state for row in rows],
            "started": [datetime.fromtimestamp(row.moment, UTC) for row in rows],
            "duration": [row.ended - row.moment if row.ended else None for row in rows],
            "by": ["backfill" if row.backfill else "schedule" if row.schedule else "hand" for row in rows],
        }
        for name in dict.fromkeys(name for one in given for name in one):
            table[f"parameters.{name}"] = _column([one.get(name) for one in given])
        for name in sorted({name for row in rows for name in row.numbers}):
            table[f"metrics.{name}"] = [row.numbers.get(name) for row in rows]
        return table

    def to_pandas(self) -> pd.DataFrame:
        """The table as a pandas frame."""
        frame = _library("pandas").DataFrame(self.columns())
        return frame.astype({"started": "datetime64[us, UTC]", "duration": float})  # type: ignore[no-any-return]

    def to_polars(self) -> pl.DataFrame:
        """The table as a polars frame."""
        library = _library("polars")
        kinds = {"started": library.Datetime("us", "UTC"), "duration": library.Float64}
        types = {**dict.fromkeys(TEXTS, library.String), **kinds}
        return library.DataFrame(  # type: ignore[no-any-return]
            self.columns(), schema_overrides=types, infer_schema_length=None
        )

    def to_arrow(self) -> pa.Table:
        """The table for Arrow."""
        library = _library("pyarrow")
        kinds = {"started": library.timestamp("us", "UTC"), "duration": library.float64()}
        types = {**dict.fromkeys(TEXTS, library.string()), **kinds}
        columns = {name: library.array(values, types.get(name)) for name, values in self.columns().items()}
        return library.table(columns)

    def to_duckdb(self, connection: duckdb.DuckDBPyConnection | None = None) -> duckdb.DuckDBPyRelation:
        """The table as a relation of DuckDB, of ``connection`` or of its default one."""
        import duckdb

        return (connection or duckdb).from_arrow(self.to_arrow())

    @typed
    def trend(self, name: str) -> Trend:
        """What a number was over them; see :class:`~jupyter_pipelines.results.trends.Trend`."""
        from jupyter_pipelines.results.trends import Trend

        return Trend.of(self.question, name)

    def __repr__(self) -> str:
        from jupyter_pipelines.results.showing.text import describe_runs

        return describe_runs(self)

    def _repr_html_(self) -> str:
        from jupyter_pipelines.results.showing.runs import runs_html

        return runs_html(self)


def moment(given: Moment | None) -> float | None:
    """A time in seconds since the epoch. Raises :class:`RequestError` for what is none."""
    if given is None or isinstance(given, int | float):
        return given
    if isinstance(given, timedelta):
        return time.time() - given.total_seconds()
    if isinstance(given, str):
        if ago := _AGO.fullmatch(given.strip()):
            return time.time() - float(ago[1]) * _SECONDS[ago[2]]
        try:
            given = datetime.fromisoformat(given.strip())
        except ValueError:
            raise RequestError(f"{given!r} is no time.", 'Give a date, a date and time, or "2d".') from None
    if not isinstance(given, datetime):
        given = datetime(given.year, given.month, given.day)
    return given.timestamp()


def _strange(given: object, known: Collection[str]) -> list[object]:
    """What is given, one or several, and not known."""
    several = given if isinstance(given, list | tuple | set | frozenset) else [] if given is None else [given]
    return [one for one in several if one not in known]


def _opened() -> tuple[Store, RunIndex]:
    settings = Settings.load()
    store = Store(settings.store)
    settle_runs(store, endpoint_of(settings))
    return store, RunIndex(store.root)


def _column(values: list[Any]) -> list[Any]:
    """Values of one column: as they are when they are of one kind, else as text."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} or (len(kinds) == 1 and kinds <= {str, bool}):
        return values
    return [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]


def _library(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError:
        raise RequestError(f"{name} is not installed here.", f"pip install {name}") from None
