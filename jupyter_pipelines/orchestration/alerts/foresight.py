"""What a schedule's next run will fail of, told once, before its time."""

from __future__ import annotations

from pathlib import Path

from jupyter_pipelines.orchestration.alerts.model import AlertRecord, Message, Progress
from jupyter_pipelines.orchestration.alerts.streaks import key_of
from jupyter_pipelines.orchestration.alerts.wording import of_foreseen
from jupyter_pipelines.orchestration.scheduling.foreseeing import problems
from jupyter_pipelines.orchestration.scheduling.shelf import Shelf


def foreseen(alert: AlertRecord, progress: Progress, home: Path) -> list[Message]:
    """Messages about what has come to be known since the last look; what is no longer so can be told again."""
    known = problems(home)
    if not known:
        progress.foreseen = []
        return []
    records = {record.id: record for record in Shelf(home).records()}
    messages, told = [], []
    for schedule_id, found in sorted(known.items()):
        record = records.get(schedule_id)
        if record is None or record.schedule.paused or record.store != alert.store:
            continue
        if alert.notebook not in {"", record.notebook}:
            continue
        mark = f"{schedule_id} {found.version} {found.since}"
        told.append(mark)
        if mark not in progress.foreseen:
            key = key_of(alert, "foreseen", mark)
            messages.append(of_foreseen(alert, key, record.notebook, schedule_id, found.problem, record.next_time()))
    progress.foreseen = told
    return messages
