"""Death at any file: whoever changes something in a project home may be killed, and nothing is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "faults" / "moments.py"


@pytest.mark.skipif(sys.platform != "linux", reason="the script forks, and files are locked")
def test_a_change_that_is_cut_short_is_made_or_not_and_can_be_made_again() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "--rounds", "0"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "survived: " in done.stdout
