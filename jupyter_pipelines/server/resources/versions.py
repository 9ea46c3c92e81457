"""Versions of a notebook: published, listed, compared, chosen; and how far a notebook has drifted from its own."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import jupyter_pipelines as jp
from jupyter_pipelines.server import shown
from jupyter_pipelines.server.refusals import looking_for
from jupyter_pipelines.server.resources.compilation import source_of
from jupyter_pipelines.server.route import MOST_NOTEBOOK, Answer, Call, Route
from jupyter_pipelines.server.schemas import AFTER, ID, MAPPING, NOTEBOOK, Schema, objects, page, reference, text, whole

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.versions import Version


def list_versions(call: Call) -> object:
    """The versions of a notebook's pipeline, newest first."""
    found = shown.visible(jp.versions(call.notebook), call.places, lambda version: version.notebook)
    return shown.page(found, call, "versions", lambda version: _brief(version, call))


def publish(call: Call) -> object:
    """Freeze a notebook and make that the published version."""
    continuing = call.body.get("continuing")
    made = jp.publish(
        call.notebook,
        message=call.body.get("message", ""),
        continuing=str(call.places.file(continuing, "continuing")) if continuing else None,
    )
    return Answer(_whole(made, call), HTTPStatus.CREATED if made.is_new else HTTPStatus.OK)


def get_version(call: Call) -> object:
    """One version with the files and the environment that it froze, and what speaks against running it today."""
    version = _find(call)
    return _whole(replace(version, notes=jp.check_version(version.id)), call)


def compare(call: Call) -> object:
    """A version, and another one or the notebook as it is now."""
    _find(call)
    return jp.diff(call.notebook, call.path["version"], call.query.get("to")).to_dict()


def review(call: Call) -> object:
    """A version, and the notebook as it stands in an editor."""
    _find(call)
    return jp.diff(call.notebook, call.path["version"], content=source_of(call.body["content"])).to_dict()


def rollback(call: Call) -> object:
    """Make an older version the published one."""
    _find(call)
    made = jp.rollback(call.notebook, call.path["version"], message=call.body.get("message", ""))
    return _whole(made, call)


def pin(call: Call) -> object:
    """Keep a version the published one, whatever is published later."""
    _find(call)
    return _whole(jp.pin(call.notebook, call.path["version"], message=call.body.get("message", "")), call)


def unpin(call: Call) -> object:
    """Let the version that was published last be the published one again."""
    return _whole(jp.unpin(call.notebook, message=call.body.get("message", "")), call)


def drift(call: Call) -> object:
    """How far a notebook, as it stands in an editor, is from its published version."""
    content = call.body.get("content")
    return jp.drift(call.notebook, None if content is None else source_of(content)).to_dict()


def _find(call: Call) -> Version:
    from jupyter_pipelines.orchestration.versions import get_version as find

    with looking_for("version"):
        version = find(call.notebook, call.path["version"])
    shown.require_visible(version.notebook, call.places, "version", call.path["version"])
    return version


def _whole(version: Version, call: Call) -> dict[str, Any]:
    return shown.record(version.to_dict(), call.places)


def _brief(version: Version, call: Call) -> dict[str, Any]:
    return {name: value for name, value in _whole(version, call).items() if name not in {"files", "environment"}}


_QUERY = {"notebook": NOTEBOOK}
_MESSAGE = text("Why, for the history.", most=10_000)
_CHOOSE: Schema = objects({"notebook": NOTEBOOK, "message": _MESSAGE}, "notebook")
_CHOSEN = ({"notebook": "sales.ipynb", "message": "July was wrong"},)

ROUTES = (
    Route(
        "GET",
        "versions",
        "The versions of a notebook, newest first",
        list_versions,
        page(reference("VersionBrief"), "versions"),
        query=_QUERY | {"limit": whole(1, 100, default=50), "after": AFTER},
        required=("notebook",),
        examples=({"notebook": "sales.ipynb"},),
    ),
    Route(
        "POST",
        "versions",
        "Publish a notebook: 201 for a new version, 200 for one with the same content as before",
        publish,
        reference("Version"),
        HTTPStatus.CREATED,
        body=objects(
            {
                "notebook": NOTEBOOK,
                "message": _MESSAGE,
                "continuing": {**NOTEBOOK, "description": "The old path of a notebook that was moved here."},
            },
            "notebook",
        ),
        examples=({"notebook": "sales.ipynb", "message": "with July"},),
        slow=True,
    ),
    Route(
        "POST",
        "versions/unpin",
        "Let the version that was published last be the published one again",
        unpin,
        reference("Version"),
        body=_CHOOSE,
        examples=_CHOSEN,
    ),
    Route(
        "GET",
        "versions/{version}",
        "One version; `published` is that which runs take. Its `notes` are what speaks against running it here today",
        get_version,
        reference("Version"),
        query=_QUERY,
        required=("notebook",),
    ),
    Route(
        "GET",
        "versions/{version}/diff",
        "What differs between a version and another one, or the notebook as it is now",
        compare,
        reference("VersionDiff"),
        query=_QUERY | {"to": {**ID, "description": "Another version; the notebook as it is now unless given."}},
        required=("notebook",),
        slow=True,  # the kernel's environment is looked at
    ),
    Route(
        "POST",
        "versions/{version}/diff",
        "What differs between a version and the notebook as it stands in an editor",
        review,
        reference("VersionDiff"),
        body=objects({"notebook": NOTEBOOK, "content": MAPPING}, "notebook", "content"),
        examples=({"notebook": "sales.ipynb", "content": {"nbformat": 4, "nbformat_minor": 5, "cells": []}},),
        action="read",
        most=MOST_NOTEBOOK,
        slow=True,
    ),
    Route(
        "POST",
        "versions/{version}/rollback",
        "Make an older version the published one",
        rollback,
        reference("Version"),
        body=_CHOOSE,
        examples=_CHOSEN,
    ),
    Route(
        "POST",
        "versions/{version}/pin",
        "Keep a version the published one, whatever is published later",
        pin,
        reference("Version"),
        body=_CHOOSE,
        examples=_CHOSEN,
    ),
    Route(
        "POST",
        "drift",
        "How far a notebook, as it stands in an editor, is from its published version",
        drift,
        reference("Drift"),
        body=objects({"notebook": NOTEBOOK, "content": MAPPING}, "notebook"),
        examples=({"notebook": "sales.ipynb"},),
        action="read",
        most=MOST_NOTEBOOK,
    ),
)
