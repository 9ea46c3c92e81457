"""Cleaning the store takes what no kept run refers to, and only that."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from jupyter_pipelines.store import Store, StoredResult
from jupyter_pipelines.store.collection import collect, find_garbage

OLD = time.time() - 1_000_000


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


def container(store: Store, address: str, size: int = 10) -> Path:
    path = store.object_path(address)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (OLD, OLD))
    return path


def run(store: Store, name: str, *containers: str) -> None:
    outputs = [{"container": address} for address in containers]
    steps = [{"name": f"step{number}", "outputs": [output]} for number, output in enumerate(outputs)]
    store.save_run(name, {"started": OLD, "version": "", "steps": steps})
    for number, address in enumerate(containers):
        carried = {"x": {"container": address}}
        result = {"step": f"step{number}", "outputs": carried, "state_outputs": {}}
        store.save_result(f"{name}{number}", StoredResult(name, result))


def test_what_a_kept_run_refers_to_stays(store: Store) -> None:
    shared, alone = container(store, "aa11.xxh3"), container(store, "bb22.xxh3", size=7)
    run(store, "one", "aa11.xxh3", "bb22.xxh3")
    run(store, "two", "aa11.xxh3")
    garbage = find_garbage(store, {"one"}, now=time.time())
    assert garbage.runs == ("one",)
    assert garbage.objects == {alone: 7}
    assert garbage.kept_bytes == 10
    assert shared.exists() and alone.exists(), "finding changes nothing"
    collect(store, garbage)
    assert shared.exists()
    assert not alone.exists()
    assert list(store.run_ids()) == ["two"]
    assert store.load_result("one1") is None
    assert store.load_result("two0") is not None


def test_nothing_goes_while_its_run_is_going_on(store: Store) -> None:
    path = container(store, "aa11.xxh3")
    run(store, "one", "aa11.xxh3")
    store.mark_active("one", True)
    garbage = find_garbage(store, {"one"}, now=time.time())
    assert not garbage.runs and not garbage.objects
    os.utime(path, None)
    run(store, "one")
    assert not find_garbage(store, now=time.time()).objects, "younger than a run that goes on"


def test_leftovers_without_a_run_go(store: Store) -> None:
    left = container(store, "cc33.xxh3")
    fresh = container(store, "dd44.xxh3")
    os.utime(fresh, None)
    assert list(find_garbage(store, now=time.time()).objects) == [left]
