"""The description of the REST interface, OpenAPI 3.1, made from the table of routes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from jupyter_pipelines.server.components import components
from jupyter_pipelines.server.repeats import HEADER, LONGEST
from jupyter_pipelines.server.route import PREFIX, Call, Route
from jupyter_pipelines.server.schemas import MAPPING, Schema, reference

_RIGHTS = {"read": "look at", "write": "change", "execute": "run"}


def description(_: Call) -> object:
    """The whole document."""
    from jupyter_pipelines.server.table import ROUTES
    from jupyter_pipelines.server.trigger import ROUTE as BY_TOKEN

    return document((*ROUTES, BY_TOKEN, ROUTE))


@cache
def document(routes: Sequence[Route]) -> dict[str, Any]:
    """The document that describes ``routes``, and the events."""
    from jupyter_pipelines.server.events import PATH, operation

    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(f"/{route.path}", {})[route.method.lower()] = _operation(route)
    paths[f"/{PATH}"] = {"get": operation()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Jupyter Pipelines",
            "version": version("jupyter_pipelines"),
            "description": "Notebooks as pipelines. Paths are the contents manager's, times are seconds since 1970 or "
            "ISO 8601. What is wrong with a request is told as `error`, with the field.",
        },
        "servers": [{"url": PREFIX}],
        "security": [{"token": []}, {"header": []}, {"cookie": []}],
        "paths": paths,
        "components": {
            "schemas": components(),
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "query", "name": "token"},
                "header": {"type": "http", "scheme": "bearer", "description": "The Jupyter server's token."},
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "username",
                    "description": "That of a browser that has logged in; writing then takes the X-XSRFToken header.",
                },
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": operation_id(route),
        "summary": route.summary,
        "tags": [route.path.split("/")[0]],
        "description": f"For people who may {_RIGHTS[route.needs]} pipelines (`{route.needs}`).",
        "responses": {
            str(int(route.status)): _content("Done", route.response),
            "4XX": _content("The request was wrong", reference("Error")),
            "5XX": _content("It could not be carried out", reference("Error")),
        },
    }
    if route.status in {HTTPStatus.CREATED, HTTPStatus.ACCEPTED}:
        made["responses"]["200"] = _content("It was so already", route.response)
    parameters = [_parameter("path", name, schema) for name, schema in route.parameters.items()]
    parameters += [
        _parameter("query", name, schema, required=name in route.required) for name, schema in route.query.items()
    ]
    if route.needs != "read":
        known: Schema = {
            "type": "string",
            "maxLength": LONGEST,
            "description": "A random text: a request with the same one is done once, however often it is sent.",
        }
        parameters.append(_parameter("header", HEADER, known, required=False))
    if parameters:
        made["parameters"] = parameters
    if route.body is not None:
        examples = {f"example{number}": {"value": one} for number, one in enumerate(route.examples, 1)}
        content = {"schema": route.body} | ({"examples": examples} if examples else {})
        made["requestBody"] = {"required": True, "content": {"application/json": content}}
    return made


def operation_id(route: Route) -> str:
    """A name for it that no other has: ``post_runs_run_cancel``."""
    return "_".join([route.method.lower(), *route.path.replace("{", "").replace("}", "").replace(".", "/").split("/")])


def _content(what: str, schema: Schema) -> dict[str, Any]:
    return {"description": what, "content": {"application/json": {"schema": schema}}}


def _parameter(place: str, name: str, schema: Schema, *, required: bool = True) -> dict[str, Any]:
    return {"name": name, "in": place, "required": required, "schema": schema}


ROUTE = Route("GET", "openapi.json", "This description", description, MAPPING)
