"""What clients send, checked by the schemas of its route; what is wrong is told in words, with the field."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from jupyter_pipelines.server.refusals import RefusedError
from jupyter_pipelines.server.route import Route
from jupyter_pipelines.server.schemas import Schema, objects

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

_KINDS = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a JSON object",
    "null": "null",
}


def read_path(route: Route, given: Mapping[str, str]) -> dict[str, str]:
    """The names in the path. What is no id cannot be found."""
    for name in route.names:
        if not _of_path(route).is_valid(given[name]):
            raise RefusedError(HTTPStatus.NOT_FOUND, f"There is no {name} {given[name]!r:.80}.", "", name)
    return dict(given)


def read_query(route: Route, arguments: Mapping[str, Sequence[bytes]]) -> dict[str, Any]:
    """The query, its texts made what the schemas say."""
    given: dict[str, Any] = {}
    for name, values in arguments.items():
        if name in {"token", "_xsrf"} or (name.isdigit() and not any(values)):
            continue  # Jupyter's own, and the number that JupyterLab adds so that nothing is cached
        schema = route.query.get(name, {})
        texts = [value.decode("utf-8", "replace") for value in values]
        if schema.get("type") == "array":
            given[name] = texts
        else:
            given[name] = _converted(texts[-1], schema.get("type", "string"))
    _check(_of_query(route), given)
    return {name: schema["default"] for name, schema in route.query.items() if "default" in schema} | given


def read_body(route: Route, content: bytes) -> dict[str, Any]:
    """The body. A request without one is one with ``{}``."""
    if route.body is None:
        if content.strip() not in {b"", b"{}"}:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "This request has no body.", "Leave it out.")
        return {}
    if len(content) > route.most:
        raise RefusedError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The request is larger than {route.most:,} bytes.", "Send less."
        )
    body = json_object(content or b"{}")
    _check(_of_body(route), body)
    return body


def json_object(content: bytes) -> dict[str, Any]:
    """``content`` as a JSON object. Raises :class:`RefusedError`."""
    try:
        found = json.loads(content)
    except RecursionError:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "The request is nested too deeply.") from None
    except ValueError as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"The request is not JSON: {error}.") from None
    if not isinstance(found, dict):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "The request must be a JSON object.")
    return found


def _converted(text: str, kind: str) -> object:
    try:
        if kind == "integer":
            return int(text)
        if kind == "number" and math.isfinite(float(text)):
            return float(text)
    except ValueError:
        return text
    return {"true": True, "1": True, "false": False, "0": False}.get(text, text) if kind == "boolean" else text


@cache
def _of_body(route: Route) -> Draft202012Validator:
    return _validator(route.body or {})


@cache
def _of_query(route: Route) -> Draft202012Validator:
    return _validator(objects(route.query, *route.required))


@cache
def _of_path(route: Route) -> Draft202012Validator:
    return _validator(route.named)


def _validator(schema: Schema) -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(dict(schema))


def _check(validator: Draft202012Validator, given: Mapping[str, Any]) -> None:
    """Raise :class:`RefusedError` for the first thing that is wrong, as a person would name it."""
    error = next(iter(_worst(validator.iter_errors(given))), None)
    if error is not None:
        raise RefusedError(HTTPStatus.BAD_REQUEST, *_in_words(error))


def _worst(errors: Any) -> list[ValidationError]:
    """What is unknown or missing comes after what is wrong about it."""
    return sorted(errors, key=lambda error: (error.validator in {"required"}, list(map(str, error.absolute_path))))


def _in_words(error: ValidationError) -> tuple[str, str, str]:
    """What is wrong, what to do, and the field."""
    if error.validator in {"anyOf", "oneOf"} and error.context:
        inner = max(error.context, key=lambda one: (len(one.absolute_path), one.validator != "type"))
        if len(inner.absolute_path) > len(error.absolute_path) or inner.validator != "type":
            return _in_words(inner)
    field = ".".join(map(str, error.absolute_path))
    rule: Any = error.validator_value
    schema: Any = error.schema
    value: Any = error.instance
    if error.validator == "additionalProperties":
        known = list(schema.get("properties", {}))
        name = next(str(name) for name in value if name not in known)
        near = get_close_matches(name, known, 1)
        fix = f"Did you mean `{near[0]}`?" if near else f"Known are {', '.join(known) or 'none'}."
        return f"There is no field `{name:.80}` here.", fix, f"{field}.{name}".lstrip(".")
    if error.validator == "required":
        name = next(name for name in rule if name not in value)
        return f"`{name}` is missing.", f"Give {_wanted(schema['properties'][name])}.", f"{field}.{name}".lstrip(".")
    shown = json.dumps(value, default=str)
    return f"`{field}` cannot be {shown:.80}.", f"Give {_wanted(schema)}.", field


def _wanted(schema: Mapping[str, Any]) -> str:
    """What would be right, in words."""
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_wanted(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    wanted = _KINDS.get(str(schema.get("type")), "another value")
    if "minimum" in schema and "maximum" in schema:
        return f"{wanted} from {schema['minimum']:,} to {schema['maximum']:,}"
    if "exclusiveMinimum" in schema:
        return f"{wanted} above {schema['exclusiveMinimum']:,}"
    if "maxLength" in schema:
        least = f"{schema['minLength']:,} to" if "minLength" in schema else "at most"
        return f"{wanted} of {least} {schema['maxLength']:,} characters"
    return f"{wanted}, each {_wanted(schema['items'])}" if "items" in schema else wanted
