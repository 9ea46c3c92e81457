"""Schedules: previewed, made, changed, paused, removed."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import jupyter_pipelines as jp
from jupyter_pipelines.orchestration.scheduling import POLICIES
from jupyter_pipelines.server import shown
from jupyter_pipelines.server.refusals import looking_for
from jupyter_pipelines.server.route import Answer, Call, Route
from jupyter_pipelines.server.schemas import (
    AFTER,
    FLAG,
    MAPPING,
    NOTEBOOK,
    Schema,
    choice,
    nullable,
    objects,
    page,
    reference,
    text,
    whole,
)

if TYPE_CHECKING:
    from datetime import datetime

    from jupyter_pipelines.orchestration.schedules import Schedule, Understanding
    from jupyter_pipelines.orchestration.scheduling import ScheduleRecord


def preview(call: Call) -> object:
    """How the times of a schedule are understood, the next of them, and what daylight saving does to them."""
    understood = jp.preview_schedule(_when(call), call.body.get("count", 5), **call.some(*POLICIES))
    return _understood(understood)


def list_schedules(call: Call) -> object:
    """The schedules of notebooks below the server's root directory."""
    found = shown.visible(jp.schedules(call.notebook_if_given), call.places, lambda record: record.notebook)
    return shown.page(found, call, "schedules", lambda record: _brief(record, call))


def get_schedule(call: Call) -> object:
    """One schedule, its runs and what it skipped."""
    return _described(_find(call), call)


def make_schedule(call: Call) -> object:
    """Have the service run a notebook at certain times."""
    made = _make(call, None)
    return Answer(_described(made, call), HTTPStatus.CREATED if made.is_new else HTTPStatus.OK)


def check_schedule(call: Call) -> object:
    """Check all about a schedule as when it is made, and keep nothing."""
    _make(call, None, dry_run=True)
    return preview(call)


def change_schedule(call: Call) -> object:
    """Have a schedule become what the body says."""
    return _described(_make(call, _find(call).id), call)


def pause(call: Call) -> object:
    """Have a schedule start no more runs."""
    jp.pause(_find(call).id)
    return _described(_find(call), call)


def unpause(call: Call) -> object:
    """Have a schedule run again from now on."""
    jp.unpause(_find(call).id)
    return _described(_find(call), call)


def run_schedule(call: Call) -> object:
    """Have the service run now what a schedule runs, with its parameters as of now."""
    return shown.run(jp.get_run(jp.submit_scheduled(_find(call).id, key=call.key)), call.places)


def remove(call: Call) -> object:
    """Remove a schedule; its runs stay."""
    record = _find(call)
    before = _described(record, call)
    jp.unschedule(record.id)
    return before


def _make(call: Call, replacing: str | None, *, dry_run: bool = False) -> ScheduleRecord:
    options = call.some("name", "version", "follow", "ref", "verify", *POLICIES)
    return jp.schedule(
        call.notebook, _when(call), call.body.get("parameters"), **options, replacing=replacing, dry_run=dry_run
    )


def _when(call: Call) -> Any:
    from datetime import UTC, datetime

    from jupyter_pipelines.orchestration.schedules import from_json

    when = call.body["when"]
    return from_json(when, datetime.now(UTC)) if isinstance(when, dict) else when


def _find(call: Call) -> ScheduleRecord:
    from jupyter_pipelines.orchestration.scheduling import get_schedule as find

    with looking_for("schedule"):
        record = find(call.path["schedule"])
    shown.require_visible(record.notebook, call.places, "schedule", call.path["schedule"])
    return record


def _described(record: ScheduleRecord, call: Call) -> dict[str, Any]:
    from jupyter_pipelines.orchestration.scheduling import describe

    found = shown.record(describe(record), call.places)
    schedule = found["schedule"]
    if "parameters" in schedule:
        found["schedule"] = schedule | {"parameters": shown.parameters(schedule["parameters"])}
    if followed := found["followed"]:
        found["followed"] = followed | {"problem": call.places.tidy(followed["problem"])}
    return found | {"problem": call.places.tidy(found["problem"])}


def _brief(record: ScheduleRecord, call: Call) -> dict[str, Any]:
    return {name: value for name, value in _described(record, call).items() if name not in {"runs", "skipped"}}


def _understood(understood: Understanding) -> dict[str, Any]:
    from jupyter_pipelines.orchestration.schedules import to_json

    return {
        "schedule": to_json(understood.schedule),
        "words": understood.words,
        "expression": understood.expression,
        "times": [
            {
                "time": one.time.isoformat(),
                "window": None
                if one.window is None
                else {"start": one.window.start.isoformat(), "end": one.window.end.isoformat()},
                "deadline": one.deadline.isoformat() if one.deadline is not None else None,
                "notes": list(one.notes),
                "parameters": _evaluated(understood.schedule, one.time),
            }
            for one in understood.next.occurrences
        ],
        "clock_changes": list(understood.next.clock_changes),
    }


def _evaluated(schedule: Schedule, time: datetime) -> dict[str, Any]:
    """The schedule's parameters at a time, as JSON."""
    from jupyter_pipelines.orchestration.schedules.expressions import evaluate_parameters

    values = evaluate_parameters(schedule, time)
    found: dict[str, Any] = json.loads(json.dumps(values, default=str))
    return shown.parameters(found)


