"""Warehouses with an owner of their own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from jupyter_pipelines.warehouse.owner.files import WarehouseFiles
from jupyter_pipelines.warehouse.owner.remote import RemoteSession

Open = Callable[[], RemoteSession]


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
