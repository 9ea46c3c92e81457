"""Pipelines at a glance, over REST."""

from __future__ import annotations

import time
from dataclasses import asdict

import pytest

from jupyter_pipelines.orchestration.model import RunRecord
from jupyter_pipelines.store import Store

from .conftest import hello

pytestmark = [
    pytest.mark.usefixtures("own_home"),
    pytest.mark.filterwarnings("error::jupyter_server.serverapp.JupyterServerAuthWarning"),
]


async def test_pipelines_of_the_root_directory_are_listed(ask, put, root, own_home, tmp_path):
    put("a/sales.ipynb", ("step:one", "1"))
    put("outside.ipynb", ("step:one", "1"), folder=tmp_path)
    store = Store(str(own_home / "store"))
    for number, path in enumerate((root / "a/sales.ipynb", root / "gone.ipynb", tmp_path / "outside.ipynb")):
        record = RunRecord(f"run-{number}", "n", str(path), "", "completed", {}, time.time(), time.time(), ())
        store.save_run(record.id, asdict(record) | {"process": None})
    found = (await ask("GET pipelines")).json
    assert [(one["notebook"], one["name"], one["missing"]) for one in found["pipelines"]] == [
        ("a/sales.ipynb", "sales", False),
        ("gone.ipynb", "gone", True),
    ]
    assert found["pipelines"][0]["last_runs"][0]["id"] == "run-0"
    assert found["pipelines"][1]["problem"] == "There is no file gone.ipynb any more."
    first = (await ask("GET pipelines", limit=1)).json
    rest = (await ask("GET pipelines", limit=1, after=first["next"])).json
    assert [one["notebook"] for one in (*first["pipelines"], *rest["pipelines"])] == ["a/sales.ipynb", "gone.ipynb"]
    assert rest["next"] is None


async def test_one_notebook_has_a_status_also_when_it_has_nothing(ask, put):
    put("new.ipynb", ("step:one", "1"))
    (one,) = (await ask("GET pipelines", notebook="new.ipynb")).json["pipelines"]
    assert (one["state"], one["version"], one["last_runs"], one["next"]) == ("draft", None, [], None)
    version = (await ask("POST versions", {"notebook": "new.ipynb"})).json
    assert version["number"] == 1
    (one,) = (await ask("GET pipelines", notebook="new.ipynb")).json["pipelines"]
    assert (one["state"], one["version"]["label"], one["version"]["id"]) == ("active", "v1", version["id"])


async def test_what_is_published_is_told_of(ask, put, listen):
    notebook = put("nb.ipynb", ("step:one", "1"))
    events = await listen()
    await events.until(hello)
    first = (await ask("POST versions", {"notebook": notebook})).json["id"]
    event = await events.until(lambda event: event["kind"] == "version")
    assert (event["subject"], event["notebook"]) == (first, notebook)
    put("nb.ipynb", ("step:one", "2"))
    second = (await ask("POST versions", {"notebook": notebook})).json["id"]
    event = await events.until(lambda event: event["kind"] == "version")
    assert (event["subject"], event["data"]["number"]) == (second, 2)
    await ask(f"POST versions/{first}/rollback", {"notebook": notebook})
    event = await events.until(lambda event: event["kind"] == "version")
    assert (event["subject"], event["data"]["number"]) == (first, 1)


async def test_a_notebook_that_was_moved_is_relinked(ask, put, root, listen):
    put("a.ipynb", ("step:one", "1"))
    version = (await ask("POST versions", {"notebook": "a.ipynb"})).json["id"]
    (root / "deep").mkdir()
    (root / "a.ipynb").rename(root / "deep" / "b.ipynb")
    (before,) = (await ask("GET pipelines")).json["pipelines"]
    assert (before["notebook"], before["missing"]) == ("a.ipynb", True)
    events = await listen()
    await events.until(hello)
    made = (await ask("POST pipelines/relink", {"notebook": "a.ipynb", "to": "deep/b.ipynb"})).json
    assert (made["before"], made["notebook"], made["versions"]) == ("a.ipynb", "deep/b.ipynb", 1)
    assert (made["status"]["notebook"], made["status"]["version"]["id"]) == ("deep/b.ipynb", version)
    assert (await events.until(lambda event: event["kind"] == "version"))["notebook"] == "deep/b.ipynb"
    assert [one["notebook"] for one in (await ask("GET pipelines")).json["pipelines"]] == ["deep/b.ipynb"]
    refused = await ask("POST pipelines/relink", {"notebook": "deep/b.ipynb", "to": "a.ipynb"})
    assert (refused.status, refused.error["field"]) == (400, "to")


async def test_who_builds_the_tables_that_a_pipeline_reads(ask, put, own_home, root):
    loading = ("setup", "%load_ext jupyter_pipelines")
    put("load.ipynb", loading, ("step:a", "%%sql --table raw.flights\nselect 1 as id"))
    put("report.ipynb", loading, ("step:a", "%%sql\nselect * from raw.flights"))
    store = Store(str(own_home / "store"))
    record = RunRecord("run-0", "n", str(root / "load.ipynb"), "", "completed", {}, 1.0, 2.0, ())
    store.save_run(record.id, asdict(record) | {"process": None})
    [found] = (await ask("GET pipelines", notebook="report.ipynb")).json["pipelines"]
    assert (found["tables_read"], found["tables_written"]) == (["raw.flights"], [])
    assert found["upstream"] == [{"table": "raw.flights", "pipeline": "load.ipynb", "notebook": "load.ipynb"}]
