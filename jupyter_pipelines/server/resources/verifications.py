"""Verifications: begun, looked at."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import jupyter_pipelines as jp
from jupyter_pipelines.server import shown
from jupyter_pipelines.server.refusals import looking_for
from jupyter_pipelines.server.route import Answer, Call, Route
from jupyter_pipelines.server.schemas import AFTER, MAPPING, NOTEBOOK, objects, page, reference, whole

if TYPE_CHECKING:
    from jupyter_pipelines.verification.background import Verification


def list_verifications(call: Call) -> object:
    """Those of notebooks below the server's root directory, newest first, without their reports."""
    found = shown.visible(jp.verifications(call.notebook_if_given), call.places, lambda one: one.notebook)
    return shown.page(found, call, "verifications", lambda one: _brief(one, call))


def begin(call: Call) -> object:
    """Begin one; while one goes on for the notebook, that is the answer."""
    known = {one.id for one in jp.verifications(call.notebook)}
    made = jp.submit_verification(call.notebook, call.body.get("parameters"))
    return Answer(_whole(made, call), HTTPStatus.OK if made.id in known else HTTPStatus.ACCEPTED)


def get_verification(call: Call) -> object:
    """One, with its report once it has ended."""
    with looking_for("verification"):
        found = jp.get_verification(call.path["verification"])
    shown.require_visible(found.notebook, call.places, "verification", found.id)
    return _whole(found, call)


def cancel(call: Call) -> object:
    """Have one stop; what has ended is left as it is."""
    get_verification(call)
    return _whole(jp.cancel_verification(call.path["verification"]), call)


def _whole(verification: Verification, call: Call) -> dict[str, Any]:
    found = shown.record(asdict(verification), call.places)
    found |= {name: call.places.tidy(found[name]) for name in ("problem", "text")}
    if found["report"] is not None:
        kept = call.places.shown(found["report"]["kept"]) if found["report"]["kept"] else None
        reason = call.places.tidy(found["report"]["reason"])
        found["report"] = found["report"] | {"notebook": found["notebook"], "kept": kept or "", "reason": reason}
    return found


def _brief(verification: Verification, call: Call) -> dict[str, Any]:
    return {name: value for name, value in _whole(verification, call).items() if name != "report"}


ROUTES = (
    Route(
        "GET",
        "verifications",
        "The last verifications, newest first, without their reports",
        list_verifications,
        page(reference("VerificationBrief"), "verifications"),
        query={"notebook": NOTEBOOK, "limit": whole(1, 100, default=20), "after": AFTER},
    ),
    Route(
        "POST",
        "verifications",
        "Compare what a notebook's pipeline gives with Restart & Run All, in the background: 202, or 200 with the one "
        "that goes on already",
        begin,
        reference("Verification"),
        HTTPStatus.ACCEPTED,
        body=objects(
            {"notebook": NOTEBOOK, "parameters": {**MAPPING, "description": "Values of its parameters, by name."}},
            "notebook",
        ),
        examples=({"notebook": "sales.ipynb"},),
        action="execute",
        slow=True,
    ),
    Route(
        "GET",
        "verifications/{verification}",
        "One verification, with its report once it has ended",
        get_verification,
        reference("Verification"),
    ),
    Route(
        "POST",
        "verifications/{verification}/cancel",
        "Have a verification stop, with all that it has started",
        cancel,
        reference("Verification"),
    ),
)
