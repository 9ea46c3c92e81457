"""Publishing a notebook, and choosing which of its versions is the published one."""

from __future__ import annotations

import getpass
import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from jupyter_pipelines.diagnostics import Diagnostic
from jupyter_pipelines.errors import NotebookError, RequestError, StoreError
from jupyter_pipelines.notebook.frozen import without_outputs
from jupyter_pipelines.notebook.model import NotebookDocument
from jupyter_pipelines.orchestration.kernels import missing_kernel
from jupyter_pipelines.orchestration.loading import load_runnable, read_source
from jupyter_pipelines.orchestration.service.home_format import refuse_later
from jupyter_pipelines.orchestration.versions.environment import describe_environment
from jupyter_pipelines.orchestration.versions.files import check_total, find_files, read_file
from jupyter_pipelines.orchestration.versions.identity import claim, pipeline_of, real_path
from jupyter_pipelines.orchestration.versions.model import Content, Entry, FrozenFile, Version
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store, publications
from jupyter_pipelines.typed import typed

logger = logging.getLogger(__name__)

PUBLISHED = "published"  # the word for the version that runs of a pipeline take


@typed
def publish(
    notebook: Path | str,
    *,
    message: str = "",
    author: str | None = None,
    continuing: str | None = None,
    read_from: Path | None = None,
    settings: Settings | None = None,
) -> Version:
    """Freeze the notebook, its files and what its environment is as a version, and make that the published one.

    ``author`` is who is logged in unless given. ``continuing`` is the pipeline (its name, or the notebook's old path)
    whose history goes on here: ``--as``. ``read_from`` is where the notebook and the files beside it are read, in place
    of its own path. The same content gives the same version again, with ``is_new`` false. Raises
    :class:`NotebookError` when `check` finds errors, :class:`RequestError` when a file cannot be frozen.
    """
    path = Path(os.path.expanduser(notebook))
    origin = read_from or path
    store = Store((settings or Settings.load()).store)
    source = read_source(origin)
    document = load_runnable(source, path.name, store).document
    if missing := missing_kernel(document):
        raise NotebookError(path.name, missing)
    pipeline = claim(store, path, source, continuing)
    frozen = freeze(store, source, document, origin)
    content, version = frozen.content, frozen.version
    before = read_entries(store, pipeline)
    if continuing is not None:
        publications.adopt(store, real_path(path), pipeline)
    if _following(before) != version or before[-1].notebook != real_path(path):
        _append(store, pipeline, "publish", version, message, author, real_path(path))
    # Cleaning may have looked in between, or an object be damaged: now that the log refers to them, all must be there.
    _mend(store, f"{version}.json", content.to_bytes)
    _mend(store, content.notebook, lambda: without_outputs(source))
    for place, address in frozen.places.items():
        _mend(store, address, partial(_read, place))
    published = find_version(store, pipeline, version, path.name)
    return replace(published, is_new=all(entry.version != version for entry in before), notes=frozen.notes)


@typed
def versions(notebook: Path | str) -> list[Version]:
    """The versions of the notebook's pipeline, newest first; empty when nothing was published."""
    store = _store()
    return list_versions(store, pipeline_of(store, notebook))


def history(notebook: Path | str) -> list[Entry]:
    """All that was done with the pipeline's versions, oldest first: publications, rollbacks, pins."""
    store = _store()
    return read_entries(store, pipeline_of(store, notebook))


def get_version(notebook: Path | str, version: str = PUBLISHED) -> Version:
    """The version of the notebook's pipeline whose id begins with ``version``, or that is called so (``v7``).

    By default the published one.

    Raises :class:`RequestError` when there is none, or several.
    """
    store = _store()
    return find_version(store, pipeline_of(store, notebook), version, str(notebook))


def choose_source(notebook: Path | str, version: str | None) -> tuple[Path, str | None]:
    """What a run is of: the notebook's path, and the id of the version that ``version`` means, ``None`` for the file.

    For a pipeline's name, or a notebook that is gone, it is the path that the pipeline was published from.
    """
    path = Path(os.path.expanduser(notebook))
    if version is None:
        return path, None
    chosen = get_version(notebook, version)
    return path if path.exists() else Path(chosen.notebook), chosen.id


@typed
def rollback(notebook: Path | str, version: str, *, message: str = "", author: str | None = None) -> Version:
    """Make an older version the published one. What was published since stays in the history."""
    store = _store()
    found = get_version(notebook, version)
    if _pinned(read_entries(store, found.pipeline)):
        raise RequestError(f"The pipeline {found.pipeline} is pinned.", "Unpin it first, or pin the other version.")
    if not found.published:
        check_content(store, found)
        _append(store, found.pipeline, "rollback", found.id, message, author)
    return find_version(store, found.pipeline, found.id, str(notebook))


@typed
def pin(notebook: Path | str, version: str = PUBLISHED, *, message: str = "", author: str | None = None) -> Version:
    """Keep ``version`` the published one, whatever is published later, until :func:`unpin`."""
    store = _store()
    found = get_version(notebook, version)
    if not found.pinned:
        check_content(store, found)
        _append(store, found.pipeline, "pin", found.id, message, author)
    return find_version(store, found.pipeline, found.id, str(notebook))


@typed
def unpin(notebook: Path | str, *, message: str = "", author: str | None = None) -> Version:
    """Let the version that was published, or rolled back to, last be the published one again."""
    store = _store()
    found = get_version(notebook)
    if found.pinned:
        _append(store, found.pipeline, "unpin", found.id, message, author)
    return get_version(notebook)


def note_move(store: Store, pipeline: str, path: str) -> None:
    """Add to the log, if there is one, that the pipeline's notebook is at ``path`` from now on."""
    entries = read_entries(store, pipeline)
    if entries and entries[-1].notebook != path:
        _append(store, pipeline, "move", published_id(entries), "", None, path)


