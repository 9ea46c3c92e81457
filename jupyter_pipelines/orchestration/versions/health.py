"""Whether a version would still work here and today: asked before its next run, not answered by it at night."""

from __future__ import annotations

from pathlib import Path

from jupyter_pipelines.diagnostics import Diagnostic, Severity
from jupyter_pipelines.errors import NotebookError, PipelinesError, RequestError, StoreError
from jupyter_pipelines.graph.model import Pipeline
from jupyter_pipelines.orchestration.kernels import missing_kernel
from jupyter_pipelines.orchestration.loading import load_runnable
from jupyter_pipelines.orchestration.versions.environment import compare_environments, describe_environment
from jupyter_pipelines.orchestration.versions.model import Version
from jupyter_pipelines.orchestration.versions.publishing import check_content, find_version
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store, publications
from jupyter_pipelines.typed import typed


@typed
def check_version(version: str) -> tuple[Diagnostic, ...]:
    """What speaks against running the version with this id, or beginning of one, here and today.

    Errors mean that it will not work: its kernel or a package that it imports is missing, it does not compile any
    more, or the store has lost a part of it. Raises :class:`RequestError` when there is no such version.
    """
    store = Store(Settings.load().store)
    return check(store, _find(store, version))


def _find(store: Store, version: str) -> Version:
    """The version of any pipeline whose id is, or begins with, ``version``. Raises :class:`RequestError`."""
    for log in publications.read_all(store):
        for entry in log:
            if version and str(entry.get("version")).startswith(version):
                return find_version(store, str(entry.get("pipeline")), version, "The pipeline")
    raise RequestError(f"There is no version {version!r}.", "`jupyter pipelines versions NB` lists them.")


def load_version(version: Version) -> Pipeline:
    """Compile ``version``. Raises :class:`NotebookError` where it has errors, :class:`StoreError` when it is lost."""
    return _compile(Store(Settings.load().store), version)


def _compile(store: Store, version: Version) -> Pipeline:
    name = Path(version.notebook).with_suffix(version.content.suffix).name
    return load_runnable(store.get_notebook(version.content.notebook), name, store)


def check(store: Store, version: Version) -> tuple[Diagnostic, ...]:
    """What speaks against running ``version`` here and today."""
    found: list[Diagnostic] = []
    try:
        check_content(store, version)
        found += missing_kernel(_compile(store, version).document)
    except NotebookError as error:
        found += error.diagnostics
    except (StoreError, RequestError) as error:
        found.append(_lost(error))
    then = version.content.environment
    if not any(finding.code == "JP501" for finding in found):
        found += compare_environments(then, describe_environment(then.kernel))
    return tuple(found)


def _lost(error: PipelinesError) -> Diagnostic:
    return Diagnostic("JP602", Severity.ERROR, error.message, error.fix or "Publish the notebook again.")
