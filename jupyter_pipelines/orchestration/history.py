"""The history of runs: which there were, by what they have in common, and which have ended since somebody looked.

Nothing heavy is imported: listing runs is to feel instant.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from pathlib import Path

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.model import RunRecord
from jupyter_pipelines.orchestration.records import read_record
from jupyter_pipelines.orchestration.service import endpoint_of
from jupyter_pipelines.orchestration.settling import settle_runs
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store
from jupyter_pipelines.store.run_index import RunIndex
from jupyter_pipelines.store.run_questions import STARTERS
from jupyter_pipelines.typed import typed

logger = logging.getLogger(__name__)


class History:
    """The runs on record in ``store``. Each question is answered from the index, and the records of what is found.

    It raises nothing on account of the index: see :mod:`jupyter_pipelines.store.run_index`.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._index = RunIndex(store.root)

    def mark(self) -> int:
        """What to remember, to be told by :meth:`ended_since` of the runs that end from now on."""
        return self._index.last_number()

    def ended_since(self, mark: int) -> tuple[int, list[RunRecord]]:
        """The runs whose end was put on record after ``mark`` (0: all), in that order; and the next mark.

        After a damaged index was made anew, the ends of the last seconds may be told once more; none is left out.
        """
        ends = self._index.ends_since(mark)
        return max((number for number, _ in ends), default=mark), self._read(run for _, run in ends)

    def query(
        self,
        *,
        pipeline: str | None = None,
        notebook: str | None = None,
        state: str | Collection[str] | None = None,
        schedule: str | None = None,
        backfill: str | None = None,
        parent: str | None = None,
        by: str | Collection[str] | None = None,
        since: float | None = None,
        until: float | None = None,
        folders: Collection[str] | None = None,
        after: str | None = None,
        limit: int | None = 50,
    ) -> list[RunRecord]:
        """The newest runs that fit all that is given, newest first.

        ``pipeline`` is its name, or the path of its notebook; ``notebook`` an absolute path; ``since`` and ``until``
        are about when it started (when it was asked for, before it has), in seconds since the epoch.
        ``by`` is what asked for it, one or several of :data:`STARTERS`. ``folders`` are those, absolute, below which
        the notebook is; ``after`` is a run: those before it.
        """
        wanted = {
            "pipeline": pipeline,
            "notebook": notebook,
            "state": state,
            "schedule": schedule,
            "backfill": backfill,
            "parent": parent,
        }
        filters = {name: value for name, value in wanted.items() if value is not None}
        starters = [by] if isinstance(by, str) else by
        return self._read(self._index.ask(filters, since, until, limit, folders, after, starters))

    def find(self, beginning: str) -> list[str]:
        """The ids of runs that begin with ``beginning``; of many, some."""
        found = self._index.beginning_with(beginning)
        return found or (self._store.moved_runs(beginning) if beginning else [])

    def _read(self, runs: Iterable[str]) -> list[RunRecord]:
        records, gone = [], []
        for run in runs:
            record = read_record(self._store, run)
            if record is not None:
                records.append(record)
            elif self._store.has_run(run):
                logger.warning("The record of run %s cannot be read.", run)
            else:
                gone.append(run)
        self._index.forget(gone)
        return records


@typed
def get_run(run_id: str) -> RunRecord:
    """The record of the run whose id is, or begins with, ``run_id``; ``"last"`` is the newest.

    Raises :class:`RequestError` when there is none, or several.
    """
    settings = Settings.load()
    store = Store(settings.store)
    settle_runs(store, endpoint_of(settings))
    history = History(store)
    found = [record.id for record in history.query(limit=1)] if run_id == "last" else history.find(run_id)
    if not found and store.has_run(run_id):
        found = [run_id]  # its record is damaged
    if not run_id or not found:
        raise RequestError(f"There is no run {run_id!r}.", "`jupyter pipelines runs` lists them.")
    if len(found) > 1 and run_id not in found:
        raise RequestError(f"Several runs begin with {run_id!r}.", "Give more of the id.")
    meant = run_id if run_id in found else found[0]
    record = read_record(store, meant)
    if record is None and not store.has_run(meant):
        raise RequestError(f"Run {run_id!r} was removed.", "`jupyter pipelines runs` lists those that are kept.")
    if record is None:
        raise RequestError(f"The record of run {run_id!r} cannot be read.")
    return record


@typed
def list_runs(
    limit: int | None = 50,
    *,
    notebook: Path | str | None = None,
    state: str | Collection[str] | None = None,
    schedule: str | None = None,
    backfill: str | None = None,
    by: str | Collection[str] | None = None,
    since: float | None = None,
    until: float | None = None,
    folders: Collection[str] | None = None,
    after: str | None = None,
) -> list[RunRecord]:
    """The newest ``limit`` runs that fit all that is given, newest first; ``None``: all.

    ``notebook`` stands for its pipeline, whose name may be given as well; ``state`` may be several; ``schedule`` and
    ``backfill`` are ids; ``by`` is what asked for it: ``hand``, ``schedule`` (a trigger counts as one) or ``backfill``,
    or several of these. ``since`` and ``until`` are about when runs started, in seconds since the epoch. ``folders``
    are those, absolute, below which notebooks are; ``after`` is the id of a run, and those before it in time are given.
    """
    if limit is not None and not isinstance(limit, int):
        raise RequestError(f"{limit!r} is no number of runs.", "Name a notebook by `notebook=`.")
    unknown = set([by] if isinstance(by, str) else by or ()) - set(STARTERS)
    if unknown:
        raise RequestError(f"{min(unknown)!r} starts no runs.", f"Give `by` one of {', '.join(STARTERS)}.")
    settings = Settings.load()
    store = Store(settings.store)
    settle_runs(store, endpoint_of(settings))
    pipeline = None
    if notebook is not None:
        from jupyter_pipelines.orchestration.versions.identity import pipeline_of

        pipeline = pipeline_of(store, notebook)
    return History(store).query(
        pipeline=pipeline,
        state=state,
        schedule=schedule,
        backfill=backfill,
        by=by,
        since=since,
        until=until,
        folders=folders,
        after=after,
        limit=limit,
    )
