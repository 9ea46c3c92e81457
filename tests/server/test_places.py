"""Nothing outside the server's root directory is read, run, scheduled or shown, whatever a path or a link says."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from datetime import UTC, datetime

import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.orchestration.model import RunRecord
from jupyter_pipelines.orchestration.schedules import Schedule
from jupyter_pipelines.orchestration.scheduling import shelf as schedules
from jupyter_pipelines.orchestration.scheduling.model import ScheduleRecord
from jupyter_pipelines.orchestration.triggers import shelf as triggers
from jupyter_pipelines.orchestration.triggers.model import ByToken, TriggerRecord
from jupyter_pipelines.server.schemas import NOTEBOOK
from jupyter_pipelines.server.table import ROUTES
from jupyter_pipelines.store import Store

pytestmark = pytest.mark.usefixtures("own_home")

CELLS = (("parameters", "size = 3"), ("step:one", "print(size)"))
LISTS = ["runs", "versions", "schedules", "triggers", "backfills", "alerts", "retention", "pipelines", "verifications"]
OUTSIDE = [
    "../outside.ipynb",
    "a/../../outside.ipynb",
    "/etc/passwd",
    "//etc/passwd",
    "C:/outside.ipynb",
    "C:\\outside.ipynb",
    "..\\outside.ipynb",
    "a\\..\\..\\outside.ipynb",
    "nb.ipynb\0",
    "a//nb.ipynb",
    "./nb.ipynb",
    "\ud800.ipynb",
    "linked.ipynb",
    "folder/nb.ipynb",
    ".hidden.ipynb",
    ".hidden/nb.ipynb",
]


@pytest.fixture
def around(put, root, tmp_path):
    """Notebooks outside the root directory, links that lead there, and hidden ones."""
    put("nb.ipynb", *CELLS)
    outside = tmp_path / "outside"
    put("nb.ipynb", *CELLS, folder=outside)
    (root / "linked.ipynb").symlink_to(outside / "nb.ipynb")
    (root / "folder").symlink_to(outside)
    put(".hidden.ipynb", *CELLS)
    put(".hidden/nb.ipynb", *CELLS)
    return outside


def bodies(path: str) -> list[tuple[str, dict[str, object], str]]:
    """Every request that names a file, naming ``path``; and the field."""
    times = {"when": "daily at 06:00"}
    days = {"first": "2024-01-01", "last": "2024-01-02"}
    return [
        ("POST runs", {"notebook": path}, "notebook"),
        ("POST versions", {"notebook": path}, "notebook"),
        ("POST versions", {"notebook": "nb.ipynb", "continuing": path}, "continuing"),
        ("POST versions/unpin", {"notebook": path}, "notebook"),
        ("POST versions/published/pin", {"notebook": path}, "notebook"),
        ("POST versions/published/diff", {"notebook": path, "content": {}}, "notebook"),
        ("POST versions/published/rollback", {"notebook": path}, "notebook"),
        ("POST pipelines/relink", {"notebook": path, "to": "nb.ipynb"}, "notebook"),
        ("POST pipelines/relink", {"notebook": "gone.ipynb", "to": path}, "to"),
        ("POST verifications", {"notebook": path}, "notebook"),
        ("POST drift", {"notebook": path}, "notebook"),
        ("POST schedules", {"notebook": path, **times}, "notebook"),
        ("POST schedules/check", {"notebook": path, **times}, "notebook"),
        ("POST backfills", {"notebook": path, **days}, "notebook"),
        ("POST backfills/preview", {"notebook": path, **days}, "notebook"),
        ("POST triggers", {"notebook": path, "token": True}, "notebook"),
        ("POST triggers", {"notebook": "nb.ipynb", "after": [path]}, "after"),
        ("POST triggers", {"notebook": "nb.ipynb", "file": path}, "file"),
        ("POST triggers", {"notebook": "nb.ipynb", "updated": [path]}, "updated"),
        ("POST triggers", {"notebook": "nb.ipynb", "updated": [f"{path}:total"]}, "updated"),
        ("POST alerts", {"notebook": path, "to": "https://example.com"}, "notebook"),
        ("POST alerts", {"to": f"file:{path}"}, "to"),
        ("POST alerts/try", {"to": f"mailto://a@localhost/?to=b@localhost&password_file={path}"}, "to"),
        ("PUT limits", {"notebook": path, "slots": 1}, "notebook"),
        ("PUT retention", {"notebook": path, "keep_runs": 1}, "notebook"),
    ]


async def test_no_request_names_a_file_outside(ask, around, own_home):
    for path in OUTSIDE:
        for what, body, field in bodies(path):
            reply = await ask(what, body)
            assert (reply.status in {400, 404}, reply.error["field"]) == (True, field), (what, body, reply.content)
            assert "passwd:" not in json.dumps(reply.content)
    for what in (f"GET {name}" for name in (*LISTS, "versions/published")):
        for path in ("../outside.ipynb", "linked.ipynb", "folder/nb.ipynb", ".hidden.ipynb"):
            assert (await ask(what, notebook=path)).status in {400, 404}, (what, path)
    assert not (own_home / "service.lock").exists()


def test_every_request_that_names_a_notebook_is_tried():
    tried = {(*what.split(), field) for what, _, field in bodies("")}
    for route in ROUTES:
        named = {**(route.body or {}).get("properties", {}), **route.query}
        for field in (name for name, schema in named.items() if schema.get("format") == NOTEBOOK["format"]):
            path = route.path.replace("{version}", "published")
            if route.method == "PUT" and route.names:
                assert route.path in {"schedules/{schedule}", "triggers/{trigger}"}  # see the test below
            elif route.body is None and route.method == "GET":
                assert route.path in LISTS or path.startswith("versions/published"), path
            else:
                assert (route.method, path, field) in tried, (route.method, path, field)


async def test_what_starts_runs_cannot_be_turned_to_a_file_outside(ask, around, root, own_home):
    notebook, store, since = str(root / "nb.ipynb"), str(own_home / "store"), datetime.now(UTC)
    daily = Schedule(cron="0 6 * * *", zone="UTC")
    schedules.Shelf(own_home).save(ScheduleRecord("s1", notebook, daily, since, store))
    triggers.Shelf(own_home).save(TriggerRecord("t1", notebook, ByToken("digest"), since, store))
    for path in OUTSIDE:
        for what, body in (("schedules/s1", {"when": "daily at 06:00"}), ("triggers/t1", {"token": True})):
            reply = await ask(f"PUT {what}", {"notebook": path, **body})
            assert (reply.status in {400, 404}, reply.error["field"]) == (True, "notebook"), (what, path, reply.content)


async def test_what_was_made_elsewhere_is_not_shown(ask, around, root, own_home):
    store = Store(str(own_home / "store"))
    places = {"inside": root / "nb.ipynb", "outside": around / "nb.ipynb", "hidden": root / ".hidden.ipynb"}
    for number, (name, path) in enumerate(places.items()):
        record = RunRecord(f"{number:08d}-{name}", name, str(path), "", "completed", {}, time.time(), time.time(), ())
        store.save_run(record.id, asdict(record) | {"process": None})
    listed = (await ask("GET runs")).json
    assert [run["notebook"] for run in listed["runs"]] == ["nb.ipynb"]
    assert (await ask("GET runs/00000000-inside")).status == 200
    for number, name in ((1, "outside"), (2, "hidden")):
        for path in ("", "/steps", "/steps/one", "/notebook", "/log"):
            assert (await ask(f"GET runs/{number:08d}-{name}{path}")).status == 404
        assert (await ask(f"POST runs/{number:08d}-{name}/resume")).status == 404
        assert (await ask(f"PUT runs/{number:08d}-{name}/keep", {"keep": True})).status == 404
    assert [one["notebook"] for one in (await ask("GET pipelines")).json["pipelines"]] == ["nb.ipynb"]
    (own_home / "verifications").mkdir(exist_ok=True)
    for name, path in places.items():
        record = {"id": name, "notebook": str(path), "state": "different", "started": 1.0, "process": None}
        (own_home / "verifications" / f"{name}.json").write_text(json.dumps(record))
        assert (await ask(f"GET verifications/{name}")).status == (200 if name == "inside" else 404)
    assert [one["id"] for one in (await ask("GET verifications")).json["verifications"]] == ["inside"]
    jp.limit(around / "nb.ipynb", 1)
    jp.limit(root / "nb.ipynb", 2)
    assert [limit["name"] for limit in (await ask("GET limits")).json["limits"]] == ["nb.ipynb"]


async def test_long_lists_come_in_pages(ask, put, root, own_home):
    put("nb.ipynb", *CELLS)
    store = Store(str(own_home / "store"))
    for number in range(7):
        record = RunRecord(
            f"run-{number}", "n", str(root / "nb.ipynb"), "", "completed", {}, 1.0 + number // 2, 9.0, ()
        )
        store.save_run(record.id, asdict(record) | {"process": None})
    found, after = [], {}
    while True:
        page = (await ask("GET runs", limit=3, **after)).json
        found += [run["id"] for run in page["runs"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert (len(found), sorted(found, reverse=True)) == (7, found)
    assert (await ask("GET runs", since=2.0, until=3.0)).json["next"] is None
