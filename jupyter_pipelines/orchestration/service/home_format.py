"""The format of our files in a project home: a later one is refused, an earlier one is backed up before it is changed.

::

    format.json                   the format, and which version of ours has the home
    backups/files-TIME.zip        schedules, triggers, backfills, alerts, limits and what was published, as they were

Records of runs and what is in the store beside them are read in every format there was, and never changed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from jupyter_pipelines.errors import ServiceError, StoreError
from jupyter_pipelines.orchestration.service.database.files import Say, partial_of
from jupyter_pipelines.orchestration.service.database.versions import installed_version
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store.files import cannot_write, make_folder, read_json, write_json

FORMAT: Final = 1
BACKUPS: Final = 3
_OF_OTHERS: Final = {"prefect", "logs", "run", "backups", "gone", "format.json", "endpoint.json", "service.json"}
_NAME: Final = "jupyter_pipelines"


def refuse_later(home: Path) -> None:
    """Raise :class:`ServiceError` when a later version has the files of ``home`` in a format of its own."""
    noted = _noted(home)
    form, wrote = noted.get("format"), noted.get(_NAME)
    if isinstance(form, int) and form > FORMAT:
        raise ServiceError(
            f"The files in {home} were written by Jupyter Pipelines {wrote}, this is {installed_version(_NAME)}, which "
            "cannot read them.",
            f"Install {_NAME}>={wrote} again, or set JUPYTER_PIPELINES_HOME to another folder.{_way_back(home)}",
        )


def bring_up_to_date(home: Path, say: Say) -> None:
    """Make ``home`` one of this version: back up what has an earlier format. For who has the home to itself.

    Raises :class:`ServiceError` when it is of a later one, or cannot be backed up; then nothing has changed.
    """
    refuse_later(home)
    noted, ours = _noted(home), {"format": FORMAT, _NAME: installed_version(_NAME)}
    if noted == ours:
        return
    files = list(_files(home)) if noted.get("format") != FORMAT else []
    try:
        if files:
            say(f"the files in {home} may be changed by this version; their backup is {_back_up(home, files)}")
        write_json(home / "format.json", ours)
    except (OSError, StoreError) as error:
        told = cannot_write(home, error) if isinstance(error, OSError) else error
        raise ServiceError(
            f"The files in {home} are of an earlier version, and cannot be backed up: {told.message}", told.fix
        ) from error


def _noted(home: Path) -> dict[str, object]:
    found = read_json(home / "format.json")
    return found if isinstance(found, dict) else {}


def _files(home: Path) -> Iterator[Path]:
    """What is kept of ours, and cannot be made anew."""
    store = Path(Settings.load().store)
    for place in sorted(home.glob("[!.]*")):
        if place.name not in _OF_OTHERS and place != store:
            yield from (path for path in (place, *place.rglob("*.json")) if path.suffix == ".json" and path.is_file())
    yield from (store / "pipelines").rglob("*.json")


def _back_up(home: Path, files: list[Path]) -> Path:
    import zipfile

    folder = make_folder(home / "backups")
    target = folder / f"files-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.zip"
    partial = partial_of(target)
    try:
        descriptor = os.open(partial, os.O_CREAT | os.O_RDWR | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                for path in files:
                    inside = path.relative_to(home) if path.is_relative_to(home) else Path("store", *path.parts[-3:])
                    archive.write(path, str(inside))
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    left = target.parent.glob(partial_of(Path("files-*.zip")).name)  # by one that was killed: no two are made at once
    for old in (*_backups(home)[BACKUPS:], *left):
        old.unlink(missing_ok=True)
    return target


def _backups(home: Path) -> list[Path]:
    """The backups, newest first."""
    return sorted((home / "backups").glob("files-*.zip"), reverse=True)


def _way_back(home: Path) -> str:
    backups = _backups(home)
    return f" What they were before is in {backups[0]}." if backups else ""
