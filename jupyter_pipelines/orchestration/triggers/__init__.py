"""Triggers: what starts runs besides the clock. They are kept in the project home; the worker goes by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_pipelines.lazy import lazy_names

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.triggers.making import (
        describe,
        get_trigger,
        pause,
        trigger,
        triggers,
        unpause,
        unschedule,
    )
    from jupyter_pipelines.orchestration.triggers.model import TriggerRecord

__all__ = [
    "TriggerRecord",
    "describe",
    "get_trigger",
    "pause",
    "trigger",
    "triggers",
    "unpause",
    "unschedule",
]

__getattr__ = lazy_names(
    __name__,
    {
        "TriggerRecord": f"{__name__}.model",
        **dict.fromkeys((name for name in __all__ if name != "TriggerRecord"), f"{__name__}.making"),
    },
)
