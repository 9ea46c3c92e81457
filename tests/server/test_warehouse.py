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


async def test_sources_are_listed_and_looked_into(ask, tmp_path, monkeypatch):
    folder = tmp_path / "landing"
    folder.mkdir()
    (folder / "orders.csv").write_text("id,Full Name\n1,a\n")
    declared = tmp_path / "sources.toml"
    monkeypatch.setenv("JUPYTER_PIPELINES_SOURCES", str(declared))
    monkeypatch.setenv("CRM_PASSWORD", "n0t-to-be-seen")
    declared.write_text(
        f'[landing]\ntype = "files"\nurl = "{folder}"\n'
        '[crm]\ntype = "postgres"\nhost = "127.0.0.1"\nport = 1\ndatabase = "crm"\npassword = "env:CRM_PASSWORD"\n'
        '[odd]\ntype = "files"\nurl = "s3://bucket"\nkey = "wr1tten-down"\n'
    )
    replies = [await ask("GET warehouse/sources")]
    landing, crm, odd = replies[0].json["sources"]
    assert landing == {"name": "landing", "type": "files", "place": str(folder), "problem": ""}
    assert (crm["type"], crm["place"], crm["problem"]) == ("postgres", "127.0.0.1:1/crm", "")
    assert "The key of the source odd is written in" in odd["problem"]

    assert (await ask("GET warehouse/sources/landing/tables")).json == {"tables": ["landing.orders"]}
    columns = (await ask("GET warehouse/sources/landing/tables/landing.orders")).json["columns"]
    assert [column["name"] for column in columns] == ["id", "Full Name"]

    replies += [await ask(f"GET warehouse/sources/{name}/tables") for name in ("crm", "odd", "nothing")]
    assert [reply.status for reply in replies[1:]] == [503, 404, 404]
    assert "The source crm at 127.0.0.1/crm cannot be read" in replies[1].error["message"]
    for reply in replies:
        assert not any(secret in str(reply.content) for secret in ("n0t-to-be-seen", "wr1tten-down", "CRM_PASSWORD"))
