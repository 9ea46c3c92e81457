"""From a file to a compiled pipeline, with everything that earlier runs observed about its steps."""

from __future__ import annotations

from pathlib import Path

from jupyter_pipelines.errors import NotebookError, RequestError
from jupyter_pipelines.execution.model import Observed
from jupyter_pipelines.graph import compile_pipeline, step_digests
from jupyter_pipelines.graph.model import Pipeline
from jupyter_pipelines.notebook import read_notebook
from jupyter_pipelines.notebook.model import NotebookDocument
from jupyter_pipelines.orchestration import memory
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store
from jupyter_pipelines.typed import typed
from jupyter_pipelines.warehouse.dry_run import with_dry_run
from jupyter_pipelines.warehouse.sources.declared import sources


@typed
def load(notebook: Path | str, *, settings: Settings | None = None) -> Pipeline:
    """Compile the notebook at ``notebook``; what is wrong with it is in the pipeline's diagnostics.

    Raises :class:`RequestError` when the file cannot be read.
    """
    path = Path(notebook)
    document = read_notebook(read_source(path), path.name)
    return compile_with_memory(document, Store((settings or Settings.load()).store))


def load_runnable(source: bytes, name: str, store: Store, seen: dict[str, Observed] | None = None) -> Pipeline:
    """Compile ``source``, ready to run; ``seen`` is as for :func:`compile_with_memory`, and given in a run only.

    Raises :class:`NotebookError` when its diagnostics hold errors. What DuckDB cannot read or run, whatever is in the
    warehouse, is one of them for whoever asks for a run.
    """
    pipeline = compile_with_memory(read_notebook(source, name), store, seen)
    if seen is None and not pipeline.errors:
        pipeline = with_dry_run(pipeline)
    if pipeline.errors:
        raise NotebookError(name, pipeline.errors)
    if not pipeline.steps:
        raise RequestError(f"{name} has no code cells, so there is nothing to run.", "Add a code cell.")
    return pipeline


def read_source(path: Path) -> bytes:
    """The bytes of the notebook at ``path``. Raises :class:`RequestError` with the reason when it cannot be read."""
    try:
        if not (path.is_file() or path.is_dir()) and path.exists():  # a pipe, a device: reading it may never end
            raise RequestError(f"{path} is no ordinary file, so it is no notebook.", "Name an .ipynb file.")
        return path.read_bytes()
    except FileNotFoundError:
        raise RequestError(f"There is no notebook {path}.", "Check the path.") from None
    except IsADirectoryError:
        raise RequestError(f"{path} is a folder, not a notebook.", "Name the .ipynb file in it.") from None
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}.") from None


def compile_with_memory(document: NotebookDocument, store: Store, seen: dict[str, Observed] | None = None) -> Pipeline:
    """Compile with what earlier runs observed, and ``seen``: what this run has observed so far, by step digest.

    What is recalled is added to ``seen``.
    """
    known: dict[str, Observed] = {} if seen is None else seen
    for digest in step_digests(document).values():
        if digest not in known:
            known[digest] = memory.recall(store, digest)
    return compile_pipeline(document, memory.as_observations(known), sources=sources().known_names())
