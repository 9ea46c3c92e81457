"""What clients send, checked. A wrong request is answered 400 with a reason a person can act on, never 500."""

from __future__ import annotations

import json
from dataclasses import dataclass

from jupyter_pipelines.errors import RequestError


@dataclass(frozen=True, slots=True)
class CompileRequest:
    """``POST compile``: a notebook as it stands in an editor, and the name its author knows it by."""

    name: str
    source: bytes

    @classmethod
    def parse(cls, body: bytes) -> CompileRequest:
        """Read ``{"name": "…", "notebook": {…}}``; raises :class:`~jupyter_pipelines.errors.RequestError`."""
        content = _json_object(body)
        notebook = content.get("notebook")
        if not isinstance(notebook, dict):
            raise RequestError("`notebook` must be the notebook as a JSON object.")
        name = content.get("name", "")
        if not isinstance(name, str):
            raise RequestError("`name` must be the notebook's file name, as text.")
        # Lone surrogates are JSON, but no text: replaced, so that reading the notebook can say what is wrong.
        return cls(name=name or "notebook", source=json.dumps(notebook).encode("utf-8", "replace"))


@dataclass(frozen=True, slots=True)
class TriggerRequest:
    """``POST triggers/ID``: parameters beside those of the trigger."""

    parameters: dict[str, object]

    @classmethod
    def parse(cls, body: bytes) -> TriggerRequest:
        """Read ``{"parameters": {…}}``, or nothing; raises :class:`~jupyter_pipelines.errors.RequestError`."""
        content = _json_object(body) if body.strip() else {}
        unknown = [name for name in content if name != "parameters"]
        if unknown:
            raise RequestError(f"The request has {unknown[0]!r}; there is `parameters` alone.")
        parameters = content.get("parameters", {})
        if not isinstance(parameters, dict):
            raise RequestError("`parameters` must be a JSON object.")
        return cls(parameters)


def _json_object(body: bytes) -> dict[str, object]:
    try:
        content = json.loads(body)
    except RecursionError:
        raise RequestError("The request is nested too deeply.") from None
    except ValueError as error:
        raise RequestError(f"The request is not JSON: {error}.") from None
    if not isinstance(content, dict):
        raise RequestError("The request must be a JSON object.")
    return content
