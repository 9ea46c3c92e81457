"""Checks of tables and DataFrames: what must hold, counted in one query, told in a report, kept as history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_pipelines.lazy import lazy_names

if TYPE_CHECKING:
    from jupyter_pipelines.warehouse.checks.model import CheckReport, CheckResult
    from jupyter_pipelines.warehouse.checks.running import run_checks
    from jupyter_pipelines.warehouse.checks.suggesting import suggest_checks

__all__ = ["CheckReport", "CheckResult", "run_checks", "suggest_checks"]

__getattr__ = lazy_names(
    __name__,
    {
        **dict.fromkeys(("CheckReport", "CheckResult"), f"{__name__}.model"),
        "run_checks": f"{__name__}.running",
        "suggest_checks": f"{__name__}.suggesting",
    },
)
