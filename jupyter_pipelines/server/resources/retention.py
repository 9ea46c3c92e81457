"""Retention: how long runs are kept."""

from __future__ import annotations

from dataclasses import asdict

import jupyter_pipelines as jp
from jupyter_pipelines.server.route import Call, Route
from jupyter_pipelines.server.schemas import NOTEBOOK, Schema, nullable, objects, reference, whole


def get_retention(call: Call) -> object:
    """The limits that hold for the runs of a notebook, or of all."""
    return asdict(jp.retention(call.notebook_if_given))


def set_retention(call: Call) -> object:
    """Set them, in place of what was set; returns those that hold now."""
    limits = {name: value for name, value in call.body.items() if name != "notebook"}
    return asdict(jp.set_retention(call.notebook_if_given, **limits))


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
)
