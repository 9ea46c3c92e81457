"""The graph as data, in a shape that scripts and the panel rely on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jupyter_pipelines.diagnostics import Location
from jupyter_pipelines.graph.model import Edge, Pipeline, StepPlan
from jupyter_pipelines.notebook.model import Parameter, StepOptions

if TYPE_CHECKING:
    from jupyter_pipelines.graph.fixes import Fix


def to_json(pipeline: Pipeline, fixes: Sequence[Sequence[Fix]] | None = None) -> dict[str, object]:
    """The pipeline as JSON-able data.

    ``notebook``, ``language``, ``sequential``; ``steps``: ``name``, ``cells`` (numbers, from 1), ``options``,
    ``inputs`` (``name``, ``producer``), ``outputs``, ``possibly_changed``, ``definitions``, ``state_inputs``,
    ``files_read``, ``files_written``, ``tables_read`` and ``tables_written`` (as the source names them), ``after``
    (steps it waits for);
    ``edges``: ``source``, ``target``, ``kind``, ``name``, ``certain``, ``written``,
    ``changed``, ``read`` (places: ``cell``, ``line``), ``observed`` (``step``, ``cells``: whose change only runs have
    shown), ``explanation``; ``parameters``: ``name``, ``annotation``,
    ``default`` (as Python text when it is no JSON), ``description``, ``schema``, ``required`` (no
    default: every run has to give it); ``diagnostics``, where ``fixes`` are
    given each with its own: ``title`` and ``edits`` (see :class:`~jupyter_pipelines.graph.edits.Edit`).
    """
    findings = [diagnostic.to_dict() for diagnostic in pipeline.diagnostics]
    if fixes is not None:
        for finding, several in zip(findings, fixes, strict=True):
            finding["fixes"] = [fix.to_json() for fix in several]
    return {
        "notebook": pipeline.document.name,
        "language": pipeline.document.language,
        "sequential": pipeline.sequential,
        "steps": _steps(pipeline),
        "edges": [_edge(edge) for edge in pipeline.edges],
        "parameters": [_parameter(parameter) for parameter in pipeline.document.parameters],
        "diagnostics": findings,
    }


def _steps(pipeline: Pipeline) -> list[dict[str, object]]:
    order = {step.name: position for position, step in enumerate(pipeline.steps)}
    after: dict[str, set[str]] = {}
    for edge in pipeline.edges:
        after.setdefault(edge.target, set()).add(edge.source)
    return [
        _step(step, sorted(after.get(step.name, ()), key=lambda name: order.get(name, -1))) for step in pipeline.steps
    ]


def _step(step: StepPlan, after: list[str]) -> dict[str, object]:
    definitions = [*step.definitions, *step.late_definitions]
    return {
        "name": step.name,
        "cells": [index + 1 for index in step.cells],
        "options": _options(step.options),
        "inputs": [{"name": value.name, "producer": value.producer} for value in step.inputs],
        "outputs": list(step.outputs),
        "possibly_changed": list(step.possibly_changed),
        "definitions": [
            {"cell": replay.cell + 1, "line": replay.line, "names": list(replay.names)} for replay in definitions
        ],
        "state_inputs": dict(step.state_inputs),
        "files_read": list(step.files_read),
        "files_written": list(step.files_written),
        "tables_read": list(step.tables_read),
        "tables_written": list(step.tables_written),
        "after": after,
    }


def _options(options: StepOptions) -> dict[str, object]:
    return {
        "retries": options.retries,
        "retry_delay": options.retry_delay,
        "retry_backoff": options.retry_backoff,
        "retry_jitter": options.retry_jitter,
        "timeout": options.timeout,
        "cache": options.cache,
        "env": dict(options.env),
        "tags": list(options.tags),
        "resources": list(options.resources),
        "after": list(options.after),
        "reads": list(options.reads),
        "writes": list(options.writes),
        "unchanged": list(options.unchanged),
        "extra": {key: _plain(value) for key, value in options.extra.items()},
    }


def _edge(edge: Edge) -> dict[str, object]:
    return {
        "source": edge.source,
        "target": edge.target,
        "kind": edge.kind.value,
        "name": edge.name,
        "certain": edge.certain,
        "written": _place(edge.written),
        "changed": [_place(place) for place in edge.changed],
        "read": _place(edge.read),
        "observed": [{"step": step, "cells": list(cells)} for step, cells in edge.observed],
        "explanation": edge.explain(),
    }


def _place(place: Location | None) -> dict[str, int] | None:
    return None if place is None else {"cell": place.cell, "line": place.line}


def _parameter(parameter: Parameter) -> dict[str, object]:
    return {
        "name": parameter.name,
        "annotation": parameter.annotation,
        "default": _plain(parameter.default),
        "description": parameter.description,
        "schema": _plain(parameter.schema),
        "required": parameter.required,
    }


def _plain(value: object) -> object:
    """The value as JSON has it; what JSON does not have, as Python text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "items"):
        return {str(key): _plain(item) for key, item in value.items()}
    return str(value)
