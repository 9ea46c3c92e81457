"""Where things are and how many may run: read from the environment, with defaults that need nothing set up.

All variables of ours that people set are read, and checked, here; what cannot be is told whichever command it is.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from jupyter_pipelines.errors import RequestError

T = TypeVar("T")

WORK_POOL: Final = "jupyter-pipelines"
LAKE_SUFFIXES: Final = (".ducklake", ".toml")
"""Of files that a warehouse in a lake is called by: its catalog, or what describes it."""
_LAKE: Final = "ducklake:"
_LONGEST: Final = 255  # bytes of one name, on common file systems
_UNITS: Final = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of this installation.

    ``home`` holds the service's state (Prefect database, secret, logs) and, unless ``store`` says otherwise, the
    store and the warehouse. Environment variables: ``JUPYTER_PIPELINES_HOME``, ``JUPYTER_PIPELINES_STORE``,
    ``JUPYTER_PIPELINES_WAREHOUSE`` (a DuckDB file; ``*.ducklake`` or ``*.toml``: a lake),
    ``JUPYTER_PIPELINES_WAREHOUSE_IDLE`` (seconds after which its owner ends when nobody has used it),
    ``JUPYTER_PIPELINES_SOURCES`` (the file that names external sources, by default ``sources.toml`` in the home),
    ``JUPYTER_PIPELINES_MAX_PARALLEL`` (steps of one run at once),
    ``JUPYTER_PIPELINES_MAX_RUNS`` (runs that the service has going on at once; more of them wait),
    ``JUPYTER_PIPELINES_WARM_KERNELS`` (whether kernels are made ready ahead of need), ``JUPYTER_PIPELINES_KEEP_RUNS``,
    ``_KEEP_DAYS`` and ``_KEEP_SIZE`` (limits for the runs of all pipelines), and, for a Prefect server of one's own,
    ``JUPYTER_PIPELINES_WORK_POOL`` and ``JUPYTER_PIPELINES_JOB_VARIABLES`` (what its worker is told, a JSON object).
    """

    home: Path
    store: str  # a path or an fsspec URL
    max_parallel: int
    max_runs: int = 8
    warehouse: Path = Path()  # unless it is given, in the home
    warehouse_idle: float = 300.0
    sources: Path = Path()  # unless it is given, in the home
    warm_kernels: bool = True
    keep_runs: int | None = None
    keep_days: float | None = None
    keep_size: int | None = None  # bytes
    work_pool: str = WORK_POOL
    job_variables: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.warehouse == Path():
            object.__setattr__(self, "warehouse", self.home / "warehouse.duckdb")
        if self.sources == Path():
            object.__setattr__(self, "sources", self.home / "sources.toml")

    @classmethod
    def load(cls) -> Settings:
        """Read the settings from the environment. Raises :class:`RequestError` for what cannot be one."""
        data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
        path = _path(os.environ.get("JUPYTER_PIPELINES_HOME") or os.path.join(data, "jupyter-pipelines"))
        cores = os.cpu_count() or 1
        return cls(
            home=path,
            store=_read("STORE", "path", _text, str(path / "store")),
            max_parallel=_read("MAX_PARALLEL", "whole number above 0", _count, cores),
            max_runs=_read("MAX_RUNS", "whole number above 0", _count, max(8, 4 * cores)),
            warehouse=_warehouse(),
            warehouse_idle=_read("WAREHOUSE_IDLE", "number of seconds", _number, 300.0),
            sources=_read("SOURCES", "path", _path, Path()),
            warm_kernels=_read("WARM_KERNELS", "0 or 1", {"0": False, "1": True}.__getitem__, True),
            keep_runs=_read("KEEP_RUNS", "whole number above 0", _count, None),
            keep_days=_read("KEEP_DAYS", "number of days above 0", _above_0, None),
            keep_size=_read("KEEP_SIZE", "size such as 5GB, above 0", _size, None),
            work_pool=_read("WORK_POOL", "name", _text, WORK_POOL),
            job_variables=_read("JOB_VARIABLES", 'JSON object such as {"image": "example/flights:1"}', _object, {}),
        )


def read_size(text: str) -> int:
    """``5GB`` or ``500 MB`` in bytes. Raises :class:`RequestError`."""
    found = re.fullmatch(r"([\d.]+)\s*([kmgt]b)?b?", text.strip().lower())
    try:
        if found is not None:
            return int(float(found[1]) * _UNITS[found[2] or ""])
    except ValueError:
        pass
    raise RequestError(f"{text!r} is not a size.", "Write 5GB or 500MB.")


def _read(name: str, expected: str, parse: Callable[[str], T], default: T) -> T:
    """The variable, as ``parse`` gives it; what is set to nothing is not set."""
    text = os.environ.get(f"JUPYTER_PIPELINES_{name}")
    if not text:
        return default
    try:
        return parse(text)
    except (ValueError, KeyError, OverflowError, RecursionError, RequestError) as error:
        shown = text.encode(errors="surrogateescape").decode(errors="replace")
        why = f" {error.message}" if isinstance(error, RequestError) and parse in (_path, _file) else ""
        raise RequestError(
            f"JUPYTER_PIPELINES_{name} is {shown!r:.80}, which is no {expected}.{why}", "Set it to one, or unset it."
        ) from error


def _path(text: str) -> Path:
    path = Path(os.path.expanduser(text)).absolute()
    try:
        if all(len(part.encode()) <= _LONGEST for part in path.parts):
            return path
        why = "has a name that is too long for a folder"
    except UnicodeEncodeError:
        why = "has a name that is no text in UTF-8"
    shown = os.fsencode(path).decode(errors="replace")
    raise RequestError(f"{shown:.200} {why}.", "Set JUPYTER_PIPELINES_HOME to another folder.")


def _warehouse() -> Path:
    """A file; written as DuckDB has it, ``ducklake:FILE``, it is a lake's, which its name says, too."""
    text = os.environ.get("JUPYTER_PIPELINES_WAREHOUSE") or ""
    name = text.removeprefix(_LAKE)
    if name != text and Path(name).suffix not in LAKE_SUFFIXES:  # not shown: it may hold a password
        raise RequestError(
            "JUPYTER_PIPELINES_WAREHOUSE names a lake in a way that is not understood.",
            "Name its catalog, a file *.ducklake, or a file *.toml that describes it; README tells how.",
        )
    return _read("WAREHOUSE", "path", _file, Path())


def _file(text: str) -> Path:
    return _path(text.removeprefix(_LAKE))


def _text(text: str) -> str:
    text.encode()  # raises ValueError for what is no text in UTF-8
    return text


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise ValueError
    return int(text)


def _number(text: str) -> float:
    if not 0 <= (number := float(text)) < math.inf:
        raise ValueError
    return number


def _above_0(text: str) -> float:
    if not (number := _number(text)):
        raise ValueError
    return number


def _size(text: str) -> int:
    if not (size := read_size(text)):
        raise ValueError
    return size


def _object(text: str) -> Mapping[str, Any]:
    if not isinstance(found := json.loads(text), dict):
        raise ValueError
    return found
