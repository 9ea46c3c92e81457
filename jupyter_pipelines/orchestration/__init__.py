"""Runs: the Prefect flow, reuse and resume, records, and the service they report to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_pipelines.lazy import lazy_names

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.history import get_run, list_runs
    from jupyter_pipelines.orchestration.loading import load
    from jupyter_pipelines.orchestration.model import RunEvent, RunRecord, RunRequest, StepRecord
    from jupyter_pipelines.orchestration.runs import resume, run, run_grid
    from jupyter_pipelines.orchestration.submission import cancel, submit, submit_resume

__all__ = [
    "RunEvent",
    "RunRecord",
    "RunRequest",
    "StepRecord",
    "cancel",
    "get_run",
    "list_runs",
    "load",
    "resume",
    "run",
    "run_grid",
    "submit",
    "submit_resume",
]

__getattr__ = lazy_names(
    __name__,
    {
        "load": f"{__name__}.loading",
        **dict.fromkeys(("RunEvent", "RunRecord", "RunRequest", "StepRecord"), f"{__name__}.model"),
        **dict.fromkeys(("get_run", "list_runs"), f"{__name__}.history"),
        **dict.fromkeys(("resume", "run", "run_grid"), f"{__name__}.runs"),
        **dict.fromkeys(("cancel", "submit", "submit_resume"), f"{__name__}.submission"),
    },
)
