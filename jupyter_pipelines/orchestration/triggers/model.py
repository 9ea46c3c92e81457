"""What is kept of a trigger: its record, written by people, and its progress, written by the worker's duty alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, Final, Literal, get_args

from jupyter_pipelines.errors import RequestError

Overlap = Literal["queue", "skip", "parallel", "cancel-previous"]
On = Literal["success", "failure", "always"]

KEPT: Final = 1000
"""How many runs, and how many notes of what was skipped, are remembered of one trigger."""


@dataclass(frozen=True)
class AfterRuns:
    """After runs of other pipelines: of any of them, or once all have ended since it was triggered last."""

    pipelines: tuple[str, ...]
    on: On = "success"
    all_of: bool = False

    def __post_init__(self) -> None:
        if self.on not in get_args(On):
            raise RequestError(f"{self.on!r} is no choice for `on`.", f"Choose one of {', '.join(get_args(On))}.")
        if not self.pipelines:
            raise RequestError("It is not said after which notebook.", "Name one, or several.")

    def __str__(self) -> str:
        ended = {"success": "completed", "failure": "failed", "always": "ended"}[self.on]
        return f"after {(' and ' if self.all_of else ' or ').join(map(_short, self.pipelines))} {ended}"


@dataclass(frozen=True)
class OnFiles:
    """When a file that matches ``pattern`` (an absolute one) appears or changes, and has been still for ``still`` s.

    One run for each file, or with ``together`` one for all that have come since the last.
    """

    pattern: str
    together: bool = False
    still: float = 2.0

    def __str__(self) -> str:
        return f"when {self.pattern} appears or changes"


@dataclass(frozen=True)
class OnUpdate:
    """When a run of another pipeline has written one of ``files`` (absolute patterns), made one of ``outputs``, or
    built or changed one of ``tables`` of the warehouse.

    An output is given as the pipeline and the name of the value, two texts. With ``reads`` they are the tables and
    files that the trigger's own pipeline reads, as its source names them each time.
    """

    files: tuple[str, ...] = ()
    outputs: tuple[tuple[str, str], ...] = ()
    tables: tuple[str, ...] = ()
    reads: bool = False

    def __str__(self) -> str:
        named = [
            *(_short(file.removesuffix("/**/*")) for file in self.files),
            *(f"{name} of {_short(pipe)}" for pipe, name in self.outputs),
        ]
        named += [f"the table {table}" for table in self.tables]
        if self.reads:
            return f"when what it reads was updated{': ' if named else ''}{' or '.join(named)}"
        return f"when {' or '.join(named)} was updated"


@dataclass(frozen=True)
class ByToken:
    """When somebody asks who has the token; only its digest is kept."""

    digest: str

    def __str__(self) -> str:
        return "when asked, with its token"


@dataclass(frozen=True)
class OnEvent:
    """When the Prefect server has an event whose name matches ``pattern`` (``*`` and ``?`` stand for anything)."""

    pattern: str

    def __str__(self) -> str:
        return f"when there is an event {self.pattern}"


Cause = AfterRuns | OnFiles | OnUpdate | ByToken | OnEvent
CAUSES: Final[Mapping[str, type[Cause]]] = {
    "after": AfterRuns,
    "file": OnFiles,
    "update": OnUpdate,
    "token": ByToken,
    "event": OnEvent,
}


@dataclass(frozen=True)
class TriggerRecord:
    """A trigger of a notebook. ``active_since`` is when it was made or unpaused last: what came before is past."""

    id: str
    notebook: str  # absolute path
    cause: Cause
    active_since: datetime
    store: str  # where its runs and versions are
    version: str = ""  # "published", the id of a version, or "" for the notebook as it is
    pipeline: str = ""  # whose versions are meant
    name: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)  # values, or texts with {{ expressions }}
    overlap: Overlap = "queue"
    paused: bool = False
    baseline: object = None  # the cursor to begin with: what was there when it became active
    token: str = ""  # only on what made it: it is shown once, and never kept
    is_new: bool = field(
        default=False, compare=False
    )  # of what `trigger` returns: false when there was such a trigger, or it took one's place

    def __post_init__(self) -> None:
        if self.overlap not in get_args(Overlap):
            raise RequestError(
                f"{self.overlap!r} is no choice for `overlap`.", f"Choose one of {', '.join(get_args(Overlap))}."
            )

    @property
    def kind(self) -> str:
        """The word for what causes it: ``after``, ``file``, ``update``, ``token`` or ``event``."""
        return next(kind for kind, cause in CAUSES.items() if isinstance(self.cause, cause))

    def to_json(self) -> dict[str, object]:
        """JSON values; :func:`record_from` makes an equal one of them."""
        apart = {"token", "is_new", "cause"}
        found = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in apart}
        return found | {
            "kind": self.kind,
            "cause": asdict(self.cause),
            "active_since": self.active_since.isoformat(),
            "parameters": dict(self.parameters),
        }


def record_from(found: object) -> TriggerRecord:
    """Read the JSON form of a record. Raises what the wrong types raise; the caller knows which file it was."""
    if not isinstance(found, dict):
        raise TypeError("a record is a JSON object")
    names = ("id", "notebook", "store", "version", "pipeline", "name")
    texts: dict[str, Any] = {name: str(found[name]) for name in names}
    cause: dict[str, Any] = {name: _frozen(value) for name, value in found["cause"].items()}
    return TriggerRecord(
        cause=CAUSES[found["kind"]](**cause),
        active_since=datetime.fromisoformat(found["active_since"]),
        parameters=dict(found["parameters"]),
        overlap=found["overlap"],
        paused=bool(found["paused"]),
        baseline=found["baseline"],
        **texts,
    )


@dataclass(frozen=True)
class Occurrence:
    """One time that a trigger is met. ``key`` tells it from all others of the trigger; it runs once."""

    key: str
    time: float  # seconds since the epoch
    names: Mapping[str, object] = field(default_factory=dict)  # what expressions can refer to, as JSON values
    parameters: Mapping[str, object] = field(default_factory=dict)  # that it was given itself
    upstream: str = ""  # the run that caused it


@dataclass
class Progress:
    """How far the duty has come with a trigger."""

    active_since: str = ""  # of the record, when this was written
    cursor: object = None  # up to where its cause was looked at
    runs: dict[str, str] = field(default_factory=dict)  # the last runs' ids, by occurrence
    active: list[str] = field(default_factory=list)  # occurrences whose runs have not been seen to end
    waiting: list[Occurrence] = field(default_factory=list)
    skipped: list[dict[str, object]] = field(default_factory=list)  # occurrence, time and reason
    problem: str = ""  # why nothing can be seen at the moment

    @classmethod
    def of(cls, record: TriggerRecord, found: object) -> Progress:
        """What was written (JSON values), as it applies to ``record`` as it is now."""
        since = record.active_since.isoformat()
        try:
            if not isinstance(found, dict):
                raise TypeError("progress is a JSON object")
            read = cls(**{one.name: found[one.name] for one in fields(cls)})
            read.waiting = [Occurrence(**each) for each in found["waiting"]]
            read.runs = {str(key): str(run) for key, run in read.runs.items()}
        except (KeyError, TypeError, ValueError, AttributeError):
            return cls(since, record.baseline)
        if read.active_since != since:  # unpaused since then
            read.active_since, read.cursor = since, record.baseline
            reason = "it waited when the trigger was paused"
            read.skipped += [{"occurrence": one.key, "time": one.time, "reason": reason} for one in read.waiting]
            read.waiting = []
        return read

    def to_json(self) -> dict[str, object]:
        """JSON values, of what is remembered."""
        return asdict(self) | {
            "runs": dict(list(self.runs.items())[-KEPT:]),
            "skipped": self.skipped[-KEPT:],
        }

    def knows(self, key: str) -> bool:
        """Whether the occurrence has a run, or waits for one."""
        return key in self.runs or any(each.key == key for each in self.waiting)


def _frozen(value: object) -> object:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def _short(path: str) -> str:
    """The last part of a path."""
    return path.rpartition("/")[2] or path
