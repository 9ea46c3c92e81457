"""Alerts: who is told when a pipeline fails, works again, or is late. Destinations are shown without their secrets."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

import jupyter_pipelines as jp
from jupyter_pipelines.server import shown
from jupyter_pipelines.server.refusals import RefusedError, looking_for
from jupyter_pipelines.server.route import Call, Route
from jupyter_pipelines.server.schemas import (
    AFTER,
    ID,
    NOTEBOOK,
    Schema,
    choice,
    many,
    objects,
    page,
    reference,
    text,
    whole,
)

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.alerts import AlertRecord


def list_alerts(call: Call) -> object:
    """The alerts of notebooks below the server's root directory, and those of all notebooks."""
    found = [one for one in jp.alerts(call.notebook_if_given) if not one.notebook or call.places.shown(one.notebook)]
    return shown.page(found, call, "alerts", lambda record: _described(record, call))


def get_alert(call: Call) -> object:
    """One alert."""
    return _described(_find(call), call)


def make_alert(call: Call) -> object:
    """Have the service tell a destination."""
    made = jp.alert(call.notebook_if_given, _destination(call), **call.some("on", "repeat", "slow"))
    return _described(made, call)


def try_alert(call: Call) -> object:
    """Send a sample, to the destination of an alert or to another."""
    if ("alert" in call.body) == ("to" in call.body):
        message = "A sample goes to one destination."
        raise RefusedError(HTTPStatus.BAD_REQUEST, message, "Give one of `alert` and `to`.", "to")
    delivery = jp.try_alert(_find(call) if "alert" in call.body else _destination(call))
    return {
        "to": delivery.to,
        "delivered": not delivery.problem,
        "problem": delivery.problem,
        "fix": delivery.fix,
    }


def remove(call: Call) -> object:
    """Remove an alert; what has not been sent yet is not sent."""
    record = _find(call)
    before = _described(record, call)
    jp.unalert(record.id)
    return before


def restore(call: Call) -> object:
    """Have an alert again that was removed in the last minutes; its destination is where it went before."""
    from jupyter_pipelines.orchestration.alerts import removed_alert

    with looking_for("alert"):
        record = removed_alert(call.path["alert"])
    if record.notebook:
        shown.require_visible(record.notebook, call.places, "alert", record.id)
    return _described(jp.restore_alert(record.id), call)


def _find(call: Call) -> AlertRecord:
    from jupyter_pipelines.orchestration.alerts import get_alert as find

    name = call.given["alert"]
    with looking_for("alert"):
        record = find(name)
    if record.notebook:
        shown.require_visible(record.notebook, call.places, "alert", name)
    return record


def _described(record: AlertRecord, call: Call) -> dict[str, Any]:
    from jupyter_pipelines.orchestration.alerts import describe

    found = shown.record(describe(record), call.places)
    return found | {"to": call.places.tidy(found["to"])}


def _destination(call: Call) -> str:
    """Where it goes. Files that it names are below the server's root directory; of its environment nothing is read."""
    to = str(call.body["to"]).strip()
    kind, _, rest = to.partition(":")
    if kind == "env":
        raise RefusedError(
            HTTPStatus.BAD_REQUEST,
            "The environment of the server is not read for clients.",
            "Give the destination itself, or file:PATH of a file below the server's root directory.",
            "to",
        )
    if kind == "file":
        return f"file:{call.places.file(rest, 'to')}"
    try:
        url = urlsplit(to)
    except ValueError:
        return to  # what is wrong with it is told by who knows destinations
    options = parse_qsl(url.query, keep_blank_values=True)
    if not any(name == "password_file" for name, _ in options):
        return to
    found = [(name, str(call.places.file(one, "to")) if name == "password_file" else one) for name, one in options]
    return urlunsplit(url._replace(query="&".join(f"{name}={quote(one, safe='/@,')}" for name, one in found)))


_TO: Schema = text(
    "mailtos://…, https://…, slack://…, or what else apprise knows; or file:PATH, where one of these is written.",
    least=1,
)
_ONE = reference("Alert")

ROUTES = (
    Route(
        "GET",
        "alerts",
        "The alerts",
        list_alerts,
        page(_ONE, "alerts"),
        query={"notebook": NOTEBOOK, "limit": whole(1, 200, default=100), "after": AFTER},
    ),
    Route(
        "POST",
        "alerts",
        "Have the service tell a destination of one notebook or all; repeatable with an `Idempotency-Key`",
        make_alert,
        _ONE,
        HTTPStatus.CREATED,
        body=objects(
            {
                "notebook": NOTEBOOK,
                "to": _TO,
                "on": many(choice("failure", "recovery", "late"), "All of them unless given.", most=3),
                "repeat": text('Tell again of what goes on failing, such as "1h".', most=40, least=1),
                "slow": {
                    "type": "number",
                    "minimum": 1,
                    "maximum": 1000,
                    "description": "A run is late that takes this many times its usual.",
                },
            },
            "to",
        ),
        examples=({"notebook": "sales.ipynb", "to": "https://example.com/hook", "on": ["failure"]},),
        action="execute",  # the server sends what it is told to, wherever it is told to
        slow=True,
    ),
    Route(
        "POST",
        "alerts/try",
        "Send a sample now, to the destination of an `alert` or to another",
        try_alert,
        objects(
            {"to": text(), "delivered": {"type": "boolean"}, "problem": text(), "fix": text()},
            *("to", "delivered", "problem", "fix"),
        ),
        body=objects({"alert": ID, "to": _TO}),
        examples=({"to": "https://example.com/hook"}, {"alert": "0123abcd"}),
        action="execute",
        slow=True,
    ),
    Route("GET", "alerts/{alert}", "One alert", get_alert, _ONE),
    Route("DELETE", "alerts/{alert}", "Remove an alert; the answer is what it was", remove, _ONE),
    Route(
        "POST",
        "alerts/{alert}/restore",
        "Have an alert again that was removed in the last minutes",
        restore,
        _ONE,
        action="execute",
    ),
)
