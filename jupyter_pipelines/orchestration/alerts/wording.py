"""What an alert says: a title, a text for people, the same for programs."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from jupyter_pipelines.orchestration.alerts.model import AlertRecord, Event, Message
from jupyter_pipelines.orchestration.model import RunRecord, StepRecord
from jupyter_pipelines.orchestration.redaction import shown_parameters

MOST_OF_AN_ERROR: Final = 2_000  # characters
MOST_OF_A_VALUE: Final = 200
# Colours and cursor movements (ECMA-48), then what else is no text; directional overrides could show another name.
_SEQUENCE: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def failed_step(run: RunRecord) -> StepRecord | None:
    """The step that the run failed at; those that were skipped for its sake are not meant."""
    return next((step for step in run.steps if step.error and step.state not in {"skipped", "cancelled"}), None)


def of_failure(alert: AlertRecord, key: str, run: RunRecord, failures: int, since: float) -> Message:
    """A pipeline failed: for the ``failures``-th time since ``since``."""
    step = failed_step(run)
    name = pipeline_name(run)
    how = {"crashed": "crashed"}.get(run.state, "failed")
    title = f"{name} {how}" + (f" at step {step.name}" if step is not None else "")
    lines = [f"{name} {how} at {moment(run.ended)}."]
    if failures > 1:
        lines.append(f"It has failed {failures} times since {moment(since)}.")
    lines += ["", *_error_lines(run, step), "", *_about(run)]
    more: dict[str, Any] = {"failures": failures, "failing_since": since}
    return _message(alert, key, "failure", title, lines, run, more)


def of_recovery(alert: AlertRecord, key: str, run: RunRecord, failures: int, since: float, late: float) -> Message:
    """A pipeline works again, after ``failures`` since ``since``, or is done after it was late at ``late``."""
    name = pipeline_name(run)
    if failures:
        title = f"{name} works again"
        lines = [f"{name} completed at {moment(run.ended)}, after {_times(failures)} since {moment(since)}."]
    else:
        title = f"{name} is done"
        lines = [f"{name} completed at {moment(run.ended)}. It was said to be late at {moment(late)}."]
    more: dict[str, Any] = {"failures": failures, "failing_since": since}
    return _message(alert, key, "recovery", title, [*lines, "", *_about(run)], run, more)


def of_lateness(
    alert: AlertRecord, key: str, notebook: str, why: list[str], run: RunRecord | None, more: Mapping[str, Any]
) -> Message:
    """The pipeline of ``notebook`` is late, for the reasons in ``why``; ``run`` is the one that is, if there is one."""
    name = Path(notebook).stem
    about = _about(run) if run is not None else [f"notebook    {notebook}", "look        jupyter pipelines schedules"]
    return _message(alert, key, "late", f"{name} is late", [*why, "", *about], run, {"notebook": notebook, **more})


def of_foreseen(
    alert: AlertRecord, key: str, notebook: str, schedule: str, problem: str, following: datetime | None
) -> Message:
    """The next run of the pipeline of ``notebook``, at ``following``, will fail of ``problem`` as things are."""
    name = Path(notebook).stem
    when = f", at {moment(following.timestamp())}," if following is not None else ""
    lines = [f"The next run of {name}{when} will fail as things are.", "", _shortened(problem), ""]
    lines += [f"schedule    {schedule}", f"source      {clean(notebook)}", "look        jupyter pipelines schedules"]
    more: dict[str, Any] = {"notebook": notebook, "schedule": schedule, "foreseen": True, "error": _shortened(problem)}
    return _message(alert, key, "failure", f"{name} will fail", lines, None, more)


def sample(key: str) -> Message:
    """What ``alert --test`` sends."""
    text = "This is a test: alerts of Jupyter Pipelines arrive here."
    return Message(key, "test", "Test of Jupyter Pipelines' alerts", text, {"event": "test"})


def pipeline_name(run: RunRecord) -> str:
    """What people call the pipeline of a run."""
    return Path(run.notebook).stem


def moment(seconds: float) -> str:
    """A time for people, with its zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(seconds)) if seconds else "an unknown time"


def duration(seconds: float) -> str:
    """``12 s``, ``3 min``, ``2 h 10 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def clean(text: str) -> str:
    """``text`` without control sequences, whatever the notebook wrote."""
    return _CONTROL.sub("", _SEQUENCE.sub("", text))


def _times(count: int) -> str:
    return f"{count} failed run{'' if count == 1 else 's'}"


def _error_lines(run: RunRecord, step: StepRecord | None) -> list[str]:
    if step is None:
        return [_shortened(run.error)]
    place = f", cell {step.error_cell}" if step.error_cell else ""
    line = f": {clean(step.error_first_line)}" if step.error_first_line else ""
    found = [f"step {step.name}{place}{line}", _shortened(step.error)]
    return [*found, f"fix: {clean(step.fix)}"] if step.fix else found


def _shortened(error: str) -> str:
    text = clean(error).strip()
    return text if len(text) <= MOST_OF_AN_ERROR else f"{text[:MOST_OF_AN_ERROR]} […]"


def _about(run: RunRecord) -> list[str]:
    found = [("run", run.id)]
    found += [("parameter", f"{name} = {str(value)[:MOST_OF_A_VALUE]}") for name, value in _parameters(run).items()]
    if run.schedule:
        found.append(("schedule", f"{run.schedule}, for {moment(run.scheduled_time)}"))
    found += [
        ("version", run.published or (f"{run.version[:12]} (the file as it was)" if run.version else "")),
        ("source", run.notebook),
        ("executed", run.executed_notebook),
        ("look", f"jupyter pipelines inspect {run.id[:8]}"),
    ]
    return [f"{label:<11} {clean(value)}" for label, value in found if value]


def _parameters(run: RunRecord) -> dict[str, object]:
    return shown_parameters(run.parameters)


def _message(
    alert: AlertRecord,
    key: str,
    event: Event,
    title: str,
    lines: list[str],
    run: RunRecord | None,
    more: Mapping[str, Any],
) -> Message:
    data: dict[str, Any] = {"event": event, "alert": alert.id, **more}
    if run is not None:
        step = failed_step(run) if event == "failure" else None
        data |= {
            "pipeline": pipeline_name(run),
            "notebook": run.notebook,
            "run": run.id,
            "state": run.state,
            "parameters": _parameters(run),
            "started": run.started,
            "ended": run.ended,
            "schedule": run.schedule,
            "scheduled_time": run.scheduled_time,
            "version": run.published or run.version,
            "executed_notebook": run.executed_notebook,
            "inspect": f"jupyter pipelines inspect {run.id}",
            "step": step.name if step else "",
            "cell": step.error_cell if step else None,
            "first_line": clean(step.error_first_line) if step else "",
            "error": _shortened(step.error if step else run.error),
        }
    return Message(key, event, " ".join(clean(title).split())[:200], "\n".join(lines), data)
