"""Debugging: a notebook that brings back what a step of a run had."""

from __future__ import annotations

from http import HTTPStatus

import jupyter_pipelines as jp
from jupyter_pipelines.server import shown
from jupyter_pipelines.server.refusals import RefusedError, looking_for
from jupyter_pipelines.server.route import Call, Route
from jupyter_pipelines.server.schemas import FLAG, objects, text


def debug_step(call: Call) -> object:
    """Make the notebook, or find it as it was left."""
    name = call.path["run"]
    with looking_for("run"):
        record = jp.get_run(name)
    shown.require_visible(record.notebook, call.places, "run", name)
    made = jp.debug(record.id, call.body.get("step"))
    path = call.places.shown(made.path)
    if path is None:
        raise RefusedError(HTTPStatus.NOT_FOUND, "The notebook is outside of the server's root directory.", "", "run")
    return {"path": path, "step": made.step, "is_new": made.is_new}


_ANSWER = {"path": text("Of the notebook, for the contents manager."), "step": text("The step."), "is_new": FLAG}

ROUTES = (
    Route(
        "POST",
        "runs/{run}/debug",
        "Make a notebook, beside the source, that brings back what a step had when it began; found as it was left "
        "when there is one",
        debug_step,
        objects(_ANSWER, *_ANSWER),
        body=objects({"step": text("Unless given, the one that failed.", least=1)}),
        examples=({"step": "train"}, {}),
        slow=True,
    ),
)
