"""Limits: how many runs of a pipeline, and steps that share a resource, go on at once."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jupyter_pipelines as jp
from jupyter_pipelines.server.refusals import RefusedError
from jupyter_pipelines.server.route import Call, Route
from jupyter_pipelines.server.schemas import NOTEBOOK, Schema, nullable, objects, reference, text, whole

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.limits import Limit


def list_limits(call: Call) -> object:
    """All limits, and resources that somebody has or waits for."""
    return {"limits": [one for limit in jp.limits() if (one := _shown(limit, call)) is not None]}


def set_limit(call: Call) -> object:
    """Set how many may go on at once; null takes the limit away."""
    notebook, resource = call.body.get("notebook"), call.body.get("resource")
    if (notebook is None) == (resource is None):
        message = "A limit is for a notebook's pipeline or for a resource."
        raise RefusedError(HTTPStatus.BAD_REQUEST, message, "Give one of `notebook` and `resource`.", "resource")
    what = call.notebook if notebook is not None else str(resource)
    made = jp.limit(what, call.body["slots"])
    return _shown(made, call)


def _shown(limit: Limit, call: Call) -> dict[str, Any] | None:
    """What is told of a limit; nothing of that of a notebook which this server does not show."""
    name = limit.name
    if limit.kind == "pipeline" and Path(name).is_absolute():
        shown = call.places.shown(name)
        if shown is None:
            return None
        name = shown
    people = {
        which: [{"run": one.run, "step": one.step, "since": one.since} for one in getattr(limit, which)]
        for which in ("running", "waiting")
    }
    return asdict(limit) | {"name": name} | people


_SLOTS: Schema = nullable(whole(1, 1000))

ROUTES = (
    Route(
        "GET",
        "limits",
        "All limits: who has their slots, and who waits",
        list_limits,
        objects({"limits": {"type": "array", "items": reference("Limit")}}, "limits"),
    ),
    Route(
        "PUT",
        "limits",
        "Set how many runs of a notebook, or steps that need a resource, go on at once; null for no limit",
        set_limit,
        reference("Limit"),
        body=objects(
            {
                "notebook": NOTEBOOK,
                "resource": {**text(), "pattern": "^[A-Za-z0-9_-]{1,80}$"},
                "slots": _SLOTS,
            },
            "slots",
        ),
        examples=({"notebook": "sales.ipynb", "slots": 1}, {"resource": "database", "slots": 4}),
    ),
)
