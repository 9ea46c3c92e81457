"""Cleaning up after old runs: which ones go is asked here, what goes with them the store knows.

The service cleans by the limits of :mod:`~jupyter_pipelines.orchestration.retention`, in a process of its own that
gives way to others, and has Prefect forget the runs that are gone, a few at a time.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from jupyter_pipelines.errors import PipelinesError, RequestError
from jupyter_pipelines.notebook.options import parse_duration
from jupyter_pipelines.orchestration.changes import KEPT_IN
from jupyter_pipelines.orchestration.history import list_runs
from jupyter_pipelines.orchestration.remains import remove_remains, secrets_of
from jupyter_pipelines.orchestration.retention import Limits, expired
from jupyter_pipelines.orchestration.service.endpoint import UNREACHABLE, Endpoint, recorded_endpoint
from jupyter_pipelines.orchestration.service.home_format import refuse_later
from jupyter_pipelines.orchestration.versions.folders import unused_folders
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store
from jupyter_pipelines.store.collection import Garbage, collect, find_garbage
from jupyter_pipelines.store.files import make_folder, remove_unfinished, write_json
from jupyter_pipelines.store.run_index import RunIndex
from jupyter_pipelines.store.store import FOLDERS
from jupyter_pipelines.typed import typed

EVERY = 3600.0  # seconds between two looks for runs beyond their limits
THOROUGHLY = 86400.0  # seconds between two looks for what was left without a run
MANY = 50  # runs that Prefect forgets in one request: as many as it takes
PAUSE = 1.0  # seconds between two such requests
NICE = 10


@dataclass(frozen=True)
class Freed:
    """What goes, or with ``removed`` has gone. Sizes are in bytes."""

    runs: tuple[str, ...]
    objects: int  # values
    bytes: int
    kept_bytes: int  # of the values that stay
    removed: bool

    @classmethod
    def of(cls, garbage: Garbage, *, removed: bool) -> Freed:
        return cls(garbage.runs, len(garbage.objects), garbage.bytes, garbage.kept_bytes, removed)


@typed
def gc(
    *, keep_last: int | None = None, older_than: timedelta | str | float | None = None, dry_run: bool = True
) -> Freed:
    """Free the disk space of old runs: their executed notebooks, and every value that no run left refers to.

    As it is called it only says what would go, and its size; with ``dry_run=False`` it goes. What goes is what is
    beyond the limits of :func:`jupyter_pipelines.retention`; or, of all notebooks together, runs that are not among the
    newest ``keep_last`` and did not end within the last ``older_than`` (``"30d"``, or seconds). Runs that go on, those
    marked by :func:`jupyter_pipelines.keep`, and published versions stay. Raises :class:`RequestError`.
    """
    if keep_last is not None and (isinstance(keep_last, bool) or not isinstance(keep_last, int) or keep_last < 1):
        raise RequestError(f"keep_last = {keep_last!r} is no number of runs.", "Give one above 0.")
    garbage = find_old(keep_last=keep_last, older_than=None if older_than is None else _age(older_than))
    if not dry_run:
        remove(garbage)
    return Freed.of(garbage, removed=not dry_run)


def _age(given: timedelta | str | float) -> float:
    try:
        return parse_duration(given)
    except ValueError:
        fix = 'Give one such as "30d" or "12h".'
        raise RequestError(f"older_than = {given!r} is no length of time.", fix) from None


def find_old(*, keep_last: int | None = None, older_than: float | None = None) -> Garbage:
    """What goes: runs that are neither among the newest ``keep_last`` nor ended within the last ``older_than`` seconds.

    With one of them given only that one counts; with neither, what is beyond the limits that are set. Runs that go on,
    and those marked as kept, always stay. Nothing is changed.
    """
    now = time.time()
    settings = Settings.load()
    store = Store(settings.store)
    if keep_last is not None or older_than is not None:
        records = list_runs(limit=None)[keep_last or 0 :]
        dropped = {record.id for record in records if older_than is None or 0 < record.ended < now - older_than}
    else:
        dropped = expired(store, Limits(settings.home), now)
    return _find(store, dropped, now)


def remove(garbage: Garbage) -> None:
    """Remove what :func:`find_old` found; Prefect forgets its runs while the service runs."""
    settings = Settings.load()
    refuse_later(settings.home)
    _collect(Store(settings.store), settings.home, garbage)


class Cleaner:
    """The duty of the service of ``home`` to clean up."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._gone = home / "gone"
        self._due = time.monotonic() + EVERY / 6  # not while everything starts

    def look(self) -> float:
        """Do what is due; returns in how many seconds to look again."""
        more = self._have_prefect_forget()
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + EVERY
            self._clean()
        return PAUSE if more else max(PAUSE, self._due - time.monotonic())

    def _clean(self) -> None:
        if Limits(self._home) or time.time() - _last_time(self._home) > THOROUGHLY:
            command = [sys.executable, "-P", "-m", __name__, str(self._home)]
            subprocess.run(command, check=False, stdin=subprocess.DEVNULL)

    def _have_prefect_forget(self) -> bool:
        """Have Prefect forget some of the runs that are gone; says whether there are more."""
        runs = _names(self._gone)
        endpoint = recorded_endpoint(self._home) if runs else None
        if endpoint is None:
            return False
        some = runs[:MANY]
        try:
            _forget(endpoint, some)
        except UNREACHABLE as error:
            print(f"Prefect could not be told that {len(runs)} runs are gone: {error}", file=sys.stderr, flush=True)
            return False
        for run in some:
            (self._gone / run).unlink(missing_ok=True)
        return len(runs) > MANY


