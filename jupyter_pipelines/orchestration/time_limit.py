"""The time limit of a whole run: when it is over, every step that goes on is stopped, and its kernel killed."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Self

from jupyter_pipelines.execution.model import StepErrorInfo, StepResult


class TimeLimit:
    """Sets ``cancel`` when its block has taken ``seconds``; never for ``None``. What waits before it does not count."""

    def __init__(self, seconds: float | None, cancel: threading.Event) -> None:
        self._seconds = seconds
        self._cancel = cancel
        self._stopped: set[str] = set()
        self._timer: threading.Timer | None = None
        self._passed = False

    def __enter__(self) -> Self:
        if self._seconds is not None:
            self._timer = threading.Timer(self._seconds, self._pass)
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()

    @property
    def is_over(self) -> bool:
        """Whether the run was stopped because of it."""
        return self._passed

    @property
    def message(self) -> str:
        """What became of the run."""
        steps = ", ".join(sorted(self._stopped))
        where = f" in step {steps}" if len(self._stopped) == 1 else f" in steps {steps}" if steps else ""
        return f"the run took longer than its time limit of {self._seconds:g} s, and was stopped{where}"

    def seen(self, result: StepResult) -> StepResult:
        """How a step ended; one that was stopped because of the limit has timed out."""
        if not (self._passed and result.state == "cancelled"):
            return result
        self._stopped.add(result.step)
        fix = "allow the run more time (`timeout` of the notebook, --timeout), or make it do less"
        error = StepErrorInfo("timeout", f"the run's time limit of {self._seconds:g} s was over", fix)
        if result.error is not None:
            error = replace(error, cell=result.error.cell, first_line=result.error.first_line)
        return replace(result, state="timed-out", error=error)

    def _pass(self) -> None:
        if not self._cancel.is_set():
            self._passed = True
            self._cancel.set()
