"""Which versions wrote the database: one that a newer version has written is refused."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from jupyter_pipelines.errors import ServiceError
from jupyter_pipelines.orchestration.service.database.files import Database, connect


def refuse_newer(home: Path) -> None:
    """Raise :class:`ServiceError` when a newer version of Prefect wrote this home's database. Changes nothing."""
    database = Database(home)
    noted = database.noted()
    if not database.path.exists() and not noted:
        return
    wrote, installed = str(noted.get("prefect") or ""), installed_version("prefect")
    revision = _revision(database.path)
    unknown = bool(revision) and revision not in _known_revisions()
    if unknown or (wrote and _is_newer(wrote, installed)):
        which = f"Prefect {wrote}" if wrote and _is_newer(wrote, installed) else "a newer Prefect"
        raise ServiceError(
            f"The database {database.path} was written by {which}; installed is Prefect {installed}, which cannot "
            "work with it.",
            _way_back(database, wrote if which.endswith(wrote) else ""),
        )


def _way_back(database: Database, wrote: str) -> str:
    again = f'pip install "prefect>={wrote}"' if wrote else "install the newer Prefect again"
    backups = database.backups()
    older = f"put the backup of before, {backups[0]}, in its place" if backups else f"move {database.path} away"
    return f"{again}; or {older} and remove {database.note}: runs and schedules are in files of their own, and stay."


@cache
def installed_version(package: str) -> str:
    """The version of ``package`` that is installed; "" when none is."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _is_newer(one: str, other: str) -> bool:
    from packaging.version import InvalidVersion, Version

    try:
        return Version(one) > Version(other)
    except InvalidVersion:
        return False


def _revision(path: Path) -> str:
    """The database's own mark of how it was migrated last; "" when it has none, or cannot be read."""
    if not path.exists():
        return ""
    with suppress(sqlite3.Error), closing(connect(path)) as connection:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(found[0]) if found is not None else ""
    return ""


def _known_revisions() -> str:
    """The names of all migrations of the Prefect that is installed; each has its revision in it."""
    found = find_spec("prefect")
    places = found.submodule_search_locations if found is not None else None
    folder = "server/database/_migrations/versions/sqlite"
    return " ".join(path.name for place in places or () for path in (Path(place) / folder).glob("*.py"))
