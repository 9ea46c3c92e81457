"""The worker's part in following: publishes what is saved or committed, when it is good."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from jupyter_pipelines.errors import NotebookError, RequestError
from jupyter_pipelines.orchestration.following.candidate import (
    Candidate,
    Proof,
    candidate,
    content_name,
    followed_of,
    publish_candidate,
)
from jupyter_pipelines.orchestration.following.model import REF, Followed, load_followed, save_followed
from jupyter_pipelines.orchestration.scheduling.model import ScheduleRecord
from jupyter_pipelines.orchestration.scheduling.shelf import Shelf
from jupyter_pipelines.settings import Settings

OF_FILES: Final = 2.0  # seconds between two looks at files: a look costs microseconds
OF_REFS: Final = 10.0  # seconds between two questions to git, which cost milliseconds
OF_PROOFS: Final = 1.0
NOBODY: Final = 60.0  # seconds between two looks when no schedule follows anything: we are told of new ones


@dataclass
class _Work:
    """A candidate that is being proved."""

    candidate: Candidate
    proof: Proof


class Follower:
    """Follows for the schedules of the project home ``home``. There is one, in the worker."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._shelf = Shelf(home)
        self._known: dict[str, Followed] = {}
        self._works: dict[str, _Work] = {}
        self._asked: dict[str, float] = {}  # when git was asked last

    def look(self) -> float:
        """Do what is due; returns in how many seconds to look again, at the latest."""
        records = [record for record in self._shelf.records() if record.follow and not record.schedule.paused]
        for gone in self._works.keys() - {record.id for record in records}:
            self._drop(gone)
        for record in records:
            try:
                self._follow(record)
            except Exception:  # a full disk, a defect: it is looked at again, and the others go on
                traceback.print_exc()
        if not records:
            return NOBODY
        return OF_PROOFS if self._works else OF_FILES

    def _follow(self, record: ScheduleRecord) -> None:
        known = self._known.get(record.id) or load_followed(self._home, record.id)
        settings = replace(Settings.load(), home=self._home, store=record.store)
        path = Path(record.notebook)
        work = self._works.get(record.id)
        if work is not None and not work.proof.is_over():
            return
        if work is None and record.follow.startswith(REF):
            if time.monotonic() - self._asked.get(record.id, -OF_REFS) < OF_REFS:
                return
            self._asked[record.id] = time.monotonic()
        seen = ""
        try:
            seen, commit = content_name(path, record.follow, known.files if known is not None else ())
            if work is not None and work.candidate.seen != seen:
                self._drop(record.id)  # it was saved again while it was proved
                work = None
            if work is not None:
                work.proof.raise_difference()
                self._publish(record, known, work.candidate, settings)
            elif known is None or known.seen != seen:
                found = candidate(path, record.follow, seen, commit)
                if record.verify:
                    self._works[record.id] = _Work(found, Proof(found, settings))
                    return
                self._publish(record, known, found, settings)
        except (NotebookError, RequestError) as error:
            self._refuse(record, known, seen, str(error))
        self._drop(record.id)

    def _publish(self, record: ScheduleRecord, known: Followed | None, found: Candidate, settings: Settings) -> None:
        try:
            version = publish_candidate(found, settings)
        finally:
            found.clean()
        self._keep(record, known, followed_of(found, version))

    def _refuse(self, record: ScheduleRecord, known: Followed | None, seen: str, problem: str) -> None:
        if known is not None and (known.seen, known.problem) == (seen, problem):
            return
        version, files = (known.version, known.files) if known is not None else ("", ())
        print(f"schedule {record.id}: not published: {problem}", flush=True)
        self._keep(record, known, Followed("refused", seen, time.time(), version, files, problem))

    def _keep(self, record: ScheduleRecord, known: Followed | None, followed: Followed) -> None:
        if followed != known:
            save_followed(self._home, record.id, followed)
        self._known[record.id] = followed

    def _drop(self, schedule_id: str) -> None:
        work = self._works.pop(schedule_id, None)
        if work is not None:
            work.proof.stop()
            work.candidate.clean()
