"""From the table of routes to the handlers of a Jupyter server: each verb is authenticated and authorized."""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin
from tornado import web

from jupyter_pipelines.errors import PipelinesError
from jupyter_pipelines.server.checking import read_body, read_path, read_query
from jupyter_pipelines.server.places import Places
from jupyter_pipelines.server.refusals import RefusedError, refused
from jupyter_pipelines.server.repeats import HEADER, Repeats
from jupyter_pipelines.server.route import Answer, Call, Route
from jupyter_pipelines.server.working import Threads

if TYPE_CHECKING:
    from jupyter_pipelines.server.events import Stream

RESOURCE: Final = "pipelines"
"""What a person must be allowed to `read`, to `write` or to `execute`."""

SETTING: Final = "jupyter_pipelines_state"


@dataclass
class State:
    """What the handlers of one server process share."""

    threads: Threads = field(default_factory=Threads)
    repeats: Repeats = field(default_factory=Repeats)
    stream: Stream = field(init=False)

    def __post_init__(self) -> None:
        from jupyter_pipelines.server.events import Stream

        self.stream = Stream(self.threads)


class ErrorsInJson(JupyterHandler):
    """Whatever goes wrong is told in one form."""

    def write_error(self, status_code: int, **_: Any) -> None:
        """Whatever else goes wrong is told in the same form, and without what is nobody's business."""
        status = HTTPStatus(status_code) if status_code in set(HTTPStatus) else HTTPStatus.INTERNAL_SERVER_ERROR
        fixes = {
            HTTPStatus.FORBIDDEN: "Log in, or ask for the right to use pipelines on this server.",
            HTTPStatus.INTERNAL_SERVER_ERROR: "The server's log has the details; please report them.",
        }
        self.set_header("Content-Type", "application/json")
        self.finish(dumps(RefusedError(status, f"{status.phrase}.", fixes.get(status, "")).to_json()))


class PipelinesHandler(ErrorsInJson, ExtensionHandlerMixin, APIHandler):
    """What all routes share: how they are answered, and refused."""

    auth_resource: ClassVar[str] = RESOURCE

    @property
    def state(self) -> State:
        """What this server's handlers share."""
        state: State = self.settings[SETTING]
        return state

    async def reply(self, route: Route, path: Mapping[str, str]) -> None:
        """Check the request, have the route answer it, and send that."""
        try:
            answer = await self._answer(route, path)
        except RefusedError as refusal:
            self.refuse(refusal)
        else:
            self.set_status(answer.status or route.status)
            self.finish(answer.content)

    def refuse(self, refusal: RefusedError) -> None:
        """Send what is wrong."""
        self.set_status(refusal.status)
        if refusal.retry_after:
            self.set_header("Retry-After", str(refusal.retry_after))
        self.finish(dumps(refusal.to_json()))

    async def _answer(self, route: Route, path: Mapping[str, str]) -> Answer:
        key = "" if route.needs == "read" else self.request.headers.get(HEADER, "")
        places, query, body = Places.of(self), self.request.query_arguments, self.request.body

        def carry_out() -> Answer:
            call = Call(places, read_path(route, path), read_query(route, query), read_body(route, body), key)
            return _carry_out(route, call)

        async def work() -> Answer:
            try:
                return await self.state.threads.do(carry_out, slow=route.slow)
            finally:
                if route.needs != "read":
                    self.state.stream.look_soon()

        where = f"{self.request.method} {self.request.path}"
        return await self.state.repeats.once(where, key, body, work)


def handler_of(routes: Sequence[Route], base: type[PipelinesHandler] = PipelinesHandler) -> type[PipelinesHandler]:
    """The handler of the routes of one path; ``base`` has what else is answered there."""
    verbs = {route.method.lower(): _verb(route) for route in routes}
    name = "".join(part.strip("{}").capitalize() for part in routes[0].path.replace("-", "/").split("/"))
    return type(f"{name}Handler", (base,), {**verbs, "__doc__": routes[0].summary})


def handlers_of(
    routes: Sequence[Route], bases: Mapping[str, type[PipelinesHandler]]
) -> list[tuple[str, type[PipelinesHandler]]]:
    """The handlers of a table, and the patterns of their paths; ``bases`` are those of some of its paths."""
    paths: dict[str, list[Route]] = {}
    for route in routes:
        paths.setdefault(route.path, []).append(route)
    return [(found[0].pattern, handler_of(found, bases.get(path, PipelinesHandler))) for path, found in paths.items()]


def _verb(route: Route) -> Callable[..., Awaitable[None]]:
    @web.authenticated
    @authorized(route.needs)  # type: ignore[untyped-decorator]  # jupyter_server types only the form without arguments
    async def verb(self: PipelinesHandler, **path: str) -> None:
        await self.reply(route, path)

    return cast("Callable[..., Awaitable[None]]", verb)


def _carry_out(route: Route, call: Call) -> Answer:
    """In a thread."""
    try:
        found = route.answer(call)
    except RefusedError as refusal:
        refusal.message = call.places.tidy(refusal.message)
        raise
    except PipelinesError as error:
        told = refused(error, call.given)
        told.message, told.fix = call.places.tidy(told.message), call.places.tidy(told.fix)
        raise told from error
    answer = found if isinstance(found, Answer) else Answer(found)
    return Answer(dumps(answer.content), answer.status)


def dumps(content: object) -> str:
    """JSON that browsers can read: they know no NaN, and no infinity."""
    try:
        return json.dumps(content, allow_nan=False, default=_plain)
    except ValueError:
        return json.dumps(_finite(json.loads(json.dumps(content, default=_plain))), allow_nan=False)


def _plain(value: object) -> object:
    isoformat = getattr(value, "isoformat", None)
    if callable(isoformat):
        return isoformat()
    return list(value) if isinstance(value, set | frozenset | tuple) else str(value)


def _finite(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, list) else value
