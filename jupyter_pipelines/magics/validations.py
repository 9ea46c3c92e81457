"""Cells that end with a validation of another library have checked something, too."""

from __future__ import annotations

import sys
from typing import Any


def note_validation(result: Any) -> None:
    """IPython's event behind each cell: put a validation that it gave on record with the run."""
    if "pointblank" not in sys.modules or getattr(result, "result", None) is None:
        return
    from jupyter_pipelines.warehouse.checks.pointblank import report_of
    from jupyter_pipelines.warehouse.run_notes import tell_run

    report = report_of(result.result)
    if report is not None:
        tell_run("checks", report.results)
