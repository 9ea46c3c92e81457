"""What is kept of an alert: its record, written by people; its progress and its outbox, written by the duty alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, Literal, get_args

from jupyter_pipelines.errors import RequestError

Event = Literal["failure", "recovery", "late"]
EVENTS: Final[tuple[Event, ...]] = get_args(Event)
MOST_KINDS: Final = 50
"""How many ways of failing are told apart in one failing streak."""
MOST_SLOW: Final = 200
"""How many slow runs are remembered as told of."""


@dataclass(frozen=True)
class AlertRecord:
    """Who is told of what. ``since`` is when it was made (seconds since the epoch): what was before is not told."""

    id: str
    notebook: str  # absolute path; "" for all pipelines of the project home
    on: tuple[Event, ...]
    to: str  # the destination as given, secrets and all: only ever shown through `destinations.shown`
    store: str  # where the runs are
    since: float
    mark: int  # of the store's history, then
    repeat: float = 0.0  # seconds after which a streak that goes on is told of again; 0: never
    pipeline: str = ""  # what the notebook's pipeline is called, where that is not its path
    slow: float = 0.0  # a run is late when it takes this many times its usual; 0: it never is for that

    def to_json(self) -> dict[str, object]:
        """JSON values; :func:`record_from` makes an equal one of them."""
        return asdict(self) | {"on": list(self.on)}


def record_from(found: object) -> AlertRecord:
    """Read the JSON form of a record. Raises what the wrong types raise; the caller knows which file it was."""
    if not isinstance(found, dict):
        raise TypeError("a record is a JSON object")
    on = tuple(event for event in EVENTS if event in found["on"])
    if not (on and found["id"] and found["to"]):
        raise ValueError("an alert has an id, events and a destination")
    return AlertRecord(
        id=str(found["id"]),
        notebook=str(found["notebook"]),
        on=on,
        to=str(found["to"]),
        store=str(found["store"]),
        since=float(found["since"]),
        mark=int(found["mark"]),
        repeat=float(found.get("repeat", 0.0)),
        pipeline=str(found.get("pipeline", "")),
        slow=float(found.get("slow", 0.0)),
    )


@dataclass
class Streak:
    """What has been told of the runs of one schedule of a pipeline, or of those that people started."""

    failing_since: float = 0.0  # end of the first failed run; 0 when the last one completed
    failures: int = 0
    kinds: list[str] = field(default_factory=list)  # in which ways, as far as told
    told: float = 0.0  # when, the last time
    late_since: float = 0.0  # when it was told that it is late; 0 when it is not


@dataclass
class Progress:
    """How far the duty has come with an alert."""

    mark: int  # of the store's history
    streaks: dict[str, Streak] = field(default_factory=dict)
    deadlines: dict[str, float] = field(default_factory=dict)  # by schedule: up to when they have been looked at
    slow: list[str] = field(default_factory=list)  # the runs that were said to be slow
    sent: int = 0
    last_sent: float = 0.0
    problem: str = ""  # why the destination did not take the last message, "" when it did
    dropped: int = 0  # messages that were given up since the last one that was taken
    foreseen: list[str] = field(default_factory=list)  # the schedules, each with its version, that were said to fail

    @classmethod
    def of(cls, record: AlertRecord, found: object) -> Progress:
        """What was written (JSON values); from the beginning when it cannot be read."""
        fresh = cls(record.mark)
        if not isinstance(found, dict):
            return fresh
        try:
            return cls(
                int(found["mark"]),
                {str(name): Streak(**_known(Streak, streak)) for name, streak in found["streaks"].items()},
                {str(name): float(until) for name, until in found["deadlines"].items()},
                [str(run) for run in found["slow"]],
                int(found["sent"]),
                float(found["last_sent"]),
                str(found["problem"]),
                int(found["dropped"]),
                [str(one) for one in found.get("foreseen", ())],
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            return fresh

    def to_json(self) -> dict[str, object]:
        """JSON values, of what is remembered. Streaks in which all is well are not."""
        found = asdict(self)
        calm = Streak()
        found["streaks"] = {name: asdict(streak) for name, streak in self.streaks.items() if streak != calm}
        found["slow"] = self.slow[-MOST_SLOW:]
        return found


@dataclass(frozen=True)
class Message:
    """What is told. ``key`` is the same whenever the same thing is told to the same destination."""

    key: str
    event: Event | Literal["test"]
    title: str
    text: str
    data: Mapping[str, Any]  # the same for programs


@dataclass
class Queued:
    """A message in the outbox. Times are seconds since the epoch."""

    message: Message
    made: float
    place: int  # among those that were made at the same time
    due: float  # when it is to be sent (again)
    attempts: int = 0

    def to_json(self) -> dict[str, object]:
        """JSON values; :func:`queued_from` makes an equal one of them."""
        return asdict(self)


def queued_from(found: object) -> Queued | None:
    """Read the JSON form of a queued message; ``None`` when it is malformed."""
    if not isinstance(found, dict):
        return None
    try:
        message = Message(**_known(Message, found["message"]))
        made, due = float(found["made"]), float(found["due"])
        return Queued(message, made, int(found["place"]), due, int(found["attempts"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


@dataclass(frozen=True)
class Delivery:
    """What became of a message that was sent now: ``problem`` is "" when the destination took it."""

    alert: str  # its id, "" for a destination that is not kept
    to: str  # without secrets
    problem: str
    fix: str = ""  # what can be done about the problem


def events_of(names: str | list[str] | tuple[str, ...]) -> tuple[Event, ...]:
    """The events called ``names`` (``"failure,late"``). Raises :class:`RequestError`."""
    given = names.split(",") if isinstance(names, str) else names
    wanted = [name.strip() for name in given if name.strip()]
    unknown = [name for name in wanted if name not in EVENTS]
    if unknown or not wanted:
        what = f"is no event: {', '.join(map(repr, unknown))}" if unknown else "is empty: nothing would be told"
        raise RequestError(f"What to alert on {what}.", f"Choose some of {','.join(EVENTS)}.")
    return tuple(event for event in EVENTS if event in wanted)


def _known(kind: type, found: Mapping[str, object]) -> dict[str, Any]:
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in found.items() if name in names}
