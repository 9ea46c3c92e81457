"""What a check is, and what comes out of one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal


class ProblemError(Exception):
    """Raised by a check: what does not work, and what to do about it."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


@dataclass(frozen=True)
class Check:
    """``run`` says in a few words what it saw, or raises :class:`ProblemError`; ``needs`` must have passed before."""

    name: str
    run: Callable[[], str]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """How a check went. ``seconds`` is the time it took."""

    name: str
    status: Literal["ok", "failed", "skipped"]
    detail: str
    fix: str = ""
    seconds: float = 0.0


def examine(checks: Iterable[Check]) -> Iterator[Finding]:
    """Do the checks in order, telling each as it ends."""
    failed: set[str] = set()
    for check in checks:
        missing = [need for need in check.needs if need in failed]
        finding = Finding(check.name, "skipped", f"needs {', '.join(missing)}") if missing else _do(check)
        if finding.status != "ok":
            failed.add(check.name)
        yield finding


def _do(check: Check) -> Finding:
    began = time.monotonic()
    try:
        detail = check.run()
    except ProblemError as problem:
        return Finding(check.name, "failed", str(problem), problem.fix, time.monotonic() - began)
    except Exception as error:  # a broken installation breaks in ways nobody has thought of
        said = f"{type(error).__name__}: {error}"
        fix = (
            getattr(error, "fix", "")
            or "install the package again in a fresh environment: pip install jupyter_pipelines"
        )
        return Finding(check.name, "failed", said, fix, time.monotonic() - began)
    return Finding(check.name, "ok", detail, seconds=time.monotonic() - began)
