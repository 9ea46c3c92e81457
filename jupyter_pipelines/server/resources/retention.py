"""Retention: how long runs are kept, and what goes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import jupyter_pipelines as jp
from jupyter_pipelines.server.route import Call, Route
from jupyter_pipelines.server.schemas import NOTEBOOK, Schema, nullable, objects, reference, text, whole


def get_retention(call: Call) -> object:
    """The limits that hold for the runs of a notebook, or of all."""
    return asdict(jp.retention(call.notebook_if_given))


def set_retention(call: Call) -> object:
    """Set them, in place of what was set; returns those that hold now."""
    limits = {name: value for name, value in call.body.items() if name != "notebook"}
    return asdict(jp.set_retention(call.notebook_if_given, **limits))


def get_garbage(call: Call) -> object:
    """What old runs take, and would go."""
    return asdict(jp.gc(**call.query))


def remove_garbage(call: Call) -> object:
    """Have it go."""
    return asdict(jp.gc(**call.body, dry_run=False))


_WHICH: Mapping[str, Schema] = {
    "keep_last": whole(1, 10_000_000, "The newest so many runs of all notebooks stay."),
    "older_than": text('Runs that ended within this time stay: "30d", "12h".', most=40, least=1),
}
_DAYS: Schema = {"type": "number", "exclusiveMinimum": 0}

ROUTES = (
    Route(
        "GET",
        "retention",
        "How long the runs of a notebook, or of all, are kept",
        get_retention,
        reference("Retention"),
        query={"notebook": NOTEBOOK},
    ),
    Route(
        "PUT",
        "retention",
        "Set how long the runs of a notebook, or of all, are kept; what is left out sets no limit",
        set_retention,
        reference("Retention"),
        body=objects(
            {
                "notebook": NOTEBOOK,
                "keep_runs": nullable(whole(1, 10_000_000, "The newest so many.")),
                "keep_days": nullable(_DAYS),
                "keep_size": nullable(whole(1, 10**15, "Bytes that they take together.")),
            }
        ),
        examples=({"keep_days": 90}, {"notebook": "sales.ipynb", "keep_runs": 100}),
    ),
    Route(
        "GET",
        "garbage",
        "What would go by the limits that are set, or by these, and its size in bytes; nothing is removed",
        get_garbage,
        reference("Freed"),
        query=_WHICH,
        examples=({"older_than": "30d"},),
        slow=True,
    ),
    Route(
        "POST",
        "garbage/remove",
        "Remove it: runs, their executed notebooks, and values that no run left refers to; the answer says what went",
        remove_garbage,
        reference("Freed"),
        body=objects(_WHICH),
        examples=({"keep_last": 1000, "older_than": "30d"},),
        slow=True,
    ),
)
