"""What a run is of, and who asked for it, in a few words."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.model import RunRecord
    from jupyter_pipelines.orchestration.versions.model import Entry


class Origins:
    """Looks up versions, schedules and triggers, each once."""

    def __init__(self) -> None:
        self._logs: dict[str, list[Entry]] = {}

    def version(self, record: RunRecord) -> str:
        """``v7`` for the seventh version, ``file`` for the notebook as it was."""
        if not record.published:
            return "file"
        from jupyter_pipelines.orchestration.versions.publishing import number_of, read_entries
        from jupyter_pipelines.settings import Settings
        from jupyter_pipelines.store import Store

        pipeline = record.pipeline or record.notebook
        if pipeline not in self._logs:
            self._logs[pipeline] = read_entries(Store(Settings.load().store), pipeline)
        number = number_of(self._logs[pipeline], record.published)
        return f"v{number}" if number else record.published[:8]

    def starter(self, record: RunRecord) -> str:
        """``schedule daily``, ``trigger 1a2b3c4d``, ``backfill …``; ``""`` for a person."""
        if record.backfill:
            return f"backfill {record.backfill[:8]}"
        if not record.schedule:
            return ""
        kind, name = self._known.get(record.schedule, ("trigger" if record.triggered else "schedule", ""))
        return f"{kind} {name or record.schedule}"

    @cached_property
    def _known(self) -> dict[str, tuple[str, str]]:
        """By id the kind and the name of what starts runs."""
        from jupyter_pipelines.orchestration.scheduling import schedules
        from jupyter_pipelines.orchestration.triggers import triggers

        found = {one.id: ("schedule", one.schedule.name) for one in schedules()}
        return found | {one.id: ("trigger", one.name) for one in triggers()}
