"""Backfills: a pipeline over the data windows of a range; planned, started, paused, gone on with, cancelled."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import jupyter_pipelines as jp
from jupyter_pipelines.server import shown
from jupyter_pipelines.server.refusals import looking_for
from jupyter_pipelines.server.route import Answer, Call, Route
from jupyter_pipelines.server.schemas import (
    AFTER,
    FLAG,
    ID,
    MAPPING,
    NOTEBOOK,
    Schema,
    choice,
    objects,
    page,
    reference,
    text,
    whole,
)

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.backfills import Backfill

MOST_WINDOWS = 1000
"""Windows that are shown of one at once; the rest by `windows`."""


def list_backfills(call: Call) -> object:
    """The backfills of notebooks below the server's root directory, newest first."""
    found = shown.visible(jp.backfills(call.notebook_if_given), call.places, lambda made: made.notebook)
    newest = sorted(found, key=lambda made: made.created, reverse=True)
    return shown.page(newest, call, "backfills", lambda made: _brief(made, call))


def get_backfill(call: Call) -> object:
    """One backfill with its windows."""
    return _whole(_find(call), call)


def list_windows(call: Call) -> object:
    """The windows of a backfill."""
    return shown.page(_find(call).to_dict()["windows"], call, "windows", _window)


def preview(call: Call) -> object:
    """What a backfill would do; nothing is kept."""
    return _whole(_make(call, dry_run=True), call)


def start(call: Call) -> object:
    """Have the service run a notebook over a range; nothing is kept when all of it is done."""
    made = _make(call)
    return Answer(_whole(made, call), 0 if made.id else HTTPStatus.OK)


def pause(call: Call) -> object:
    """Have a backfill start no more windows."""
    return _whole(jp.pause_backfill(_find(call).id), call)


def resume(call: Call) -> object:
    """Go on with a backfill."""
    return _whole(jp.resume_backfill(_find(call).id, skip_failed=call.body.get("skip_failed", False)), call)


def cancel(call: Call) -> object:
    """End a backfill; one that was cancelled already stays so."""
    found = _find(call)
    return _whole(found if found.state == "cancelled" else jp.cancel_backfill(found.id), call)


def _make(call: Call, *, dry_run: bool = False) -> Backfill:
    names = ("schedule", "window", "timezone", "parameters", "parallel", "order", "keep_going", "again", "version")
    return jp.backfill(call.notebook, call.body["first"], call.body["last"], **call.some(*names), dry_run=dry_run)


def _find(call: Call) -> Backfill:
    name = call.path["backfill"]
    with looking_for("backfill"):
        found = jp.get_backfill(name)
    shown.require_visible(found.notebook, call.places, "backfill", name)
    return found


def _whole(made: Backfill, call: Call) -> dict[str, Any]:
    found = shown.record(made.to_dict(), call.places)
    return found | {"windows": [_window(one) for one in found["windows"][:MOST_WINDOWS]], "size": len(made.windows)}


def _brief(made: Backfill, call: Call) -> dict[str, Any]:
    found = _whole(made, call)
    return {name: value for name, value in found.items() if name != "windows"}


def _window(found: dict[str, Any]) -> dict[str, Any]:
    return found | {"parameters": shown.parameters(found["parameters"])}


_RANGE = text("A date, a moment, or a name such as 2027-03; the last one is included.", most=64, least=1)
_MAKE: Schema = objects(
    {
        "notebook": NOTEBOOK,
        "first": _RANGE,
        "last": _RANGE,
        "schedule": {**ID, "description": "The schedule whose windows, time zone and parameters they are."},
        "window": choice("hour", "day", "week", "month", "quarter", "year", description="A day unless given."),
        "timezone": text("An IANA name; the machine's zone unless given.", most=100, least=1),
        "parameters": {**MAPPING, "description": "Values, or texts with {{ expressions }} over the window."},
        "parallel": whole(1, 64, "Windows at once.", default=1),
        "order": choice("oldest-first", "newest-first"),
        "keep_going": {**FLAG, "description": "A window that fails does not stop the others."},
        "again": {**FLAG, "description": "Run windows again that are done."},
        "version": text("`published`, the id of a version, or `file`.", most=64, least=1),
    },
    "notebook",
    "first",
    "last",
)
_EXAMPLES = (
    {
        "notebook": "sales.ipynb",
        "first": "2027-01-01",
        "last": "2027-01-31",
        "parameters": {"day": "{{ interval_start.date() }}"},
    },
)
_ONE = reference("Backfill")
_PATH = "backfills/{backfill}"

ROUTES = (
    Route(
        "POST",
        "backfills/preview",
        "What a backfill would do: every window and what becomes of it; nothing is kept",
        preview,
        _ONE,
        body=_MAKE,
        examples=_EXAMPLES,
        action="read",
    ),
    Route(
        "GET",
        "backfills",
        "The backfills, newest first, without their windows",
        list_backfills,
        page(reference("BackfillBrief"), "backfills"),
        query={"notebook": NOTEBOOK, "limit": whole(1, 200, default=50), "after": AFTER},
    ),
    Route(
        "POST",
        "backfills",
        "Run a notebook over the data windows of a range; repeatable: windows are not run twice",
        start,
        _ONE,
        HTTPStatus.CREATED,
        body=_MAKE,
        examples=_EXAMPLES,
        action="execute",
        slow=True,
    ),
    Route("GET", _PATH, "One backfill, with as many of its windows as are shown at once", get_backfill, _ONE),
    Route(
        "GET",
        f"{_PATH}/windows",
        "The windows of a backfill, in the order in which they run",
        list_windows,
        page(reference("BackfillWindow"), "windows"),
        query={"limit": whole(1, 1000, default=200), "after": AFTER},
    ),
    Route("POST", f"{_PATH}/pause", "Have a backfill start no more windows", pause, _ONE),
    Route(
        "POST",
        f"{_PATH}/resume",
        "Go on with a backfill: what failed is tried again, or with `skip_failed` given up",
        resume,
        _ONE,
        body=objects({"skip_failed": FLAG}),
        examples=({}, {"skip_failed": True}),
        action="execute",
    ),
    Route("POST", f"{_PATH}/cancel", "End a backfill; what is done stays done", cancel, _ONE, action="execute"),
)
