"""Where things are and how many may run: read from the environment, with defaults that need nothing set up."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jupyter_pipelines.errors import RequestError

_LONGEST: Final = 255  # bytes of one name, on common file systems


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of this installation.

    ``home`` holds the service's state (Prefect database, secret, logs) and, unless ``store`` says otherwise, the
    store and the warehouse. Environment variables: ``JUPYTER_PIPELINES_HOME``, ``JUPYTER_PIPELINES_STORE``,
    ``JUPYTER_PIPELINES_WAREHOUSE`` (a DuckDB file), ``JUPYTER_PIPELINES_WAREHOUSE_IDLE`` (seconds after which its owner
    ends when nobody has used it), ``JUPYTER_PIPELINES_SOURCES`` (the file that names external sources, by default
    ``sources.toml`` in the home), ``JUPYTER_PIPELINES_MAX_PARALLEL`` (steps of one run at once),
    ``JUPYTER_PIPELINES_MAX_RUNS`` (runs that the service has going on at once; more of them wait).
    """

    home: Path
    store: str  # a path or an fsspec URL
    max_parallel: int
    max_runs: int = 8
    warehouse: Path = Path()  # unless it is given, in the home
    warehouse_idle: float = 300.0
    sources: Path = Path()  # unless it is given, in the home

    def __post_init__(self) -> None:
        if self.warehouse == Path():
            object.__setattr__(self, "warehouse", self.home / "warehouse.duckdb")
        if self.sources == Path():
            object.__setattr__(self, "sources", self.home / "sources.toml")

    @classmethod
    def load(cls) -> Settings:
        """Read the settings from the environment. Raises :class:`RequestError` for what cannot be one."""
        data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
        path = _folder(os.environ.get("JUPYTER_PIPELINES_HOME") or os.path.join(data, "jupyter-pipelines"))
        warehouse = os.environ.get("JUPYTER_PIPELINES_WAREHOUSE")
        sources = os.environ.get("JUPYTER_PIPELINES_SOURCES")
        cores = os.cpu_count() or 1
        return cls(
            home=path,
            store=os.environ.get("JUPYTER_PIPELINES_STORE") or str(path / "store"),
            max_parallel=_number("JUPYTER_PIPELINES_MAX_PARALLEL", cores),
            max_runs=_number("JUPYTER_PIPELINES_MAX_RUNS", max(8, 4 * cores)),
            warehouse=Path(os.path.expanduser(warehouse)).absolute() if warehouse else Path(),
            warehouse_idle=float(os.environ.get("JUPYTER_PIPELINES_WAREHOUSE_IDLE") or 300),
            sources=Path(os.path.expanduser(sources)).absolute() if sources else Path(),
        )


def _folder(text: str) -> Path:
    path = Path(os.path.expanduser(text)).absolute()
    try:
        if all(len(part.encode()) <= _LONGEST for part in path.parts):
            return path
        why = "has a name that is too long for a folder"
    except UnicodeEncodeError:
        why = "has a name that is no text in UTF-8"
    shown = os.fsencode(path).decode(errors="replace")
    raise RequestError(f"{shown:.200} {why}.", "Set JUPYTER_PIPELINES_HOME to another folder.")


def _number(name: str, default: int) -> int:
    text = os.environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise RequestError(f"{name} is {text!r:.80}, which is no whole number above 0.", "Set it to one, or unset it.")
    return int(text)
