"""Making runs: the public API of this room."""

from __future__ import annotations

import itertools
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from jupyter_pipelines.errors import RequestError, ServiceError
from jupyter_pipelines.graph.model import Pipeline
from jupyter_pipelines.notebook import coerce_parameters, parameters_json
from jupyter_pipelines.notebook.frozen import without_outputs
from jupyter_pipelines.orchestration import reuse
from jupyter_pipelines.orchestration.history import get_run
from jupyter_pipelines.orchestration.loading import load_runnable, read_source
from jupyter_pipelines.orchestration.model import OnRunEvent, RunEvent, RunRecord, RunRequest, content_of, ignore
from jupyter_pipelines.orchestration.output import check_output, copy_output
from jupyter_pipelines.orchestration.progress import Progress, select
from jupyter_pipelines.orchestration.redaction import seal, unseal
from jupyter_pipelines.orchestration.service import Endpoint, ensure_service, require_answer
from jupyter_pipelines.orchestration.settling import settle_runs
from jupyter_pipelines.orchestration.versions.folders import working_folder
from jupyter_pipelines.orchestration.versions.identity import present_path, real_path
from jupyter_pipelines.orchestration.versions.publishing import choose_source, read_content
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store
from jupyter_pipelines.typed import typed

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.flow import Session

BUSY_PAUSES = (0.2, 0.5, 1.0, 2.0)  # seconds
SERVICE_UNAVAILABLE = 503
MOST_THREADS = 64  # of the task runner; how many steps run at once is bounded by the run itself


@typed
def run(
    notebook: Path | str,
    parameters: Mapping[str, object] | None = None,
    *,
    version: str | None = None,
    output: Path | str | None = None,
    only: str | None = None,
    from_step: str | None = None,
    until: str | None = None,
    reuse: bool = False,
    max_parallel: int | None = None,
    timeout: float | None = None,
    on_event: OnRunEvent | None = None,
) -> RunRecord:
    """Run the pipeline of ``notebook`` and wait for its end; the record says how each step went.

    ``version`` runs what was published instead of the file: ``"published"``, or the id of a version or its beginning.
    ``output`` gets a copy of the executed notebook. ``only``, ``from_step`` and ``until`` choose steps, ``reuse``
    takes the results of steps that nothing has changed for. ``timeout`` is in seconds; a run that takes longer is
    stopped and fails. Raises :class:`RequestError` or :class:`NotebookError` when the request or the notebook is wrong,
    before anything runs; a step that fails raises nothing.
    """
    path, published = choose_source(notebook, version)
    request = RunRequest(
        notebook=path,
        parameters=parameters or {},
        output=Path(output) if output is not None else None,
        only=only,
        from_step=from_step,
        until=until,
        reuse=reuse,
        max_parallel=max_parallel,
        timeout=timeout,
        published=published,
    )
    return run_request(request, on_event)


@typed
def run_grid(
    notebook: Path | str,
    grid: Mapping[str, Sequence[object]],
    parameters: Mapping[str, object] | None = None,
    *,
    version: str | None = None,
    reuse: bool = False,
    max_parallel: int | None = None,
    timeout: float | None = None,
    on_event: OnRunEvent | None = None,
) -> list[RunRecord]:
    """One run for each combination of the values in ``grid``, in order; they share ``parent``.

    All combinations are validated before the first one runs. Raises like :func:`run`.
    """
    parent = str(uuid.uuid4())
    path, published = choose_source(notebook, version)
    requests = [
        RunRequest(
            notebook=path,
            parameters={**(parameters or {}), **dict(zip(grid, values, strict=True))},
            reuse=reuse,
            max_parallel=max_parallel,
            timeout=timeout,
            parent=parent,
            published=published,
        )
        for values in itertools.product(*grid.values())
    ]
    for request in requests:
        prepare(request, Settings.load())
    return [run_request(request, on_event) for request in requests]


@typed
def resume(
    run_id: str,
    *,
    notebook: Path | str | None = None,
    output: Path | str | None = None,
    on_event: OnRunEvent | None = None,
) -> RunRecord:
    """Continue a run that did not complete: what succeeded is taken over, the rest runs.

    A run of a part of the pipeline stays one, and a run of a published version one of that. Else the notebook is read
    again, so steps that were changed since, and what depends on them, run again; where it is gone, what was run is
    taken. Raises :class:`RequestError` for a run that is unknown, still running or complete.
    """
    request, source = resumption(run_id, notebook, output)
    return run_request(request, on_event, source)


