"""Options of steps and of the whole pipeline: which there are, what values they take, how several places agree.

A step's options stand in the metadata of its cells (``cell.metadata.pipeline``) and on its ``%%step`` line; defaults
for every step stand in the notebook's metadata (``nb.metadata.pipeline``). Durations are seconds, or texts such as
``"10s"``, ``"5m"``, ``"1h30m"``.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any

from jupyter_pipelines.notebook.codes import Problem
from jupyter_pipelines.notebook.model import NotebookOptions, StepOptions

_DURATION = re.compile(
    r"(?:(?P<d>\d+(?:\.\d+)?)d)?(?:(?P<h>\d+(?:\.\d+)?)h)?(?:(?P<m>\d+(?:\.\d+)?)m)?(?:(?P<s>\d+(?:\.\d+)?)s?)?"
)
_SECONDS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0}
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESOURCE = re.compile(r"[A-Za-z0-9_-]{1,80}")


def parse_duration(value: object) -> float:
    """Seconds, from a number of them, a ``timedelta``, or a text such as ``"90"``, ``"10s"``, ``"1h30m"``, ``"2d"``.

    Raises :class:`ValueError` for anything else, for negative ones and for infinity.
    """
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.replace(" ", "").lower())
        if match is None or not any(match.groupdict().values()):
            raise ValueError('a duration such as 90, "10s", "5m" or "1h30m"')
        return sum(float(count) * _SECONDS[unit] for unit, count in match.groupdict().items() if count)
    value = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise ValueError('a duration such as 90, "10s", "5m" or "1h30m"')
    return float(value)


def _timeout(value: object) -> float | None:
    if value is None:
        return None
    seconds = parse_duration(value)
    if seconds <= 0:
        raise ValueError("a duration above zero")
    return seconds


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1000:
        raise ValueError("a whole number from 0 to 1000")
    return value


def _at_least_one(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError("a whole number from 1")
    return value


def _backoff(value: object) -> float:
    value = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 1:
        raise ValueError("a number from 1")
    return float(value)


def _part(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("a number from 0 to 1")
    return float(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a text")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) and one.strip() for one in value):
        raise ValueError("a list of texts")
    return tuple(dict.fromkeys(one.strip() for one in value))


def _resources(value: object) -> tuple[str, ...]:
    names = _texts(value)
    if not all(_RESOURCE.fullmatch(name) for name in names):
        raise ValueError('names of resources such as ["database"]: letters, digits, dashes and underscores')
    return names


def _env(value: object) -> dict[str, str]:
    expected = 'an object of texts such as {"OMP_NUM_THREADS": "1"}'
    if not isinstance(value, Mapping):
        raise ValueError(expected)
    env: dict[str, str] = {}
    for key, setting in value.items():
        number = isinstance(setting, int | float) and not isinstance(setting, bool)
        if not isinstance(key, str) or not _ENV_NAME.fullmatch(key) or not (number or isinstance(setting, str)):
            raise ValueError(expected)
        if "\0" in str(setting):
            raise ValueError("an environment without NUL characters")
        env[key] = str(setting)
    return env


Reader = Callable[[object], Any]

STEP_READERS: Mapping[str, Reader] = {
    "retries": _count,
    "retry_delay": parse_duration,
    "retry_backoff": _backoff,
    "retry_jitter": _part,
    "timeout": _timeout,
    "cache": _flag,
    "env": _env,
    "tags": _texts,
    "resources": _resources,
    "after": _texts,
    "reads": _texts,
    "writes": _texts,
    "unchanged": _texts,
}
NOTEBOOK_READERS: Mapping[str, Reader] = {
    "name": _text,
    "description": _text,
    "files": _texts,
    "max_parallel": _at_least_one,
    "timeout": _timeout,
    "tags": _texts,
    "run_retries": _count,
    "run_retry_delay": parse_duration,
    "run_retry_backoff": _backoff,
    "run_retry_jitter": _part,
}
# In the notebook's metadata `timeout` and `tags` are the pipeline's own; a default time limit for each step is
# `step_timeout`.
DEFAULT_READERS: Mapping[str, Reader] = {
    "retries": _count,
    "retry_delay": parse_duration,
    "retry_backoff": _backoff,
    "retry_jitter": _part,
    "step_timeout": _timeout,
    "cache": _flag,
    "env": _env,
    "resources": _resources,
}


def _read(given: object, readers: Mapping[str, Reader], where: str, problems: list[Problem]) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        problems.append(Problem("JP112", f"`pipeline` in the {where}'s metadata is not an object.", "Make it {}."))
        return {}
    values: dict[str, Any] = {}
    for key, value in given.items():
        reader = readers.get(key) if isinstance(key, str) else None
        if reader is None:
            problems.append(_unknown(str(key), readers, where))
            continue
        try:
            values[key] = reader(value)
        except ValueError as expected:
            problems.append(
                Problem("JP141", f"Option `{key}` is {value!r:.60}.", f"Give {expected} in the {where}'s metadata.")
            )
    return values


def _unknown(key: str, readers: Iterable[str], where: str) -> Problem:
    known = list(readers)
    near = difflib.get_close_matches(key.lower().replace("-", "_"), known, 1, 0.7)
    fix = f"Did you mean `{near[0]}`?" if near else f"Remove it; the options of a {where} are {', '.join(known)}."
    return Problem("JP140", f"Unknown option `{key}` in the {where}'s metadata.", fix)


def read_cell_options(given: object, problems: list[Problem]) -> dict[str, Any]:
    """The options in one cell's ``metadata.pipeline``, valid ones only."""
    return _read(given, STEP_READERS, "cell", problems)


