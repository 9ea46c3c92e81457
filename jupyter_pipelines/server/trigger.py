"""``POST triggers/ID``: have a trigger's pipeline run, for who has the trigger's own token.

The one route that does not ask who is there: the token says so, opens nothing else, and never comes in a cookie.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from jupyter_server.auth.decorator import allow_unauthenticated

from jupyter_pipelines.server.checking import read_body
from jupyter_pipelines.server.handler import PipelinesHandler
from jupyter_pipelines.server.refusals import RefusedError
from jupyter_pipelines.server.repeats import HEADER
from jupyter_pipelines.server.route import Call, Route
from jupyter_pipelines.server.schemas import MAPPING, nullable, objects, text

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.triggers.tokens import Asked, Gate

_GATE = "jupyter_pipelines_gate"


def _not_called(_: Call) -> object:
    raise AssertionError("the handler below answers it")


ROUTE: Final = Route(
    "POST",
    "triggers/{trigger}",
    "Have a trigger's pipeline run once: 202 when it was taken, 200 when its `Idempotency-Key` was known",
    _not_called,
    objects({"trigger": text(), "occurrence": text(), "run": nullable(text())}, "trigger", "occurrence", "run"),
    202,
    body=objects({"parameters": MAPPING}),
    examples=({"parameters": {"day": "2027-03-14"}},),
    action="execute",
)
"""What it takes and answers; who may ask is said by the trigger's token, in place of the server's."""


class TriggerHandler(PipelinesHandler):
    """``{"parameters": {…}}`` or nothing in; ``{"trigger", "occurrence", "run"}`` out, or a reason with its field."""

    _track_activity = False

    def check_xsrf_cookie(self) -> None:
        """For a token no cookie is looked at, so none can be misused; all other verbs are as everywhere."""
        if self.request.method != "POST":
            super().check_xsrf_cookie()

    @allow_unauthenticated
    async def post(self, trigger: str) -> None:
        """Answer 202 when the request was taken, 200 when its idempotency key was known, else 4xx with a reason."""
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        token = token.strip() if scheme.lower() == "bearer" else ""
        if not token.startswith(f"jpt_{trigger}_"):
            token = ""
        key = self.request.headers.get(HEADER, "")
        try:
            asked = await self.state.threads.do(partial(_fire, self.settings, token, self.request.body, key))
        except RefusedError as refusal:
            if refusal.status == 401:
                self.set_header("WWW-Authenticate", "Bearer")
            self.refuse(refusal)
        else:
            self.state.stream.look_soon()
            self.set_status(202 if asked.new else 200)
            self.finish(
                json.dumps({"trigger": asked.trigger, "occurrence": asked.occurrence, "run": asked.run or None})
            )


def _fire(settings: dict[str, Any], token: str, body: bytes, key: str) -> Asked:
    from jupyter_pipelines.orchestration.triggers import tokens

    gate: Gate = settings.setdefault(_GATE, tokens.Gate())  # one for all requests, whichever comes first
    try:
        return gate.fire(token, lambda: read_body(ROUTE, body).get("parameters", {}), key)
    except tokens.RefusedError as refusal:
        field = f"parameters.{refusal.field}" if refusal.status == 422 else refusal.field
        raise RefusedError(
            refusal.status, refusal.message, refusal.fix, field, retry_after=refusal.retry_after
        ) from refusal
