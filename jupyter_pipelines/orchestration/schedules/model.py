"""A schedule: when a pipeline runs, with which parameters, and what happens when it could not.

Plain data, checked when it is made. When it runs is one of a cron expression, an interval, or a recurrence rule of
RFC 5545; presets and phrases are ways to write these.

**Daylight saving.** A schedule that runs once a day or less often runs exactly once on each of its local days: a time
that the clocks jump over runs at the first moment after the gap, a time that comes twice runs the first time. The same
holds for a few fixed times a day. A cron expression or rule with times an hour or less apart keeps its spacing: it runs
whenever the clock shows one of its times, in the repeated hour again. An interval of whole days keeps its time of day;
any other is counted in seconds that really pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Final, Literal, get_args

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.schedules.clock import FIRST, LAST, moment_of, naive_utc, zone_of, zoned
from jupyter_pipelines.orchestration.schedules.wall_times import DAY, check_cron, check_rule, rule_parts, rule_text

WindowUnit = Literal["hour", "day", "week", "month", "quarter", "year"]
Missed = Literal["skip", "latest", "all"]
Overlap = Literal["queue", "skip", "parallel", "cancel-previous"]

PRESETS: Final[Mapping[str, str]] = {
    "hourly": "0 * * * *",
    "daily": "0 0 * * *",
    "weekdays": "0 0 * * 1-5",
    "weekends": "0 0 * * 0,6",
    "weekly": "0 0 * * 1",
    "monthly": "0 0 1 * *",
    "quarterly": "0 0 1 1,4,7,10 *",
    "yearly": "0 0 1 1 *",
}
DEFAULT_ANCHOR: Final = datetime(2001, 1, 1)  # a Monday, and the first of a year
LONGEST_INTERVAL: Final = 3_660 * DAY
MOST_COUNTED: Final = 100_000
MOST_RETRIES: Final = 100
_ONE_WAY = "Give exactly one of cron, interval, rrule, preset or phrase."


@dataclass(frozen=True)
class Schedule:
    """When a pipeline runs, and how. Raises :class:`RequestError` for what cannot be.

    ``anchor``, ``start`` and ``end`` may be given without a zone; they are times of the schedule's zone then.
    ``anchor`` is where intervals are counted from and what a rule's DTSTART says; without it both begin with midnight
    of 1 January 2001, a Monday, so that hours and quarters of hours fall where the clock shows them. ``count`` is the
    number of occurrences from ``start`` on. ``end`` is included.
    """

    name: str = ""
    cron: str = ""
    interval: timedelta | None = None
    rrule: str = ""
    phrase: str = ""  # the words that it was made of; only shown
    zone: str = "UTC"  # an IANA name
    anchor: datetime | None = None
    start: datetime | None = None
    end: datetime | None = None
    count: int | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)  # values, or texts with {{ expressions }}
    window: WindowUnit | None = None  # the calendar period whose data an occurrence works on: the last complete one
    missed: Missed = "latest"
    overlap: Overlap = "queue"
    max_parallel: int = 1  # runs at once; more than 1 only with overlap "parallel"
    paused: bool = False
    done_by: time | timedelta | None = None  # a time of day at or after the occurrence, or a duration from it
    timeout: timedelta | None = None  # after which a run is stopped; unless given, what the notebook says
    retries: int | None = None  # how often a run that fails is tried again; unless given, what the notebook says

    def __post_init__(self) -> None:
        self._check_types()
        zone_of(self.zone)
        for moment in ("anchor", "start", "end"):
            self._set(moment, _in_zone(getattr(self, moment), self.zone, moment))
        self._set("parameters", dict(self.parameters))
        self._check_timing()
        self._check_bounds()
        self._check_policies()
        from jupyter_pipelines.orchestration.schedules.expressions import check_parameters

        check_parameters(self)

    @property
    def anchor_wall(self) -> datetime:
        """What the clock of the zone shows at the anchor."""
        return self.anchor.replace(tzinfo=None) if self.anchor else DEFAULT_ANCHOR

    @property
    def whole_days(self) -> int:
        """The interval in days when it is a whole number of them, else 0."""
        return self.interval // DAY if self.interval and not self.interval % DAY else 0

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _check_types(self) -> None:
        """Refuse what the annotations do not say: people write these by hand."""
        for name in ("name", "cron", "rrule", "phrase", "zone"):
            if not isinstance(value := getattr(self, name), str):
                raise RequestError(f"`{name}` is {value!r:.80}, which is no text.", "Give a text.")
        for name in ("count", "max_parallel", "retries"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
                raise RequestError(f"`{name}` is {value!r:.80}, which is no whole number.", "Give a whole number.")
        for name in ("interval", "timeout"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, timedelta):
                raise RequestError(f"`{name}` is {value!r:.80}, which is no duration.", 'Give a timedelta, or "2h".')
        if self.done_by is not None and (
            not isinstance(self.done_by, time | timedelta) or getattr(self.done_by, "tzinfo", None) is not None
        ):
            raise RequestError(
                f"`done_by` is {self.done_by!r:.80}, which is neither a duration nor a time of the schedule's zone.",
                'Give "08:00", or "2h".',
            )
        if not isinstance(self.parameters, Mapping):
            raise RequestError("The parameters are no mapping.", 'Give names with values: {"day": "2027-01-31"}.')

    def _check_timing(self) -> None:
        if sum(map(bool, (self.cron, self.interval is not None, self.rrule))) != 1:
            raise RequestError("A schedule needs one way to say when it runs.", _ONE_WAY)
        if self.cron:
            expression = " ".join(self.cron.split())
            if expression.startswith("@"):
                expression = preset_cron(expression[1:])
            check_cron(expression)
            self._set("cron", expression)
        elif self.rrule:
            self._set("rrule", self._bounded_rule())
            check_rule(self.rrule, self.anchor_wall)
        elif self.interval is not None and (self.interval < timedelta(seconds=1) or self.interval.microseconds):
            raise RequestError(
                f"An interval of {self.interval.total_seconds():g} seconds cannot be kept.",
                'Give one of whole seconds, such as "15m" or "2h".',
            )
        if self.interval and self.interval > LONGEST_INTERVAL:
            raise RequestError(f"An interval of {self.interval.days:,} days is too long.", "Give ten years at most.")
        if self.anchor and self.cron:
            raise RequestError(
                "A cron expression has no anchor: it says itself at which times it runs.",
                "Leave the anchor out, or give an interval instead of cron.",
            )

    def _bounded_rule(self) -> str:
        """The rule without its COUNT and UNTIL, which become the schedule's."""
        parts = rule_parts(self.rrule)
        for name, ours in (("COUNT", "count"), ("UNTIL", "end")):
            text = parts.pop(name, None)
            if text is None:
                continue
            if getattr(self, ours) is not None:
                raise RequestError(f"Both the rule's {name} and `{ours}` say when it ends.", "Leave one of them out.")
            try:
                if name == "COUNT":
                    self._set(ours, int(text))
                    self._set("start", self.start or self.anchor)
                else:
                    self._set(ours, _in_zone(_until(text, self.zone), self.zone, ours))
            except ValueError:
                raise RequestError(f"The rule's {name}={text} cannot be read.", "Write UNTIL=20271231.") from None
        return rule_text(parts)

    def _check_bounds(self) -> None:
        if self.start and self.end and self.end < self.start:
            raise RequestError(f"The schedule ends ({self.end}) before it starts ({self.start}).", "Swap them.")
        if self.count is not None:
            if not 1 <= self.count <= MOST_COUNTED:
                raise RequestError(f"A schedule cannot run {self.count} times.", f"Give 1 to {MOST_COUNTED:,}.")
            if not self.start:
                raise RequestError(
                    f"The schedule runs {self.count} times, but it is not said from when on.",
                    "Give `start`, the moment from which its occurrences are counted.",
                )

    def _check_policies(self) -> None:
        for name, choices in (("window", WindowUnit), ("missed", Missed), ("overlap", Overlap)):
            value = getattr(self, name)
            known = get_args(choices)
            if value not in known and not (name == "window" and value is None):
                raise RequestError(f"{value!r} is no choice for `{name}`.", f"Choose one of {', '.join(known)}.")
        if not 1 <= self.max_parallel <= 1000:
            raise RequestError(f"{self.max_parallel!r} runs at once cannot be.", "Give a number from 1 to 1000.")
        if self.max_parallel > 1 and self.overlap != "parallel":
            raise RequestError(
                f"{self.max_parallel} runs at once, but overlapping runs {_DO[self.overlap]}.",
                'Set overlap to "parallel", or leave max_parallel out.',
            )
        if self.missed == "all" and self.overlap == "cancel-previous":
            raise RequestError(
                "Missed runs are all to be made up for, but each would cancel the one before it.",
                'Set missed to "latest", or overlap to "queue".',
            )
        if self.retries is not None and not 0 <= self.retries <= MOST_RETRIES:
            raise RequestError(
                f"A run cannot be tried again {self.retries!r} times.", f"Give a number from 0 to {MOST_RETRIES}."
            )
        if self.timeout is not None and self.timeout <= timedelta():
            raise RequestError("The schedule's runs have no time to run.", 'Give a `timeout` such as "2h".')
        if isinstance(self.done_by, timedelta) and self.done_by <= timedelta():
            raise RequestError("The schedule's runs should be done before they start.", 'Give "08:00" or "2h".')
        for name in ("timeout", "done_by"):
            value = getattr(self, name)
            if isinstance(value, timedelta) and value > LONGEST_INTERVAL:
                raise RequestError(f"A `{name}` of {value.days:,} days is too long.", "Give ten years at most.")


