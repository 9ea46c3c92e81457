"""Our role magics as text: ``%%step NAME --after A --retries 2 …``, ``%%setup``, ``%%skip``."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from jupyter_pipelines.notebook.codes import Problem
from jupyter_pipelines.notebook.model import Role
from jupyter_pipelines.notebook.options import STEP_READERS

ROLE_MAGICS = {"step": Role.STEP, "setup": Role.SETUP, "skip": Role.SKIP}
_LINE = re.compile(r"%%(step|setup|skip)(?![\w.])(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class RoleMagic:
    """One role magic line, understood; ``step`` is the name as written, ``options`` the valid ones only."""

    role: Role
    step: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def is_role_magic(line: str) -> bool:
    """Whether ``line`` (without indentation) is ``%%step``, ``%%setup`` or ``%%skip``."""
    return _LINE.match(line) is not None


def read_role_magic(line: str) -> RoleMagic | None:
    """Understand ``line``; ``None`` when it is not one of our role magics. Never raises."""
    match = _LINE.match(line.strip())
    if match is None:
        return None
    name, rest = match.groups()
    role = ROLE_MAGICS[name]
    problems: list[Problem] = []
    words = _split(rest, name, problems)
    if role is not Role.STEP:
        if words:
            problems.append(Problem("JP122", f"`%%{name}` takes nothing, but has `{words[0]}`.", f"Write `%%{name}`."))
        return RoleMagic(role, problems=tuple(problems))
    names, options = _read_words(words, problems)
    if len(names) > 1:
        problems.append(
            Problem("JP122", f"`%%step` takes one name, but has {' and '.join(names)}.", "Join the words with dashes.")
        )
    return RoleMagic(role, names[0] if names else "", options, tuple(problems))


def _split(text: str, name: str, problems: list[Problem]) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError:
        problems.append(Problem("JP122", f"The line of `%%{name}` has an unclosed quote.", "Close it."))
        words = text.replace('"', " ").replace("'", " ").split()
    comment = next((at for at, word in enumerate(words) if word.startswith("#")), len(words))
    return words[:comment]


def _number(text: str) -> object:
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    return text


def _pair(text: str) -> object:
    key, equals, value = text.partition("=")
    return {key: value} if equals else text


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


_FLAGS: dict[str, tuple[str, Callable[[str], object]]] = {
    "--after": ("after", _names),
    "--retries": ("retries", _number),
    "--retry-delay": ("retry_delay", str),
    "--retry-backoff": ("retry_backoff", _number),
    "--retry-jitter": ("retry_jitter", _number),
    "--timeout": ("timeout", str),
    "--env": ("env", _pair),
    "--tag": ("tags", lambda text: [text]),
    "--resources": ("resources", _names),
    "--reads": ("reads", _names),
    "--writes": ("writes", _names),
    "--unchanged": ("unchanged", _names),
}
_SWITCHES = {"--no-cache": ("cache", False), "--cache": ("cache", True)}


def _read_words(words: list[str], problems: list[Problem]) -> tuple[list[str], dict[str, Any]]:
    names: list[str] = []
    options: dict[str, Any] = {}
    swallow = False
    rest = iter(words)
    for word in rest:
        flag, equals, value = word.partition("=")
        if not word.startswith("-"):
            if not swallow:
                names.append(word)
            swallow = False
        elif word in _SWITCHES:
            key, setting = _SWITCHES[word]
            _store(options, key, setting, word, problems)
        elif flag in _FLAGS:
            if not equals:
                following = next(rest, None)
                if following is None or following.startswith("--"):
                    problems.append(Problem("JP122", f"`{flag}` on the `%%step` line has no value.", "Give it one."))
                    continue
                value = following
            key, convert = _FLAGS[flag]
            _store_read(options, key, convert(value), word, problems)
        else:
            near = difflib.get_close_matches(flag, [*_FLAGS, *_SWITCHES], 1)
            fix = f"Did you mean `{near[0]}`?" if near else f"Use one of {', '.join([*_FLAGS, *_SWITCHES])}."
            problems.append(Problem("JP122", f"`%%step` has no flag `{flag}`.", fix))
            swallow = not equals and bool(names)  # what follows is its value, not a second name
    return names, options


def _store_read(options: dict[str, Any], key: str, value: object, flag: str, problems: list[Problem]) -> None:
    try:
        _store(options, key, STEP_READERS[key](value), flag, problems)
    except ValueError as expected:
        message = f"`{flag}` on the `%%step` line has the value {value!r:.60}."
        problems.append(Problem("JP141", message, f"Give {expected}."))


def _store(options: dict[str, Any], key: str, value: object, flag: str, problems: list[Problem]) -> None:
    if isinstance(value, tuple):
        options[key] = (*options.get(key, ()), *value)
    elif isinstance(value, dict):
        options[key] = {**options.get(key, {}), **value}
    elif options.setdefault(key, value) != value:
        problems.append(Problem("JP142", f"`{flag}` contradicts an earlier flag on the same line.", "State it once."))
