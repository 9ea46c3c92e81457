"""Alerts: who is told, and where, when a pipeline fails, works again, or is late.

The service's worker looks at the runs that have ended and at the deadlines that have passed, and writes what is to be
told to an outbox in the project home; from there it is sent, again and again until the destination has taken it.

**How often.** At least once, and nearly always exactly once: a message is in the outbox before it is noted that there
is something to tell, and leaves it when it was taken. Who is killed between the destination's answer and that note
sends it once more, with the same key (``Message-ID`` of a mail, ``Idempotency-Key`` of a web request).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_pipelines.lazy import lazy_names

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.alerts.making import (
        alert,
        alerts,
        describe,
        get_alert,
        removed_alert,
        restore_alert,
        try_alert,
        unalert,
    )
    from jupyter_pipelines.orchestration.alerts.model import AlertRecord, Delivery, Message

__all__ = [
    "AlertRecord",
    "Delivery",
    "Message",
    "alert",
    "alerts",
    "describe",
    "get_alert",
    "removed_alert",
    "restore_alert",
    "try_alert",
    "unalert",
]

__getattr__ = lazy_names(
    __name__,
    {
        **dict.fromkeys(__all__, f"{__name__}.making"),
        **dict.fromkeys(("AlertRecord", "Delivery", "Message"), f"{__name__}.model"),
    },
)
