"""What a notebook means. Nothing is run and nothing is kept."""

from __future__ import annotations

import json
from importlib.metadata import version

import jupyter_pipelines as jp
from jupyter_pipelines.execution.kernel_side.collecting import without_collecting
from jupyter_pipelines.server.route import MOST_NOTEBOOK, Call, Route
from jupyter_pipelines.server.schemas import MAPPING, Schema, many, objects, reference, text


def status(_: Call) -> object:
    """That we are here."""
    return {"version": version("jupyter_pipelines")}


def compiled(call: Call) -> object:
    """The pipeline of a notebook as it stands in an editor, and how its findings can be put right."""
    from jupyter_pipelines.graph import to_json

    with without_collecting():
        checked = jp.check(source_of(call.body["notebook"]), call.body.get("name") or "notebook")
        return to_json(checked.pipeline, checked.fixes)


def traced(call: Call) -> object:
    """Of which columns the tables are made that a notebook builds in SQL, and how that is drawn."""
    from jupyter_pipelines.graph import compile_pipeline
    from jupyter_pipelines.graph.lineage import table_lineage
    from jupyter_pipelines.graph.render_lineage import lineage_picture
    from jupyter_pipelines.notebook import read_notebook

    name = call.body.get("name") or "notebook"
    found = table_lineage(compile_pipeline(read_notebook(source_of(call.body["notebook"]), name), trial=True))
    return found.to_json() | {"picture": lineage_picture(found)}


def suggested(call: Call) -> object:
    """Steps proposed for a notebook that names none."""
    from jupyter_pipelines.graph import suggest

    return suggest(source_of(call.body["notebook"]), call.body.get("name") or "notebook").to_json()


def inspected(call: Call) -> object:
    """How a notebook's kernel can be asked what its values are."""
    return {"expression": jp.inspection(call.body["names"])}


def source_of(notebook: object) -> bytes:
    """A notebook that was sent as JSON, as it would be in a file."""
    # Lone surrogates are JSON, but no text: replaced, so that reading the notebook can say what is wrong.
    return json.dumps(notebook).encode("utf-8", "replace")


_NOTEBOOK = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}
_NAME: Schema = {"type": "string", "pattern": "^[^\\W\\d]\\w{0,199}$"}
_SENT = objects({"name": text("What its author calls it; only shown."), "notebook": MAPPING}, "notebook")
_EXAMPLES = ({"name": "sales.ipynb", "notebook": _NOTEBOOK},)

ROUTES = (
    Route("GET", "status", "That the extension is here", status, objects({"version": text()}, "version")),
    Route(
        "POST",
        "compile",
        "Compile a notebook as it stands in an editor: its steps, edges, parameters, diagnostics and their fixes",
        compiled,
        reference("Pipeline"),
        body=_SENT,
        examples=_EXAMPLES,
        action="read",  # it tells what a notebook means to someone who has the notebook
        most=MOST_NOTEBOOK,
    ),
    Route(
        "POST",
        "lineage",
        "Of which columns the tables are made that a notebook builds in SQL; `picture` is where they are drawn",
        traced,
        reference("Lineage"),
        body=_SENT,
        examples=_EXAMPLES,
        action="read",
        most=MOST_NOTEBOOK,
    ),
    Route(
        "POST",
        "suggest",
        "Propose steps for a notebook that names none; `reasons` say what was decided, also when nothing is proposed",
        suggested,
        reference("Suggestion"),
        body=_SENT,
        examples=_EXAMPLES,
        action="read",
        most=MOST_NOTEBOOK,
    ),
    Route(
        "POST",
        "inspection",
        "A Python expression that tells what variables are, for the `user_expressions` of a silent request to a "
        "notebook's kernel; its value is shown as `application/json`, an `Inspection`",
        inspected,
        objects({"expression": text(most=100_000)}, "expression"),
        body=objects({"names": many(_NAME, "Of variables.", most=500)}, "names"),
        examples=({"names": ["flights", "model"]},),
        action="read",
    ),
)