def resumption(
    run_id: str, notebook: Path | str | None = None, output: Path | str | None = None
) -> tuple[RunRequest, bytes | None]:
    """What to run to continue a run, and what stands for its notebook where that is gone; raises as :func:`resume`."""
    return resumption_of(get_run(run_id), Store(Settings.load().store), notebook, output)


def resumption_of(
    earlier: RunRecord, store: Store, notebook: Path | str | None = None, output: Path | str | None = None
) -> tuple[RunRequest, bytes | None]:
    """The same for the run on record as ``earlier`` in ``store``."""
    if earlier.state in {"running", "pending"}:
        raise RequestError(f"Run {earlier.id} is still {earlier.state}.", "Wait for its end, or cancel it.")
    if earlier.state == "completed":
        raise RequestError(f"Run {earlier.id} completed, there is nothing to resume.", "Use `run --reuse`.")
    request = RunRequest(
        notebook=Path(notebook or present_path(Store(Settings.load().store), earlier.pipeline, earlier.notebook)),
        parameters=earlier.parameters,
        output=Path(output) if output is not None else None,
        only=earlier.only or None,
        from_step=earlier.from_step or None,
        until=earlier.until or None,
        resume=earlier.id,
        published=earlier.published or None if notebook is None else None,
        schedule=earlier.schedule or None,
        triggered=earlier.triggered,
        scheduled_time=earlier.scheduled_time,
    )
    source = None if request.notebook.exists() else store.get_notebook(earlier.version)
    return request, source


def run_request(request: RunRequest, on_event: OnRunEvent | None = None, source: bytes | None = None) -> RunRecord:
    """Make the run that is asked for; ``source`` stands for a notebook whose file is gone."""
    tell = on_event or ignore
    settings = Settings.load()
    pipeline, version, parameters = prepare(request, settings, source)
    prepare_kernels(pipeline, request)
    endpoint = ensure_service(settings, lambda message: tell(RunEvent("service", message=message)))
    settle_runs(Store(settings.store), endpoint)
    record = _call_flow(request, version, parameters, endpoint, tell)
    if request.output is not None:
        copy_output(record.executed_notebook, request.output)
    return record


def prepare(
    request: RunRequest, settings: Settings, source: bytes | None = None
) -> tuple[Pipeline, str, dict[str, object]]:
    """Check the whole request, freeze the notebook; returns it, its version and the parameters in JSON form, sealed."""
    real_path(request.notebook)  # is one that can be kept
    store = Store(settings.store)
    content = source if source is not None else _source(request, store)
    if request.output is not None:
        check_output(request.output, request.notebook)
    if request.max_parallel is not None and request.max_parallel < 1:
        raise RequestError("--max-parallel must be at least 1.")
    if request.timeout is not None and not 0 < request.timeout < threading.TIMEOUT_MAX:
        raise RequestError(f"A run cannot have {request.timeout} s as its time limit.", 'Give a time such as "2h".')
    pipeline = load_runnable(content, request.notebook.name, store)
    coerced = coerce_parameters(pipeline.document, unseal(store, pipeline.document, request.parameters))
    selection = select(pipeline, only=request.only, from_step=request.from_step, until=request.until)
    directory = working_folder(store, content_of(request), request.notebook)
    missing = reuse.missing_results(store, Progress(pipeline, selection), coerced, directory)
    if missing:
        needed = {above for name in selection.chosen for above in pipeline.upstream(name)} - selection.chosen
        wanted = sorted(needed - {above for name in needed for above in pipeline.upstream(name)})
        raise RequestError(
            f"Step {missing} has no result yet for its present source, parameters and inputs.",
            "Make what is needed first, with the same parameters: run with "
            + ", then with ".join(f"--until {name}" for name in wanted)
            + ".",
        )
    version = store.put_notebook(without_outputs(content))
    return pipeline, version, seal(store, pipeline.document, parameters_json(pipeline.document, coerced))


