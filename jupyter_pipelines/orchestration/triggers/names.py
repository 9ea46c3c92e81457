"""What the parameters of a trigger's runs can refer to: ``{{ upstream.parameters.day }}``, ``{{ file }}``, …"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from jupyter_pipelines.orchestration.schedules.expressions import Names, evaluate_all
from jupyter_pipelines.orchestration.triggers.model import (
    AfterRuns,
    ByToken,
    Occurrence,
    OnEvent,
    OnFiles,
    OnUpdate,
    TriggerRecord,
)

_TIMES = frozenset({"started", "ended", "occurred"})


class AnyName(dict[str, object]):
    """Values of which nobody knows yet what they are called."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return ""


def parameters_of(record: TriggerRecord, occurrence: Occurrence) -> dict[str, object]:
    """The parameters of an occurrence's run. Raises :class:`RequestError` that names the parameter that fails."""
    return evaluate_all(record.parameters, names_of(occurrence)) | dict(occurrence.parameters)


def names_of(occurrence: Occurrence) -> dict[str, object]:
    """What expressions can refer to, as they know it."""
    named = {name: _known(value) for name, value in occurrence.names.items()}
    return {"triggered_at": _moment(occurrence.time), **named}


def example(record: TriggerRecord, upstream_parameters: Mapping[str, object]) -> Occurrence:
    """An occurrence such as there will be, to try expressions on."""
    now = datetime.now(UTC).timestamp()
    run = dict.fromkeys(("id", "name", "notebook", "version", "error", "executed_notebook", "pipeline"), "")
    upstream = {**run, "state": "completed", "parameters": upstream_parameters, "started": now, "ended": now}
    match record.cause:
        case AfterRuns():
            names: dict[str, object] = {"upstream": upstream}
        case OnUpdate():
            names = {"upstream": upstream, "updated": [""]}
        case OnFiles():
            names = {"files": [""]} if record.cause.together else {"files": [""], "file": ""}
        case OnEvent():
            names = {"event": {"id": "", "name": "", "occurred": now, "resource": "", "payload": AnyName()}}
        case ByToken():
            names = {}
    return Occurrence("example", now, names)


def _known(value: object) -> object:
    """A mapping as names, with its times as times; else the value."""
    if not isinstance(value, Mapping):
        return value
    return Names(
        {
            name: _moment(item) if name in _TIMES and isinstance(item, int | float) else item
            for name, item in value.items()
        }
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).astimezone()
