"""Have the product verify notebooks, and say in one word how it went."""

from __future__ import annotations

import multiprocessing
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_pipelines.verification.model import Report

EQUIVALENT = "equivalent"
REFUSED = "refused"
DIFFERENT = "silently different"
FAILED = "step failed"  # loud, but neither what the notebook does nor a refusal that helps
UNRUNNABLE = "reference not runnable"
BROKEN = "verify broke"

WRONG = (DIFFERENT, FAILED, BROKEN)


@dataclass(frozen=True)
class Outcome:
    """How a verification ended. ``reason`` is one line, ``report`` all that was found, ``codes`` why it was refused."""

    verdict: str
    reason: str
    seconds: float
    steps: int = 0
    report: str = ""
    codes: tuple[str, ...] = ()


def judge(notebook: Path) -> Outcome:
    """Verify ``notebook``; never raises for what the notebook or the product did."""
    from jupyter_pipelines import verify

    started = time.monotonic()
    try:
        report = verify(notebook)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        return Outcome(BROKEN, _one_line(reason), time.monotonic() - started, report=traceback.format_exc())
    verdict = {
        "equivalent": EQUIVALENT,
        "refused": REFUSED,
        "different": FAILED if report.reason.startswith("the pipeline failed") else DIFFERENT,
        "reference-failed": UNRUNNABLE,
    }[report.verdict]
    reason = _one_line(report.reason or _first_difference(report))
    return Outcome(verdict, reason, time.monotonic() - started, report.steps, report.render(), report.codes)


def judge_all(notebooks: Sequence[Path], jobs: int = 1) -> Iterator[Outcome]:
    """Verify ``notebooks``, in order, in ``jobs`` processes that each import the product once."""
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(judge, notebooks)


def _first_difference(report: Report) -> str:
    for cell in report.cells:
        for difference in cell.differences:
            return f"cell {cell.number} {difference.what}: {difference.expected!r} but {difference.got!r}"
    for value in report.values:
        if value.status == "different":
            return f"value of {value.name} after {value.step}: {value.detail}"
    return ""


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]
