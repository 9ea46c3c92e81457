"""The database's files, and what is noted of it."""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jupyter_pipelines.errors import StoreError
from jupyter_pipelines.store.files import read_json, write_json

SUFFIXES: Final = ("", "-wal", "-shm")
DAMAGED: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}

Say = Callable[[str], None]


class DamagedDatabaseError(Exception):
    """The database is not one, or not whole."""


def say(text: str) -> None:
    print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} database: {text}", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Database:
    """The database of the project home ``home``."""

    home: Path

    @property
    def path(self) -> Path:
        return self.home / "prefect.db"

    @property
    def note(self) -> Path:
        return self.home / "database.json"

    @property
    def folder(self) -> Path:
        return self.home / "backups"

    def backups(self) -> list[Path]:
        """The backups, newest first."""
        return sorted(self.folder.glob("prefect-*.db"), reverse=True)

    def noted(self) -> Mapping[str, object]:
        """What is noted of it; empty when nothing is."""
        found = read_json(self.note)
        return found if isinstance(found, dict) else {}

    def jot(self, **more: object) -> None:
        """Note more. A full disk is no reason to fail: what is noted helps, and no more."""
        with suppress(StoreError):
            write_json(self.note, {**self.noted(), **more})


def connect(path: Path) -> sqlite3.Connection:
    """A connection for one piece of work; it waits a while for others that write."""
    return sqlite3.connect(path, timeout=30.0, isolation_level=None)


def check(path: Path) -> None:
    """Raise :class:`DamagedDatabaseError` unless the database is whole."""
    try:
        with closing(connect(path)) as connection:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF in DAMAGED:
            raise DamagedDatabaseError(str(error)) from error
        raise
    if found is None or found[0] != "ok":
        raise DamagedDatabaseError(str(found[0]) if found else "it cannot be checked")


def partial_of(path: Path) -> Path:
    """Where a file is written that takes the place of ``path`` when it is whole."""
    return path.with_name(f".{path.name}.partial")
