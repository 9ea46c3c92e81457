"""Runs: looked for, looked at, started, cancelled, resumed, kept."""

from __future__ import annotations

import json
from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import jupyter_pipelines as jp
from jupyter_pipelines.server import shown
from jupyter_pipelines.server.refusals import RefusedError, looking_for
from jupyter_pipelines.server.route import Answer, Call, Route
from jupyter_pipelines.server.schemas import (
    AFTER,
    FLAG,
    ID,
    MAPPING,
    MOMENT,
    NOTEBOOK,
    choice,
    many,
    objects,
    page,
    reference,
    text,
    whole,
)

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.model import RunRecord
    from jupyter_pipelines.orchestration.run_log import LogLine

STARTERS = ("hand", "schedule", "backfill")
STATES = ("pending", "running", "completed", "failed", "cancelled", "crashed")
MOST_EXECUTED = 100_000_000  # bytes of an executed notebook that is sent


def list_runs(call: Call) -> object:
    """The newest runs of notebooks below the server's root directory."""
    query = call.query
    found = jp.list_runs(
        query["limit"] + 1,
        notebook=call.notebook_if_given,
        folders=call.places.folders,
        **{name: query.get(name) for name in ("state", "schedule", "backfill", "by", "since", "until", "after")},
    )
    part = found[: query["limit"]]
    visible = shown.visible(part, call.places, lambda record: record.notebook)
    return {
        "runs": [shown.run(record, call.places) for record in visible],
        "next": part[-1].id if len(found) > len(part) else None,
    }


def get_run(call: Call) -> object:
    """One run."""
    return shown.run(_find(call), call.places)


def list_steps(call: Call) -> object:
    """All about the steps of a run."""
    return shown.page(_find(call).steps, call, "steps", lambda step: shown.step(step, call.places))


def get_step(call: Call) -> object:
    """All about one step of a run."""
    for step in _find(call).steps:
        if step.name == call.path["step"]:
            return shown.step(step, call.places)
    raise RefusedError(HTTPStatus.NOT_FOUND, f"The run has no step {call.path['step']!r}.", "", "step")


def get_executed(call: Call) -> object:
    """The executed notebook of a run, as it is by now."""
    record = _find(call)
    path = Path(record.executed_notebook)
    try:
        if record.executed_notebook and path.stat().st_size > MOST_EXECUTED:
            message = f"The executed notebook is larger than {MOST_EXECUTED:,} bytes."
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message, f"Open {path.name} on its machine.", "run")
        return {"path": call.places.shown(path), "content": json.loads(path.read_bytes())}
    except (OSError, ValueError):
        message = f"Run {record.id} has no executed notebook."
        raise RefusedError(HTTPStatus.NOT_FOUND, message, "There is one once a step has begun.", "run") from None


def get_log(call: Call) -> object:
    """The log of a run, as it is by now."""

    def shown_line(line: LogLine) -> object:
        return asdict(line) | {"text": call.places.tidy(line.text)}

    return shown.page(jp.run_log(_find(call).id), call, "lines", shown_line)


def start_run(call: Call) -> object:
    """Have the service run a notebook now."""
    options = call.some("version", "only", "from_step", "until", "reuse", "max_parallel", "timeout")
    run_id = jp.submit(call.notebook, call.body.get("parameters"), **options, key=call.key)
    return shown.run(jp.get_run(run_id), call.places)


def cancel_run(call: Call) -> object:
    """Cancel a run; one that was cancelled already stays so."""
    record = _find(call)
    return shown.run(record if record.state == "cancelled" else jp.cancel(record.id), call.places)


def resume_run(call: Call) -> object:
    """Have the service continue a run that did not complete, as a new run."""
    return shown.run(jp.get_run(jp.submit_resume(_find(call).id, key=call.key)), call.places)


def keep_run(call: Call) -> object:
    """Have cleaning leave a run alone, or no longer."""
    jp.keep(_find(call).id, call.body["keep"])
    return Answer(call.body)


