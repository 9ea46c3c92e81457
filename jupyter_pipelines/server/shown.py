"""Things of the public API as JSON for clients: files by the contents manager's paths, and secrets by their names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from jupyter_pipelines.server.places import Places
from jupyter_pipelines.server.refusals import RefusedError
from jupyter_pipelines.server.route import Call

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.model import RunRecord, StepRecord

T = TypeVar("T")


def run(record: RunRecord, places: Places) -> dict[str, Any]:
    """A run without what its steps left."""
    found = asdict(record)
    return found | {
        "notebook": places.shown(record.notebook),
        "pipeline": pipeline(record.pipeline, places),
        "executed_notebook": places.shown(record.executed_notebook) if record.executed_notebook else None,
        "parameters": parameters(record.parameters),
        "error": places.tidy(record.error),
        "steps": [brief_step(step) for step in record.steps],
    }


def brief_step(step: StepRecord) -> dict[str, Any]:
    """How a step went, as far as a picture of many runs shows it."""
    names = ("name", "state", "started", "ended", "attempts", "waiting", "error_kind", "error_cell", "reused_from")
    return {name: getattr(step, name) for name in names}


def step(found: StepRecord, places: Places) -> dict[str, Any]:
    """All about a step of a run; of the files that it wrote those below the server's root directory."""
    written = [path for file in found.files_written if (path := places.shown(file)) is not None]
    outputs = [{"name": one.name, "type": one.type, "size": one.size, "summary": one.summary} for one in found.outputs]
    inputs = [asdict(one) for one in found.inputs]
    names = ("error_first_line", "error_line", "error_source", "fix")
    error = {"error": places.tidy(found.error)} | {name: getattr(found, name) for name in names}
    built = {"tables": [asdict(one) for one in found.tables], "checks": [asdict(one) for one in found.checks]}
    left = {"metrics": found.metrics, "inputs": inputs, "outputs": outputs, "files_written": written}
    versions = {"version_found": found.version_found, "version_left": found.version_left}
    return brief_step(found) | error | left | built | versions


def parameters(values: Mapping[str, object]) -> dict[str, object]:
    """Parameters, what is secret among them hidden."""
    from jupyter_pipelines.orchestration.redaction import shown_parameters

    return shown_parameters(values)


def pipeline(name: str, places: Places) -> str:
    """What a pipeline is called: a name, or its notebook's path."""
    return (places.shown(name) or "") if Path(name).is_absolute() else name


def record(found: Mapping[str, Any], places: Places) -> dict[str, Any]:
    """What ``describe`` and ``to_dict`` of the public API give, of which much is the same."""
    shown = {name: value for name, value in found.items() if name != "store"}
    if shown.get("notebook"):
        shown["notebook"] = places.shown(shown["notebook"])
    if "pipeline" in shown:
        shown["pipeline"] = pipeline(shown["pipeline"], places)
    if "parameters" in shown:
        shown["parameters"] = parameters(shown["parameters"])
    return shown


def visible(found: Iterable[T], places: Places, file: Callable[[T], str]) -> list[T]:
    """Those whose ``file`` this server shows."""
    return [one for one in found if places.shown(file(one)) is not None]


def require_visible(file: str, places: Places, field: str, name: str) -> None:
    """Raise :class:`RefusedError` as if there were no such thing, when its ``file`` is not shown here."""
    if places.shown(file) is None:
        raise RefusedError(HTTPStatus.NOT_FOUND, f"There is no {field} {name!r}.", "", field)


def page(found: Sequence[T], call: Call, name: str, show: Callable[[T], object]) -> dict[str, object]:
    """The part of a list that a request asks for by ``limit`` and ``after``, a number that an earlier page gave."""
    start, limit = int(call.query.get("after", 0)), int(call.query["limit"])
    part = found[start : start + limit]
    following = start + limit
    return {name: [show(one) for one in part], "next": str(following) if following < len(found) else None}
