"""Triggers: made, looked at, paused, removed. That of setting one off by its token is in ``server/trigger.py``."""

from __future__ import annotations

import os
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jupyter_pipelines as jp
from jupyter_pipelines.server import shown
from jupyter_pipelines.server.places import Places
from jupyter_pipelines.server.refusals import RefusedError, looking_for
from jupyter_pipelines.server.route import Call, Route
from jupyter_pipelines.server.schemas import (
    AFTER,
    FLAG,
    MAPPING,
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
    from jupyter_pipelines.orchestration.triggers import TriggerRecord


def list_triggers(call: Call) -> object:
    """The triggers of notebooks below the server's root directory."""
    found = shown.visible(jp.triggers(call.notebook_if_given), call.places, lambda record: record.notebook)
    return shown.page(found, call, "triggers", lambda record: _brief(record, call))


def get_trigger(call: Call) -> object:
    """One trigger, its runs and what it skipped."""
    return _described(_find(call), call)


def make_trigger(call: Call) -> object:
    """Have the service run a notebook when something happens."""
    return _make(call, None)


def change_trigger(call: Call) -> object:
    """Have a trigger become what the body says."""
    return _make(call, _find(call).id)


def _make(call: Call, replacing: str | None) -> dict[str, Any]:
    body, places = call.body, call.places
    causes: dict[str, Any] = call.some("on", "all_of", "together", "event", "token")
    if "after" in body:
        causes["after"] = [places.file(path, "after") for path in body["after"]]
    if "file" in body:
        causes["file"] = _pattern(body["file"], call, "file")
    if "updated" in body:
        updated = body["updated"]
        causes["updated"] = updated if updated is True else [_updated(one, call) for one in updated]
    options = call.some("name", "version", "overlap")
    made = jp.trigger(call.notebook, body.get("parameters"), **causes, **options, replacing=replacing)
    return _described(made, call) | ({"token": made.token} if made.token else {})


def pause(call: Call) -> object:
    """Have a trigger start no more runs."""
    jp.pause(_find(call).id)
    return _described(_find(call), call)


def unpause(call: Call) -> object:
    """Have a trigger run again from now on."""
    jp.unpause(_find(call).id)
    return _described(_find(call), call)


def remove(call: Call) -> object:
    """Remove a trigger; its runs stay."""
    record = _find(call)
    before = _described(record, call)
    jp.unschedule(record.id)
    return before


def _find(call: Call) -> TriggerRecord:
    from jupyter_pipelines.orchestration.triggers import get_trigger as find

    with looking_for("trigger"):
        record = find(call.path["trigger"])
    shown.require_visible(record.notebook, call.places, "trigger", call.path["trigger"])
    return record


def _described(record: TriggerRecord, call: Call) -> dict[str, Any]:
    from jupyter_pipelines.orchestration.triggers import describe

    found = shown.record(describe(record), call.places)
    texts = {name: call.places.tidy(found[name]) for name in ("words", "problem")}
    return found | texts | {"cause": _cause(found["cause"], call.places)}


def _cause(value: Any, places: Places) -> Any:
    """What sets it off, files by their contents paths."""
    if isinstance(value, dict):
        return {name: _cause(one, places) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_cause(one, places) for one in value]
    return (places.shown(value) or Path(value).name) if isinstance(value, str) and os.path.isabs(value) else value


def _brief(record: TriggerRecord, call: Call) -> dict[str, Any]:
    return {name: value for name, value in _described(record, call).items() if name not in {"runs", "skipped"}}


def _pattern(pattern: str, call: Call, field: str) -> str:
    """The pattern of files below the notebook's folder, absolute. Raises :class:`RefusedError` for others."""
    from jupyter_pipelines.orchestration.versions.paths import is_safe

    fixed = []
    for part in pattern.split("/"):
        if any(sign in part for sign in "*?["):
            break
        fixed.append(part)
    folder = call.notebook.parent
    if not is_safe(pattern) or call.places.shown(folder.joinpath(*fixed, "any")) is None:
        raise RefusedError(
            HTTPStatus.BAD_REQUEST,
            f"{pattern!r} is not a pattern of files below the notebook's folder.",
            "Give one such as incoming/*.csv, without `..`.",
            field,
        )
    return str(folder / pattern)


def _updated(text: str, call: Call) -> str:
    """``table:NAME``, a pattern of files, or ``NOTEBOOK:OUTPUT`` with the contents path of a notebook."""
    if text.startswith("table:"):
        return text
    whose, colon, name = text.rpartition(":")
    if colon and name.isidentifier():
        return f"{call.places.file(whose, 'updated')}:{name}"
    return _pattern(text, call, "updated")


_ONE = reference("Trigger")
_MADE: Schema = objects(
    {
        "notebook": NOTEBOOK,
        "after": many(NOTEBOOK, "Notebooks whose runs set it off when they have ended.", most=100),
        "on": choice("success", "failure", "always", description="How those runs have ended."),
        "all_of": {**FLAG, "description": "Once all of them have ended since it was set off last."},
        "file": text("A pattern of files below the notebook's folder, such as incoming/*.csv.", least=1),
        "together": {**FLAG, "description": "One run for all files that have come, not one for each."},
        "updated": {
            "anyOf": [
                many(text("Files, NOTEBOOK:OUTPUT, or table:NAME.", least=1), most=100),
                {"const": True, "description": "The tables and files that the notebook reads."},
            ],
            "description": "What runs of others write or leave.",
        },
        "token": {**FLAG, "description": "Who has its token can set it off; only this answer holds the token."},
        "event": text("The name of an event of the Prefect server, * for anything.", least=1),
        "parameters": {**MAPPING, "description": "Values, or texts with {{ expressions }}."},
        "name": text(most=200),
        "version": text("`published`, the id of a version, or `file`.", most=64, least=1),
        "overlap": choice("queue", "skip", "parallel", "cancel-previous"),
    },
    "notebook",
    description="With exactly one of after, file, updated, token and event.",
)
_EXAMPLES = (
    {"notebook": "report.ipynb", "after": ["sales.ipynb"], "on": "success"},
    {"notebook": "load.ipynb", "file": "incoming/*.csv", "parameters": {"path": "{{ file }}"}},
    {"notebook": "report.ipynb", "updated": True},
    {"notebook": "report.ipynb", "token": True},
)

ROUTES = (
    Route(
        "GET",
        "triggers",
        "The triggers, without their runs",
        list_triggers,
        page(reference("TriggerBrief"), "triggers"),
        query={"notebook": NOTEBOOK, "limit": whole(1, 200, default=100), "after": AFTER},
    ),
    Route(
        "POST",
        "triggers",
        "Have the service run a notebook when something happens; repeatable with an `Idempotency-Key`",
        make_trigger,
        _ONE,
        HTTPStatus.CREATED,
        body=_MADE,
        examples=_EXAMPLES,
        action="execute",
        slow=True,
    ),
    Route("GET", "triggers/{trigger}", "One trigger, its runs and what it skipped", get_trigger, _ONE),
    Route(
        "PUT",
        "triggers/{trigger}",
        "Have a trigger become what the body says, with its id, its runs and its token; it stays paused if it is",
        change_trigger,
        _ONE,
        body=_MADE,
        examples=_EXAMPLES,
        action="execute",
        slow=True,
    ),
    Route("DELETE", "triggers/{trigger}", "Remove a trigger; the answer is what it was", remove, _ONE),
    Route("POST", "triggers/{trigger}/pause", "Have a trigger start no more runs", pause, _ONE),
    Route(
        "POST", "triggers/{trigger}/unpause", "Have a trigger run again from now on", unpause, _ONE, action="execute"
    ),
)
