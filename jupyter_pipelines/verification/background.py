"""Verifications in the background: each is carried out by a process of its own, and kept in the project home.

::

    verifications/ID.json   how far it has come, and its report; written by its process
    verifications/ID.stop   that it is to be stopped; written by who cancels it
    verifications/ID.log    what that process has said besides, should it fail
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal, get_args

import psutil

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.notebook import coerce_parameters, parameters_json
from jupyter_pipelines.orchestration import load
from jupyter_pipelines.orchestration.recorder import is_alive, process_identity
from jupyter_pipelines.orchestration.redaction import shown_parameters
from jupyter_pipelines.orchestration.versions.identity import real_path
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store.files import read_json, write_json
from jupyter_pipelines.typed import typed
from jupyter_pipelines.verification.model import Report

State = Literal["running", "equivalent", "different", "refused", "failed", "cancelled"]
KEPT: Final = 10  # verifications of a notebook
MOST: Final = 4  # at once
LONGEST: Final = 20_000  # characters of a report in words
GRACE: Final = 20.0  # seconds to end in when it is cancelled; then it is killed
KILLED: Final = "The process that verified it was killed."
_STATES: Final[Mapping[str, State]] = {
    "equivalent": "equivalent",
    "different": "different",
    "refused": "refused",
    "reference-failed": "failed",
}
_starting = threading.Lock()


@dataclass(frozen=True)
class Verification:
    """A verification that goes on, or has ended. Times are seconds since the epoch.

    ``failed``: the notebook itself fails, as its ``report`` says, or it could not be carried out (``problem``).
    """

    id: str
    notebook: str  # absolute path
    state: State
    started: float
    ended: float = 0.0
    parameters: Mapping[str, object] = field(default_factory=dict)  # secrets hidden
    doing: str = ""  # what it does just now
    problem: str = ""
    text: str = ""  # the report in words
    report: Mapping[str, Any] | None = None  # the JSON form of a Report

    def with_report(self, report: Report) -> Verification:
        """What it is once it has ended with ``report``."""
        text = replace(report, kept="").render()[:LONGEST]
        whole = report.to_dict()
        return replace(self, state=_STATES[report.verdict], ended=time.time(), doing="", text=text, report=whole)


@typed
def submit_verification(notebook: Path | str, parameters: Mapping[str, object] | None = None) -> Verification:
    """Have a process of its own verify ``notebook``; returns at once. While one goes on for it, that one is returned.

    Raises :class:`RequestError` for a file or parameters that cannot be used, and when too many go on.
    """
    path = Path(os.path.expanduser(notebook))
    document = load(path).document
    values = parameters_json(document, coerce_parameters(document, parameters or {}))
    home = Settings.load().home
    with _starting:
        running = [one for one in verifications() if one.state == "running"]
        for one in running:
            if one.notebook == real_path(path):
                return one
        if len(running) >= MOST:
            raise RequestError(f"{MOST} notebooks are being verified already.", "Wait until one is done.")
        made = Verification(
            uuid.uuid4().hex[:12], real_path(path), "running", time.time(), parameters=shown_parameters(values)
        )
        _forget_old(home, made.notebook)
        _save(home, made, process_identity() | {"starting": True})  # ours, until the process has begun
        _start(home, made, values)
    return made


@typed
def get_verification(verification_id: str) -> Verification:
    """The verification with this id. Raises :class:`RequestError` when there is none."""
    home = Settings.load().home
    found = _read(_path(home, verification_id)) if verification_id.isalnum() else None
    if found is None:
        raise RequestError(f"There is no verification {verification_id!r}.", "Begin another one.")
    return found


@typed
def verifications(notebook: Path | str | None = None) -> list[Verification]:
    """Those on record, newest first: all, or those of one notebook."""
    paths = (Settings.load().home / "verifications").glob("[!.]*.json")
    found = [one for path in paths if (one := _read(path)) is not None]
    wanted = real_path(notebook) if notebook is not None else ""
    return sorted(
        (one for one in found if wanted in {"", one.notebook}), key=lambda one: (one.started, one.id), reverse=True
    )


@typed
def cancel_verification(verification_id: str) -> Verification:
    """Have a verification that goes on stop, with all that it has started; returns at once.

    Raises :class:`RequestError` when there is none with this id.
    """
    home = Settings.load().home
    found = get_verification(verification_id)
    if found.state == "running":
        _path(home, found.id).with_suffix(".stop").touch()
        threading.Thread(target=_stop, args=(home, found.id), name=f"stop-{found.id}", daemon=True).start()
        found = get_verification(verification_id)
    return found


def _stop(home: Path, verification_id: str) -> None:
    """Ask the process to end, and kill it when it does not."""
    path = _path(home, verification_id)
    deadline = time.monotonic() + GRACE
    asked = False
    while (found := _read(path)) is not None and found.state == "running" and time.monotonic() < deadline + GRACE:
        # Whoever asked for it stands there until its process has begun, which then looks whether it is to stop.
        known = read_json(path)
        process = known.get("process") if isinstance(known, dict) else None
        if isinstance(process, dict) and not process.get("starting") and is_alive(process):
            with suppress(psutil.Error):
                running = psutil.Process(int(process["pid"]))
                if not asked:
                    running.terminate()
                    asked = True
                elif time.monotonic() > deadline:
                    for each in (*running.children(recursive=True), running):
                        each.kill()
        time.sleep(0.1)
    if found is not None and found.state == "cancelled":
        _save(home, found, None)  # who looks for changes is told


def carry_out(verification_id: str, parameters: Mapping[str, object]) -> None:
    """Verify, and keep the report. For the process that does nothing else."""
    from jupyter_pipelines.errors import PipelinesError
    from jupyter_pipelines.orchestration.model import RunEvent
    from jupyter_pipelines.verification.proof import verify

    home, process = Settings.load().home, process_identity()
    verification = get_verification(verification_id)
    _save(home, verification, process)
    stop = _path(home, verification_id).with_suffix(".stop")

    def tell(event: RunEvent) -> None:
        nonlocal verification
        told = {"service": event.message, "step-started": f"Step {event.step} runs"}.get(event.kind, "")
        if told and told != verification.doing:
            verification = replace(verification, doing=told)
            _save(home, verification, process)

    try:
        if not stop.exists():
            verification = verification.with_report(verify(verification.notebook, parameters, on_event=tell))
    except KeyboardInterrupt:
        stop.touch()
    except PipelinesError as error:
        verification = replace(verification, state="failed", ended=time.time(), doing="", problem=str(error))
    if stop.exists():
        verification = replace(verification, state="cancelled", ended=time.time(), doing="", problem="")
    _save(home, verification, None)


def _start(home: Path, verification: Verification, parameters: Mapping[str, object]) -> None:
    """Begin the process. It goes on when this one ends; its end is waited for, so that it is not left over."""
    with open(_path(home, verification.id).with_suffix(".log"), "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_pipelines.verification.process", verification.id],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=home,
            env={**os.environ, "JUPYTER_PIPELINES_HOME": str(home)},
            start_new_session=True,
        )
    given = json.dumps(parameters).encode()
    threading.Thread(target=process.communicate, args=(given,), name=f"verify-{verification.id}", daemon=True).start()


def _save(home: Path, verification: Verification, process: object) -> None:
    write_json(_path(home, verification.id), asdict(verification) | {"process": process})


def _read(path: Path) -> Verification | None:
    found = read_json(path)
    try:
        if not isinstance(found, dict) or found["state"] not in get_args(State):
            return None
        process = found.pop("process")
        verification = Verification(**found)
    except (KeyError, TypeError):  # of another version
        return None
    if verification.state == "running" and not is_alive(process):
        heard = path.stat().st_mtime if path.exists() else time.time()
        if path.with_suffix(".stop").exists():
            return replace(verification, state="cancelled", ended=heard, doing="")
        return replace(verification, state="failed", ended=heard, doing="", problem=KILLED)
    return verification


def _forget_old(home: Path, notebook: str) -> None:
    for old in [one for one in verifications(notebook) if one.state != "running"][KEPT - 1 :]:
        for suffix in (".json", ".log", ".stop"):
            _path(home, old.id).with_suffix(suffix).unlink(missing_ok=True)


def _path(home: Path, verification_id: str) -> Path:
    return home / "verifications" / f"{verification_id}.json"
