"""The history of runs: which there were, by what they have in common, and which have ended since somebody looked."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable

from jupyter_pipelines.orchestration.model import RunRecord
from jupyter_pipelines.orchestration.records import read_record
from jupyter_pipelines.store import Store
from jupyter_pipelines.store.run_index import RunIndex

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
        since: float | None = None,
        until: float | None = None,
        limit: int | None = 50,
    ) -> list[RunRecord]:
        """The newest runs that fit all that is given, newest first.

        ``pipeline`` is its name, or the path of its notebook; ``notebook`` an absolute path; ``since`` and ``until``
        are about when it started (when it was asked for, before it has), in seconds since the epoch.
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
        return self._read(self._index.ask(filters, since, until, limit))

    def find(self, beginning: str) -> list[str]:
        """The ids of runs that begin with ``beginning``; of many, some."""
        return self._index.beginning_with(beginning)

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
