"""Backups of the database."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from jupyter_pipelines.orchestration.service.database.files import (
    DAMAGED,
    SUFFIXES,
    DamagedDatabaseError,
    Database,
    check,
    connect,
    partial_of,
)
from jupyter_pipelines.store.files import make_folder

BACKUPS: Final = 3


def back_up(database: Database) -> Path:
    """Copy the database, which may be in use; keep the last :data:`BACKUPS`. Returns the copy's path.

    Raises :class:`DamagedDatabaseError`, and what SQLite and the disk raise; then all is as before.
    """
    make_folder(database.folder)
    target = database.folder / f"prefect-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.db"
    partial = partial_of(target)
    try:
        partial.unlink(missing_ok=True)
        os.close(os.open(partial, os.O_CREAT | os.O_WRONLY, 0o600))
        with closing(connect(database.path)) as source, closing(sqlite3.connect(partial)) as copy:
            source.backup(copy)  # all pages in one step: writers go on beside it
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, whole
        check(partial)
        with open(partial, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(partial, target)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF in DAMAGED:
            raise DamagedDatabaseError(str(error)) from error
        raise
    finally:
        for suffix in (*SUFFIXES, "-journal"):
            Path(f"{partial}{suffix}").unlink(missing_ok=True)
    for old in (*database.backups()[BACKUPS:], *database.folder.glob(partial_of(Path("prefect-*.db")).name + "*")):
        old.unlink(missing_ok=True)  # also what was left of those that were killed: no two are made at once
    return target
