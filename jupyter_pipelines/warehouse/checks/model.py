"""How checks came out. Plain data; the results are kept as JSON with the run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from jupyter_pipelines.notebook.check_magic import Threshold

Status = Literal["passed", "warned", "failed"]
_WORST: tuple[Status, ...] = ("passed", "warned", "failed")


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One rule. ``violations`` are rows that break it; 1 where a rule is about the table as a whole.

    ``value`` is the number that a rule about the whole table looked at. ``sample`` is some of the violations: a row of
    texts each, ``sample_columns`` their heads.
    """

    table: str
    name: str
    status: Status
    violations: int = 0
    rows: int = 0  # of the table
    value: float | None = None
    message: str = ""
    sample_columns: tuple[str, ...] = ()
    sample: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class CheckReport:
    """All checks of one cell."""

    table: str
    rows: int
    results: tuple[CheckResult, ...]

    @property
    def status(self) -> Status:
        """The worst of its results."""
        return max((one.status for one in self.results), key=_WORST.index, default="passed")

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        """What stops whatever depends on the table."""
        return tuple(one for one in self.results if one.status == "failed")


def judged(violations: int, rows: int, thresholds: Iterable[Threshold]) -> Status:
    """What so many violations among ``rows`` mean."""
    exceeded = {one.level for one in thresholds if violations > (one.above / 100 * rows if one.percent else one.above)}
    return "failed" if "error" in exceeded else "warned" if "warn" in exceeded else "passed"
