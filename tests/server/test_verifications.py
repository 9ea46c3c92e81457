"""Verifications in the background, over REST: a process of their own carries them out."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import psutil
import pytest

from jupyter_pipelines.verification.background import KILLED

from .conftest import hello

pytestmark = pytest.mark.filterwarnings("error::jupyter_server.serverapp.JupyterServerAuthWarning")


def _written(path: Path) -> int:
    """The number that is written to ``path`` some time."""
    while not path.exists() or not path.read_text():
        time.sleep(0.05)
    return int(path.read_text())


async def ended(ask, events, verification):
    while True:
        found = (await ask(f"GET verifications/{verification}")).json
        if found["state"] != "running":
            return found
        await events.until(lambda event: event["kind"] == "verification" and event["subject"] == verification)


async def test_a_notebook_is_verified_in_the_background(ask, put, listen, store):
    cells = [("parameters", "size = 2"), ("step:load", "rows = list(range(size))"), ("step:sum", "print(sum(rows))")]
    notebook = put("deep/sum.ipynb", *cells)
    events = await listen()
    await events.until(hello)
    begun = await ask("POST verifications", {"notebook": notebook, "parameters": {"size": 4}})
    assert (begun.status, begun.json["state"], begun.json["notebook"]) == (202, "running", notebook)
    again = await ask("POST verifications", {"notebook": notebook})
    assert (again.status, again.json["id"]) == (200, begun.json["id"])
    found = await ended(ask, events, begun.json["id"])
    assert (found["state"], found["problem"], found["parameters"]) == ("equivalent", "", {"size": 4})
    assert found["report"]["counts"]["cells_same"] == 3
    assert found["report"]["notebook"] == notebook
    assert found["ended"] >= found["started"]
    (listed,) = (await ask("GET verifications", notebook=notebook)).json["verifications"]
    assert listed == {name: value for name, value in found.items() if name != "report"}


async def test_one_that_goes_on_is_stopped(ask, put, listen, store, tmp_path):
    events = await listen()
    await events.until(hello)
    begins, sleeps = tmp_path / "begins", "import os, time\nfrom pathlib import Path\n"
    sleeps += f"Path({str(begins)!r}).write_text(str(os.getpid()))\ntime.sleep(600)"
    notebook = put("long.ipynb", ("step:one", sleeps))
    begun = (await ask("POST verifications", {"notebook": notebook})).json
    kernel = psutil.Process(await asyncio.to_thread(_written, begins))
    assert (await ask(f"POST verifications/{begun['id']}/cancel")).json["state"] in {"running", "cancelled"}
    found = await ended(ask, events, begun["id"])
    assert (found["state"], found["problem"], found["report"]) == ("cancelled", "", None)
    await asyncio.to_thread(kernel.wait, 30)
    # What has ended stays as it is, and another one can begin.
    assert (await ask(f"POST verifications/{begun['id']}/cancel")).json["ended"] == found["ended"]
    assert (await ask("POST verifications/0123abcd/cancel")).status == 404


@pytest.mark.usefixtures("own_home")
class TestWithoutAService:
    async def test_what_cannot_be_compiled_is_refused(self, ask, put, listen, root):
        events = await listen()
        await events.until(hello)
        notebook = put("wrong.ipynb", ("step:one", "print(nothing)"))
        begun = (await ask("POST verifications", {"notebook": notebook})).json
        found = await ended(ask, events, begun["id"])
        assert (found["state"], found["report"]["codes"]) == ("refused", ["JP301"])
        assert found["text"].startswith("wrong.ipynb: refused\n")
        assert str(root) not in json.dumps(found)

    async def test_what_is_wrong_with_a_request_is_said(self, ask, put):
        put("nb.ipynb", ("parameters", "size = 3"), ("step:one", "print(size)"))
        for body, status, field in (
            ({"notebook": "no.ipynb"}, 404, "notebook"),
            ({"notebook": "nb.ipynb", "parameters": {"size": "x"}}, 400, "parameters.size"),
            ({"notebook": "nb.ipynb", "paramters": {}}, 400, "paramters"),
        ):
            reply = await ask("POST verifications", body)
            assert (reply.status, reply.error["field"]) == (status, field)
        assert (await ask("GET verifications/0123abcd")).status == 404
        assert (await ask("GET verifications")).json["verifications"] == []

    async def test_one_whose_process_was_killed_has_failed(self, ask, put, own_home, root):
        put("nb.ipynb", ("step:one", "1"))
        record = {"id": "abc", "notebook": str(root / "nb.ipynb"), "state": "running", "started": time.time()}
        (own_home / "verifications").mkdir(parents=True)
        (own_home / "verifications" / "abc.json").write_text(json.dumps(record | {"process": {"pid": 1, "created": 1}}))
        found = (await ask("GET verifications/abc")).json
        assert (found["state"], found["problem"]) == ("failed", KILLED)
