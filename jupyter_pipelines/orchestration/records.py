"""Reading the records of runs: a record that is damaged, or of another version, is told from a good one, whole."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import MISSING, fields
from typing import Any, get_args

from jupyter_pipelines.orchestration.model import (
    CheckRecord,
    InputRecord,
    OutputRecord,
    RunRecord,
    RunState,
    StepRecord,
    StepState,
    TableRecord,
)
from jupyter_pipelines.store import Store


class _MalformedError(Exception):
    """This is not the JSON form of a record."""


def read_record(store: Store, run_id: str) -> RunRecord | None:
    """The record of a run; ``None`` when there is none, or it cannot be read."""
    found = store.load_run(run_id)
    return None if found is None else record_from(found)


def notes_from(kind: type, found: Iterable[object]) -> tuple[Any, ...]:
    """What a step has told about itself as records of ``kind``; those that are malformed are left out."""
    notes = []
    for one in found:
        with suppress(_MalformedError):
            notes.append(kind(**_fields(kind, one)))
    return tuple(notes)


def record_from(found: Mapping[str, object]) -> RunRecord | None:
    """Read the JSON form of a record; ``None`` when it is malformed. Keys of a later version are passed over."""
    try:
        return RunRecord(**_fields(RunRecord, found))
    except _MalformedError:
        return None


def _fields(kind: type, found: object) -> dict[str, Any]:
    """The arguments of the dataclass ``kind``, each of the type that it is declared with."""
    if not isinstance(found, dict):
        raise _MalformedError
    values = {}
    for field in fields(kind):
        if field.name in found:
            values[field.name] = _READERS[str(field.type)](found[field.name])
        elif field.default is MISSING and field.default_factory is MISSING:
            raise _MalformedError
    return values


def _read(kind: type | tuple[type, ...]) -> Callable[[object], object]:
    def read(value: object) -> object:
        if not isinstance(value, kind) or isinstance(value, bool):
            raise _MalformedError
        return value

    return read


def _one_of(choices: tuple[str, ...]) -> Callable[[object], object]:
    def read(value: object) -> object:
        if value not in choices:
            raise _MalformedError
        return value

    return read


def _many(kind: type) -> Callable[[object], object]:
    def read(value: object) -> object:
        if not isinstance(value, list):
            raise _MalformedError
        return tuple(kind(**_fields(kind, item)) for item in value)

    return read


def _texts(value: object) -> object:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _MalformedError
    return tuple(value)


def _numbers(value: object) -> object:
    if not isinstance(value, dict):
        raise _MalformedError
    return {name: None if number is None else _time(number) for name, number in value.items()}


def _flag(value: object) -> object:
    if not isinstance(value, bool):
        raise _MalformedError
    return value


def _time(value: object) -> object:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise _MalformedError
    return value


_READERS: dict[str, Callable[[object], object]] = {
    "str": _read(str),
    "bool": _flag,
    "int": _read(int),
    "int | None": _read((int, type(None))),
    "float": _time,
    "float | None": lambda value: None if value is None else _time(value),
    "tuple[str, ...]": _texts,
    "tuple[tuple[str, ...], ...]": lambda value: (
        tuple(map(_texts, value)) if isinstance(value, list) else _texts(value)
    ),
    "Mapping[str, object]": _read(dict),
    "Mapping[str, float | None]": _numbers,
    "RunState": _one_of(get_args(RunState)),
    "StepState": _one_of(get_args(StepState)),
    "tuple[StepRecord, ...]": _many(StepRecord),
    "tuple[InputRecord, ...]": _many(InputRecord),
    "tuple[OutputRecord, ...]": _many(OutputRecord),
    "tuple[TableRecord, ...]": _many(TableRecord),
    "tuple[CheckRecord, ...]": _many(CheckRecord),
}


def first_of(store: Store, run_id: str, continues: str | None) -> str:
    """The first of the runs that continue each other, the last of which is ``run_id``; as far as they are on record."""
    first, before, seen = run_id, continues or "", {run_id}
    while before and before not in seen:
        seen.add(before)
        first = before
        record = read_record(store, before)
        before = record.resumed_from if record is not None else ""
    return first
