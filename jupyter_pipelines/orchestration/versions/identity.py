"""Which pipeline a notebook is: the one its metadata name, else the one it was given to, else its own path's.

A notebook that is moved without a ``name`` begins a new pipeline at its new path; ``publish --as OLD`` gives it the old
one's history. One pipeline is published from one notebook: a copy with the same name is refused until it says so.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.notebook.model import NotebookDocument
from jupyter_pipelines.notebook.options import read_notebook_options
from jupyter_pipelines.notebook.parse import ParsedNotebook, parse
from jupyter_pipelines.orchestration.loading import read_source
from jupyter_pipelines.orchestration.versions.model import Entry
from jupyter_pipelines.store import Store, publications


def real_path(notebook: Path | str) -> str:
    """The notebook's path as pipelines know it: absolute, its folder's links followed.

    Raises :class:`RequestError` for what can be the path of no file.
    """
    path = Path(os.path.expanduser(notebook))
    try:
        os.lstat(path)
    except ValueError as error:
        raise RequestError(f"{str(notebook)!r:.200} is no path: {error}.", "Check it.") from None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise RequestError(f"{str(notebook)[:100]}… is too long for a path.", "Check it.") from None
    found = os.path.join(os.path.realpath(path.parent), path.name)
    require_text(found)
    return found


def require_text(path: str) -> None:
    """Raise :class:`RequestError` where the name of a file is no text in UTF-8: it could not be kept."""
    try:
        path.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(path).decode(errors="replace")
        raise RequestError(f"The name {shown} is no text in UTF-8.", "Rename the file, or its folder.") from None


def pipeline_of(store: Store, notebook: Path | str, content: bytes | None = None) -> str:
    """What the pipeline of ``notebook`` is called. Without such a file it may be the name of a pipeline itself."""
    try:
        found = read_source(Path(os.path.expanduser(notebook))) if content is None else content
    except (RequestError, ValueError):
        found = None
    if found is None and publications.read(store, str(notebook)):
        return str(notebook)
    name = stated_name(parse(found, Path(notebook).name)) if found is not None else ""
    return name or unnamed_pipeline(store, real_path(notebook))


def known_pipeline(store: Store, notebook: Path | str) -> str:
    """The same for a notebook that there is, or of which there are runs or versions; else :class:`RequestError`."""
    from jupyter_pipelines.store.run_index import RunIndex

    pipeline = pipeline_of(store, notebook)
    if os.path.exists(real_path(notebook)) or publications.read(store, pipeline):
        return pipeline
    if RunIndex(store.root).last_of_each(1, {pipeline}):
        return pipeline
    raise RequestError(f"There is no notebook {notebook}, nor a pipeline of that name.", "Check the path.")


def pipeline_of_document(store: Store, document: NotebookDocument, path: Path | str) -> str:
    """What the pipeline of a notebook that was read already is called; its file may be another by now."""
    return document.options.name.strip() or unnamed_pipeline(store, real_path(path))


def unnamed_pipeline(store: Store, path: str) -> str:
    """What the pipeline of the notebook at ``path`` is called when the notebook does not name it."""
    return publications.adopted(store, path) or path


def present_path(store: Store, pipeline: str, notebook: str) -> str:
    """Where the notebook is by now that was at ``notebook``; there, when nobody has said that it was moved."""
    if os.path.exists(notebook):
        return notebook
    moved = publications.adopting(store).get(pipeline or notebook, [])
    return next((path for path in moved if os.path.exists(path)), notebook)


def stated_name(parsed: ParsedNotebook) -> str:
    """The pipeline's name in the notebook's metadata, ``""`` when there is none."""
    options, _ = read_notebook_options(parsed.metadata.get("pipeline", {}), [])
    return options.name.strip()


def claim(store: Store, notebook: Path, content: bytes, given: str | None) -> str:
    """The pipeline that ``notebook`` is to be published to; ``given`` is what ``--as`` says.

    Raises :class:`RequestError` when there is no pipeline ``given``, or another notebook publishes to it.
    """
    path = real_path(notebook)
    name = stated_name(parse(content, notebook.name))
    if os.path.isabs(name):
        raise RequestError(f"The pipeline's name {name!r} is a path.", "Give it another `name` in the metadata.")
    if given is not None:
        wanted = given if publications.read(store, given) else pipeline_of(store, given)
        if not publications.read(store, wanted):
            raise RequestError(f"Nothing was published as {given}.", "Give the notebook's old path, or its name.")
        if name and name != wanted:
            raise RequestError(
                f"{notebook.name} calls its pipeline {name!r} in its metadata, and cannot be published as {wanted!r}.",
                "Change or remove `name` in the notebook's metadata under `pipeline`.",
            )
        return wanted
    pipeline = name or unnamed_pipeline(store, path)
    entries = [entry for found in publications.read(store, pipeline) if (entry := Entry.read(found))]
    owner = entries[-1].notebook if entries else path
    if owner != path and os.path.exists(owner):
        fix = f"Take it over with --as {pipeline}, or give this notebook another `name` in its metadata."
        raise RequestError(f"The pipeline {pipeline} is published from {owner}.", fix)
    return pipeline
