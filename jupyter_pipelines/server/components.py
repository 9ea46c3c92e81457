"""What the answers look like: made from the classes of the public API, so that the two cannot differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from jupyter_pipelines.server.schemas import (
    ANY,
    FLAG,
    MAPPING,
    NUMBER,
    Schema,
    choice,
    nullable,
    objects,
    of_class,
    of_type,
    reference,
)

_TEXT: Schema = {"type": "string"}
_TEXTS: Schema = {"type": "array", "items": _TEXT}
_WHOLE: Schema = {"type": "integer"}
_PATH: Schema = nullable({"type": "string"})


def components() -> dict[str, Schema]:
    """All schemas that routes refer to, by name. Loads what they are made of."""
    return {
        **_errors(),
        **_pipelines(),
        **_runs(),
        **_versions(),
        **_schedules(),
        **_triggers(),
        **_backfills(),
        **_verifications(),
        **_bounds(),
        **_warehouse(),
        **_service(),
    }


def open_object(properties: Mapping[str, Schema]) -> Schema:
    """An object that has all of these, and may come to have more."""
    return {"type": "object", "properties": dict(properties), "required": list(properties)}


def _errors() -> dict[str, Schema]:
    from jupyter_pipelines.diagnostics import Diagnostic

    error = {
        "message": {**_TEXT, "description": "What is wrong, for people."},
        "fix": {**_TEXT, "description": "What to do about it; may be empty."},
        "field": {**_TEXT, "description": "What in the request it is about, dotted within objects; may be empty."},
        "diagnostics": {"type": "array", "items": reference("Diagnostic")},
    }
    return {
        "Error": objects({"error": objects(error, "message", "fix", "field")}, "error"),
        "Diagnostic": of_class(Diagnostic),
    }


def _pipelines() -> dict[str, Schema]:
    from jupyter_pipelines.diagnostics import Diagnostic
    from jupyter_pipelines.notebook.model import StepOptions
    from jupyter_pipelines.orchestration.pipelines import PipelineStatus
    from jupyter_pipelines.orchestration.relinking import Relinked

    value = objects({"name": _TEXT, "producer": _TEXT}, "name", "producer")
    definition = objects({"cell": _WHOLE, "line": _WHOLE, "names": _TEXTS}, "cell", "line", "names")
    step: dict[str, Schema] = {
        "name": _TEXT,
        "cells": {"type": "array", "items": _WHOLE},
        "options": of_class(StepOptions),
        "inputs": {"type": "array", "items": value},
        "definitions": {"type": "array", "items": definition},
        "state_inputs": {"type": "object", "additionalProperties": _TEXT},
        **dict.fromkeys(("outputs", "possibly_changed", "files_read", "files_written", "after"), _TEXTS),
        **dict.fromkeys(("tables_read", "tables_written"), _TEXTS),
    }
    place = nullable(objects({"cell": _WHOLE, "line": _WHOLE}, "cell", "line"))
    seen = objects({"step": _TEXT, "cells": {"type": "array", "items": _WHOLE}}, "step", "cells")
    edge = {
        **dict.fromkeys(("source", "target", "name", "explanation"), _TEXT),
        "kind": choice("value", "order", "file", "table", "state", "resource"),
        "certain": FLAG,
        "written": place,
        "changed": {"type": "array", "items": place},
        "read": place,
        "observed": {"type": "array", "items": seen},
    }
    parameter = {"name": _TEXT, "annotation": _TEXT, "default": ANY, "description": _TEXT, "schema": MAPPING}
    parts = {"steps": step, "edges": edge, "parameters": parameter}
    lists: dict[str, Schema] = {name: {"type": "array", "items": objects(part, *part)} for name, part in parts.items()}
    edit = {
        "kind": choice("tags", "source", "insert", description="`insert`: a code cell, before that one."),
        "cell": {**_WHOLE, "description": "Its number before any of the edits."},
        "tags": {**_TEXTS, "description": "All tags of the cell afterwards."},
        "source": {**_TEXT, "description": "Its source afterwards."},
    }
    edits: Schema = {"type": "array", "items": objects(edit, "kind", "cell")}
    fixes: Schema = {"type": "array", "items": objects({"title": _TEXT, "edits": edits}, "title", "edits")}
    role = choice("parameters", "setup", "step", "skip")
    value_found = {
        "type": _TEXT,
        "size": {**nullable(_WHOLE), "description": "Bytes, estimated."},
        "summary": _TEXT,
        "carried": {**FLAG, "description": "Whether one step can hand it to another."},
        "reason": {**_TEXT, "description": "Why not."},
    }
    above = {"table": _TEXT, "pipeline": _TEXT, "notebook": _PATH}
    number = {"type": "number"}
    source = {"table": _TEXT, "column": _TEXT, "certain": FLAG}
    column = {"name": _TEXT, "sources": {"type": "array", "items": objects(source, *source)}}
    built: dict[str, Schema] = {"name": _TEXT, "step": _TEXT, "cell": _WHOLE, "how": _TEXT, "reads": _TEXTS}
    built["columns"] = {"type": "array", "items": objects(column, *column)}
    box = {"name": _TEXT, "built": FLAG, "rows": _TEXTS, **dict.fromkeys(("x", "y", "width", "height"), number)}
    line = {"path": _TEXT, "certain": FLAG, "title": _TEXT}
    picture: dict[str, Schema] = {
        **dict.fromkeys(("width", "height", "row"), number),
        "boxes": {"type": "array", "items": objects(box, *box)},
        "lines": {"type": "array", "items": objects(line, *line)},
        "summary": _TEXT,
    }
    lineage: dict[str, Schema] = {
        "tables": {"type": "array", "items": objects(built, *built)},
        "picture": objects(picture, *picture),
    }
    cell = {"cell": _WHOLE, "role": role, "name": _TEXT, "tag": _TEXT, "reason": _TEXT}
    proposed: Schema = {"type": "array", "items": objects(cell, *cell)}
    return {
        "Pipeline": open_object({**lists, "diagnostics": {"type": "array", "items": reference("Finding")}}),
        "Lineage": objects(lineage, *lineage),
        "Finding": of_class(Diagnostic, fixes=fixes),
        "PipelineStatus": of_class(
            PipelineStatus,
            notebook=_PATH,
            upstream={"type": "array", "items": objects(above, *above)},
        ),
        "Relinked": of_class(Relinked, notebook=_PATH, status=reference("PipelineStatus")),
        "Inspection": {"type": "object", "additionalProperties": objects(value_found, *value_found)},
        "Suggestion": objects({"cells": proposed, "reasons": _TEXTS}, "cells", "reasons"),
    }


def _runs() -> dict[str, Schema]:
    from jupyter_pipelines.orchestration.model import OutputRecord, RunRecord, StepRecord
    from jupyter_pipelines.orchestration.run_log import LogLine
    from jupyter_pipelines.server.shown import brief_step

    whole_step = of_class(StepRecord, outputs={"type": "array", "items": of_class(OutputRecord, "container")})
    names = brief_step(StepRecord("", "pending"))
    brief = objects({name: whole_step["properties"][name] for name in names}, *names)
    steps: Schema = {"type": "array", "items": reference("StepBrief")}
    run = of_class(RunRecord, notebook=_PATH, executed_notebook=_PATH, steps=steps)
    return {"Run": run, "Step": whole_step, "StepBrief": brief, "LogLine": of_class(LogLine)}


def _versions() -> dict[str, Schema]:
    from jupyter_pipelines.orchestration.versions.comparison import VersionDiff
    from jupyter_pipelines.orchestration.versions.drifting import Drift
    from jupyter_pipelines.orchestration.versions.model import Environment, FrozenFile, Version

    brief = of_class(Version, "content", notebook=_PATH)
    files: Schema = {"type": "array", "items": of_class(FrozenFile)}
    counts: Schema = {"type": "object", "additionalProperties": _WHOLE}
    return {
        "Version": of_class(Version, "content", notebook=_PATH, files=files, environment=of_type(Environment)),
        "VersionBrief": brief,
        "VersionDiff": of_class(VersionDiff),
        "Drift": of_class(Drift, counts=counts, clean=FLAG),
    }


def _schedules() -> dict[str, Schema]:
    from jupyter_pipelines.server.resources.schedules import TIMES

    brief = {
        "id": _TEXT,
        "name": _TEXT,
        "notebook": _PATH,
        "pipeline": _TEXT,
        "version": _TEXT,
        "schedule": TIMES,
        "follow": {**_TEXT, "description": "What is published for it: `file`, as it is saved, or `ref:NAME`."},
        "verify": FLAG,
        "followed": nullable(MAPPING),
        "active_since": _TEXT,
        "paused": FLAG,
        "words": _TEXT,
        "expression": _TEXT,
        "next": nullable(_TEXT),
        "waiting": _TEXTS,
        "problem": {**_TEXT, "description": "Why it is left alone, where how far it has come cannot be read."},
    }
    runs: Schema = {"type": "object", "additionalProperties": _TEXT}
    skipped: Schema = {"type": "array", "items": MAPPING}
    window = objects({"start": _TEXT, "end": _TEXT}, "start", "end")
    time = {
        "time": _TEXT,
        "window": nullable(window),
        "deadline": nullable(_TEXT),
        "notes": _TEXTS,
        "parameters": MAPPING,
    }
    preview = {
        "schedule": TIMES,
        "words": _TEXT,
        "expression": _TEXT,
        "times": {"type": "array", "items": objects(time, *time)},
        "clock_changes": _TEXTS,
    }
    return {
        "Schedule": open_object(brief | {"runs": runs, "skipped": skipped}),
        "ScheduleBrief": open_object(brief),
        "Preview": objects(preview, *preview),
    }


def _triggers() -> dict[str, Schema]:
    brief = {
        "id": _TEXT,
        "name": _TEXT,
        "notebook": _PATH,
        "pipeline": _TEXT,
        "version": _TEXT,
        "kind": choice("after", "file", "update", "token", "event"),
        "cause": MAPPING,
        "words": _TEXT,
        "parameters": MAPPING,
        "overlap": _TEXT,
        "paused": FLAG,
        "active_since": _TEXT,
        "waiting": _TEXTS,
        "problem": {**_TEXT, "description": "Why nothing can be seen at the moment."},
    }
    runs: Schema = {"type": "object", "additionalProperties": _TEXT}
    more: dict[str, Schema] = {"runs": runs, "skipped": {"type": "array", "items": MAPPING}}
    return {"Trigger": open_object(brief | more), "TriggerBrief": open_object(brief)}


def _backfills() -> dict[str, Schema]:
    from jupyter_pipelines.orchestration.backfills import Backfill, BackfillWindow

    counts: Schema = {"type": "object", "additionalProperties": _WHOLE}
    windows: Schema = {"type": "array", "items": reference("BackfillWindow")}
    same: dict[str, Schema] = {"notebook": _PATH, "counts": counts, "size": _WHOLE}
    alert = {
        "id": _TEXT,
        "notebook": _PATH,
        "on": _TEXTS,
        "to": {**_TEXT, "description": "Without its secrets."},
        "repeat": nullable(NUMBER),
        "slow": nullable(NUMBER),
        "since": NUMBER,
        "sent": _WHOLE,
        "last_sent": nullable(NUMBER),
        "waiting": _WHOLE,
        "dropped": _WHOLE,
        "problem": _TEXT,
    }
    return {
        "Backfill": of_class(Backfill, windows=windows, **same),
        "BackfillBrief": of_class(Backfill, "windows", **same),
        "BackfillWindow": of_class(BackfillWindow),
        "Alert": open_object(alert),
    }


def _verifications() -> dict[str, Schema]:
    from jupyter_pipelines.verification import Report, Verification

    counts: Schema = {"type": "object", "additionalProperties": _WHOLE}
    report = nullable(of_class(Report, notebook=_PATH, counts=counts))
    return {
        "Verification": of_class(Verification, notebook=_PATH, report=report),
        "VerificationBrief": of_class(Verification, "report", notebook=_PATH),
    }


def _bounds() -> dict[str, Schema]:
    from jupyter_pipelines.orchestration.cleaning import Freed
    from jupyter_pipelines.orchestration.limits import Limit
    from jupyter_pipelines.orchestration.retention import Retention

    person = objects({"run": _TEXT, "step": _TEXT, "since": NUMBER}, "run", "step", "since")
    people: Schema = {"type": "array", "items": person}
    return {
        "Freed": of_class(Freed),
        "Limit": of_class(Limit, running=people, waiting=people),
        "Retention": of_class(Retention),
    }


def _warehouse() -> dict[str, Schema]:
    from jupyter_pipelines.warehouse.catalog import Column, Table, TableDetails
    from jupyter_pipelines.warehouse.sources.model import SourceSummary

    details = of_class(TableDetails, table=reference("Table"))
    return {
        "Table": of_class(Table),
        "TableDetails": details,
        "Column": of_class(Column),
        "Source": of_class(SourceSummary),
    }


def _service() -> dict[str, Schema]:
    part = objects({"state": _TEXT, "restarts": _WHOLE}, "state", "restarts")
    state = choice("running", "starting", "stopped", "unreachable")
    service = {
        "state": state,
        "configured": {**FLAG, "description": "It is the server that PREFECT_API_URL names."},
        "since": NUMBER,
        "parts": {"type": "object", "additionalProperties": part},
    }
    return {"Service": objects(service, *service), "Event": _event()}


def _event() -> Schema:
    from jupyter_pipelines.orchestration.changes import Kind

    kinds = choice("hello", "reset", *get_args(Kind))
    data = {
        **MAPPING,
        "description": "How it is now. Of a run its state, and those of its steps (`StepBrief`) that have changed; of "
        "the service its state and parts; of others whether it was `removed`; of a version, which is the one that runs "
        "take from now on, also its `number`.",
    }
    event = {
        "id": {**_TEXT, "description": "What to give as `since` when the connection was lost."},
        "kind": {**kinds, "description": "`hello`: all is told by now; `reset`: too much has changed, ask again."},
        "subject": {**_TEXT, "description": "The id of what has changed."},
        "notebook": _PATH,
        "time": NUMBER,
        "data": data,
    }
    return objects(event, *event)
