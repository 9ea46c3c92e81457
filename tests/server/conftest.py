"""Servers with our extension. The fixtures are brought in here, so that their event loop stays out of other tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jsonschema import Draft202012Validator
from pytest_jupyter.jupyter_server import *  # noqa: F403
from tornado.httpclient import HTTPClientError
from tornado.websocket import WebSocketClientConnection
from traitlets.config import Config

from jupyter_pipelines.server.openapi import ROUTE as DESCRIPTION
from jupyter_pipelines.server.openapi import document
from jupyter_pipelines.server.route import PREFIX, Route
from jupyter_pipelines.server.table import ROUTES
from jupyter_pipelines.server.trigger import ROUTE as BY_TOKEN

ALL_ROUTES = (*ROUTES, BY_TOKEN, DESCRIPTION)


@pytest.fixture
def jp_server_config() -> Config:
    return Config(
        {
            "ServerApp": {
                "jpserver_extensions": {"jupyter_pipelines": True},
                # With this, the server warns of routes that forget to ask who is there.
                "allow_unauthenticated_access": False,
            },
        }
    )


@dataclass
class Reply:
    """An answer: its status and its content. Whatever the server says is as the API's description has it."""

    status: int
    content: Any
    headers: Any

    @property
    def json(self) -> Any:
        """What a request that was carried out has given."""
        assert self.status < 400, self.content
        return self.content

    @property
    def error(self) -> dict[str, Any]:
        """What is wrong."""
        assert self.status >= 400, self.content
        found: dict[str, Any] = self.content["error"]
        return found


Ask = Callable[..., Awaitable[Reply]]


@pytest.fixture
def ask(jp_fetch: Callable[..., Awaitable[Any]]) -> Ask:
    """``await ask("POST runs", {"notebook": …}, limit=5)``; each answer is compared with the description."""

    async def ask(what: str, body: object = None, headers: dict[str, str] | None = None, **query: object) -> Reply:
        method, path = what.split()
        params = {name: str(value) for name, value in query.items()}
        content = None if method == "GET" else body if isinstance(body, str | bytes) else json.dumps(body or {})
        given: dict[str, Any] = {"headers": headers} if headers else {}
        try:
            response = await jp_fetch(
                *PREFIX.strip("/").split("/"),
                *path.split("/"),
                method=method,
                params=params,
                **({} if content is None else {"body": content}),
                allow_nonstandard_methods=True,
                **given,
            )
        except HTTPClientError as error:
            response = error.response
        reply = Reply(response.code, json.loads(response.body), response.headers)
        check_answer(method, path, reply)
        return reply

    return ask


def check_answer(method: str, path: str, reply: Reply) -> None:
    """Compare an answer with the API's description."""
    described = document(ALL_ROUTES)
    if reply.status >= 400:
        schema = {"$ref": "#/components/schemas/Error"}
    else:
        route = route_of(method, path)
        schema = described["paths"][f"/{route.path}"][method.lower()]["responses"][str(reply.status)]
        schema = schema["content"]["application/json"]["schema"]
    whole = {**schema, "components": described["components"]}
    errors = [
        f"{error.json_path}: {error.message:.300}" for error in Draft202012Validator(whole).iter_errors(reply.content)
    ]
    assert not errors, errors


def route_of(method: str, path: str) -> Route:
    """The line of the table that answers a request."""
    import re

    for route in ALL_ROUTES:
        if route.method == method and re.fullmatch(route.pattern, f"{PREFIX}/{path}"):
            return route
    raise AssertionError(f"{method} {path} is not in the table")


@pytest.fixture
def root(jp_root_dir: Path) -> Path:
    """The server's root directory."""
    return jp_root_dir


@pytest.fixture
def put(root: Path) -> Callable[..., str]:
    """``put("a.ipynb", ("step:one", "x = 1"))`` writes a notebook below the root directory; returns its path there."""

    def put(name: str, *cells: tuple[str, str], folder: Path = root) -> str:
        notebook = nbformat.v4.new_notebook()
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        for number, (tags, source) in enumerate(cells):
            cell = nbformat.v4.new_code_cell(source, id=f"cell-{number}")
            cell.metadata["tags"] = tags.split()
            notebook.cells.append(cell)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)
        return name

    return put


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project home of this test's own, and no service."""
    monkeypatch.setenv("JUPYTER_PIPELINES_HOME", str(tmp_path / "pipelines"))
    monkeypatch.delenv("JUPYTER_PIPELINES_STORE", raising=False)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    return tmp_path / "pipelines"


class Listener:
    """A client of the events."""

    def __init__(self, connection: WebSocketClientConnection) -> None:
        self.connection = connection
        self.heard: list[dict[str, Any]] = []

    async def until(self, wanted, seconds: float = 60) -> dict[str, Any]:
        """Listen up to an event that is ``wanted``; returns it."""
        async with asyncio.timeout(seconds):
            while True:
                message = await self.connection.read_message()
                assert message is not None, "the connection was closed"
                self.heard.append(json.loads(message))
                if wanted(self.heard[-1]):
                    return self.heard[-1]

    async def until_state(self, run: str, *states: str) -> dict[str, Any]:
        return await self.until(
            lambda event: event["kind"] == "run" and event["subject"] == run and event["data"]["state"] in states
        )


@pytest.fixture
def listen(jp_ws_fetch):
    connections = []

    async def listen(since: str = "") -> Listener:
        params = {"since": since} if since else {}
        connections.append(await jp_ws_fetch("jupyter-pipelines", "api", "events", params=params))
        return Listener(connections[-1])

    yield listen
    for connection in connections:
        connection.close()


def hello(event: dict[str, Any]) -> bool:
    return event["kind"] == "hello"
