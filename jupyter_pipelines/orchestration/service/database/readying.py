"""Making the database ready before the server starts: free, whole, backed up before it is changed."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from jupyter_pipelines.errors import ServiceError
from jupyter_pipelines.orchestration.service.database.backups import back_up
from jupyter_pipelines.orchestration.service.database.files import (
    SUFFIXES,
    DamagedDatabaseError,
    Database,
    Say,
    check,
    connect,
    partial_of,
    say,
)
from jupyter_pipelines.orchestration.service.database.versions import installed_version, refuse_newer
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store
from jupyter_pipelines.store.files import make_folder

PATIENCE: Final = 1.0  # seconds after which it is said that another process locks the database
LARGE: Final = 100_000_000  # bytes: a larger database is checked only after it was not closed well, and compacted
SCARCE: Final = 100_000_000  # bytes: less free space is told of
_ENDS: Final = "('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED')"


@contextmanager
def ready(home: Path, say: Say = say) -> Iterator[None]:
    """Make the database ready for the server, which has it to itself while inside.

    Raises :class:`ServiceError` when a newer version has written it, it cannot be backed up before it is changed, or it
    cannot be restored.
    """
    refuse_newer(home)
    database = Database(home)
    noted = database.noted()
    _tell_of_space(database, say)
    if database.path.exists() or "prefect" in noted:
        _wait_until_free(database, say)
        try:
            _check(database, noted)
            if noted.get("prefect") != installed_version("prefect"):
                _back_up_before_change(database, str(noted.get("prefect") or ""), say)
            _compact(database, say)
        except DamagedDatabaseError as damage:
            _restore(database, str(damage), say)
    database.jot(prefect=installed_version("prefect"), closed=False)
    yield
    database.jot(closed=True)


def _check(database: Database, noted: Mapping[str, object]) -> None:
    """Raise :class:`DamagedDatabaseError` unless it is there, whole, and Prefect's."""
    if not database.path.exists():
        raise DamagedDatabaseError("it is missing")
    if noted.get("closed") is not True or database.path.stat().st_size < LARGE:
        check(database.path)
    with closing(connect(database.path)) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not {"alembic_version", "flow_run"} <= tables:
        raise DamagedDatabaseError("its tables are missing")


def _wait_until_free(database: Database, say: Say) -> None:
    """Wait for another process that has the database locked: a shell of SQLite, a tool that copies it."""
    told = False
    while database.path.exists():
        try:
            with closing(sqlite3.connect(database.path, timeout=PATIENCE, isolation_level=None)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                return  # what else is wrong with it is found next
            if not told:
                database.jot(problem=f"{database.path} is locked by another process: the server waits for it")
                say(f"{database.path} is locked by another process; waiting until it lets go")
            told = True
        except sqlite3.DatabaseError:
            return
        else:
            if told:
                database.jot(problem="")
                say("it is free now")
            return


def _restore(database: Database, why: str, say: Say) -> None:
    """Put the newest good backup in the place of a damaged database."""
    aside = database.folder / "damaged.db"
    say(f"{database.path} is damaged ({why}); it is put aside as {aside}")
    good = next((path for path in database.backups() if _is_whole(path)), None)
    try:
        make_folder(database.folder)
        if good is not None:
            shutil.copyfile(good, partial_of(database.path))  # first: where it does not fit, nothing has changed
            os.chmod(partial_of(database.path), 0o600)
        for suffix in reversed(SUFFIXES):
            with suppress(FileNotFoundError):
                os.replace(f"{database.path}{suffix}", f"{aside}{suffix}")
        if good is not None:
            os.replace(partial_of(database.path), database.path)
    except OSError as error:
        problem = f"The database {database.path} is damaged ({why}), and cannot be restored: {error}."
        database.jot(problem=problem)
        raise ServiceError(problem, f"Free space on the disk of {database.home}, and start the service.") from error
    told = "there is no good backup, so Prefect begins with an empty database"
    if good is not None:
        told = f"the backup {good} has taken its place"
        _have_settled(database)
    told += "; runs and schedules are in files of their own, and stand"
    say(told)
    event = f"the database was damaged ({why}) and put aside as {aside}; {told}"
    database.jot(event=event, event_time=time.time(), problem="")


def _have_settled(database: Database) -> None:
    """Have all runs looked at that went on when the backup was made: the records say how they have ended since."""
    store = Store(Settings.load().store)
    with suppress(sqlite3.Error), closing(connect(database.path)) as connection:
        for (found,) in connection.execute(f"SELECT id FROM flow_run WHERE state_type NOT IN {_ENDS}"):
            run = str(found)
            if store.has_run(run) and not store.active_since(run):
                store.mark_active(run, True)


def _is_whole(path: Path) -> bool:
    try:
        check(path)
    except (DamagedDatabaseError, sqlite3.Error):
        return False
    return True


def _tell_of_space(database: Database, say: Say) -> None:
    free = shutil.disk_usage(database.home).free
    if free < SCARCE:
        say(f"the disk of {database.home} has only {free / 1e6:.0f} MB left; `jupyter pipelines gc` frees some")


def _compact(database: Database, say: Say) -> None:
    """Give back what removed rows took, when that is more than half of a large file, and there is room to do so."""
    size = database.path.stat().st_size
    if size < LARGE or shutil.disk_usage(database.home).free < size:
        return
    with suppress(sqlite3.Error), closing(connect(database.path)) as connection:
        pages, unused = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count")
        )
        if unused > pages / 2:
            connection.execute("VACUUM")
            say(f"compacted from {size / 1e6:.0f} to {database.path.stat().st_size / 1e6:.0f} MB")


def _back_up_before_change(database: Database, wrote: str, say: Say) -> None:
    installed = installed_version("prefect")
    try:
        made = back_up(database)
    except (OSError, sqlite3.Error) as error:
        size, free = database.path.stat().st_size, shutil.disk_usage(database.home).free
        problem = (
            f"Prefect {installed} is about to change the database {database.path}, and it cannot be backed up: {error} "
            f"(it has {size / 1e6:.0f} MB, the disk {free / 1e6:.0f} MB left)."
        )
        database.jot(problem=problem)
        raise ServiceError(
            problem,
            f"Free space there: `jupyter pipelines gc` shows what old runs take. Or install Prefect {wrote} again.",
        ) from error
    before = f"Prefect {wrote}" if wrote else "another version"
    say(f"it was written by {before}, and Prefect {installed} may change it; its backup is {made}")
