"""A build whose process is killed leaves the old table, and the warehouse to whoever comes next."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from jupyter_pipelines.notebook.sql_magic import read_sql_magic
from jupyter_pipelines.warehouse import Session
from jupyter_pipelines.warehouse.building import BuildSpec, build
from jupyter_pipelines.warehouse.owner.files import WarehouseFiles

CHILD = """
import sys
from jupyter_pipelines.notebook.sql_magic import read_sql_magic
from jupyter_pipelines.warehouse import open_session
from jupyter_pipelines.warehouse.building import BuildSpec, build

def wait():
    print("written, not published", flush=True)
    sys.stdin.read()

spec = BuildSpec.of(read_sql_magic(sys.argv[1]))
build(open_session(), spec, "SELECT i AS id, 'new' AS state FROM range(1000) r(i)", guard=wait)
"""


@pytest.mark.parametrize("more", ["", "--materialize incremental --unique-key id"])
def test_the_table_is_the_old_one(
    shared: WarehouseFiles, open_shared: Callable[[], Session], monkeypatch: pytest.MonkeyPatch, more: str
) -> None:
    monkeypatch.setenv("JUPYTER_PIPELINES_WAREHOUSE", str(shared.path))
    line = f"--table mart.states {more}"
    session, spec = open_shared(), BuildSpec.of(read_sql_magic(line))
    session.execute("DROP TABLE IF EXISTS mart.states")
    build(session, spec, "SELECT i AS id, 'old' AS state FROM range(1000) r(i)")
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, line], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "written, not published\n"
    states = "SELECT DISTINCT state FROM mart.states"
    assert session.query(states)["state"].to_pylist() == ["old"]
    child.kill()
    child.communicate()
    assert session.query(states)["state"].to_pylist() == ["old"]
    build(session, spec, "SELECT i AS id, 'next' AS state FROM range(1000) r(i)")
    assert session.query(states)["state"].to_pylist() == ["next"]