def clean(home: Path) -> None:
    """Remove what is beyond the limits; now and then look for what was left without a run, too."""
    now = time.time()
    store = Store(Settings.load().store)
    dropped = expired(store, Limits(home), now)
    thoroughly = now - _last_time(home) > THOROUGHLY
    if not dropped and not thoroughly:
        return
    garbage = _find(store, dropped, now)
    _collect(store, home, garbage)
    if thoroughly:
        RunIndex(store.root).compare()
        write_json(_note(home), {"time": now})
    if garbage.runs or garbage.objects:
        print(f"cleaned: {len(garbage.runs)} runs, {len(garbage.objects)} values, {garbage.bytes} bytes", flush=True)


def _find(store: Store, dropped: Collection[str], now: float) -> Garbage:
    return replace(find_garbage(store, dropped, now=now), folders=unused_folders(store, now=now))


def _collect(store: Store, home: Path, garbage: Garbage) -> None:
    secrets = secrets_of(store, garbage.runs)
    _note_gone(home, garbage.runs)
    collect(store, garbage)
    _have_warehouse_forget(garbage.runs)
    remove_remains(store, home, secrets, now=garbage.time)
    remove_unfinished(home, (*KEPT_IN.values(), "limits", "stores", "gone"), now=garbage.time)
    remove_unfinished(store.root, FOLDERS, now=garbage.time)


def _have_warehouse_forget(runs: Collection[str]) -> None:
    """Have the warehouse, where there is one, forget what the runs have built and checked."""
    settings = Settings.load()
    if not runs or not settings.warehouse.exists():
        return
    from jupyter_pipelines.warehouse import open_session
    from jupyter_pipelines.warehouse.recording import forget_runs

    session = open_session(settings)
    try:
        forget_runs(session, runs)
    except PipelinesError as error:  # another program has it open; what is in its book does no harm
        print(f"the warehouse keeps its notes of {len(runs)} runs: {error.message}", file=sys.stderr, flush=True)
    finally:
        session.close()


def _note_gone(home: Path, runs: Collection[str]) -> None:
    """Note, before they go, which runs Prefect is to forget."""
    if runs:
        folder = make_folder(home / "gone")
        for run in runs:
            (folder / run).touch(mode=0o600)


def _forget(endpoint: Endpoint, runs: Collection[str]) -> None:
    known = {"id": {"any_": list(runs)}}
    endpoint.call("/flow_runs/bulk_delete", {"flow_runs": known, "limit": MANY}, timeout=30.0)


def _note(home: Path) -> Path:
    return home / "cleaned.json"


def _last_time(home: Path) -> float:
    with suppress(OSError):
        return _note(home).stat().st_mtime
    return 0.0


def _names(folder: Path) -> list[str]:
    with suppress(OSError):
        return sorted(name for name in os.listdir(folder) if name[0] != ".")
    return []


def main(home: Path) -> int:
    """Clean up, giving way to everything else."""
    with suppress(OSError, AttributeError):
        os.nice(NICE)
    try:
        clean(home)
    except PipelinesError as error:
        print(error, file=sys.stderr, flush=True)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
