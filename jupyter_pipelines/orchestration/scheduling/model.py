"""What is kept of a schedule: its record, written by people, and its progress, written by the scheduler alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from jupyter_pipelines.orchestration.schedules import Handled, Schedule, from_json, next_occurrence, to_json

if TYPE_CHECKING:
    from jupyter_pipelines.notebook.model import Parameter
    from jupyter_pipelines.orchestration.schedules import DataWindow

KEPT: Final = 500
"""How many runs, and how many notes of skipped occurrences, are remembered of one schedule."""


@dataclass(frozen=True)
class ScheduleRecord:
    """A schedule of a notebook. ``active_since`` is when it was made or unpaused last: what was due before is past."""

    id: str
    notebook: str  # absolute path
    schedule: Schedule
    active_since: datetime
    store: str  # where its runs and versions are
    version: str = ""  # "published", the id of a version, or "" for the notebook as it is
    pipeline: str = ""  # whose versions are meant
    follow: str = ""  # what is published for it: "file", as it is saved, or "ref:BRANCH", or ""
    verify: bool = False  # what follows is published only when `verify` passes
    is_new: bool = field(
        default=False, compare=False
    )  # of what `schedule` returns: false when there was such a schedule, or it took one's place

    def next_time(self, now: datetime | None = None) -> datetime | None:
        """When it runs next (aware, in UTC); ``None`` when it is paused, or over."""
        if self.schedule.paused:
            return None
        return next_occurrence(self.schedule, max(now or datetime.now(UTC), self.active_since))

    def to_json(self) -> dict[str, object]:
        """JSON values; :func:`record_from` makes an equal one of them."""
        return {
            "id": self.id,
            "notebook": self.notebook,
            "schedule": to_json(self.schedule),
            "active_since": self.active_since.isoformat(),
            "store": self.store,
            "version": self.version,
            "pipeline": self.pipeline,
            "follow": self.follow,
            "verify": self.verify,
        }


def record_from(found: object) -> ScheduleRecord:
    """Read the JSON form of a record. Raises what the wrong types raise; the caller knows which file it was."""
    if not isinstance(found, dict):
        raise TypeError("a record is a JSON object")
    texts: dict[str, Any] = {name: str(found[name]) for name in ("id", "notebook", "store", "version", "pipeline")}
    texts["follow"] = str(found.get("follow", ""))
    active_since = datetime.fromisoformat(found["active_since"])
    if active_since.tzinfo is None:
        raise ValueError("active_since has no time zone")
    verify = found.get("verify") is True
    return ScheduleRecord(schedule=from_json(found["schedule"]), active_since=active_since, verify=verify, **texts)


@dataclass
class Progress:
    """How far the scheduler has come with a schedule. Occurrences are named by their keys: scheduled times in UTC."""

    active_since: datetime  # of the record, when this was written
    handled: Handled
    runs: dict[str, str] = field(default_factory=dict)  # the last runs' ids, by occurrence
    active: list[str] = field(default_factory=list)  # occurrences whose runs have not been seen to end
    waiting: list[str] = field(default_factory=list)  # occurrences that run when earlier ones have ended
    skipped: list[dict[str, object]] = field(default_factory=list)  # first, last, count and reason

    @classmethod
    def of(cls, record: ScheduleRecord, found: object) -> Progress:
        """What was written (JSON values; ``None``: nothing yet), as it applies to ``record`` as it is now.

        Raises :class:`ValueError` for what no progress was written as.
        """
        fresh = cls(record.active_since, Handled(record.active_since))
        if found is None:
            return fresh
        if not isinstance(found, dict):
            raise ValueError("progress is a JSON object")
        try:
            until = found["until"]
            handled = Handled(
                datetime.fromisoformat(found["since"]), datetime.fromisoformat(until) if until is not None else None
            )
            read = cls(
                datetime.fromisoformat(found["active_since"]),
                handled,
                {str(key): str(run) for key, run in found["runs"].items()},
                [str(key) for key in found["active"]],
                [str(key) for key in found["waiting"]],
                [dict(skip) for skip in found["skipped"]],
            )
            for key in (*read.active, *read.waiting):
                moment_of_key(key)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("something of it is missing, or of another type") from error
        if record.schedule.paused:
            return read._without_waiting()
        if read.active_since == record.active_since:
            return read
        # It was unpaused since then.
        return replace(read._without_waiting(), active_since=record.active_since, handled=fresh.handled)

    def _without_waiting(self) -> Progress:
        """What waited for an earlier run to end when the schedule was paused is dropped, and noted as skipped."""
        reason = "the schedule was paused while it waited for an earlier run to end"
        notes: list[dict[str, object]] = [
            {"first": key, "last": key, "count": 1, "reason": reason} for key in self.waiting
        ]
        return replace(self, waiting=[], skipped=[*self.skipped, *notes])

    def to_json(self) -> dict[str, object]:
        """JSON values, of what is remembered."""
        until = self.handled.until
        return {
            "active_since": self.active_since.isoformat(),
            "since": self.handled.active_since.isoformat(),
            "until": until.isoformat() if until is not None else None,
            "runs": dict(list(self.runs.items())[-KEPT:]),
            "active": self.active,
            "waiting": self.waiting,
            "skipped": self.skipped[-KEPT:],
        }


def moment_of_key(key: str) -> datetime:
    """The scheduled time that is written as the key of an occurrence."""
    return datetime.strptime(key, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def parameters_of(
    schedule: Schedule, occurrence: datetime, declared: Mapping[str, Parameter], window: DataWindow | None = None
) -> dict[str, object]:
    """The parameters of an occurrence's run; what it can know of time is given where the notebook ``declared`` it.

    ``window`` is the one to work on; unless given, the occurrence's own.
    """
    from jupyter_pipelines.orchestration.schedules.expressions import evaluate_parameters, names_for

    names = names_for(schedule, occurrence, window)
    times = {name: as_declared(value, declared[name]) for name, value in names.items() if name in declared}
    evaluated = evaluate_parameters(schedule, occurrence, window)
    return times | {
        name: as_declared(value, declared[name]) if name in declared else value for name, value in evaluated.items()
    }


def window_parameters(window: DataWindow, declared: Mapping[str, Parameter]) -> dict[str, object]:
    """What a run that works on ``window`` is given: ``interval_start`` and ``interval_end``, as far as declared."""
    names = {"interval_start": window.start, "interval_end": window.end}
    return {name: as_declared(value, declared[name]) for name, value in names.items() if name in declared}


def as_declared(moment: object, parameter: Parameter) -> object:
    """A moment as the type that the notebook declares: a date, a text (a date where its default is one), or itself."""
    if not isinstance(moment, date):
        return moment
    choices = parameter.schema.get("anyOf")
    kinds = [one for one in [parameter.schema, *(choices if isinstance(choices, list) else [])] if "type" in one]
    formats = {kind.get("format") for kind in kinds if kind["type"] == "string"}
    if "date-time" in formats or not formats:
        return moment
    if not isinstance(moment, datetime):
        return moment if "date" in formats else moment.isoformat()
    if "date" in formats:
        return moment.date()
    default = parameter.default
    is_date = isinstance(default, str) and len(default) == len("2027-01-31") and default[4:5] == "-"
    return str(moment.date()) if is_date else moment.isoformat()
