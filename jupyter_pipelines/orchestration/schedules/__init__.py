"""Schedules: when pipelines run. Pure: no clock is read, nothing is stored, nothing is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_pipelines.lazy import lazy_names

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.schedules.expressions import evaluate_parameters
    from jupyter_pipelines.orchestration.schedules.model import PRESETS, Schedule, with_preset
    from jupyter_pipelines.orchestration.schedules.occurrences import latest_occurrence, next_occurrence, occurrences
    from jupyter_pipelines.orchestration.schedules.windows import DataWindow, window_of, windows_between

__all__ = [
    "PRESETS",
    "DataWindow",
    "Schedule",
    "evaluate_parameters",
    "latest_occurrence",
    "next_occurrence",
    "occurrences",
    "window_of",
    "windows_between",
    "with_preset",
]

__getattr__ = lazy_names(
    __name__,
    {
        "evaluate_parameters": f"{__name__}.expressions",
        **dict.fromkeys(("PRESETS", "Schedule", "with_preset"), f"{__name__}.model"),
        **dict.fromkeys(("latest_occurrence", "next_occurrence", "occurrences"), f"{__name__}.occurrences"),
        **dict.fromkeys(("DataWindow", "window_of", "windows_between"), f"{__name__}.windows"),
    },
)
