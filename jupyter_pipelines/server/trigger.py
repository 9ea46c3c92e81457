"""``POST triggers/ID``: have a trigger's pipeline run, for who has the trigger's own token.

The one route that does not ask who is there: the token says so, opens nothing else, and never comes in a cookie.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

from jupyter_server.auth.decorator import allow_unauthenticated

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.triggers.tokens import Asked, Gate, RefusedError
from jupyter_pipelines.server.handlers import PipelinesHandler
from jupyter_pipelines.server.requests import TriggerRequest

MOST_BYTES = 1_000_000
_GATE = "jupyter_pipelines_gate"


class TriggerHandler(PipelinesHandler):
    """``{"parameters": {…}}`` or nothing in; ``{"trigger", "occurrence", "run"}`` out, or a reason with its field."""

    _track_activity = False

    def check_xsrf_cookie(self) -> None:
        """No cookie is looked at here, so none can be misused."""

    @allow_unauthenticated
    async def post(self, trigger_id: str) -> None:
        """Answer 202 when the request was taken, 200 when its idempotency key was known, else 4xx with a reason."""
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        token = token.strip() if scheme.lower() == "bearer" else ""
        gate: Gate = self.settings.setdefault(_GATE, Gate())
        try:
            if len(self.request.body) > MOST_BYTES:
                raise RefusedError(413, f"The request has more than {MOST_BYTES:,} bytes.")
            key = self.request.headers.get("Idempotency-Key", "")
            body = self.request.body
            if not token.startswith(f"jpt_{trigger_id}_"):
                token = ""
            asked = await asyncio.get_running_loop().run_in_executor(None, _fire, gate, token, body, key)
        except RefusedError as refusal:
            self._refuse(refusal)
        else:
            self.set_status(202 if asked.new else 200)
            self.finish(
                json.dumps({"trigger": asked.trigger, "occurrence": asked.occurrence, "run": asked.run or None})
            )

    def _refuse(self, refusal: RefusedError) -> None:
        self.set_status(refusal.status)
        if refusal.retry_after:
            self.set_header("Retry-After", str(refusal.retry_after))
        if refusal.status == 401:
            self.set_header("WWW-Authenticate", "Bearer")
        answer: Mapping[str, str] = {"reason": refusal.message}
        if refusal.field:
            answer = {**answer, "field": refusal.field}
        self.finish(json.dumps(answer))


def _fire(gate: Gate, token: str, body: bytes, key: str) -> Asked:
    def parameters() -> Mapping[str, object]:
        try:
            return TriggerRequest.parse(body).parameters
        except RequestError as error:
            raise RefusedError(400, error.message) from None

    return gate.fire(token, parameters, key)
