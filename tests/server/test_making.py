"""Versions, schedules, triggers, limits, retention and alerts over REST. The service is away: what is made is kept."""

from __future__ import annotations

import asyncio
import json

import nbformat
import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store

ROOMS = ("scheduling", "triggers", "alerts", "backfills")


@pytest.fixture(autouse=True)
def _without_service(own_home, monkeypatch):
    for room in ROOMS:
        monkeypatch.setattr(f"jupyter_pipelines.orchestration.{room}.making.ensure_service", lambda *_: None)


@pytest.fixture
def notebook(put) -> str:
    return put("sales.ipynb", ("parameters", "day: str = ''\npassword: str = ''"), ("step:one", "print(day)"))


async def test_versions(ask, put, notebook, root):
    first = await ask("POST versions", {"notebook": notebook, "message": "one"})
    same = await ask("POST versions", {"notebook": notebook})
    assert (first.status, same.status, first.json["id"]) == (201, 200, same.json["id"])
    put("sales.ipynb", ("parameters", "day: str = ''"), ("step:one", "print(day, 2)"))
    drift = (await ask("POST drift", {"notebook": notebook})).json
    assert (drift["clean"], drift["counts"]["changed"]) == (False, 2)
    diff = (await ask(f"GET versions/{first.json['id']}/diff", notebook=notebook)).json
    assert "+print(day, 2)" in diff["cells"][-1]["lines"]
    # What is in an editor, and not saved.
    content = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Words")])
    review = await ask(f"POST versions/{first.json['id']}/diff", {"notebook": notebook, "content": content})
    assert [(one["kind"], one["lines"]) for one in review.json["cells"] if one["kind"] == "added"] == [
        ("added", ["+# Words"])
    ]
    second = (await ask("POST versions", {"notebook": notebook})).json
    assert (await ask("GET versions/published", notebook=notebook)).json["id"] == second["id"]
    for _ in range(2):
        back = await ask(f"POST versions/{first.json['id']}/rollback", {"notebook": notebook})
        assert back.json["published"]
    assert (await ask(f"POST versions/{second['id']}/pin", {"notebook": notebook})).json["pinned"]
    assert not (await ask("POST versions/unpin", {"notebook": notebook})).json["pinned"]
    page = (await ask("GET versions", notebook=notebook, limit=1)).json
    rest = (await ask("GET versions", notebook=notebook, limit=1, after=page["next"])).json
    assert {page["versions"][0]["id"], rest["versions"][0]["id"]} == {first.json["id"], second["id"]}
    assert (await ask("GET versions/none", notebook=notebook)).error["field"] == "version"
    assert (await ask("GET versions")).error["field"] == "notebook"
    assert (await ask("GET versions/published", notebook=notebook)).json["notes"] == []
    Store(Settings.load().store).object_path(jp.versions(root / notebook)[-1].content.notebook).unlink()
    (note,) = (await ask(f"GET versions/{first.json['id']}", notebook=notebook)).json["notes"]
    assert (note["code"], note["severity"]) == ("JP602", "error")


