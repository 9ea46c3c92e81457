"""Pipelines at a glance."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import jupyter_pipelines as jp
from jupyter_pipelines.server import shown
from jupyter_pipelines.server.route import Call, Route
from jupyter_pipelines.server.schemas import AFTER, NOTEBOOK, objects, page, reference, whole

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.pipelines import PipelineStatus


def list_pipelines(call: Call) -> object:
    """How the pipelines of notebooks below the server's root directory stand; of one notebook whatever it has."""
    found = shown.visible(jp.pipelines(call.notebook_if_given), call.places, lambda status: status.notebook)
    return shown.page(found, call, "pipelines", lambda status: _status(status, call))


def relink(call: Call) -> object:
    """Have what is known of a notebook follow it to where it was moved."""
    made = jp.relink(call.notebook, call.places.file(call.body["to"], "to"))
    (status,) = jp.pipelines(made.notebook)
    return shown.record(asdict(made), call.places) | {
        "before": call.body["notebook"],
        "status": _status(status, call),
    }


def _status(status: PipelineStatus, call: Call) -> dict[str, Any]:
    above = shown.visible(status.upstream, call.places, lambda one: one.notebook)
    return shown.record(asdict(status), call.places) | {
        "problem": call.places.tidy(status.problem),
        "upstream": [shown.record(asdict(one), call.places) for one in above],
    }


ROUTES = (
    Route(
        "GET",
        "pipelines",
        "How pipelines stand: all that have runs, versions, schedules or triggers, or that of one notebook",
        list_pipelines,
        page(reference("PipelineStatus"), "pipelines"),
        query={"notebook": NOTEBOOK, "limit": whole(1, 1000, default=200), "after": AFTER},
        examples=({"notebook": "sales.ipynb"},),
    ),
    Route(
        "POST",
        "pipelines/relink",
        "Have the runs, versions, schedules, triggers, backfills and alerts of a notebook that was moved follow it",
        relink,
        reference("Relinked"),
        body=objects(
            {
                "notebook": {**NOTEBOOK, "description": "Where it was."},
                "to": {**NOTEBOOK, "description": "Where it is."},
            },
            "notebook",
            "to",
        ),
        examples=({"notebook": "sales.ipynb", "to": "reports/sales.ipynb"},),
        action="execute",  # schedules run what is at the new path from now on
        slow=True,
    ),
)
