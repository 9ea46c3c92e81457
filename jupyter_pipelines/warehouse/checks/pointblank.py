"""``pointblank.Validate``, as far as it is a report of checks. The library need not be there."""

from __future__ import annotations

from typing import Any

from jupyter_pipelines.warehouse.checks.model import CheckReport, CheckResult, Status


def report_of(value: object) -> CheckReport | None:
    """How a validation came out that has been interrogated; ``None`` for any other value.

    What exceeds its threshold for errors has failed, which stops nothing: the notebook goes on there, too.
    """
    validation: Any = value
    kind = type(value)
    if kind.__name__ != "Validate" or not kind.__module__.startswith("pointblank") or validation.time_end is None:
        return None
    table = str(validation.tbl_name or "table")
    results = tuple(_result(table, one) for one in validation.validation_info if one.active is not False)
    return CheckReport(table, max((one.rows for one in results), default=0), results)


def _result(table: str, one: Any) -> CheckResult:
    column = one.column if isinstance(one.column, str) else ", ".join(map(str, one.column or ()))
    name = f"{column}: {one.assertion_type}" if column else str(one.assertion_type)
    if one.eval_error:
        return CheckResult(table, name, "failed", message="it could not be carried out")
    status: Status = "failed" if one.error or one.critical else "passed" if one.all_passed else "warned"
    return CheckResult(table, name, status, int(one.n_failed or 0), int(one.n or 0))
