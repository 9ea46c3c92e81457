"""``python -m jupyter_pipelines.orchestration.service.supervisor HOME``: the service of a project home.

It holds the home's lock and the server's socket, runs the parts and starts again what dies, later each time. It loads
nothing that it does not need: it is there for months. With a server configured there is no server among its parts.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from jupyter_pipelines.errors import ServiceError, StoreError
from jupyter_pipelines.orchestration.service.database.versions import refuse_newer
from jupyter_pipelines.orchestration.service.endpoint import Endpoint, configured_endpoint, recorded_endpoint
from jupyter_pipelines.orchestration.service.forgiving import make_output_forgiving
from jupyter_pipelines.orchestration.service.home import PartStatus, ServiceHome, ServiceStatus
from jupyter_pipelines.orchestration.service.home_format import bring_up_to_date
from jupyter_pipelines.orchestration.service.renewal import Renewal
from jupyter_pipelines.store.files import make_folder, write_atomically, write_json

HELD, FAILED = 3, 4  # exit codes: another service has the home; the server does not start
RENEW = 5  # what is installed was changed: start anew
POLL = 0.2  # seconds between two looks at the parts
HEALTHY_AFTER = 60.0  # seconds that a part must have run for its failures to be forgotten
FIRST_DELAY, LONGEST_DELAY = 0.25, 30.0  # seconds before a part is started again
HOPELESS = 3  # failures in a row of a server that has never answered
STOP_SECONDS = 8.0  # that a part has to end by itself
LARGE_LOG = 5_000_000  # bytes
BACKLOG = 128  # requests that wait while the server starts anew
SHORT = 80  # characters: the name of a socket may have 104 on macOS

HERE = Path(__file__).parent
PACKAGE = __package__


class Part:
    """One process of the service, started again when it ends."""

    def __init__(self, name: str, command: Sequence[str], home: ServiceHome, descriptors: Sequence[int] = ()) -> None:
        self.name = name
        self.status = PartStatus()
        self.failures = 0  # in a row
        self._command = command
        self._home = home
        self._descriptors = descriptors
        self._process: subprocess.Popen[bytes] | None = None
        self._next = 0.0  # of the monotonic clock, as is the next: the other one may be set
        self._begun = 0.0

    def look(self, environment: Mapping[str, str]) -> bool:
        """Start it if it does not run and it is time; says whether its status changed."""
        process = self._process
        now = time.monotonic()
        if process is None:
            if now < self._next:
                return False
            self._start(environment)
            return True
        if process.poll() is None:
            if self.failures and now - self._begun > HEALTHY_AFTER:
                self.failures = 0
            return False
        self._ended(process.returncode, now)
        return True

    def is_up(self) -> bool:
        """Note that it works now; says whether its status changed."""
        if self.status.state != "starting" or self._process is None:
            return False
        self.status.state = "running"
        return True

    def stop(self) -> None:
        """Ask it to end."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait(self, deadline: float) -> None:
        """Wait until it has ended, and end it at the deadline (of the monotonic clock)."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _start(self, environment: Mapping[str, str]) -> None:
        with self._home.open_log(self.name) as log:
            self._process = subprocess.Popen(
                self._command,
                env=environment,
                stdin=subprocess.PIPE,  # it ends when this closes: with us
                stdout=log,
                stderr=log,
                cwd=self._home.path,
                pass_fds=self._descriptors,
                start_new_session=True,
            )
        self.status.state, self.status.pid, self.status.since = "starting", self._process.pid, time.time()
        self._begun = time.monotonic()

    def _ended(self, code: int, now: float) -> None:
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2**self.failures)
        self.failures += 1
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        self.status.state, self.status.pid, self.status.last_end = "restarting", 0, how
        self.status.restarts += 1
        self._process, self._next = None, now + delay
        say(f"{self.name} ended ({how}); starting it again in {delay:.1f} s")


class Supervisor:
    """The service: its parts, its socket, its status."""

    def __init__(self, home: Path, configured: Endpoint | None = None) -> None:
        self.home = ServiceHome(home)
        self.stopping = threading.Event()
        python = sys.executable
        self.server: Part | None = None
        if configured is None:
            self._listener = _listen(recorded_endpoint(home))
            number, port = self._listener.fileno(), self._listener.getsockname()[1]
            self.endpoint = Endpoint(f"http://127.0.0.1:{port}/api", self.home.secret(), os.getpid())
            server = [python, "-P", "-m", f"{PACKAGE}.server", str(number), str(home)]
            self.server = Part("server", server, self.home, [number])
        else:
            self.endpoint = configured
        self._sockets = _sockets_folder(home)
        write_atomically(self.home.sockets, str(self._sockets).encode())
        # At once: who comes while the server starts finds it, and waits for it.
        write_json(self.home.endpoint, asdict(self.endpoint))
        self._environment = _environment(home, self.endpoint)
        self.workers = [
            Part("launcher", [python, "-P", "-m", f"{PACKAGE}.launcher", str(home)], self.home),
            Part("worker", launch_command(home, f"{PACKAGE}.worker"), self.home),
        ]
        if not sys.platform.startswith("linux"):
            del self.workers[0]  # forking is not sound there: each run starts an interpreter of its own
        self.status = ServiceStatus(
            os.getpid(), python, time.time(), {part.name: part.status for part in self._parts()}
        )

    def _parts(self) -> list[Part]:
        return [*([self.server] if self.server is not None else []), *self.workers]

    def run(self) -> int:
        """Serve until told to stop; the exit code."""
        say(f"serving {self.home.path} at {self.endpoint.api_url}")
        self.home.save_status(self.status)
        renewal = Renewal()
        try:
            while not self.stopping.is_set():
                if self.server is not None and self.server.failures >= HOPELESS and not self._has_served:
                    say("the server does not start; giving up")
                    return FAILED
                if not self.home.lock.exists():
                    say("the home is gone; stopping")
                    return 0
                if renewal.is_due():
                    say("what is installed has changed; starting anew (runs go on)")
                    return RENEW
                with suppress(OSError):  # a full disk, too many open files: what has not started is tried again
                    if self._look():
                        self._save_status()
                self.stopping.wait(POLL)
        finally:
            self._stop()
        return 0

    _has_served = False

    def _look(self) -> bool:
        changed = False
        if self.server is not None:
            changed = self.server.look(self._environment)
            if self.server.status.state == "starting" and self.endpoint.is_healthy():
                changed |= self.server.is_up()
                self._has_served = True
                say("the server answers")
        if self._has_served or self.server is None:
            launcher = self.workers[0]
            for part in self.workers:
                if part is launcher or launcher.status.state == "running" or launcher.failures >= HOPELESS:
                    changed |= part.look(self._environment)
                if part.status.state == "starting" and (self._sockets / part.name).exists():
                    changed |= part.is_up()
        return changed

    def _save_status(self) -> None:
        try:
            self.home.save_status(self.status)
        except StoreError as error:  # a full disk is no reason to end
            say(str(error))

    def _stop(self) -> None:
        say("stopping")
        self.stopping.set()
        deadline = time.monotonic() + STOP_SECONDS
        for part in reversed(self._parts()):  # the worker first: it has something to tell the server
            part.stop()
            if part.name != "launcher":  # it stays until the last run has ended
                part.wait(deadline)
        if self.server is None:
            self.home.endpoint.unlink(missing_ok=True)  # it is for as long as we use that server
        self.home.sockets.unlink(missing_ok=True)
        (self.home.path / "service.json").unlink(missing_ok=True)


def launch_command(home: Path, module: str = "") -> list[str]:
    """The command that runs ``module`` (a flow run by default) in a process forked from the launcher."""
    return [sys.executable, "-I", "-S", str(HERE / "launch.py"), str(home), *([module] if module else [])]


def say(text: str) -> None:
    """A line in the service's own log."""
    print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}", file=sys.stderr, flush=True)


