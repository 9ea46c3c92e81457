"""A step as a Prefect task: its retries, and states with names people recognise."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from prefect import Task
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.futures import PrefectFuture
from prefect.states import Cancelled, Completed, Failed

from jupyter_pipelines.execution.model import StepRequest, StepResult
from jupyter_pipelines.notebook.model import StepOptions

# What Prefect calls the way a step ended. A failed *type* lets Prefect retry it; the name says what it was.
_STATE_NAMES = {"failed": "Failed", "timed-out": "TimedOut", "crashed": "KernelDied", "refused": "Refused"}
LONGEST_DELAY = 86_400.0  # seconds before a retry, however often there was one


def submit_step(
    request: StepRequest,
    run_attempt: Callable[[StepRequest], StepResult],
    on_end: Callable[[PrefectFuture[Any]], None],
    cancel: threading.Event,
) -> None:
    """Submit the step to the flow's task runner; ``run_attempt`` is called once for each attempt, and waits before it.

    Prefect would wait for a retry whatever becomes of the run. After ``cancel`` is set there are no more.
    """
    step = request.step

    def attempt() -> State[Any]:
        context = TaskRunContext.get()
        number = context.task_run.run_count if context is not None else 1
        return _state(run_attempt(replace(request, attempt=number)))

    def may_retry(_: Task[..., Any], __: TaskRun, state: State[Any]) -> bool:
        return state.name != _STATE_NAMES["refused"] and not cancel.is_set()

    task: Task[[], State[Any]] = Task(
        fn=attempt,
        name=step.name,
        task_run_name=step.name,
        tags=set(step.options.tags),
        retries=step.options.retries,
        retry_delay_seconds=0,
        retry_condition_fn=may_retry,
        persist_result=False,
    )
    task.submit().add_done_callback(on_end)


def retry_delay(options: StepOptions, number: int) -> float:
    """Seconds to wait before the ``number``-th retry (from 1): exponential and spread where the author asks for it."""
    try:
        delay = options.retry_delay * options.retry_backoff ** (number - 1)
    except OverflowError:
        delay = LONGEST_DELAY
    return min(LONGEST_DELAY, delay) * (1 + random.uniform(0, options.retry_jitter))


def _state(result: StepResult) -> State[Any]:
    message = result.error.message if result.error is not None else f"{len(result.outputs)} outputs"
    if result.state == "completed":
        return Completed(message=message)
    if result.state == "cancelled":
        return Cancelled(message=message)
    return Failed(name=_STATE_NAMES[result.state], message=message)
