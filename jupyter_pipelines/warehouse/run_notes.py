"""What the step that this kernel runs, if it runs one, has put on record with its run."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_pipelines.warehouse.building.model import BuildResult
    from jupyter_pipelines.warehouse.checks.model import CheckResult

_SESSION = "_jupyter_pipelines_kernel.session"  # of the step


def run_of_this_kernel() -> dict[str, Any]:
    """The ``run``, ``notebook``, ``step`` and ``backfill`` that this kernel runs for; empty outside of a pipeline."""
    session = sys.modules.get(_SESSION)
    return session.about_run() if session is not None else {}


def tell_run(kind: str, notes: Iterable[BuildResult | CheckResult]) -> None:
    """Put notes on record with the run whose step this kernel runs, if it runs one."""
    session = sys.modules.get(_SESSION)
    if session is not None:
        for note in notes:
            session.record(kind, json.loads(json.dumps(asdict(note), default=str)))


def tell_run_version(version: int | None) -> None:
    """Put on record which version of the warehouse the step has found, or made; nothing where none are kept."""
    session = sys.modules.get(_SESSION)
    if session is not None and version is not None:
        session.record("versions", {"version": version})