async def test_schedules(ask, notebook):
    body = {"notebook": notebook, "when": "every day 02:30", "timezone": "Europe/Paris", "name": "nightly"}
    preview = (await ask("POST schedules/preview", {"when": body["when"], "timezone": "Europe/Paris"})).json
    assert (len(preview["times"]), "clocks" in preview["clock_changes"][0]) == (5, True)
    assert (await ask("POST schedules/check", body)).status == 200
    assert (await ask("GET schedules")).json["schedules"] == []
    key = {"Idempotency-Key": "k"}
    both = await asyncio.gather(*(ask("POST schedules", body, headers=key) for _ in range(2)))
    made = both[0].json
    assert both[1].json == made
    assert (await ask("POST schedules", body, headers=key)).json["id"] == made["id"]
    assert [one["id"] for one in (await ask("GET schedules", notebook=notebook)).json["schedules"]] == [made["id"]]
    assert (await ask(f"POST schedules/{made['id']}/pause")).json["paused"]
    body |= {"retries": 3, "overlap": "parallel", "max_parallel": 2, "end": "2150-01-31"}
    after = (await ask(f"PUT schedules/{made['id']}", body)).json["schedule"]
    assert [after[name] for name in ("retries", "max_parallel", "end")] == [3, 2, "2150-01-31T23:59:59+01:00"]
    assert (await ask("POST schedules/preview", {"when": {"cron": "0 5 * * *", "retries": 2}})).status == 200
    assert (await ask("POST schedules", body | {"retries": 101})).error["field"] == "retries"
    body = {name: value for name, value in body.items() if name not in {"retries", "overlap", "max_parallel", "end"}}
    secret = {"day": "d{{ interval_start.date() }}", "password": "hunter22"}
    changed = {**body, "when": {"cron": "0 5 * * *", "zone": "UTC", "window": "day"}, "parameters": secret}
    del changed["timezone"]
    for _ in range(2):
        after = (await ask(f"PUT schedules/{made['id']}", changed)).json
        assert (after["id"], after["paused"], after["expression"]) == (made["id"], True, "cron 0 5 * * *")
        assert "hunter22" not in json.dumps(after)
        changed["parameters"] = after["schedule"]["parameters"]
    assert not (await ask(f"POST schedules/{made['id']}/unpause")).json["paused"]
    assert (await ask(f"DELETE schedules/{made['id']}")).json["id"] == made["id"]
    assert (await ask(f"DELETE schedules/{made['id']}")).status == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"when": "whenever"}, "when"),
        ({"when": {"crown": "0 5 * * *"}}, "when.crown"),
        ({"when": {"cron": "0 99 * * *"}}, "when.cron"),
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"missed": "some"}, "missed"),
        ({"done_by": "late"}, "done_by"),
        ({"parameters": {"dai": 1}}, "parameters.dai"),
        ({"parameters": {"day": "{{ nonsense }}"}}, "parameters.day"),
        ({"version": "abc"}, "version"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_what_is_wrong_with_a_schedule_is_said_with_its_field(ask, notebook, change, field):
    reply = await ask("POST schedules/check", {"notebook": notebook, "when": "daily at 06:00"} | change)
    assert (reply.status, reply.error["field"]) == (400, field), reply.error


async def test_triggers(ask, put, notebook):
    other = put("report.ipynb", ("step:one", "1"))
    made = (await ask("POST triggers", {"notebook": other, "after": [notebook], "on": "failure"})).json
    assert (made["kind"], made["cause"]["pipelines"], "token" in made) == ("after", [notebook], False)
    files = (await ask("POST triggers", {"notebook": other, "file": "incoming/*.csv"})).json
    assert files["cause"]["pattern"] == "incoming/*.csv"
    token = (await ask("POST triggers", {"notebook": other, "token": True})).json
    assert token["token"].startswith(f"jpt_{token['id']}_")
    assert "token" not in (await ask(f"GET triggers/{token['id']}")).json
    fired = await ask(f"POST triggers/{token['id']}", {}, headers={"Authorization": f"Bearer {token['token']}"})
    assert fired.status == 202
    assert (await ask(f"POST triggers/{files['id']}/pause")).json["paused"]
    assert not (await ask(f"POST triggers/{files['id']}/unpause")).json["paused"]
    assert len((await ask("GET triggers")).json["triggers"]) == 3
    body = {"notebook": other, "file": "incoming/*.txt", "name": "texts"}
    changed = (await ask(f"PUT triggers/{files['id']}", body)).json
    assert (changed["id"], changed["name"], "*.txt" in changed["words"]) == (files["id"], "texts", True)
    kept = (await ask(f"PUT triggers/{token['id']}", {"notebook": other, "token": True, "name": "by hand"})).json
    assert "token" not in kept
    fired = await ask(f"POST triggers/{token['id']}", {}, headers={"Authorization": f"Bearer {token['token']}"})
    assert fired.status == 202
    assert (await ask(f"DELETE triggers/{files['id']}")).status == 200
    assert (await ask("POST triggers", {"notebook": other})).status == 400


async def test_backfills(ask, notebook):
    body = {"notebook": notebook, "first": "2024-01-01", "last": "2024-01-03", "timezone": "UTC",
            "parameters": {"day": "d{{ interval_start.date() }}"}}  # fmt: skip
    preview = (await ask("POST backfills/preview", body)).json
    assert [one["parameters"]["day"] for one in preview["windows"]] == ["d2024-01-01", "d2024-01-02", "d2024-01-03"]
    made = (await ask("POST backfills", body)).json
    assert (made["state"], made["size"]) == ("running", 3)
    assert (await ask("POST backfills", body)).status == 400  # the windows are being run
    assert (await ask(f"POST backfills/{made['id']}/pause")).json["state"] == "paused"
    assert (await ask(f"POST backfills/{made['id']}/resume", {"skip_failed": True})).json["state"] == "running"
    page = (await ask(f"GET backfills/{made['id']}/windows", limit=2)).json
    assert (len(page["windows"]), page["next"]) == (2, "2")
    for _ in range(2):
        assert (await ask(f"POST backfills/{made['id']}/cancel")).json["state"] == "cancelled"
    assert [one["id"] for one in (await ask("GET backfills")).json["backfills"]] == [made["id"]]


async def test_limits_and_retention(ask, notebook):
    assert (await ask("PUT limits", {"notebook": notebook, "slots": 2})).json["name"] == notebook
    assert (await ask("PUT limits", {"resource": "database", "slots": 4})).json["slots"] == 4
    assert len((await ask("GET limits")).json["limits"]) == 2
    assert (await ask("PUT limits", {"resource": "database", "slots": 0})).error["field"] == "slots"
    assert (await ask("PUT limits", {"slots": 1})).status == 400
    assert (await ask("PUT retention", {"notebook": notebook, "keep_runs": 5})).json["keep_runs"] == 5
    assert (await ask("GET retention", notebook=notebook)).json["keep_runs"] == 5
    assert (await ask("GET retention")).json["keep_runs"] is None
    nothing = {"runs": [], "objects": 0, "bytes": 0, "removed": False}
    assert (await ask("GET garbage", keep_last=1, older_than="30d")).json.items() >= nothing.items()
    assert (await ask("POST garbage/remove", {"keep_last": 1})).json.items() >= (nothing | {"removed": True}).items()
    assert (await ask("GET garbage", older_than="long")).error["field"] == "older_than"
    assert (await ask("POST garbage/remove", {"keep_last": 0})).error["field"] == "keep_last"


async def test_alerts(ask, notebook, own_home, monkeypatch):
    made = (
        await ask("POST alerts", {"notebook": notebook, "to": "https://example.com/secret", "on": ["failure"]})
    ).json
    assert (made["on"], "secret" in json.dumps(made)) == (["failure"], False)
    assert [one["id"] for one in (await ask("GET alerts", notebook=notebook)).json["alerts"]] == [made["id"]]
    tried = (await ask("POST alerts/try", {"to": "http://127.0.0.1:9/"})).json
    assert (tried["delivered"], bool(tried["problem"])) == (False, True)
    assert (await ask("POST alerts", {"to": "env:HOME"})).error["field"] == "to"
    assert (await ask("POST alerts", {"to": "nowhere"})).error["field"] == "to"
    assert (await ask(f"DELETE alerts/{made['id']}")).status == 200
    assert (await ask(f"GET alerts/{made['id']}")).status == 404
    again = (await ask(f"POST alerts/{made['id']}/restore")).json
    assert (again["id"], again["to"], again["on"]) == (made["id"], made["to"], made["on"])
    monkeypatch.setattr("jupyter_pipelines.orchestration.alerts.shelf.REGRETTED", -1.0)
    assert (await ask(f"DELETE alerts/{made['id']}")).status == 200
    assert (await ask(f"POST alerts/{made['id']}/restore")).status == 404
    assert not list(own_home.rglob(f"{made['id']}.json"))
