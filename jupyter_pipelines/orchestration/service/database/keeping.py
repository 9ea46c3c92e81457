"""Looking after the database while the server runs."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
import urllib.error
from contextlib import suppress
from pathlib import Path
from typing import Final

from jupyter_pipelines.errors import ServiceError
from jupyter_pipelines.orchestration.service.database.backups import back_up
from jupyter_pipelines.orchestration.service.database.files import (
    SUFFIXES,
    DamagedDatabaseError,
    Database,
    check,
    say,
)
from jupyter_pipelines.orchestration.service.database.versions import refuse_newer
from jupyter_pipelines.orchestration.service.endpoint import UNREACHABLE, recorded_endpoint
from jupyter_pipelines.orchestration.service.home import ServiceHome
from jupyter_pipelines.orchestration.service.home_format import refuse_later

DAILY: Final = 86400.0  # seconds between two backups while the server runs
CHECKED: Final = 50.0  # seconds between two looks at all of it, or longer: they take less than 1/2000 of a core
AT_FIRST: Final = 600.0  # seconds until a new database is backed up


class Keeper:
    """The duty of the service of ``home`` to back up its database, and to notice when it is damaged."""

    EVERY: Final = 60.0  # seconds between two questions to the server

    def __init__(self, home: Path) -> None:
        self._database = Database(home)
        self._next = 0.0  # of the monotonic clock
        self._next_check = time.monotonic() + CHECKED

    def look(self) -> float:
        """Do what is due; returns in how many seconds to look again."""
        wait = self._next - time.monotonic()
        if wait > 0:
            return wait
        self._next = time.monotonic() + self.EVERY
        if self._database.path.exists():
            try:
                if self._is_failing() or time.monotonic() > self._next_check:
                    self._check()
                if self._is_due(time.time()):
                    back_up(self._database)
                    self._database.jot(problem="")
            except DamagedDatabaseError as damage:
                self._have_restored(str(damage))
            except (OSError, sqlite3.Error) as error:
                self._tell(f"the database {self._database.path} could not be backed up: {error}")
        return self.EVERY

    def suspect(self) -> None:
        """Look at the database because the server does not work; where it is damaged, have it restored."""
        if self._database.path.exists():
            try:
                self._check()
            except DamagedDatabaseError as damage:
                self._have_restored(str(damage))
            except (OSError, sqlite3.Error) as error:
                self._tell(f"the database {self._database.path} could not be read: {error}")

    def _is_failing(self) -> bool:
        """Whether the server cannot answer what it has to look up."""
        endpoint = recorded_endpoint(self._database.home)
        if endpoint is None:
            return False
        try:
            for what in ("flow_runs", "work_pools", "deployments"):
                endpoint.call(f"/{what}/filter", {"limit": 1})
        except urllib.error.HTTPError as error:
            return error.code >= 500
        except UNREACHABLE:
            return False
        return False

    def _check(self) -> None:
        """Look at the whole file, as seldom as that takes time: the server may have in memory what is damaged."""
        began = time.monotonic()
        check(self._database.path)
        took = time.monotonic() - began
        self._next_check = time.monotonic() + max(CHECKED, took * 2000)

    def _is_due(self, now: float) -> bool:
        newest = self._database.backups()[:1]
        with suppress(OSError):
            if newest:
                return now - newest[0].stat().st_mtime > DAILY
            return now - (self._database.home / "secret").stat().st_mtime > AT_FIRST
        return True

    def _have_restored(self, why: str) -> None:
        """End the server: the next one finds the damage before it opens the database."""
        self._database.jot(closed=False)
        status = ServiceHome(self._database.home).load_status()
        server = status.parts.get("server") if status is not None else None
        self._tell(f"the database {self._database.path} is damaged: {why}; the server starts anew from a backup")
        if server is not None and server.pid:
            with suppress(ProcessLookupError):
                os.kill(server.pid, signal.SIGKILL)  # what it would still write goes into a damaged file

    def _tell(self, problem: str) -> None:
        if self._database.noted().get("problem") != problem:
            say(problem)
            self._database.jot(problem=problem)


def describe(home: Path) -> dict[str, object]:
    """How the database is, as JSON values: its size, its backups, what is wrong with it, what happened to it last."""
    database = Database(home)
    noted = database.noted()
    problem = str(noted.get("problem") or "")
    try:
        refuse_later(home)
        refuse_newer(home)
    except ServiceError as error:
        problem = str(error)
    files = [Path(f"{database.path}{suffix}") for suffix in SUFFIXES]
    return {
        "bytes": sum(path.stat().st_size for path in files if path.exists()),
        "prefect": noted.get("prefect") or "",
        "backups": [str(path) for path in database.backups()],
        "problem": problem,
        "event": noted.get("event") or "",
        "event_time": noted.get("event_time") or 0.0,
    }
