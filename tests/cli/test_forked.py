"""Commands that run steps in a process of the service's: fast, and as if they had run them themselves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from jupyter_pipelines.orchestration.service import Endpoint
from jupyter_pipelines.store import Store

Write = Callable[..., Path]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forking is sound on Linux only")

COMMAND = str(Path(sys.executable).with_name("jupyter-pipelines"))
LOOK = """import os, resource
print(os.environ["WORD"], os.getcwd(), resource.getrlimit(resource.RLIMIT_NOFILE), os.nice(0))
open("made", "w").close()
print(oct(os.stat("made").st_mode))"""
WAIT = "import os, time\nopen('began', 'w').close()\nwhile not os.path.exists('go'):\n    time.sleep(0.05)"


DIFFERENT = 'umask 027; ulimit -n 500; exec nice -n 3 "$@"'


@pytest.fixture(autouse=True)
def _launcher(service: Endpoint) -> None:
    """It is there a moment after the service."""
    home = Path(os.environ["JUPYTER_PIPELINES_HOME"])
    wait_for(Path((home / "sockets").read_text().strip()) / "launcher")


def start(notebook: Path, *words: str, shell: str = 'exec "$@"', **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["sh", "-c", shell, "sh", COMMAND, "run", str(notebook), "--format", "json", *words],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(path: Path) -> None:
    until = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < until, f"{path.name} was not made"
        time.sleep(0.02)


def ran_in(store: Path, told: str) -> int:
    """The process that a run was in."""
    process = (Store(str(store)).load_run(json.loads(told)["id"]) or {})["process"]
    assert isinstance(process, dict)
    return int(process["pid"])


def test_a_run_has_all_that_its_command_was_given(store: Path, write: Write, tmp_path: Path) -> None:
    command = start(write(("step:look", LOOK)), "--output", str(tmp_path / "out"), shell=DIFFERENT, WORD="wörd")
    told, complaints = command.communicate(timeout=60)
    assert command.returncode == 0, complaints
    assert ran_in(store, told) != command.pid
    (cell,) = nbformat.read(tmp_path / "out", as_version=4).cells
    assert cell.outputs[0].text == f"wörd {tmp_path} (500, 500) {os.nice(0) + 3}\n0o100640\n"


def test_where_python_itself_is_to_be_different_it_runs_here(store: Path, write: Write) -> None:
    command = start(write(("step:look", "x = 1")), PYTHONWARNINGS="ignore")
    told, complaints = command.communicate(timeout=60)
    assert command.returncode == 0, complaints
    assert ran_in(store, told) == command.pid


def test_ctrl_c_reaches_it(store: Path, write: Write, tmp_path: Path) -> None:
    command = start(write(("step:wait", WAIT)))
    wait_for(tmp_path / "began")
    command.send_signal(signal.SIGINT)
    told, complaints = command.communicate(timeout=60)
    assert command.returncode == 130, complaints
    assert json.loads(told)["state"] == "cancelled"
    assert ran_in(store, told) != command.pid


def test_it_goes_on_without_the_launcher(service: Endpoint, store: Path, write: Write, tmp_path: Path) -> None:
    command = start(write(("step:wait", WAIT)))
    wait_for(tmp_path / "began")
    status = json.loads(subprocess.run([COMMAND, "status", "--format", "json"], capture_output=True, check=True).stdout)
    os.kill(status["parts"]["launcher"]["pid"], signal.SIGKILL)
    (tmp_path / "go").touch()
    told, complaints = command.communicate(timeout=60)
    assert json.loads(told)["state"] == "completed"
    assert command.returncode == 1
    assert "could not be learnt" in complaints