def _listen(last: Endpoint | None) -> socket.socket:
    """The socket to serve at: at the address of last time, so that runs that outlived it still reach us."""
    port = 0
    if last is not None and last.pid:
        with suppress(ValueError, IndexError):
            port = int(last.api_url.split(":")[2].split("/")[0])
    for candidate in (port, 0):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", candidate))
        except OSError:
            listener.close()
            continue
        listener.listen(BACKLOG)
        return listener
    raise OSError("no port is free on 127.0.0.1")


def _sockets_folder(home: Path) -> Path:
    folder = home / "run"
    if len(str(folder)) < SHORT:
        for name in ("launcher", "worker"):
            (folder / name).unlink(missing_ok=True)
        return make_folder(folder)
    return Path(tempfile.mkdtemp(prefix="jupyter-pipelines-"))


def _environment(home: Path, endpoint: Endpoint) -> dict[str, str]:
    others = ("PREFECT_API_", "PREFECT_PROFILE")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    ours = {
        "DO_NOT_TRACK": "1",
        "JUPYTER_PIPELINES_HOME": str(home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{home / 'prefect.db'}",
        "PREFECT_SERVER_API_AUTH_STRING": endpoint.auth,
        "PREFECT_UI_API_URL": endpoint.api_url,
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "PREFECT_LOGGING_SERVER_LEVEL": "WARNING",
        "PREFECT_LOGGING_TO_API_ENABLED": "false",  # the executed notebook is the log
        "PREFECT_WORKER_QUERY_SECONDS": "5",
        "PREFECT_CLIENT_MAX_RETRIES": "4",  # runs of ours have the time that a person at a terminal has not
        "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "5",
        # To call each run late that waits is a write for each of them, when the database has enough to do.
        "PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED": "false",
        # Our records are the history. What Prefect knows of ended runs goes: its database must not grow for ever.
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs,orphans",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(30 * 86400),
    }
    return environment | endpoint.settings() | ours


def _rotate(log: Path) -> None:
    with suppress(OSError):
        if log.stat().st_size > LARGE_LOG:
            log.replace(log.with_suffix(".old.log"))


def main(home: Path) -> int:
    """Be the service of ``home``; returns when it has stopped."""
    make_output_forgiving()
    make_folder(home)
    with ServiceHome(home).held() as free:
        if not free:
            say(f"the service of {home} runs already")
            return HELD
        try:
            refuse_newer(home)
            bring_up_to_date(home, say)
        except ServiceError as error:
            say(str(error))
            return FAILED
        for log in ServiceHome(home).logs.glob("*[!d].log"):
            _rotate(log)
        supervisor = Supervisor(home, configured_endpoint())

        def stop(_number: int, _frame: FrameType | None) -> None:
            supervisor.stopping.set()

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, stop)
        code = supervisor.run()
    if code == RENEW:
        os.execv(sys.executable, [sys.executable, "-P", "-m", f"{PACKAGE}.supervisor", str(home)])
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
