"""JSON Schema (2020-12) in few words: for what clients send, and for what they are answered."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

Schema = Mapping[str, Any]

ANY: Schema = {}
FLAG: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "number"}
MAPPING: Schema = {"type": "object"}
MOMENT: Schema = {"type": "number", "description": "Seconds since 1970."}
ID: Schema = {"type": "string", "pattern": "^[0-9A-Za-z_-]{1,100}$"}
AFTER: Schema = {"type": "string", "pattern": "^[0-9]{1,6}$", "description": "What the page before gave as `next`."}
NOTEBOOK: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 4096,
    "format": "contents-path",  # by which tests find all that name files
    "description": "Path of a notebook below the server's root directory, with `/`, as the contents manager has it.",
}


def text(description: str = "", *, most: int = 4096, least: int = 0) -> Schema:
    """A text of ``least`` to ``most`` characters."""
    return _with({"type": "string", "maxLength": most} | ({"minLength": least} if least else {}), description)


def whole(least: int, most: int, description: str = "", *, default: int | None = None) -> Schema:
    """A whole number within bounds."""
    given = {} if default is None else {"default": default}
    return _with({"type": "integer", "minimum": least, "maximum": most} | given, description)


def choice(*values: str, description: str = "") -> Schema:
    """One of these texts."""
    return _with({"type": "string", "enum": list(values)}, description)


def many(of: Schema, description: str = "", *, most: int = 1000) -> Schema:
    """A list."""
    return _with({"type": "array", "items": of, "maxItems": most}, description)


def nullable(schema: Schema) -> Schema:
    """The same, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def objects(properties: Mapping[str, Schema], *required: str, description: str = "") -> Schema:
    """An object with these properties and no others."""
    made = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return _with(made | ({"required": list(required)} if required else {}), description)


def reference(name: str) -> Schema:
    """What is called ``name`` among the components of the API's description."""
    return {"$ref": f"#/components/schemas/{name}"}


def page(of: Schema, name: str) -> Schema:
    """A part of a long list; ``next`` is where the rest begins, null at its end."""
    cursor = _with(nullable({"type": "string"}), "Where the rest begins; null when this was the last page.")
    return objects({name: {"type": "array", "items": of}, "next": cursor}, name, "next")


def of_class(kind: type, *without: str, **instead: Schema) -> Schema:
    """What the JSON form of a dataclass looks like; fields ``without``, and others ``instead``."""
    hints = get_type_hints(kind)
    names = [one.name for one in fields(kind) if one.name not in without]
    properties = {name: instead.get(name) or of_type(hints[name]) for name in names}
    extra = {name: schema for name, schema in instead.items() if name not in properties}
    return objects({**properties, **extra}, *properties, *extra)


def of_type(hint: Any) -> Schema:
    """What the JSON form of a value of this type looks like."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return choice(*arguments)
    if origin in {Union, types.UnionType}:
        return {"anyOf": [of_type(argument) for argument in arguments]}
    if origin in {tuple, list, frozenset, set} or (isinstance(origin, type) and origin.__name__ == "Sequence"):
        if origin is tuple and arguments[-1:] != (...,):
            return {"type": "array", "prefixItems": [of_type(one) for one in arguments]}
        return {"type": "array", "items": of_type(arguments[0])}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": of_type(arguments[1])}
    if isinstance(hint, type):
        return _of_plain(hint)
    return ANY


def _of_plain(kind: type) -> Schema:
    if is_dataclass(kind):
        return of_class(kind)
    if issubclass(kind, Enum):
        return choice(*(str(one.value) for one in kind))
    if issubclass(kind, datetime):
        return {"type": "string", "format": "date-time"}
    if issubclass(kind, str | Path | date):
        return {"type": "string"}
    plain = {bool: "boolean", int: "integer", float: "number", types.NoneType: "null"}
    return {"type": plain[kind]} if kind in plain else ANY


def _with(schema: Mapping[str, Any], description: str) -> Schema:
    return {**schema, "description": description} if description else schema
