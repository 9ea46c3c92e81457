"""Schedules: when pipelines run. Pure: no clock is read, nothing is stored, nothing is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_pipelines.lazy import lazy_names

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.schedules.decisions import (
        Action,
        ActiveRun,
        Cancel,
        Decision,
        Handled,
        Queue,
        Skip,
        Start,
        deadline,
        decide,
        occurrence_key,
        overdue,
    )
    from jupyter_pipelines.orchestration.schedules.expressions import evaluate_parameters
    from jupyter_pipelines.orchestration.schedules.json_form import from_json, to_json
    from jupyter_pipelines.orchestration.schedules.model import PRESETS, Schedule, with_preset
    from jupyter_pipelines.orchestration.schedules.occurrences import (
        latest_occurrence,
        next_occurrence,
        occurrences_after,
    )
    from jupyter_pipelines.orchestration.schedules.period_names import named_range, named_window, split_range
    from jupyter_pipelines.orchestration.schedules.phrases import EXAMPLES, Understanding, parse_phrase, understand
    from jupyter_pipelines.orchestration.schedules.previews import Occurrence, Preview, preview
    from jupyter_pipelines.orchestration.schedules.windows import DataWindow, window_of, windows_between
    from jupyter_pipelines.orchestration.schedules.words import expression_of, in_words, when_in_words

_HOMES = {
    "decisions": (
        "Action", "ActiveRun", "Cancel", "Decision", "Handled", "Queue", "Skip", "Start",
        "deadline", "decide", "occurrence_key", "overdue",
    ),
    "expressions": ("evaluate_parameters",),
    "json_form": ("from_json", "to_json"),
    "model": ("PRESETS", "Schedule", "with_preset"),
    "occurrences": ("latest_occurrence", "next_occurrence", "occurrences_after"),
    "period_names": ("named_range", "named_window", "split_range"),
    "phrases": ("EXAMPLES", "Understanding", "parse_phrase", "understand"),
    "previews": ("Occurrence", "Preview", "preview"),
    "windows": ("DataWindow", "window_of", "windows_between"),
    "words": ("expression_of", "in_words", "when_in_words"),
}  # fmt: skip

__all__ = [
    "EXAMPLES",
    "PRESETS",
    "Action",
    "ActiveRun",
    "Cancel",
    "DataWindow",
    "Decision",
    "Handled",
    "Occurrence",
    "Preview",
    "Queue",
    "Schedule",
    "Skip",
    "Start",
    "Understanding",
    "deadline",
    "decide",
    "evaluate_parameters",
    "expression_of",
    "from_json",
    "in_words",
    "latest_occurrence",
    "named_range",
    "named_window",
    "next_occurrence",
    "occurrence_key",
    "occurrences_after",
    "overdue",
    "parse_phrase",
    "preview",
    "split_range",
    "to_json",
    "understand",
    "when_in_words",
    "window_of",
    "windows_between",
    "with_preset",
]

__getattr__ = lazy_names(__name__, {name: f"{__name__}.{home}" for home, names in _HOMES.items() for name in names})
