"""Have the product verify a notebook, and say in one word how it went."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EQUIVALENT = "equivalent"
REFUSED = "refused"
DIFFERENT = "silently different"
FAILED = "step failed"  # loud, but neither what the notebook does nor a refusal that helps
UNRUNNABLE = "reference not runnable"
BROKEN = "verify broke"

WRONG = (DIFFERENT, FAILED, BROKEN)


@dataclass(frozen=True)
class Outcome:
    """How a verification ended. ``reason`` is one line, ``report`` all that was printed."""

    verdict: str
    reason: str
    seconds: float
    steps: int
    report: str

    @property
    def codes(self) -> str:
        """What a refusal was for, where it names a code such as ``JP401``."""
        return self.reason.split(":")[0] if self.reason.startswith("JP") else ""


def pipelines(*words: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run ``jupyter pipelines …`` of this environment, as a script would."""
    program = Path(sys.executable).parent / "jupyter-pipelines"
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=timeout, check=False)


def judge(notebook: Path, timeout: float = 600) -> Outcome:
    """Verify ``notebook``; never raises for what the notebook or the product did. ``timeout`` is in seconds."""
    started = time.monotonic()
    try:
        done = pipelines("verify", str(notebook), "--format", "json", timeout=timeout)
    except subprocess.TimeoutExpired:
        return Outcome(BROKEN, f"no verdict in {timeout:.0f} s", timeout, 0, "")
    seconds = time.monotonic() - started
    everything = f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    try:
        report = json.loads(done.stdout)
    except ValueError:
        return Outcome(BROKEN, _one_line(done.stderr or done.stdout), seconds, 0, everything)
    if "error" in report:
        findings = report["error"].get("diagnostics") or []
        errors = [finding for finding in findings if finding["severity"] == "error"]
        reason = f"{errors[0]['code']}: {errors[0]['message']}" if errors else report["error"]["message"]
        return Outcome(REFUSED if errors else BROKEN, _one_line(reason), seconds, 0, everything)
    verdict = {
        "equivalent": EQUIVALENT,
        "refused": REFUSED,
        "different": FAILED if report["reason"].startswith("the pipeline failed") else DIFFERENT,
        "reference-failed": UNRUNNABLE,
    }.get(report["verdict"], BROKEN)
    reason = _one_line(report["reason"] or _first_difference(report))
    return Outcome(verdict, reason, seconds, report["steps"], everything)


def _first_difference(report: dict[str, Any]) -> str:
    for cell in report["cells"]:
        for difference in cell["differences"]:
            return f"cell {cell['number']} {difference['what']}: {difference['expected']!r} but {difference['got']!r}"
    for value in report["values"]:
        if value["status"] == "different":
            return f"value of {value['name']} after {value['step']}: {value['detail']}"
    return ""


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]
