"""The embedded service: one for a home, whoever starts it and whoever is killed meanwhile."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from jupyter_pipelines.orchestration.service import endpoint_of, ensure_service, stop_service
from jupyter_pipelines.settings import Settings

START = """
import sys
from pathlib import Path
from jupyter_pipelines.orchestration.service import ensure_service
from jupyter_pipelines.settings import Settings
home = Path(sys.argv[1])
print(ensure_service(Settings(home, str(home / "store"), 2)).pid, flush=True)
"""


def test_a_start_that_is_killed_is_taken_over_and_nobody_starts_a_second_one(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "home", str(tmp_path / "store"), 2)
    command = [sys.executable, "-c", START, str(settings.home)]
    first = subprocess.Popen(command, stdout=subprocess.PIPE)
    while not (settings.home / "endpoint.json").exists():
        assert first.poll() is None
    first.send_signal(signal.SIGKILL)
    first.wait()
    try:
        others = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        said = [other.communicate()[0].strip() for other in others]
        assert said[0] == said[1]
        assert ensure_service(settings).pid == int(said[0])
        assert (settings.home / "endpoint.json").stat().st_mode & 0o077 == 0
        assert (settings.home / "secret").stat().st_mode & 0o077 == 0
    finally:
        assert stop_service(settings)
    assert endpoint_of(settings) is None
