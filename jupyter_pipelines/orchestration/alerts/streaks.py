"""Which ends of runs are worth telling: one failure for each failing streak and each way of failing, one recovery."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable
from typing import Final

from jupyter_pipelines.orchestration.alerts import wording
from jupyter_pipelines.orchestration.alerts.model import MOST_KINDS, AlertRecord, Message, Progress, Streak
from jupyter_pipelines.orchestration.model import RunRecord
from jupyter_pipelines.orchestration.versions.identity import real_path

FAILED: Final = frozenset({"failed", "crashed"})
_NAMESPACE: Final = uuid.UUID("0f6d2e52-6d0a-4a55-9b0c-7d8f4f0f8f11")
_VARYING: Final = re.compile(r"0x[0-9a-fA-F]+|[0-9a-fA-F]{8,}|\d+")


def ended(alert: AlertRecord, progress: Progress, runs: Iterable[RunRecord]) -> list[Message]:
    """What is to be told about ``runs``, that have ended in this order; ``progress`` is brought up to date."""
    found = []
    for run in runs:
        if not concerns(alert, run.notebook, run.pipeline):
            continue
        streak = progress.streaks.setdefault(streak_of(run), Streak())
        if run.state in FAILED:
            message = _failed(alert, streak, run)
        elif run.state == "completed" and not (run.only or run.from_step or run.until):  # a part proves nothing
            message = _completed(alert, streak, run)
        else:  # cancelled: somebody wanted that
            message = None
        if message is not None and message.event in alert.on:
            found.append(message)
    return found


def concerns(alert: AlertRecord, notebook: str, pipeline: str) -> bool:
    """Whether ``alert`` is about this pipeline."""
    if not alert.notebook or (alert.pipeline and alert.pipeline == pipeline):
        return True
    return alert.notebook == notebook or alert.notebook == real_path(notebook)


def streak_of(run: RunRecord) -> str:
    """Runs that continue each other's streak: of one schedule, one backfill, or those that people started."""
    return f"{run.notebook} {run.backfill or run.schedule}".rstrip()


def key_of(alert: AlertRecord, *parts: str) -> str:
    """The key of what is told about ``parts``: the same whenever it is told by this alert."""
    return str(uuid.uuid5(_NAMESPACE, "\n".join((alert.id, *parts))))


def _failed(alert: AlertRecord, streak: Streak, run: RunRecord) -> Message | None:
    streak.failures += 1
    streak.failing_since = streak.failing_since or run.ended
    kind = kind_of(run)
    again = bool(alert.repeat) and run.ended - streak.told >= alert.repeat
    if kind in streak.kinds and not again:
        return None
    if kind not in streak.kinds:
        streak.kinds = [*streak.kinds, kind][-MOST_KINDS:]
    streak.told = run.ended
    key = key_of(alert, "failure", run.id)
    return wording.of_failure(alert, key, run, streak.failures, streak.failing_since)


def _completed(alert: AlertRecord, streak: Streak, run: RunRecord) -> Message | None:
    if not (streak.failures or streak.late_since):
        return None
    before = Streak(streak.failing_since, streak.failures, late_since=streak.late_since)
    streak.failing_since, streak.failures, streak.kinds, streak.told, streak.late_since = 0.0, 0, [], 0.0, 0.0
    key = key_of(alert, "recovery", run.id)
    return wording.of_recovery(alert, key, run, before.failures, before.failing_since, before.late_since)


def kind_of(run: RunRecord) -> str:
    """In which way a run failed: the step, the cell, and the error less what varies (numbers, addresses)."""
    step = wording.failed_step(run)
    error = step.error if step is not None else run.error
    place = (step.name, step.error_kind, step.error_first_line) if step is not None else ()
    said = _VARYING.sub("#", wording.clean(error))[:1000]
    return hashlib.sha256("\n".join((run.state, *place, said)).encode(errors="replace")).hexdigest()[:16]
