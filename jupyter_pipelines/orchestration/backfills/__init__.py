"""Backfills: a pipeline is run over the data windows of a range, in order, each once, as one thing in the history.

What is to be run is planned when it is asked for, and kept in the project home; the service's worker carries it out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_pipelines.lazy import lazy_names

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.backfills.changing import (
        backfills,
        cancel_backfill,
        get_backfill,
        pause_backfill,
        resume_backfill,
    )
    from jupyter_pipelines.orchestration.backfills.making import backfill
    from jupyter_pipelines.orchestration.backfills.model import Backfill, BackfillWindow

__all__ = [
    "Backfill",
    "BackfillWindow",
    "backfill",
    "backfills",
    "cancel_backfill",
    "get_backfill",
    "pause_backfill",
    "resume_backfill",
]

__getattr__ = lazy_names(
    __name__,
    {
        **dict.fromkeys(("Backfill", "BackfillWindow"), f"{__name__}.model"),
        **dict.fromkeys(
            ("backfills", "cancel_backfill", "get_backfill", "pause_backfill", "resume_backfill"),
            f"{__name__}.changing",
        ),
        "backfill": f"{__name__}.making",
    },
)
