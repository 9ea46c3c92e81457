"""What is asked for when a schedule's notebook is run: at its time, or now because somebody wants to see it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from jupyter_pipelines.orchestration.loading import load_runnable, read_source
from jupyter_pipelines.orchestration.model import RunRequest
from jupyter_pipelines.orchestration.scheduling.making import get_schedule
from jupyter_pipelines.orchestration.scheduling.model import ScheduleRecord, parameters_of
from jupyter_pipelines.orchestration.submission import own_key, submit_request
from jupyter_pipelines.orchestration.versions.publishing import find_version, read_content
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store
from jupyter_pipelines.typed import typed


def request_of(record: ScheduleRecord, occurrence: datetime, store: Store) -> RunRequest:
    """The run of an occurrence, as no schedule's. Raises :class:`PipelinesError`."""
    path = Path(record.notebook)
    published = None
    if record.version:
        published = find_version(store, record.pipeline, record.version, record.notebook).id
        content = store.get_notebook(read_content(store, published).notebook)
    else:
        content = read_source(path)
    document = load_runnable(content, path.name, store).document
    declared = {parameter.name: parameter for parameter in document.parameters}
    timeout = record.schedule.timeout
    return RunRequest(
        path,
        parameters=parameters_of(record.schedule, occurrence, declared),
        timeout=timeout.total_seconds() if timeout is not None else None,
        published=published,
    )


@typed
def submit_scheduled(schedule_id: str, *, key: str = "") -> str:
    """Have the service run now what a schedule runs, and return the run's id at once.

    Its parameters are those of a run that is due now. It is no occurrence of the schedule: neither does it wait for
    the schedule's runs, nor they for it. ``key`` is as for :func:`~jupyter_pipelines.submit`. Raises
    :class:`RequestError`, :class:`NotebookError` or :class:`ServiceError`, and then nothing runs.
    """
    record = get_schedule(schedule_id)
    settings = replace(Settings.load(), store=record.store)
    request = request_of(record, datetime.now(UTC).replace(microsecond=0), Store(record.store))
    return submit_request(request, settings, key=own_key(key))