def read_notebook_options(given: object, problems: list[Problem]) -> tuple[NotebookOptions, dict[str, Any]]:
    """The pipeline's own options and the steps' defaults, from ``nb.metadata.pipeline``."""
    values = _read(given, {**NOTEBOOK_READERS, **DEFAULT_READERS}, "notebook", problems)
    own = {key: value for key, value in values.items() if key in NOTEBOOK_READERS}
    defaults = {key.removeprefix("step_"): value for key, value in values.items() if key in DEFAULT_READERS}
    return NotebookOptions(**own), defaults


@dataclass(slots=True)
class StepOptionsBuilder:
    """Collects one step's options from all places that state some; lists add up, other options must agree."""

    step: str
    values: dict[str, Any]
    origins: dict[str, str]  # option -> the place that first stated it

    @classmethod
    def empty(cls, step: str) -> StepOptionsBuilder:
        return cls(step, {}, {})

    def add(self, stated: Mapping[str, Any], place: str) -> list[Problem]:
        """Add what ``place`` states; the returned problems are its disagreements with earlier places."""
        problems: list[Problem] = []
        for key, value in stated.items():
            if isinstance(value, tuple):
                self.values[key] = tuple(dict.fromkeys((*self.values.get(key, ()), *value)))
            elif key in ("env", "extra"):
                self._add_mapping(key, value, place, problems)
            elif key in self.values and self.values[key] != value:
                problems.append(self._disagreement(key, self.values[key], value, self.origins[key]))
            else:
                self.values[key] = value
                self.origins.setdefault(key, place)
        return problems

    def _add_mapping(self, key: str, value: Mapping[str, Any], place: str, problems: list[Problem]) -> None:
        merged = self.values.setdefault(key, {})
        for name, setting in value.items():
            label = f"{key} {name}"
            if isinstance(merged.get(name), Mapping) and isinstance(setting, Mapping):
                merged[name] = {**merged[name], **setting}
            elif name in merged and merged[name] != setting:
                problems.append(self._disagreement(label, merged[name], setting, self.origins[label]))
            else:
                merged[name] = setting
                self.origins.setdefault(label, place)

    def _disagreement(self, key: str, first: object, second: object, origin: str) -> Problem:
        return Problem(
            "JP142",
            f"Step {self.step} has option `{key}` = {second!r} here, and {first!r} in {origin}.",
            "State it once, or the same in both places.",
        )

    def build(self, defaults: Mapping[str, Any]) -> StepOptions:
        """The step's options on top of the notebook's defaults."""
        values = {**defaults, **self.values}
        for key in ("env", "extra"):
            values[key] = {**defaults.get(key, {}), **self.values.get(key, {})}
        known = {one.name for one in fields(StepOptions)}
        return StepOptions(**{key: value for key, value in values.items() if key in known})
