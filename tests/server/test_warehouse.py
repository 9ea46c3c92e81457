"""The warehouse's tables over REST."""

from __future__ import annotations

import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.warehouse import open_session


@pytest.fixture
def own_warehouse(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_PIPELINES_WAREHOUSE", str(tmp_path / "warehouse.duckdb"))
    yield tmp_path / "warehouse.duckdb"
    jp.warehouse().release(force=True)


async def test_nothing_is_made_by_looking(ask, own_warehouse):
    assert (await ask("GET warehouse/tables")).json == {"tables": []}
    assert not own_warehouse.exists()


async def test_tables_are_listed_and_shown(ask, own_warehouse):
    session = open_session()
    session.execute('create schema mart; create table mart."Käse""x""?;--" as select range as i from range(30)')
    session.execute("create view mart.few as select 1 as one")
    session.close()
    table, view = (await ask("GET warehouse/tables")).json["tables"]
    assert (view["schema"], view["name"], view["kind"], view["rows"]) == ("mart", "few", "view", None)
    assert (table["name"], table["kind"], table["rows"], table["columns"]) == ('Käse"x"?;--', "table", 30, 1)
    shown = (await ask(f"GET warehouse/tables/mart/{table['name']}", rows=2)).json
    assert shown == {
        "table": table,
        "columns": [{"name": "i", "type": "BIGINT", "nullable": True}],
        "preview": [["0"], ["1"]],
    }
    missing = await ask("GET warehouse/tables/mart/fwe")
    assert (missing.status, missing.error["field"]) == (404, "table")
    assert "fwe" in missing.error["message"]
    assert (await ask("GET warehouse/tables/mart/few", rows=1000)).status == 400


async def test_a_warehouse_that_cannot_be_opened_is_unavailable(ask, own_warehouse):
    own_warehouse.write_bytes(b"no database" * 1000)
    reply = await ask("GET warehouse/tables")
    assert reply.status == 503
    assert "is no DuckDB database" in reply.error["message"]
