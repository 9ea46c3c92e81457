"""Warehouses with an owner of their own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from jupyter_pipelines.warehouse.owner.files import WarehouseFiles
from jupyter_pipelines.warehouse.owner.remote import RemoteSession

Open = Callable[[], RemoteSession]
PASSWORD = "c0rrect-h0rse'battery"  # of the tests' PostgreSQL


def owner_of(files: WarehouseFiles) -> psutil.Process:
    """The process that has the warehouse."""
    endpoint = files.load_endpoint()
    assert endpoint is not None
    return psutil.Process(endpoint.pid)


def end_owner(files: WarehouseFiles) -> None:
    """End the owner, and wait for that."""
    if files.is_owned() and files.load_endpoint() is not None:
        process = owner_of(files)
        process.terminate()
        process.wait(60)
    wait_until(lambda: not files.is_owned())


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WarehouseFiles]:
    """A warehouse of this test alone; its owner is gone afterwards."""
    path = tmp_path / "warehouse.duckdb"
    monkeypatch.setenv("JUPYTER_PIPELINES_WAREHOUSE", str(path))
    files = WarehouseFiles.of(path)
    yield files
    end_owner(files)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarehouseFiles]:
    """A warehouse of the tests of one file: starting an owner takes a second."""
    files = WarehouseFiles.of(tmp_path_factory.mktemp("shared") / "warehouse.duckdb")
    yield files
    end_owner(files)


@pytest.fixture
def open_shared(shared: WarehouseFiles) -> Iterator[Open]:
    """Opens sessions with the shared warehouse; they are closed afterwards."""
    opened: list[RemoteSession] = []

    def open_one() -> RemoteSession:
        opened.append(RemoteSession(shared))
        return opened[-1]

    yield open_one
    for session in opened:
        session.close()


def _program(name: str) -> str | None:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(found[-1]) if found else None)


def _asked(folder: str, sql: str) -> subprocess.CompletedProcess[bytes]:
    ask = [str(_program("psql")), "-h", folder, "-U", "reader", "-v", "ON_ERROR_STOP=1", "-q", "postgres", "-c", sql]
    return subprocess.run(ask, env={**os.environ, "PGPASSWORD": PASSWORD}, check=False, capture_output=True)


def ask_postgres(folder: str, sql: str) -> None:
    """Have the PostgreSQL whose socket is in ``folder`` carry out statements."""
    asked = _asked(folder, sql)
    assert asked.returncode == 0, asked.stderr


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """A database of its own; gives the folder of its socket. It will not run as root."""
    initdb, server = _program("initdb"), _program("postgres")
    if not (initdb and server and _program("psql")):
        pytest.skip("PostgreSQL is not installed")
    user = "nobody" if os.getuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o777)
        password = Path(folder, "password")
        password.write_text(PASSWORD + "\n")
        password.chmod(0o644)
        make = [initdb, "-D", f"{folder}/data", "-U", "reader", f"--pwfile={password}", "-A", "scram-sha-256"]
        make += ["-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        subprocess.run(make, user=user, cwd=folder, check=True, capture_output=True)
        run = [server, "-D", f"{folder}/data", "-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}"]
        with subprocess.Popen([*run, "-c", "fsync=off"], user=user, cwd=folder, stderr=subprocess.DEVNULL) as process:
            try:
                wait_until(lambda: _asked(folder, "SELECT 1").returncode == 0)
                yield folder
            finally:
                process.send_signal(signal.SIGINT)  # a fast shutdown
                process.wait(60)
