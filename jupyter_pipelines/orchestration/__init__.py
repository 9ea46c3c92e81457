"""Runs: the Prefect flow, reuse and resume, records, and the service they report to."""

from jupyter_pipelines.orchestration.loading import load
from jupyter_pipelines.orchestration.model import RunEvent, RunRecord, RunRequest, StepRecord
from jupyter_pipelines.orchestration.runs import get_run, list_runs, resume, run, run_grid

__all__ = [
    "RunEvent",
    "RunRecord",
    "RunRequest",
    "StepRecord",
    "get_run",
    "list_runs",
    "load",
    "resume",
    "run",
    "run_grid",
]