_DO: Final = {"queue": "wait for each other", "skip": "are skipped", "cancel-previous": "cancel what runs"}


def preset_cron(name: str) -> str:
    """The cron expression of a preset. Raises :class:`RequestError` for one that is not known."""
    known = {**PRESETS, "annually": PRESETS["yearly"], "midnight": PRESETS["daily"]}
    if name not in known:
        raise RequestError(f"There is no preset {name!r}.", f"The presets are {', '.join(PRESETS)}.")
    return known[name]


def with_preset(name: str, schedule: Schedule) -> Schedule:
    """The schedule at the times of a preset such as ``"weekdays"``."""
    return replace(schedule, cron=preset_cron(name), interval=None, rrule="", phrase=name, anchor=None)


def _in_zone(moment: date | None, zone: str, name: str) -> datetime | None:
    if moment is None:
        return None
    if isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(23, 59, 59) if name == "end" else time())
    if not isinstance(moment, datetime):
        raise RequestError(f"`{name}` is {moment!r}, which is no date with a time.", "Write 2027-01-31T07:00.")
    if not FIRST.year < moment.year < LAST.year:
        raise RequestError(f"`{name}` is in the year {moment.year}.", f"Choose one before {LAST.year}.")
    return zoned(naive_utc(moment) if moment.tzinfo else moment_of(moment, zone), zone)


def _until(text: str, zone: str) -> datetime:
    if text.endswith("Z"):
        return zoned(datetime.strptime(text, "%Y%m%dT%H%M%SZ"), zone)
    if "T" in text:
        return datetime.strptime(text, "%Y%m%dT%H%M%S")
    return datetime.strptime(text, "%Y%m%d") + DAY - timedelta(seconds=1)
