"""Cleaning the store: what no kept run refers to any more goes, and is counted before it goes.

A container is referred to by the runs whose steps left it or took it over. While a run goes on, nothing that is
younger than it is touched: a step writes its container before the run says so. What was published always
stays, and so does what is held.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_pipelines.store.files import make_folder, read_json
from jupyter_pipelines.store.publications import kept_objects
from jupyter_pipelines.store.run_index import RunIndex
from jupyter_pipelines.store.store import Store

GRACE = 3600.0  # seconds that an object without any reference is left alone: its run may just not have said so yet
TICK = 1.0  # seconds: times of files are of a coarser clock than ours
RECENT = 120.0  # seconds in which one that runs which go refer to may have been put again, for a run that is to come


@dataclass(frozen=True)
class Garbage:
    """What may go. Sizes are in bytes."""

    runs: tuple[str, ...] = ()
    objects: Mapping[Path, int] = field(default_factory=dict)
    results: tuple[Path, ...] = ()
    folders: Mapping[Path, int] = field(default_factory=dict)  # of published versions: each is made again when needed
    run_bytes: int = 0
    kept_bytes: int = 0  # of the objects that stay
    time: float = 0.0  # when it was looked for, in seconds since the epoch

    @property
    def object_bytes(self) -> int:
        return sum(self.objects.values())

    @property
    def bytes(self) -> int:
        return self.object_bytes + self.run_bytes + sum(self.folders.values())


class RunSizes:
    """What runs take on disk together: their folders, and each of their values once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._counted: set[str] = set()
        self._bytes = 0

    def add(self, run: str) -> int:
        """Count ``run`` in; returns the sum in bytes."""
        self._bytes += _size(self._store.run_folder(run))
        for address in set(_referred(self._store.load_run(run) or {})) - self._counted:
            self._counted.add(address)
            with suppress(OSError):
                self._bytes += self._store.object_path(address).stat().st_size if address else 0
        return self._bytes


def find_garbage(store: Store, dropped: Collection[str] = (), *, now: float) -> Garbage:
    """What goes when the runs ``dropped`` go. ``now`` is in seconds since the epoch. Nothing is changed."""
    active = set(store.active_runs())
    gone = set(dropped) - active - store.kept_runs()
    live = kept_objects(store)
    left = {address for run in gone for address in _referred(store.load_run(run) or {})}
    taken: set[tuple[str, str]] = set()  # the results that kept runs made or took over, by run and step
    oldest_active = now
    for run in store.run_ids():
        if run in gone:
            continue
        record = store.load_run(run) or {}
        live |= set(_referred(record))
        taken |= {(run, step["name"]) for step in _steps(record)}
        taken |= {(step["reused_from"], step["name"]) for step in _steps(record) if step.get("reused_from")}
        if run in active:
            started = record.get("started")
            oldest_active = min(oldest_active, float(started) - TICK if isinstance(started, int | float) else now)
    results, of_kept, of_gone = _sort_results(store, taken, now)
    live |= of_kept
    objects, kept_bytes = _sort_objects(store, live, left | of_gone, oldest_active, now)
    run_bytes = sum(_size(store.run_folder(run)) for run in gone)
    return Garbage(
        runs=tuple(sorted(gone)),
        objects=objects,
        results=tuple(results),
        run_bytes=run_bytes,
        kept_bytes=kept_bytes,
        time=now,
    )


def collect(store: Store, garbage: Garbage) -> None:
    """Remove what :func:`find_garbage` found: results first, then runs, then what they referred to.

    So whoever is killed meanwhile leaves runs whose values can all be read, or that are gone.
    """
    for result in garbage.results:
        result.unlink(missing_ok=True)
    for folder in garbage.folders:
        shutil.rmtree(folder, ignore_errors=True)
    store.remove_remains()
    for run in garbage.runs:
        store.remove_run(run)
    RunIndex(store.root).forget(garbage.runs)
    aside = make_folder(store.root / "removed") / uuid.uuid4().hex
    for path in garbage.objects:
        _remove_unless_used(path, aside, garbage.time)


def _remove_unless_used(path: Path, aside: Path, since: float) -> None:
    """Remove an object that nobody has put, or taken, again ``since``: also not in this very moment."""
    with suppress(OSError):
        if path.stat().st_mtime > since:
            return
        path.rename(aside)  # who wants it from here on finds it missing, and makes it anew
        if aside.stat().st_mtime > since and not path.exists():
            aside.rename(path)
        else:
            aside.unlink()


def _steps(record: Mapping[str, object]) -> list[Mapping[str, Any]]:
    """The steps of a record as far as it can be read: cleaning must work beside a damaged one."""
    steps = record.get("steps")
    return [step for step in steps if isinstance(step, dict) and "name" in step] if isinstance(steps, list) else []


def _referred(record: Mapping[str, object]) -> Iterator[str]:
    yield str(record.get("version", ""))
    for step in _steps(record):
        for output in step.get("outputs") or ():
            if isinstance(output, dict):
                yield str(output.get("container", ""))
    given = record.get("given")
    for start in given.values() if isinstance(given, dict) else ():
        for carried in start.get("state", {}).values() if isinstance(start, dict) else ():
            yield str(carried.get("container", ""))


def _sort_results(store: Store, taken: set[tuple[str, str]], now: float) -> tuple[list[Path], set[str], set[str]]:
    """The results to remove, the containers of those that stay, and of those that go."""
    removed, kept, gone = [], set(), set()
    for path in (store.root / "results").glob("*/*.json"):
        found = read_json(path)
        result = found.get("result") if isinstance(found, dict) else None
        of = (found.get("run"), result.get("step")) if isinstance(found, dict) and isinstance(result, dict) else None
        if of in taken or _is_younger(path, now):
            kept |= _containers(found)
        else:
            removed.append(path)
            gone |= _containers(found)
    return removed, kept, gone


def _is_younger(path: Path, time: float) -> bool:
    try:
        return path.stat().st_mtime > time
    except OSError:
        return False


def _containers(found: object) -> set[str]:
    result = found.get("result") if isinstance(found, dict) else None
    if not isinstance(result, dict):
        return set()
    carried = [*result.get("outputs", {}).values(), *result.get("state_outputs", {}).values()]
    return {item["container"] for item in carried}


def _sort_objects(
    store: Store, live: set[str], left: set[str], oldest_active: float, now: float
) -> tuple[dict[Path, int], int]:
    """The objects to remove, with their sizes, and the bytes of those that stay; ``left`` is what goes first."""
    garbage: dict[Path, int] = {}
    kept = 0
    for path in store.objects.glob("*/[!.]*"):
        found = path.stat()
        address = path.parent.name + path.name
        grace = RECENT if address in left else GRACE
        if address in live or found.st_mtime > min(oldest_active, now - grace):
            kept += found.st_size
        else:
            garbage[path] = found.st_size
    return garbage, kept


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
