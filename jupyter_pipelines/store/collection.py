"""Cleaning the store: what no kept run refers to any more goes, and is counted before it goes.

A container is referred to by the runs whose steps left it or took it over. While a run goes on, nothing that is
younger than it is touched: a step writes its container before the run says so. What was published always stays.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_pipelines.store.files import read_json
from jupyter_pipelines.store.publications import kept_objects
from jupyter_pipelines.store.store import Store

GRACE = 3600.0  # seconds that an object without any reference is left alone: its run may just not have said so yet


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


def find_garbage(store: Store, dropped: Collection[str] = (), *, now: float) -> Garbage:
    """What goes when the runs ``dropped`` go. ``now`` is in seconds since the epoch. Nothing is changed."""
    gone = set(dropped) - set(store.active_runs())
    live = kept_objects(store)
    taken: set[tuple[str, str]] = set()  # the results that kept runs made or took over, by run and step
    oldest_active = now
    for run in store.run_ids():
        if run in gone:
            continue
        record = store.load_run(run) or {}
        live |= set(_referred(record))
        taken |= {(run, step["name"]) for step in _steps(record)}
        taken |= {(step["reused_from"], step["name"]) for step in _steps(record) if step.get("reused_from")}
        if run in store.active_runs():
            started = record.get("started")
            oldest_active = min(oldest_active, float(started) if isinstance(started, int | float) else now)
    results, of_kept = _sort_results(store, taken)
    live |= of_kept
    young = min(oldest_active, now - GRACE) if not gone else oldest_active
    objects, kept_bytes = _sort_objects(store, live, young)
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
    """Remove what :func:`find_garbage` found: results first, so that nothing announced is ever missing."""
    for result in garbage.results:
        result.unlink(missing_ok=True)
    for folder in garbage.folders:
        shutil.rmtree(folder, ignore_errors=True)
    for run in garbage.runs:
        shutil.rmtree(store.run_folder(run), ignore_errors=True)
    for path in garbage.objects:
        with suppress(OSError):
            if path.stat().st_mtime <= garbage.time:  # else it has been put again since
                path.unlink()


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


def _sort_results(store: Store, taken: set[tuple[str, str]]) -> tuple[list[Path], set[str]]:
    """The results to remove, and the containers of those that stay."""
    removed, kept = [], set()
    for path in (store.root / "results").glob("*/*.json"):
        found = read_json(path)
        result = found.get("result") if isinstance(found, dict) else None
        if isinstance(found, dict) and isinstance(result, dict) and (found.get("run"), result.get("step")) in taken:
            kept |= _containers(found)
        else:
            removed.append(path)
    return removed, kept


def _containers(found: object) -> set[str]:
    result = found.get("result") if isinstance(found, dict) else None
    if not isinstance(result, dict):
        return set()
    carried = [*result.get("outputs", {}).values(), *result.get("state_outputs", {}).values()]
    return {item["container"] for item in carried}


def _sort_objects(store: Store, live: set[str], young: float) -> tuple[dict[Path, int], int]:
    garbage: dict[Path, int] = {}
    kept = 0
    for path in store.objects.glob("*/*"):
        found = path.stat()
        if path.parent.name + path.name in live or found.st_mtime > young:
            kept += found.st_size
        else:
            garbage[path] = found.st_size
    return garbage, kept


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
