"""Runs over REST, made by a real service: started, told of as they go, looked at, continued, cancelled."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jupyter_pipelines.orchestration.service.home import ServiceHome
from jupyter_pipelines.server.openapi import document

from .conftest import ALL_ROUTES, hello

pytestmark = pytest.mark.filterwarnings("error::jupyter_server.serverapp.JupyterServerAuthWarning")


def without_time(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name != "time"}


async def test_a_run_from_its_start_to_its_resumption(ask, put, listen, store):
    cells = [
        ("parameters", "month: int = 1"),
        ("step:load", "data = list(range(month))"),
        ("step:check", "assert month > 5, 'too early'"),
        ("step:report", "total = sum(data)\nopen('out.txt', 'w').write(str(total))"),
    ]
    notebook = put("flights.ipynb", *cells)
    events = await listen()
    first = (await events.until(hello))["id"]
    key = {"Idempotency-Key": "a"}
    started = await ask("POST runs", {"notebook": notebook, "parameters": {"month": 3}}, headers=key)
    again = await ask("POST runs", {"notebook": notebook, "parameters": {"month": 3}}, headers=key)
    other = await ask("POST runs", {"notebook": notebook, "parameters": {"month": 4}}, headers=key)
    assert (started.status, again.json["id"], other.error["field"]) == (202, started.json["id"], "Idempotency-Key")
    assert (started.json["notebook"], started.json["parameters"]) == (notebook, {"month": 3})
    run = started.json["id"]
    ended = await events.until_state(run, "failed")
    assert ended["notebook"] == notebook
    told = [event["data"]["state"] for event in events.heard if (event["kind"], event["subject"]) == ("run", run)]
    assert told == [state for number, state in enumerate(told) if state not in told[:number] or state == "running"]
    steps = {step["name"]: step["state"] for event in events.heard[1:] for step in event["data"].get("steps", [])}
    assert (steps["load"], steps["check"], steps["report"]) == ("completed", "failed", "completed")

    found = (await ask(f"GET runs/{run}")).json
    assert (found["state"], found["notebook"]) == ("failed", notebook)
    listed = (await ask("GET runs", notebook=notebook, state="failed", limit=1)).json
    assert [one["id"] for one in listed["runs"]] == [run]
    step = (await ask(f"GET runs/{run}/steps/check")).json
    assert ("too early" in step["error"], step["error_cell"]) == (True, 3)
    assert [output["name"] for output in (await ask(f"GET runs/{run}/steps/load")).json["outputs"]] == ["data"]
    assert (await ask(f"GET runs/{run}/steps/report")).json["files_written"] == ["out.txt"]
    page = (await ask(f"GET runs/{run}/steps", limit=2)).json
    rest = (await ask(f"GET runs/{run}/steps", limit=2, after=page["next"])).json
    assert [one["name"] for one in page["steps"] + rest["steps"]] == ["load", "check", "report"]
    assert rest["next"] is None
    executed = (await ask(f"GET runs/{run}/notebook")).json
    assert executed["path"] is None  # it is in the store, which is elsewhere
    assert "too early" in json.dumps(executed["content"])

    made = (await ask(f"POST runs/{run}/debug", {})).json
    assert (made["path"], made["step"], made["is_new"]) == (f"flights.debug-check-{run[:8]}.ipynb", "check", True)
    assert (await ask(f"POST runs/{run}/debug", {"step": "nowhere"})).status == 400

    cells[2] = ("step:check", "pass")
    put("flights.ipynb", *cells)
    resumed = await ask(f"POST runs/{run}/resume")
    assert (resumed.status, resumed.json["resumed_from"]) == (202, run)
    await events.until_state(resumed.json["id"], "completed")
    assert (await ask(f"POST runs/{resumed.json['id']}/resume")).error["message"].endswith("nothing to resume.")
    assert (await ask(f"GET runs/{run}/keep")).json == {"keep": False}
    assert (await ask(f"PUT runs/{run}/keep", {"keep": True})).json == {"keep": True}
    assert (await ask(f"GET runs/{run}/keep")).json == {"keep": True}
    assert (await ask(f"POST runs/{run}/cancel")).status == 400

    # Who was away is told the same again, also by a server that knows nothing of the connection.
    late = await listen(first)
    await late.until(hello)
    assert [without_time(event) for event in late.heard if (event["kind"], event["subject"]) == ("run", run)] == [
        without_time(event) for event in events.heard if (event["kind"], event["subject"]) == ("run", run)
    ]
    mark = first.rpartition("-")[2]
    anew = await listen(f"elsewhere-5-{mark}")
    await anew.until(hello)
    ends = {event["subject"]: event["data"]["state"] for event in anew.heard if event["kind"] == "run"}
    assert (ends[run], ends[resumed.json["id"]]) == ("failed", "completed")
    nothing = await listen("garbage")
    assert (await nothing.until(lambda _: True))["kind"] == "reset"

    schema = document(ALL_ROUTES)["components"]["schemas"]["Event"]
    for event in (*events.heard, *late.heard, *anew.heard, *nothing.heard):
        assert set(event) == set(schema["required"])


async def test_the_log_and_the_inputs_of_a_run(ask, put, listen, store):
    cells = [
        ("step:load", "rows = [1, 2, 3]\nprint('loading \\033[1mnow\\033[0m')"),
        ("step:check", "import sys\nprint('1%\\r100%', file=sys.stderr)\nn = sum(rows)\nassert n > 9, 'too few'"),
        ("step:report", "print(n)"),
    ]
    notebook = put("log.ipynb", *cells)
    events = await listen()
    await events.until(hello)
    run = (await ask("POST runs", {"notebook": notebook})).json["id"]
    await events.until_state(run, "failed")
    if not any(event["kind"] == "output" and event["subject"] == run for event in events.heard):
        await events.until(lambda event: event["kind"] == "output" and event["subject"] == run)
    found = (await ask(f"GET runs/{run}/log")).json
    assert found["next"] is None
    lines = [(line["kind"], line["text"], line["step"], line["cell"]) for line in found["lines"]]
    assert ("stdout", "loading now", "load", 1) in lines
    assert ("stderr", "100%", "check", 2) in lines
    assert ("error", "AssertionError: too few", "check", 2) in lines
    told = [text for kind, text, _, _ in lines if kind == "progress"]
    assert told[0] == f"Run {run} started"
    assert any(text.startswith("Step check failed in cell 2 in ") and "too few" in text for text in told)
    assert "Step report skipped: check did not succeed" in told
    assert told[-1].startswith(f"Run {run} failed in ")
    assert "\x1b" not in str(lines)
    assert [line["time"] for line in found["lines"]] == sorted(line["time"] for line in found["lines"])
    first = (await ask(f"GET runs/{run}/log", limit=2)).json
    rest = (await ask(f"GET runs/{run}/log", after=first["next"])).json
    assert [*first["lines"], *rest["lines"]] == found["lines"]
    step = (await ask(f"GET runs/{run}/steps/check")).json
    (given,) = step["inputs"]
    assert {name: given[name] for name in ("name", "producer", "type", "summary")} == {
        "name": "rows",
        "producer": "load",
        "type": "list",
        "summary": "[1, 2, 3]",
    }


async def test_a_run_that_goes_on_is_cancelled_once(ask, put, listen, store):
    notebook = put("long.ipynb", ("step:wait", "import time\ntime.sleep(300)"))
    events = await listen()
    await events.until(hello)
    run = (await ask("POST runs", {"notebook": notebook})).json["id"]
    await events.until_state(run, "running")
    assert (await ask(f"POST runs/{run}/resume")).status == 400
    assert (await ask(f"POST runs/{run}/cancel")).json["state"] == "cancelled"
    assert (await ask(f"POST runs/{run}/cancel")).json["state"] == "cancelled"
    await events.until_state(run, "cancelled")


async def test_what_starts_runs_and_the_service_are_told_of(ask, put, listen, own_home, monkeypatch):
    monkeypatch.setattr("jupyter_pipelines.orchestration.scheduling.making.ensure_service", lambda *_: None)
    notebook = put("nb.ipynb", ("step:one", "1"))
    own_home.mkdir()
    events = await listen()
    await events.until(hello)
    made = (await ask("POST schedules", {"notebook": notebook, "when": "daily at 06:00"})).json
    event = await events.until(lambda event: event["kind"] == "schedule")
    assert (event["subject"], event["notebook"], event["data"]) == (made["id"], notebook, {"removed": False})
    await ask(f"DELETE schedules/{made['id']}")
    event = await events.until(lambda event: event["kind"] == "schedule" and event["data"]["removed"])
    assert (event["subject"], event["notebook"]) == (made["id"], notebook)
    with ServiceHome(own_home).held():
        assert (await events.until(lambda event: event["kind"] == "service"))["data"]["state"] == "starting"
    assert (await events.until(lambda event: event["kind"] == "service"))["data"]["state"] == "stopped"


async def test_nothing_is_looked_at_when_nobody_listens(jp_serverapp, listen, own_home):
    stream = jp_serverapp.web_app.settings["jupyter_pipelines_state"].stream
    assert stream.looks == 0
    one, two = await listen(), await listen()
    await one.until(hello)
    await two.until(hello)
    before = stream.looks
    await asyncio.sleep(2.5)
    assert stream.looks - before <= 3  # for both
    one.connection.close()
    two.connection.close()
    async with asyncio.timeout(5):
        while stream.listeners:  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(0.01)
    before = stream.looks
    await asyncio.sleep(1.5)
    assert stream.looks == before


@pytest.mark.parametrize(
    ("body", "status", "field", "says"),
    [
        ({}, 400, "notebook", "missing"),
        ({"notebook": "no.ipynb"}, 404, "notebook", "no.ipynb"),
        ({"notebook": 5}, 400, "notebook", "5"),
        ({"notebook": "nb.ipynb", "paramters": {}}, 400, "paramters", "no field"),
        ({"notebook": "nb.ipynb", "parameters": {"size": "many"}}, 400, "parameters.size", "size"),
        ({"notebook": "nb.ipynb", "parameters": {"sizes": 1}}, 400, "parameters.sizes", "sizes"),
        ({"notebook": "nb.ipynb", "parameters": [1]}, 400, "parameters", "JSON object"),
        ({"notebook": "nb.ipynb", "only": "nothing"}, 400, "only", "nothing"),
        ({"notebook": "nb.ipynb", "version": "published"}, 400, "version", "published"),
        ({"notebook": "nb.ipynb", "max_parallel": 0}, 400, "max_parallel", "1 to 1,000"),
        ({"notebook": "nb.ipynb", "timeout": -1}, 400, "timeout", "above 0"),
        ({"notebook": "wrong.ipynb"}, 422, "notebook", "cell 1"),
    ],
)
async def test_what_is_wrong_with_a_start_is_said_with_its_field(ask, put, own_home, root, body, status, field, says):
    put("nb.ipynb", ("parameters", "size = 3"), ("step:one", "print(size)"))
    put("wrong.ipynb", ("step:one", "x = ("))
    reply = await ask("POST runs", body)
    assert (reply.status, reply.error["field"]) == (status, field), reply.error
    assert says in json.dumps([reply.error["message"], reply.error["fix"]]), reply.error
    assert str(root) not in json.dumps(reply.content)
    assert not own_home.joinpath("service.lock").exists(), "nothing is started for what is wrong"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"limit": 101}, "limit"),
        ({"state": "finished"}, "state.0"),
        ({"since": "yesterday"}, "since"),
        ({"colour": "red"}, "colour"),
        ({"after": "../../etc"}, "after"),
        ({"notebook": "../a.ipynb"}, "notebook"),
    ],
)
async def test_what_is_wrong_with_a_question_is_said_with_its_field(ask, own_home, query, field):
    reply = await ask("GET runs", **query)
    assert (reply.status, reply.error["field"]) == (400, field), reply.error


async def test_what_is_not_there_is_not_found(ask, own_home):
    for path in ("runs/0123abcd", "runs/..%2F..%2Fetc", "runs/a%20b/steps", "schedules/x", "triggers/x", "alerts/x"):
        assert (await ask(f"GET {path}")).status == 404, path
    assert (await ask("GET service/log")).status == 404
    assert (await ask("GET service")).json["state"] == "stopped"


async def test_a_schedule_is_run_now_with_its_parameters(ask, put, listen, store):
    events = await listen()
    await events.until(hello)
    notebook = put("daily.ipynb", ("parameters", "day: str = ''\nmonth: int = 1"), ("step:load", "print(day)"))
    when = {"cron": "0 5 1 1 *", "zone": "UTC", "window": "day", "parameters": {"day": "{{ interval_start.date() }}"}}
    preview = (await ask("POST schedules/preview", {"when": when, "count": 1})).json["times"][0]
    assert preview["parameters"] == {"day": preview["window"]["start"][:10]}
    made = (await ask("POST schedules", {"notebook": notebook, "when": when})).json
    run = (await ask(f"POST schedules/{made['id']}/run")).json
    assert (run["notebook"], run["schedule"]) == (notebook, "")
    today = datetime.now(UTC).date()
    assert run["parameters"]["day"] in {str(today - timedelta(days=days)) for days in (1, 2)}
    await events.until_state(run["id"], "completed")
