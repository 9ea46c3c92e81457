"""The description of the REST interface, the table of routes and the handlers of a server are one."""

from __future__ import annotations

import json
import re

import pytest
from jsonschema import Draft202012Validator
from jupyter_server.auth import Authorizer
from openapi_spec_validator import validate
from tornado.httpclient import HTTPClientError

from jupyter_pipelines.server.openapi import document
from jupyter_pipelines.server.route import PREFIX

from .conftest import ALL_ROUTES

pytestmark = pytest.mark.filterwarnings("error::jupyter_server.serverapp.JupyterServerAuthWarning")

VERBS = {"get", "post", "put", "patch", "delete"}
GUARDED = [route for route in ALL_ROUTES if not (route.method == "POST" and route.path == "triggers/{trigger}")]
"""All but the one that is opened by a trigger's own token."""


def described() -> set[tuple[str, str]]:
    return {
        (verb.upper(), path.strip("/"))
        for path, verbs in document(ALL_ROUTES)["paths"].items()
        for verb in verbs
        if verb in VERBS
    }


def requests() -> list[tuple[str, str]]:
    """A request for every documented route but that of tokens, the events included."""
    found = described() - {("POST", "triggers/{trigger}")}
    return sorted((method, re.sub(r"{\w+}", "0123abcd", path)) for method, path in found)


async def test_the_description_is_openapi(ask):
    served = (await ask("GET openapi.json")).json
    assert served == json.loads(json.dumps(document(ALL_ROUTES)))
    validate(served)


def test_examples_are_what_is_accepted():
    without = []
    for route in ALL_ROUTES:
        if route.body is not None:
            validator = Draft202012Validator(dict(route.body))
            without += [] if route.examples else [route.path]
            for example in route.examples:
                assert not list(validator.iter_errors(example)), (route.path, example)
            assert not validator.is_valid({"unheard_of": 1}), route.path
    assert not without


def test_operations_have_names_of_their_own():
    names = [verb["operationId"] for path in document(ALL_ROUTES)["paths"].values() for verb in path.values()]
    assert len(names) == len(set(names))


def rules_of(router):
    for rule in router.rules:
        if hasattr(rule.target, "rules"):
            yield from rules_of(rule.target)
        else:
            yield rule


async def test_every_handler_is_described(jp_web_app):
    found = set()
    for rule in rules_of(jp_web_app.default_router):
        pattern = getattr(getattr(rule.matcher, "regex", None), "pattern", "")
        if "jupyter-pipelines" in pattern:
            pattern = pattern.replace("\\-", "-")
            path = re.sub(r"\(\?P<(\w+)>\[\^/\]\+\)", r"{\1}", pattern.split("jupyter-pipelines/api/")[1].rstrip("$"))
            path = path.replace("\\", "")
            own = [kind for kind in rule.target.__mro__ if kind.__module__.startswith("jupyter_pipelines")]
            found |= {(verb.upper(), path) for verb in VERBS if any(verb in vars(kind) for kind in own)}
    assert found == described()


async def test_what_is_not_there_is_told_in_json(jp_fetch, ask):
    with pytest.raises(HTTPClientError) as error:
        await jp_fetch("jupyter-pipelines", "api", "status", method="DELETE")
    assert error.value.code == 405
    assert set(json.loads(error.value.response.body)["error"]) == {"message", "fix", "field"}


async def test_strangers_are_turned_away(jp_fetch):
    for method, path in requests():
        assert await status_of(jp_fetch, method, path, headers={"Authorization": "token wrong"}) == 403, path


async def status_of(jp_fetch, method, path, **given):
    with pytest.raises(HTTPClientError) as error:
        await jp_fetch(
            *PREFIX.strip("/").split("/"),
            *path.split("/"),
            method=method,
            body=None if method == "GET" else "{}",
            allow_nonstandard_methods=True,
            **given,
        )
    assert set(json.loads(error.value.response.body)["error"]) == {"message", "fix", "field"}
    return error.value.code


class Recording(Authorizer):
    """Lets nobody do anything, and remembers what they wanted."""

    wanted: list[tuple[str, str]] = []  # noqa: RUF012 - one for the test

    def is_authorized(self, handler, user, action, resource):
        self.wanted.append((action, resource))
        return False


class TestWithoutRights:
    @pytest.fixture
    def jp_server_config(self, jp_server_config):
        jp_server_config["ServerApp"]["authorizer_class"] = Recording
        Recording.wanted.clear()
        return jp_server_config

    async def test_every_route_asks_for_the_right_that_it_states(self, jp_fetch):
        rights = {(route.method, re.sub(r"{\w+}", "0123abcd", route.path)): route.needs for route in GUARDED}
        rights["GET", "events"] = "read"
        assert set(rights) == set(requests())
        for (method, path), right in rights.items():
            assert await status_of(jp_fetch, method, path) == 403
            assert Recording.wanted.pop() == (right, "pipelines")

    def test_what_has_code_run_takes_the_right_to_execute(self):
        runs = {"start", "resume", "unpause", "again"}
        for route in ALL_ROUTES:
            if route.path.rpartition("/")[2] in runs or (
                route.method == "POST" and route.path in {"runs", "schedules", "verifications"}
            ):
                assert route.needs == "execute", route.path
            if route.method != "GET" and route.needs == "read":
                pure = {"compile", "lineage", "suggest", "inspection", "drift", "versions/{version}/diff"}
                pure |= {"schedules/preview", "backfills/preview"}
                assert route.path in pure


class TestACookie:
    """A browser that has logged in sends its cookie whatever page asks: writing takes a token as well."""

    async def test_writing_takes_the_token_of_the_page(self, http_server_client, jp_base_url, jp_serverapp):
        url = f"{jp_base_url.rstrip('/')}{PREFIX}/service/start"
        login = f"{jp_base_url}login?token={jp_serverapp.identity_provider.token}"
        first = await http_server_client.fetch(login, follow_redirects=False, raise_error=False)
        cookies = "; ".join(one.split(";")[0] for one in first.headers.get_list("Set-Cookie"))
        status = url.replace("service/start", "status")
        assert (await http_server_client.fetch(status, headers={"Cookie": cookies})).code == 200
        refused = await http_server_client.fetch(
            url, method="POST", body="{}", headers={"Cookie": cookies}, raise_error=False
        )
        assert refused.code == 403
