"""Schedules at work: they are kept in the project home, and the service's worker starts the runs that are due.

What is due is decided in :mod:`jupyter_pipelines.orchestration.schedules`; here it is carried out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_pipelines.lazy import lazy_names

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.scheduling.making import (
        describe,
        get_schedule,
        pause,
        preview_schedule,
        schedule,
        schedules,
        unpause,
        unschedule,
    )
    from jupyter_pipelines.orchestration.scheduling.model import ScheduleRecord
    from jupyter_pipelines.orchestration.scheduling.requests import submit_scheduled

__all__ = [
    "POLICIES",
    "ScheduleRecord",
    "describe",
    "get_schedule",
    "pause",
    "preview_schedule",
    "schedule",
    "schedules",
    "submit_scheduled",
    "unpause",
    "unschedule",
]

POLICIES = (
    "timezone", "missed", "overlap", "max_parallel", "window", "start", "end", "done_by", "timeout", "retries",
)  # fmt: skip
"""What may be said of a schedule besides its times, in the words of :func:`schedule`."""

__getattr__ = lazy_names(
    __name__,
    {
        **dict.fromkeys(__all__, f"{__name__}.making"),
        "ScheduleRecord": f"{__name__}.model",
        "submit_scheduled": f"{__name__}.requests",
    },
)
