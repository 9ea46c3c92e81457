"""A notebook that was moved: what is known of it, and what starts it, follow it to its new path.

Its pipeline goes on being called what it was, so that runs, versions, limits, and triggers of other notebooks that wait
for it stay as they are. Only records that name the notebook's file are written anew.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.notebook.parse import parse
from jupyter_pipelines.orchestration.changes import KEPT_IN
from jupyter_pipelines.orchestration.history import History
from jupyter_pipelines.orchestration.loading import read_source
from jupyter_pipelines.orchestration.scheduling.making import MAKING
from jupyter_pipelines.orchestration.service.home_format import refuse_later
from jupyter_pipelines.orchestration.service.wake import LOOK, tell_worker
from jupyter_pipelines.orchestration.versions.identity import pipeline_of, real_path, stated_name, unnamed_pipeline
from jupyter_pipelines.orchestration.versions.publishing import note_move, read_entries
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store, publications
from jupyter_pipelines.store.files import locked, read_json, write_json
from jupyter_pipelines.typed import typed

_COUNTED: Final = {"schedule": "schedules", "trigger": "triggers", "alert": "alerts", "backfill": "backfills"}


@dataclass(frozen=True)
class Relinked:
    """What has followed a notebook from ``before`` to ``notebook``, both absolute paths."""

    before: str
    notebook: str
    pipeline: str
    schedules: int = 0
    triggers: int = 0
    alerts: int = 0
    backfills: int = 0
    versions: int = 0


@typed
def relink(old: Path | str, new: Path | str) -> Relinked:
    """Have all that is known of the notebook which was at ``old`` be about the one at ``new``; it can be repeated.

    Its runs and versions are listed for the new path from now on, its schedules, triggers, backfills and alerts are
    about it. Raises :class:`RequestError` when there is no such notebook, nothing is known of the old one, the old file
    is still there, or the two cannot be one pipeline.
    """
    settings = Settings.load()
    refuse_later(settings.home)
    store = Store(settings.store)
    before, path = real_path(old), real_path(new)
    pipeline = _checked(store, before, path, (str(old), str(new)))
    publications.adopt(store, path, pipeline)
    note_move(store, pipeline, path)
    _take_over_runs(store, path, pipeline)
    counts = dict.fromkeys(_COUNTED.values(), 0)
    with locked(settings.home / MAKING):
        for kind, folder in KEPT_IN.items():
            for file in sorted((settings.home / folder).glob("[!.]*.json")):
                found = read_json(file)
                if isinstance(found, dict) and found.get("notebook") == before:
                    write_json(file, found | {"notebook": path})
                    if kind in _COUNTED:
                        counts[_COUNTED[kind]] += 1
    tell_worker(settings.home, LOOK)
    versions = len({entry.version for entry in read_entries(store, pipeline)})
    return Relinked(before, path, pipeline, versions=versions, **counts)


def _checked(store: Store, before: str, path: str, given: tuple[str, str]) -> str:
    """What the pipeline is called. Raises :class:`RequestError`."""
    old, new = given
    source = read_source(Path(path))
    if before == path:
        raise RequestError(f"{old} and {new} are one file.", "Give the path at which the notebook was before.")
    if Path(before).exists():
        raise RequestError(f"{old} is still there: {new} is a copy of it.", "Remove it, or publish the copy by itself.")
    own = stated_name(parse(source, Path(path).name))
    known = unnamed_pipeline(store, before)
    pipeline = own or known
    if own and own != known and (read_entries(store, known) or History(store).query(pipeline=known, limit=1)):
        raise RequestError(
            f"{new} calls its pipeline {own!r} in its metadata, and what is known of {old} is called {known!r}.",
            "Remove `name` from the notebook's metadata under `pipeline`.",
        )
    if not _is_known(store, pipeline, before):
        raise RequestError(f"Nothing is known of {old}.", "Give the path at which the notebook was before.")
    if pipeline != pipeline_of(store, path) and read_entries(store, unnamed_pipeline(store, path)):
        raise RequestError(f"{new} has versions of its own.", "Publish it with --as to go on with the old ones.")
    return pipeline


def _is_known(store: Store, pipeline: str, before: str) -> bool:
    """Whether there is anything that could follow."""
    if read_entries(store, pipeline) or History(store).query(pipeline=pipeline, limit=1):
        return True
    home = Settings.load().home
    records = (read_json(file) for folder in KEPT_IN.values() for file in (home / folder).glob("[!.]*.json"))
    return any(isinstance(found, dict) and found.get("notebook") == before for found in records)


def _take_over_runs(store: Store, path: str, pipeline: str) -> None:
    """Runs of the notebook at its new path, made before anybody said what it is, are the pipeline's, too."""
    active = set(store.active_runs())
    for run in History(store).query(pipeline=path, limit=None) if path != pipeline else ():
        if run.id not in active:
            store.save_run(run.id, asdict(run) | {"pipeline": pipeline, "process": None})
