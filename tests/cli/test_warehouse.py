"""`jupyter pipelines warehouse`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.cli import main
from jupyter_pipelines.warehouse import open_session

Ask = Callable[..., Any]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Ask]:
    """The command's answer: its JSON, and the same for people."""
    monkeypatch.setenv("JUPYTER_PIPELINES_WAREHOUSE", str(tmp_path / "warehouse.duckdb"))

    def ask(*words: str) -> tuple[Any, str]:
        assert main(["warehouse", *words, "--format", "json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert main(["warehouse", *words]) == 0
        return found, capsys.readouterr().out

    yield ask
    jp.warehouse().release(force=True)


def test_the_warehouse_from_the_command_line(ask: Ask, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found, told = ask()
    assert (found["exists"], found["owner"]) == (False, None)
    assert "not made yet" in told
    assert ask("tables")[0] == {"tables": []}
    session = open_session()
    session.execute(
        "create schema mart; create table mart.orders as select range as id, 'x\x1b[31my' as t from range(60)"
    )
    found, told = ask("status")
    assert found["owner"]["pid"] > 0 and len(found["owner"]["sessions"]) == 1
    assert f"open in process {found['owner']['pid']}" in told
    found, told = ask("tables")
    assert (found["tables"][0]["name"], found["tables"][0]["rows"]) == ("orders", 60)
    assert "mart.orders: 60 rows, 2 columns, changed" in told
    found, told = ask("tables", "mart.orders")
    assert [column["name"] for column in found["columns"]] == ["id", "t"]
    assert "\x1b" not in told
    found, told = ask("query", "select id from mart.orders where id < $most", "-p", "most=55")
    assert found == {"columns": ["id"], "rows": [[number] for number in range(55)]}
    assert "5 more rows" in told
    assert main(["warehouse", "query", "from mart.ordres"]) == 1
    assert 'Did you mean "orders"?' in capsys.readouterr().err
    assert ask("copy", str(tmp_path / "copy.duckdb"))[0] == {"path": str(tmp_path / "copy.duckdb")}
    assert main(["warehouse", "restore", "d79bdda7"]) == 2
    assert "No backup is kept" in capsys.readouterr().err
    with session.transaction():
        session.execute("insert into mart.orders values (60, 'z')")
        assert main(["warehouse", "release"]) == 2
        assert "is in use" in capsys.readouterr().err
    assert main(["warehouse", "release"]) == 0
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as mine:
        assert mine.execute("select count(*) from mart.orders").fetchone() == (61,)


@pytest.mark.parametrize("words", [["query"], ["copy"], ["restore"], ["release", "it"], ["sell"]])
def test_what_is_not_understood_is_a_wrong_request(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["warehouse", *words]) == 2
    assert "Traceback" not in capsys.readouterr().err
