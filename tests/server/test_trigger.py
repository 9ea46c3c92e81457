"""`POST triggers/ID`, over HTTP, on a real server: who has the token can do one thing, all others nothing."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import nbformat
import pytest
from tornado.httpclient import HTTPClientError, HTTPResponse
from traitlets.config import Config

import jupyter_pipelines as jp
from jupyter_pipelines.orchestration.triggers import TriggerRecord
from jupyter_pipelines.orchestration.triggers.shelf import Shelf

pytestmark = pytest.mark.filterwarnings("error::jupyter_server.serverapp.JupyterServerAuthWarning")

Fetch = Callable[..., Awaitable[HTTPResponse]]


@pytest.fixture
def jp_server_config(jp_server_config: Config) -> Config:
    jp_server_config["PipelinesApp"]["start_service"] = False
    return jp_server_config


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without a service: what is asked for is kept there until it comes."""
    monkeypatch.setenv("JUPYTER_PIPELINES_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("JUPYTER_PIPELINES_STORE", raising=False)
    monkeypatch.setattr("jupyter_pipelines.orchestration.triggers.making.ensure_service", lambda *_: None)
    return tmp_path / "home"


@pytest.fixture
def made(home: Path, tmp_path: Path) -> TriggerRecord:
    node = nbformat.v4.new_notebook()
    node.cells = [nbformat.v4.new_code_cell("count: int = 1", metadata={"tags": ["parameters"]})]
    node.cells.append(nbformat.v4.new_code_cell("count", metadata={"tags": ["step:one"]}))
    nbformat.write(node, tmp_path / "nb.ipynb")
    return jp.trigger(tmp_path / "nb.ipynb", token=True)


async def post(jp_fetch: Fetch, trigger: str, token: str, body: object = None, **headers: str) -> HTTPResponse:
    return await jp_fetch(
        "jupyter-pipelines",
        "api",
        "triggers",
        trigger,
        method="POST",
        body=body if isinstance(body, str | bytes) else json.dumps(body or {}),
        headers={"Authorization": f"Bearer {token}", **headers},
    )


async def refusal(jp_fetch: Fetch, trigger: str, token: str, body: object = None, **headers: str) -> HTTPResponse:
    with pytest.raises(HTTPClientError) as error:
        await post(jp_fetch, trigger, token, body, **headers)
    return error.value.response


async def test_a_token_is_all_it_takes(jp_fetch, home, made):
    first = await post(jp_fetch, made.id, made.token, {"parameters": {"count": 3}}, **{"Idempotency-Key": "a"})
    again = await post(jp_fetch, made.id, made.token, {"parameters": {"count": 3}}, **{"Idempotency-Key": "a"})
    assert (first.code, again.code) == (202, 200)
    assert json.loads(first.body) == json.loads(again.body)
    assert (await post(jp_fetch, made.id, made.token, b"")).code == 202
    asked = Shelf(home).asked(made.id)
    assert sorted(str(one.parameters) for one in asked) == ["{'count': 3}", "{}"]
    assert asked[0].key == json.loads(first.body)["occurrence"]


async def test_others_are_turned_away(jp_fetch, home, made, jp_serverapp):
    for token in ("", "wrong", made.token + "x", jp_serverapp.identity_provider.token):
        response = await refusal(jp_fetch, made.id, token)
        assert (response.code, response.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert (await refusal(jp_fetch, "abc", made.token)).code == 401
    assert not Shelf(home).asked(made.id)
    # The token opens nothing else.
    for path in ("status", "compile"):
        with pytest.raises(HTTPClientError) as error:
            await jp_fetch(
                "jupyter-pipelines",
                "api",
                path,
                method="GET" if path == "status" else "POST",
                body=None if path == "status" else "{}",
                headers={"Authorization": f"Bearer {made.token}"},
            )
        assert error.value.code == 403
    for method in ("GET", "DELETE"):
        with pytest.raises(HTTPClientError) as error:
            await jp_fetch(
                "jupyter-pipelines", "api", "triggers", made.id, method=method,
                headers={"Authorization": f"Bearer {made.token}"},
            )  # fmt: skip
        assert error.value.code in {403, 405}


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"parameters": {"count": "many"}}, 422, "parameters.count"),
        ({"parameters": {"speed": 1}}, 422, "parameters.speed"),
        ({"parameters": {"count": {"a": [1]}}}, 422, "parameters.count"),
        ({"parameters": [1]}, 400, "parameters"),
        ({"version": "published"}, 400, "version"),
        ("not JSON", 400, ""),
        (b"[" * 100_000, 400, ""),
        (b"x" * 1_100_000, 413, ""),
    ],
)
async def test_what_is_wrong_is_said_with_its_field(jp_fetch, home, made, body, status, field):
    response = await refusal(jp_fetch, made.id, made.token, body)
    error = json.loads(response.body)["error"]
    assert (response.code, error["field"]) == (status, field)
    assert error["message"]
    assert not Shelf(home).asked(made.id)


async def test_too_many_requests_are_told_when_to_come_back(jp_fetch, home, made):
    codes = [(await refusal(jp_fetch, made.id, "wrong")).code for _ in range(31)]
    assert (codes[0], codes[-1]) == (401, 429)
    for number in range(300):  # as many as a minute allows, and those that are added meanwhile
        try:
            assert (await post(jp_fetch, made.id, made.token, **{"Idempotency-Key": str(number)})).code == 202
        except HTTPClientError as error:
            refused = error
            break
    assert (refused.code, refused.response.headers["Retry-After"]) == (429, "1")
    assert 60 <= number < 299
    assert len(Shelf(home).asked(made.id)) == number