_DURATION = text('A duration such as "15m", "1h30m" or "2d".', most=40, least=1)
_MOMENT = text("A date, or a date and time, ISO 8601; without an offset it is a time of the zone.", most=40, least=1)
_MISSED = choice("skip", "latest", "all", description="Which of the runs are made up for that were missed.")
_OVERLAP = choice(
    "queue", "skip", "parallel", "cancel-previous", description="What a run does before the last has ended."
)
_WINDOW = choice("hour", "day", "week", "month", "quarter", "year", description="The period whose data a run works on.")
_DONE_BY = text('"08:00", or "2h" after its time; a run that is not done by then is late.', most=40, least=1)
_AT_ONCE = whole(1, 1000, "With overlap `parallel`: so many runs at once.")
_RETRIES = whole(0, 100, "How often a run that fails is tried again; unless given, what the notebook says.")
_PARAMETERS = {**MAPPING, "description": "Values, or texts with {{ expressions }} over the time."}
TIMES: Schema = objects(
    {
        "name": text(),
        "cron": text(least=1),
        "interval": _DURATION,
        "rrule": text(least=1),
        "phrase": text(least=1),
        "preset": text(least=1),
        "zone": text("An IANA name.", least=1),
        "anchor": _MOMENT,
        "start": _MOMENT,
        "end": _MOMENT,
        "count": whole(1, 100_000),
        "parameters": _PARAMETERS,
        "window": nullable(_WINDOW),
        "missed": _MISSED,
        "overlap": _OVERLAP,
        "max_parallel": _AT_ONCE,
        "paused": FLAG,
        "done_by": nullable(_DONE_BY),
        "timeout": nullable(_DURATION),
        "retries": nullable(_RETRIES),
    },
    description="What a schedule's own `schedule` is: exactly one of cron, interval, rrule, preset or phrase.",
)
_WHEN: Schema = {
    "anyOf": [text('A phrase such as "every weekday 07:00", a cron expression, or a rule of RFC 5545.', least=1), TIMES]
}
_TIMING = {
    "when": _WHEN,
    "timezone": text("An IANA name; the machine's zone unless given.", most=100, least=1),
    "missed": _MISSED,
    "overlap": _OVERLAP,
    "max_parallel": _AT_ONCE,
    "window": _WINDOW,
    "start": _MOMENT,
    "end": _MOMENT,
    "done_by": _DONE_BY,
    "timeout": _DURATION,
    "retries": _RETRIES,
}
_MAKE: Schema = objects(
    {
        "notebook": NOTEBOOK,
        **_TIMING,
        "name": text("What it is called.", most=200),
        "parameters": _PARAMETERS,
        "version": text("`published`, the id of a version, or `file`.", most=64, least=1),
        "follow": {**FLAG, "description": "Publish the notebook now and whenever it is saved, if it is good."},
        "ref": text("Publish what a git ref has, whenever that moves, if it is good.", most=200, least=1),
        "verify": {**FLAG, "description": "Good is what also gives what Restart & Run All gives."},
    },
    "notebook",
    "when",
)
_EXAMPLES = (
    {"notebook": "sales.ipynb", "when": "every weekday 07:00", "timezone": "Europe/Paris", "missed": "latest"},
    {
        "notebook": "sales.ipynb",
        "when": {"cron": "0 7 * * *", "zone": "UTC", "window": "day"},
        "parameters": {"day": "{{ interval_start.date() }}"},
    },
)
_ONE = reference("Schedule")

ROUTES = (
    Route(
        "POST",
        "schedules/preview",
        "How the times of a schedule are understood, and the next of them",
        preview,
        reference("Preview"),
        body=objects({**_TIMING, "count": whole(1, 100, default=5)}, "when"),
        examples=({"when": "every 30 minutes", "count": 3},),
        action="read",
    ),
    Route(
        "POST",
        "schedules/check",
        "Check all about a schedule as when it is made; nothing is kept",
        check_schedule,
        reference("Preview"),
        body=_MAKE,
        examples=_EXAMPLES,
        action="execute",  # as making it: a git ref is looked up
    ),
    Route(
        "GET",
        "schedules",
        "The schedules, without their runs",
        list_schedules,
        page(reference("ScheduleBrief"), "schedules"),
        query={"notebook": NOTEBOOK, "limit": whole(1, 200, default=100), "after": AFTER},
    ),
    Route(
        "POST",
        "schedules",
        "Have the service run a notebook at certain times: 201, or 200 with the schedule that does so already",
        make_schedule,
        _ONE,
        HTTPStatus.CREATED,
        body=_MAKE,
        examples=_EXAMPLES,
        action="execute",
        slow=True,
    ),
    Route("GET", "schedules/{schedule}", "One schedule, its runs and what it skipped", get_schedule, _ONE),
    Route(
        "PUT",
        "schedules/{schedule}",
        "Have a schedule become what the body says, with its id and its runs; it stays paused if it is",
        change_schedule,
        _ONE,
        body=_MAKE,
        examples=_EXAMPLES,
        action="execute",
        slow=True,
    ),
    Route(
        "POST",
        "schedules/{schedule}/run",
        "Run now what a schedule runs, with its parameters as of now; repeatable with an `Idempotency-Key`",
        run_schedule,
        reference("Run"),
        HTTPStatus.ACCEPTED,
        action="execute",
        slow=True,
    ),
    Route("DELETE", "schedules/{schedule}", "Remove a schedule; the answer is what it was", remove, _ONE),
    Route("POST", "schedules/{schedule}/pause", "Have a schedule start no more runs", pause, _ONE),
    Route(
        "POST",
        "schedules/{schedule}/unpause",
        "Have a schedule run again from now on",
        unpause,
        _ONE,
        action="execute",
    ),
)
