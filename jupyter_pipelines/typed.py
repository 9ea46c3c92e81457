"""Arguments of another type than is asked for, refused before anything is done: one plain error, in one place."""

from __future__ import annotations

import builtins
import functools
import inspect
import os
import sys
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Final, Literal, ParamSpec, TypeVar, get_args, get_origin

from jupyter_pipelines.errors import RequestError

P = ParamSpec("P")
R = TypeVar("R")

_SHOWN: Final = 80  # characters of what was given
_WORDS: Final[dict[Any, str]] = {
    bool: "True or False",
    bytes: "bytes",
    float: "a number",
    int: "a whole number",
    str: "a text",
    date: "a date",
    datetime: "a moment",
    time: "a time of day",
    timedelta: "a length of time",
    Path: "a path",
}


def typed(function: Callable[P, R]) -> Callable[P, R]:
    """``function``, which raises :class:`RequestError` for arguments that its annotations do not allow.

    What is annotated with a name that only type checkers know may be anything, and so may what subclasses and NumPy's
    numbers may stand for: it refuses what could not work.
    """
    signature = inspect.signature(function)

    @functools.cache
    def hints() -> dict[str, Any]:
        names = _Names(vars(sys.modules[function.__module__]))
        found = {one.name: one.annotation for one in signature.parameters.values() if one.annotation is not one.empty}
        return {name: eval(given, {}, names) if isinstance(given, str) else given for name, given in found.items()}

    @functools.wraps(function)
    def checked(*arguments: P.args, **named: P.kwargs) -> R:
        for name, value in signature.bind(*arguments, **named).arguments.items():
            if not _fits(value, hints().get(name, Any)):
                raise RequestError(
                    f"`{name}` of {function.__name__} cannot be {value!r:.{_SHOWN}}.",
                    f"Give {_listed(_worded(hints()[name]))}.",
                )
        return function(*arguments, **named)

    return checked


class _Names(dict[str, Any]):
    """Names of annotations; one that is not there when a program runs stands for anything."""

    def __missing__(self, name: str) -> Any:
        return getattr(builtins, name, _Anything())


class _Anything:
    """What may be anything: by itself, with something in brackets, or as one of several."""

    def __getitem__(self, _: object) -> _Anything:
        return self

    def __or__(self, _: object) -> _Anything:
        return self

    __ror__ = __or__


def _fits(value: object, hint: Any) -> bool:
    """Whether ``value`` may be what ``hint`` says."""
    origin, inside = get_origin(hint), get_args(hint)
    if origin in {types.UnionType, typing.Union}:
        return any(_fits(value, one) for one in inside)
    if origin is Literal:
        return isinstance(value, str)  # which of them, the function says better
    if origin is not None and issubclass(origin, Callable):  # type: ignore[arg-type]  # it is a class, too
        return callable(value)
    if origin is not None and issubclass(origin, Mapping):
        return isinstance(value, Mapping)
    if origin is not None and issubclass(origin, Iterable):
        alone = isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable)
        return not alone and (not isinstance(value, Collection) or all(_fits(one, inside[0]) for one in value))
    if hint is bool:
        return hasattr(value, "__bool__")  # NumPy's, too; not a text, whose truth is another
    if hint in {int, float}:
        return isinstance(value, Integral if hint is int else Real)
    if hint is Path:
        return isinstance(value, os.PathLike)
    return hint is Any or not isinstance(hint, type) or isinstance(value, hint)


def _worded(hint: Any) -> Iterable[str]:
    """What ``hint`` asks for, in words."""
    origin, inside = get_origin(hint), get_args(hint)
    if origin in {types.UnionType, typing.Union}:
        for one in inside:
            yield from _worded(one)
    elif origin is Literal:
        yield f"one of {', '.join(map(str, inside))}"
    elif origin is not None and issubclass(origin, Mapping):
        yield "a mapping of names to values"
    elif origin is not None and issubclass(origin, Sequence | Collection | Iterable):
        yield f"several of them: each {_listed(_worded(inside[0]))}"
    elif isinstance(hint, type) and hint is not types.NoneType:
        yield _WORDS.get(hint, f"a {hint.__name__}")


def _listed(words: Iterable[str]) -> str:
    *first, last = dict.fromkeys(words) or ["what its description says"]
    return f"{', '.join(first)} or {last}" if first else last
