"""The fault scripts in short: each as ``make soak`` runs it, with few rounds."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

pytestmark = [pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only"), pytest.mark.slow]


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("script", "rounds"),
    [("many_steps", 4), ("kills", 4), ("service", 4), ("clock", 4), ("libraries", 1), ("setups", 1)],
)
def test_survives(script: str, rounds: int) -> None:
    done = subprocess.run(
        [sys.executable, HERE / f"{script}.py", "--rounds", str(rounds)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^survived: ", done.stdout, re.MULTILINE)