def list_versions(store: Store, pipeline: str) -> list[Version]:
    """The versions of ``pipeline``, newest first. One that the store has lost is left out, and logged."""
    entries = read_entries(store, pipeline)
    found = []
    for version in reversed(_ids(entries)):
        try:
            found.append(_load(store, pipeline, entries, version))
        except StoreError as error:
            logger.warning("%s", error)
    return found


def find_version(store: Store, pipeline: str, version: str, what: str) -> Version:
    """The one version of ``pipeline`` that ``version`` means, see :func:`get_version`; ``what`` is named in errors."""
    entries = read_entries(store, pipeline)
    if not entries:
        raise RequestError(f"No version of {what} was published.", f"Publish it: jupyter pipelines publish {what}")
    if version == PUBLISHED:
        same = [published_id(entries)]
    else:
        same = [
            one
            for number, one in enumerate(_ids(entries), start=1)
            if version and (one.startswith(version) or version == f"v{number}")
        ]
    if not same:
        raise RequestError(
            f"{what} has no version {version!r}.",
            f"Give `v1`, or the beginning of an id; `jupyter pipelines versions {what}` lists them.",
        )
    if len(same) > 1:
        raise RequestError(f"{len(same)} versions begin with {version!r}.", "Give more of the id.")
    return _load(store, pipeline, entries, same[0])


def published_id(entries: list[Entry]) -> str:
    """The version that runs take by a pipeline's log: the pinned one, else what was published last; ``""`` for none."""
    return _pinned(entries) or _following(entries) or ""


def number_of(entries: list[Entry], version: str) -> int:
    """The how-manieth version of a log it is, from 1; 0 when it is none of its."""
    versions = _ids(entries)
    return versions.index(version) + 1 if version in versions else 0


def read_entries(store: Store, pipeline: str) -> list[Entry]:
    """The log of ``pipeline``, oldest entry first."""
    return [entry for found in publications.read(store, pipeline) if (entry := Entry.read(found)) is not None]


def read_content(store: Store, version: str) -> Content:
    """What ``version`` froze. Raises :class:`StoreError` when the store has lost it."""
    return Content.from_bytes(store.get(f"{version}.json", "version"), version)


def check_content(store: Store, version: Version) -> None:
    """Raise :class:`StoreError` when something that ``version`` froze is gone or altered."""
    store.get_notebook(version.content.notebook)
    for file in version.content.files:
        store.get(file.address, f"file {file.path}")


def _store() -> Store:
    return Store(Settings.load().store)


@dataclass(frozen=True)
class Frozen:
    """A notebook with its files as the store has them: ``version`` is the id, ``places`` are its files' addresses."""

    version: str
    content: Content
    places: Mapping[Path, str]
    notes: tuple[Diagnostic, ...]


def freeze(store: Store, source: bytes, document: NotebookDocument, path: Path) -> Frozen:
    """Keep all that a version of the notebook at ``path`` consists of; nothing is published.

    Raises :class:`RequestError` when a file cannot be frozen.
    """
    found = find_files(document, path)
    files, total = [], 0
    for name, place in found.files.items():
        written, executable = read_file(name, place)
        total += len(written)
        check_total(total)
        files.append(FrozenFile(name, store.put(written, ".file"), len(written), executable))
    content = Content(
        notebook=store.put_notebook(without_outputs(source)),
        suffix=path.suffix,
        files=tuple(files),
        environment=describe_environment(document.kernel_name, found.foreign),
    )
    version = store.put(content.to_bytes(), ".json").removesuffix(".json")
    places = {found.files[file.path]: file.address for file in files}
    return Frozen(version, content, places, found.notes)


def _mend(store: Store, address: str, read: Callable[[], bytes]) -> None:
    try:
        store.get(address)
    except StoreError:
        store.object_path(address).unlink(missing_ok=True)
        store.put(read(), address[32:])


def _read(place: Path) -> bytes:
    return read_file(place.name, place)[0]


def _append(
    store: Store, pipeline: str, kind: str, version: str, message: str, author: str | None, path: str | None = None
) -> None:
    """Add to the log; without ``path`` the pipeline goes on being published from where it was last."""
    owner = path if path is not None else read_entries(store, pipeline)[-1].notebook
    entry = Entry(kind, version, owner, time.time(), author if author is not None else _user(), message)
    refuse_later(Settings.load().home)
    publications.append(store, pipeline, asdict(entry))


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name, as in some containers
        return ""


def _following(entries: list[Entry]) -> str | None:
    """The version that was published, or rolled back to, last."""
    return next((entry.version for entry in reversed(entries) if entry.kind in {"publish", "rollback"}), None)


def _pinned(entries: list[Entry]) -> str | None:
    last = next((entry for entry in reversed(entries) if entry.kind in {"pin", "unpin"}), None)
    return last.version if last is not None and last.kind == "pin" else None


def _ids(entries: list[Entry]) -> list[str]:
    """The versions of a log, by when each was published first."""
    return list(dict.fromkeys(entry.version for entry in entries if entry.kind == "publish"))


def _load(store: Store, pipeline: str, entries: list[Entry], version: str) -> Version:
    first = next((entry for entry in entries if entry.version == version and entry.kind == "publish"), None)
    if first is None:
        raise StoreError(f"The log of {pipeline} names the version {version!r}, which was never published.")
    return Version(
        id=version,
        pipeline=pipeline,
        notebook=entries[-1].notebook,
        time=first.time,
        author=first.author,
        message=first.message,
        content=read_content(store, version),
        number=number_of(entries, version),
        published=version == published_id(entries),
        pinned=version == _pinned(entries),
    )
