"""The REST interface, over HTTP, on a real server."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any

import nbformat
import pytest
from jupyter_server.auth import Authorizer
from tornado.httpclient import HTTPClientError, HTTPResponse

# A route that forgets to ask who is there is a failure.
pytestmark = pytest.mark.filterwarnings("error::jupyter_server.serverapp.JupyterServerAuthWarning")

Fetch = Callable[..., Awaitable[HTTPResponse]]


def notebook(*cells: tuple[str, str]) -> nbformat.NotebookNode:
    """A notebook of code cells, each a tag ("" for none) and a source."""
    node = nbformat.v4.new_notebook()
    for tag, source in cells:
        node.cells.append(nbformat.v4.new_code_cell(source, metadata={"tags": [tag]} if tag else {}))
    return node


async def post(jp_fetch: Fetch, body: bytes | str) -> HTTPResponse:
    return await jp_fetch("jupyter-pipelines", "api", "compile", method="POST", body=body)


async def refusal(jp_fetch: Fetch, body: bytes | str) -> str:
    with pytest.raises(HTTPClientError) as error:
        await post(jp_fetch, body)
    assert error.value.code == 400
    return str(json.loads(error.value.response.body)["error"]["message"])


async def compiled(jp_fetch: Fetch, node: object) -> dict[str, Any]:
    response = await post(jp_fetch, json.dumps({"name": "a.ipynb", "notebook": node}))
    return json.loads(response.body)


async def test_status(jp_fetch):
    response = await jp_fetch("jupyter-pipelines", "api", "status")
    assert json.loads(response.body) == {"version": version("jupyter_pipelines")}


async def test_compile_gives_steps_edges_and_parameters(jp_fetch):
    pipeline = await compiled(
        jp_fetch,
        notebook(
            ("parameters", "size = 3"),
            ("step:load", "data = list(range(size))"),
            ("step:report", "print(sum(data))"),
        ),
    )
    assert [step["name"] for step in pipeline["steps"]] == ["load", "report"]
    assert ("load", "report", "data") in {(edge["source"], edge["target"], edge["name"]) for edge in pipeline["edges"]}
    assert [parameter["name"] for parameter in pipeline["parameters"]] == ["size"]
    assert not [finding for finding in pipeline["diagnostics"] if finding["severity"] == "error"]


async def test_compile_says_what_is_wrong_with_a_notebook(jp_fetch):
    pipeline = await compiled(jp_fetch, notebook(("step:one", "x = ("), ("step:two", "print(x)")))
    errors = [finding for finding in pipeline["diagnostics"] if finding["severity"] == "error"]
    assert errors[0]["location"]["cell"] == 1


async def test_compile_takes_what_is_no_notebook_at_all(jp_fetch):
    for node in (
        {},
        {"cells": 3},
        {"nbformat": 99, "cells": []},
        {"cells": [{"cell_type": "code", "source": "\ud800"}]},
    ):
        assert (await compiled(jp_fetch, node))["diagnostics"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "`notebook`"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "must be a JSON object"),
        (b'{"notebook": {}, "names": "x"}', "no field `names`"),
        (b"{}", "`notebook`"),
        (b'{"notebook": "text"}', "`notebook`"),
        (b'{"notebook": {}, "name": 7}', "`name`"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
async def test_wrong_requests_are_refused_with_a_reason(jp_fetch, body, reason):
    assert reason in await refusal(jp_fetch, body)


@pytest.mark.parametrize(("method", "endpoint"), [("GET", "status"), ("POST", "compile")])
async def test_a_visitor_is_turned_away(jp_fetch, method, endpoint):
    with pytest.raises(HTTPClientError) as error:
        await jp_fetch(
            "jupyter-pipelines",
            "api",
            endpoint,
            method=method,
            body="{}" if method == "POST" else None,
            headers={"Authorization": "token wrong"},
        )
    assert error.value.code == 403


class ReadOnly(Authorizer):
    """Lets everyone look at everything, and change nothing."""

    def is_authorized(self, handler, user, action, resource):
        return action == "read"


class Closed(Authorizer):
    """Keeps everyone away from pipelines."""

    def is_authorized(self, handler, user, action, resource):
        return resource != "pipelines"


class TestWithReadersOnly:
    @pytest.fixture
    def jp_server_config(self, jp_server_config):
        jp_server_config["ServerApp"]["authorizer_class"] = ReadOnly
        return jp_server_config

    async def test_readers_see_the_pipeline(self, jp_fetch):
        assert [step["name"] for step in (await compiled(jp_fetch, notebook(("step:a", "x = 1"))))["steps"]] == ["a"]


class TestWithoutPermission:
    @pytest.fixture
    def jp_server_config(self, jp_server_config):
        jp_server_config["ServerApp"]["authorizer_class"] = Closed
        return jp_server_config

    async def test_nobody_sees_anything(self, jp_fetch):
        with pytest.raises(HTTPClientError) as error:
            await compiled(jp_fetch, notebook(("step:a", "x = 1")))
        assert error.value.code == 403
