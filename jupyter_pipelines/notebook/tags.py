"""What the tags of a cell say: our words, Kale's words of both generations, and near misses of ours.

Kale's meaning is that of its own notebook processor: ``imports`` and ``functions`` run before every step,
``pipeline-parameters`` declares parameters, ``pipeline-metrics`` prints results at the end, ``block:``/``step:`` name
a step, ``prev:`` orders it, ``limit:``, ``annotation:``, ``label:`` … describe its container and are kept as ``extra``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from jupyter_pipelines.notebook.codes import Problem
from jupyter_pipelines.notebook.model import Role

METRICS_STEP = "pipeline-metrics"  # the step that Kale's cells of this tag form
INJECTED = "injected-parameters"  # papermill's tag of the cell it writes

_OURS = {"parameters": Role.PARAMETERS, "setup": Role.SETUP, "skip": Role.SKIP}
_KALE = {
    "imports": (Role.SETUP, None),
    "functions": (Role.SETUP, None),
    "pipeline-parameters": (Role.PARAMETERS, None),
    METRICS_STEP: (Role.STEP, METRICS_STEP),
}
_KALE_DETAILS = {"limit": "limits", "annotation": "annotations", "label": "labels", "image": "image", "cache": "cache"}
# One-word tags that other tools use and that a spelling check would take for ours.
_FOREIGN = frozenset({"skip-execution", "skip-test", "skip-flake8", "skip-ci"})
_ALMOST = {
    "param": "parameters", "params": "parameters", "parameter": "parameters", "step": "step:NAME",
    "steps": "step:NAME", "after": "after:NAME", "skipped": "skip", "skp": "skip", "set-up": "setup",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Claim:
    """One place that gives the cell a role: ``word`` is the tag or magic, ``step`` the name as written."""

    role: Role
    word: str
    step: str | None = None
    kale: bool = False


@dataclass(frozen=True, slots=True)
class CellTags:
    """The tags of one cell, understood."""

    claims: tuple[Claim, ...] = ()
    after: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    injected: bool = False
    kale: bool = False  # a word that only Kale has
    problems: tuple[Problem, ...] = ()


@lru_cache(maxsize=4096)
def read_tags(tags: tuple[str, ...]) -> CellTags:
    """Understand a cell's tags. Foreign ones are left alone. Never raises."""
    claims: list[Claim] = []
    after: list[str] = []
    extra: dict[str, Any] = {}
    problems: list[Problem] = []
    kale = False
    for tag in tags:
        word, colon, value = tag.partition(":")
        if tag in _OURS:
            claims.append(Claim(_OURS[tag], tag))
        elif tag in _KALE:
            role, step = _KALE[tag]
            claims.append(Claim(role, tag, step, kale=True))
            kale = True
        elif colon and word == "step" and value == value.strip():
            claims.append(Claim(Role.STEP, tag, value))
        elif colon and word == "block":
            kale = True
            claims += _blocks(tag, value, problems)
        elif colon and word == "after" and value == value.strip():
            after.append(value)
        elif colon and word == "prev":
            kale = True
            after += [one for one in value.split(";") if one]
        elif colon and word in _KALE_DETAILS and value:
            _keep_detail(extra, _KALE_DETAILS[word], value)
        elif meant := meant_tag(tag):
            message = f"Tag `{tag}` is not one of ours and has no effect."
            problems.append(Problem("JP134", message, f"Did you mean `{meant}`?"))
    return CellTags(tuple(claims), tuple(after), extra, INJECTED in tags, kale, tuple(problems))


def _blocks(tag: str, value: str, problems: list[Problem]) -> list[Claim]:
    """Kale writes an empty ``block:`` for "as above"; its first version let a cell have several names."""
    names = [name for name in value.split(";") if name]
    if len(names) > 1:
        problems.append(
            Problem("JP139", f"Tag `{tag}` puts the cell into {len(names)} steps.", "Copy the cell, one for each step.")
        )
    return [Claim(Role.STEP, tag, name, kale=True) for name in names[:1]]


def _keep_detail(extra: dict[str, Any], key: str, value: str) -> None:
    name, colon, setting = value.partition(":")
    if key in ("image", "cache") or not colon:
        extra[key] = value
    else:
        extra.setdefault(key, {})
        if isinstance(extra[key], dict):
            extra[key][name] = setting


def meant_tag(tag: str) -> str | None:
    """The tag of ours that ``tag`` was probably meant to be."""
    word, colon, value = (part.strip() for part in tag.partition(":"))
    low = word.lower()
    if not colon:
        if low in _FOREIGN or tag in _OURS or tag in _KALE:
            return None
        if low in _OURS or low in _KALE:
            return low
        if low in _ALMOST:
            return _ALMOST[low]
        near = {"parameters": 2, "setup": 1}
        return next((ours for ours, most in near.items() if _distance(low, ours) <= most), None)
    for ours in ("step", "after", "block", "prev"):
        if _distance(low, ours) <= (1 if ours in ("step", "after") else 0):
            return f"{ours}:{value or 'NAME'}"
    return None


def _distance(one: str, other: str) -> int:
    """How many letters differ: inserted, left out, replaced, or two neighbours exchanged (Damerau-Levenshtein)."""
    if abs(len(one) - len(other)) > 2:
        return 3
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, wanted in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]