def prepare_kernels(pipeline: Pipeline, request: RunRequest) -> None:
    """Have kernels made ready while Prefect is loaded; not where earlier results may spare the steps."""
    from jupyter_pipelines import execution

    if not (request.reuse or request.resume):
        chosen = select(pipeline, only=request.only, from_step=request.from_step, until=request.until).chosen
        steps = [step for step in pipeline.steps if step.name in chosen]
        store = Store(Settings.load().store)
        execution.prepare_kernels(pipeline, steps, working_folder(store, content_of(request), request.notebook))


def _source(request: RunRequest, store: Store) -> bytes:
    """What is to run: the frozen content that is asked for, else the file as it is."""
    content = content_of(request)
    if content is not None:
        return store.get_notebook(read_content(store, content).notebook)
    return read_source(request.notebook)


def _call_flow(
    request: RunRequest, version: str, parameters: dict[str, object], endpoint: Endpoint, tell: OnRunEvent
) -> RunRecord:
    quiet = {
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
        "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",
    }
    with _environment(endpoint.settings() | quiet):  # Prefect reads its settings when it is first imported
        from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY

        from jupyter_pipelines.orchestration.flow import Session, session

        flow = _flow_for(request.notebook.stem)
    shared = Session(on_event=tell)
    # The flow's end would wait a second for Prefect's heartbeat; that a run was killed we see by its process.
    no_heartbeat = {PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}
    with _prefect_settings(endpoint.settings() | quiet | no_heartbeat), session(shared):
        try:
            state = _once_the_server_is_free(
                partial(
                    flow,
                    version=version,
                    notebook=str(request.notebook.absolute()),
                    parameters=parameters,
                    options=request.options(),
                    return_state=True,
                ),
                shared,
            )
        except Exception as error:
            if shared.record is None:
                if endpoint.is_healthy():
                    raise
                if not endpoint.pid:
                    require_answer(endpoint)
                raise ServiceError(
                    f"The Prefect server at {endpoint.api_url} went away before the run began.", "Run it again."
                ) from error
            message = "The run has ended, but Prefect's server is gone; it is told as soon as it answers again."
            tell(RunEvent("service", shared.record.id, message=message))
        else:
            if shared.record is not None:
                Store(Settings.load().store).mark_active(shared.record.id, False)  # Prefect knows how it ended
            else:  # a defect of ours, or Prefect's: it is not hidden behind the lack of a record
                state.result(raise_on_failure=True)
    assert shared.record is not None, "a flow without a record has raised"
    return shared.record


@lru_cache(maxsize=64)
def _flow_for(name: str) -> Callable[..., Any]:
    """The flow with that name for its runs. Prefect works out what its parameters are each time that it makes one."""
    from prefect.futures import PrefectFuture
    from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

    from jupyter_pipelines.orchestration.flow import run_pipeline

    runner = cast("TaskRunner[PrefectFuture[Any]]", ThreadPoolTaskRunner(max_workers=MOST_THREADS))
    return run_pipeline.with_options(flow_run_name=name, task_runner=runner)


def _once_the_server_is_free(start: Callable[[], Any], shared: Session) -> Any:
    """Call ``start``, and again as long as the server's database is locked and the run has not begun."""
    from prefect.exceptions import PrefectHTTPStatusError

    for pause in BUSY_PAUSES:
        try:
            return start()
        except PrefectHTTPStatusError as error:
            if error.response.status_code != SERVICE_UNAVAILABLE or shared.record is not None:
                raise
            time.sleep(pause)
    return start()


class _PrefectSettings:
    """Prefect's settings for a run. What is new of them is worked out once for the same: it takes Prefect 50 ms."""

    def __init__(self) -> None:
        self._origin: tuple[Any, ...] = ()
        self._settings: Any = None

    @contextmanager
    def __call__(self, updates: Mapping[Any, Any]) -> Iterator[None]:
        """Have them so while inside, as Prefect's ``temporary_settings``."""
        from prefect.context import SettingsContext, get_settings_context

        context = get_settings_context()
        environment = {name: value for name, value in os.environ.items() if "PREFECT" in name}
        origin = (context.settings, dict(updates), environment)
        if not self._origin or self._origin[0] is not origin[0] or self._origin[1:] != origin[1:]:
            self._origin, self._settings = origin, context.settings.copy_with_update(updates=updates)
        with SettingsContext(profile=context.profile, settings=self._settings):
            yield


_prefect_settings = _PrefectSettings()


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Have ``variables`` in the environment while inside, and no longer: the server's secret is not for kernels."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