def run_kept(call: Call) -> object:
    """Whether cleaning leaves a run alone."""
    return {"keep": jp.is_kept(_find(call).id)}


def _find(call: Call) -> RunRecord:
    name = call.path["run"]
    with looking_for("run"):
        record = jp.get_run(name)
    shown.require_visible(record.notebook, call.places, "run", name)
    return record


_START = objects(
    {
        "notebook": NOTEBOOK,
        "parameters": {**MAPPING, "description": "Values of the notebook's parameters, by name."},
        "version": text("`published`, or the id of a version; the file as it is unless given.", most=64, least=1),
        "only": text("Run this step alone.", least=1),
        "from_step": text("Run this step and all that depend on it.", least=1),
        "until": text("Run this step and all that it needs.", least=1),
        "reuse": {**FLAG, "description": "Skip the steps for which nothing has changed."},
        "max_parallel": whole(1, 1000, "Steps at once."),
        "timeout": {"type": "number", "exclusiveMinimum": 0, "description": "Seconds after which it is stopped."},
    },
    "notebook",
)
_LIST = {
    "notebook": NOTEBOOK,
    "state": many(choice(*STATES), "May be given several times."),
    "schedule": ID,
    "backfill": ID,
    "by": many(choice(*STARTERS), "What asked for them; a trigger counts as a schedule. May be given several times."),
    "since": {**MOMENT, "description": "Only those that started then or later; seconds since 1970."},
    "until": {**MOMENT, "description": "Only those that started before."},
    "limit": whole(1, 100, default=50),
    "after": {**ID, "description": "What the page before gave as `next`."},
}
_STEPS = {"limit": whole(1, 100, default=50), "after": AFTER}

ROUTES = (
    Route("GET", "runs", "Runs, the newest first", list_runs, page(reference("Run"), "runs"), query=_LIST),
    Route(
        "POST",
        "runs",
        "Have the service run a notebook now; repeatable with an `Idempotency-Key`",
        start_run,
        reference("Run"),
        HTTPStatus.ACCEPTED,
        body=_START,
        examples=({"notebook": "sales.ipynb", "parameters": {"month": 7}}, {"notebook": "a.ipynb", "reuse": True}),
        action="execute",
        slow=True,
    ),
    Route("GET", "runs/{run}", "One run", get_run, reference("Run")),
    Route(
        "GET",
        "runs/{run}/steps",
        "The steps of a run with what they left, in the notebook's order",
        list_steps,
        page(reference("Step"), "steps"),
        query=_STEPS,
    ),
    Route("GET", "runs/{run}/steps/{step}", "One step of a run", get_step, reference("Step")),
    Route(
        "GET",
        "runs/{run}/notebook",
        "The executed notebook of a run, as it is by now; `path` where it is below the server's root directory",
        get_executed,
        objects({"path": {"type": ["string", "null"]}, "content": MAPPING}, "path", "content"),
    ),
    Route(
        "GET",
        "runs/{run}/log",
        "The log of a run as text, as it is by now: how its steps went, what they printed, without colours",
        get_log,
        page(reference("LogLine"), "lines"),
        query={"limit": whole(1, 10_000, default=2_000), "after": AFTER},
    ),
    Route("POST", "runs/{run}/cancel", "Cancel a run", cancel_run, reference("Run"), slow=True, action="execute"),
    Route(
        "POST",
        "runs/{run}/resume",
        "Continue a run that did not complete, as a new run; repeatable with an `Idempotency-Key`",
        resume_run,
        reference("Run"),
        HTTPStatus.ACCEPTED,
        slow=True,
        action="execute",
    ),
    Route("GET", "runs/{run}/keep", "Whether cleaning leaves a run alone", run_kept, objects({"keep": FLAG}, "keep")),
    Route(
        "PUT",
        "runs/{run}/keep",
        "Have cleaning leave a run alone for good, or no longer",
        keep_run,
        objects({"keep": FLAG}, "keep"),
        body=objects({"keep": FLAG}, "keep"),
        examples=({"keep": True},),
    ),
)
