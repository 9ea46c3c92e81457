"""``GET events``: a WebSocket that tells of runs, their steps, what starts runs, and the service, as they change.

A WebSocket, as for Jupyter's own events and kernels: a browser keeps six connections open to a server for all of its
pages, which as many streams of server-sent events would take up; WebSockets do not count. Jupyter's event bus
(``api/events``) is not used: it cannot tell again what was missed, nor whether anybody listens.

One watcher in the server process looks for changes, once a second while somebody listens and at once when a request has
changed something; it is at rest when nobody does. Who comes back with ``?since=ID``, the id of the last event that
arrived, is told all that has changed since, also when the server was started anew: the id holds a mark in the history.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, Final

from jupyter_server.auth.decorator import authorized, ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from jupyter_pipelines.server.handler import RESOURCE, SETTING, ErrorsInJson, State, dumps
from jupyter_pipelines.server.places import Places
from jupyter_pipelines.server.schemas import ID, reference
from jupyter_pipelines.server.working import Threads
from jupyter_pipelines.settings import Settings

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.changes import Change, Changes

logger = logging.getLogger(__name__)

PATH: Final = "events"
INTERVAL: Final = 1.0  # seconds between two looks
REMEMBERED: Final = 10_000  # events
MOST_MISSED: Final = 2_000  # events that are told at once to who was away


@dataclass(frozen=True)
class Event:
    """Something that has changed, as clients are told of it. ``kind`` is also ``hello`` or ``reset``, see the API."""

    number: int
    id: str
    kind: str
    subject: str
    notebook: str | None
    data: Any

    def to_json(self) -> str:
        """One message."""
        names = ("id", "kind", "subject", "notebook", "data")
        return dumps({name: getattr(self, name) for name in names} | {"time": time.time()})


class Stream:
    """The events of one server process. To be used from its event loop."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self._epoch = secrets.token_hex(4)
        self._changes: Changes | None = None
        self._looking = asyncio.Lock()
        self._events: deque[Event] = deque(maxlen=REMEMBERED)
        self._number = 0
        self._news = asyncio.Event()
        self._soon = asyncio.Event()
        self.listeners = 0
        self._watcher: asyncio.Task[None] | None = None
        self.looks = 0  # how often it was looked, since the process began

    def look_soon(self) -> None:
        """Something was changed: look at once, if somebody listens."""
        self._soon.set()

    async def follow(self, since: str, places: Places) -> AsyncGenerator[Event]:
        """``hello``, then what has changed since the event ``since`` and what changes from now on, without end."""
        self.listeners += 1
        try:
            await self._look(places)
            if self._watcher is None or self._watcher.done():
                self._watcher = asyncio.create_task(self._watch(places))
            number = self._number
            for event in await self._missed(since, places):
                yield event
            while True:
                news = self._news
                oldest = self._number - len(self._events)
                if number < oldest:
                    yield self._event("reset")
                    number = self._number
                for event in list(islice(self._events, number - oldest, None)):
                    number = event.number
                    yield event
                if number == self._number:
                    await news.wait()
        finally:
            self.listeners -= 1
            if not self.listeners:
                self.end()

    def end(self) -> None:
        """Be at rest."""
        if self._watcher is not None:
            self._watcher.cancel()
            self._watcher = None

    async def _watch(self, places: Places) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._soon.wait(), INTERVAL)
            self._soon.clear()
            await self._look(places)

    async def _look(self, places: Places) -> None:
        try:
            async with self._looking:
                told = await self._threads.do(lambda: _told(self._changed(), places))
        except Exception:  # a disk that is full or away: it is looked again
            logger.exception("What has changed cannot be seen")
            return
        for change, notebook in told:
            self._number += 1
            self._events.append(self._event(change.kind, change, notebook))
        if told:
            self._news.set()
            self._news = asyncio.Event()

    def _changed(self) -> list[Change]:
        self.looks += 1
        from jupyter_pipelines.orchestration.changes import Changes

        if self._changes is None:
            self._changes = Changes(Settings.load())
        return list(self._changes.look())

    async def _missed(self, since: str, places: Places) -> list[Event]:
        """What is told first."""
        epoch, _, rest = since.partition("-")
        number, _, mark = rest.partition("-")
        hello = self._event("hello")
        if not since:
            return [hello]
        if epoch == self._epoch and number.isdecimal():
            begun = self._number - len(self._events)
            if begun <= int(number) <= self._number:
                return [*islice(self._events, int(number) - begun, None), hello]
        if not mark.isdecimal() or self._changes is None:
            return [self._event("reset")]
        changes, number_of = self._changes, int(mark)
        async with self._looking:
            told = await self._threads.do(lambda: _told(changes.since(number_of), places))
        if len(told) > MOST_MISSED:
            return [self._event("reset")]
        return [*(self._event(change.kind, change, notebook) for change, notebook in told), hello]

    def _event(self, kind: str, change: Change | None = None, notebook: str | None = None) -> Event:
        mark = self._changes.mark if self._changes is not None else 0
        name = f"{self._epoch}-{self._number}-{mark}"
        if change is None:
            return Event(self._number, name, kind, "", None, {})
        return Event(self._number, name, kind, change.id, notebook, dict(change.data))


def _told(changes: Iterable[Change], places: Places) -> list[tuple[Change, str | None]]:
    """What this server shows of it, and the contents paths of notebooks. In a thread."""
    found = ((change, places.shown(change.notebook) if change.notebook else None) for change in changes)
    return [(change, path) for change, path in found if path is not None or not change.notebook]


class EventsHandler(ErrorsInJson, WebSocketMixin, WebSocketHandler, JupyterHandler):
    """The WebSocket. What a client says is not listened to."""

    auth_resource: ClassVar[str] = RESOURCE
    _task: asyncio.Task[None] | None = None

    @ws_authenticated
    @authorized("read")  # type: ignore[untyped-decorator]  # jupyter_server types only the form without arguments
    async def get(self, *arguments: Any, **named: Any) -> None:  # type: ignore[override]  # as above
        """Become a WebSocket."""
        await super().get(*arguments, **named)

    def open(self, *_: str, **__: str) -> None:
        """Begin to tell."""
        super().open()
        self._task = asyncio.create_task(self._tell(self.get_query_argument("since", "")))

    def on_message(self, message: str | bytes) -> None:
        """Nothing is asked this way."""

    def on_close(self) -> None:
        """Tell no more."""
        if self._task is not None:
            self._task.cancel()

    async def _tell(self, since: str) -> None:
        state: State = self.settings[SETTING]
        events = state.stream.follow(since, Places.of(self))
        try:
            async for event in events:
                await self.write_message(event.to_json())
        except WebSocketClosedError:
            pass
        finally:
            await events.aclose()
            self.close()


def operation() -> dict[str, Any]:
    """How the API's description tells of it."""
    since = {**ID, "description": "The id of the last event that arrived; what has changed since is told first."}
    return {
        "operationId": "get_events",
        "summary": "A WebSocket that tells of runs, steps, what starts runs, and the service, as they change",
        "description": "Each message is an `Event`. A client connects, waits for `hello`, asks for what it shows, and "
        "goes by events from then on. After `reset` it asks again. For people who may look at pipelines (`read`).",
        "tags": ["events"],
        "parameters": [{"name": "since", "in": "query", "required": False, "schema": since}],
        "responses": {
            "101": {"description": "A WebSocket", "content": {"application/json": {"schema": reference("Event")}}},
            "4XX": {
                "description": "The request was wrong",
                "content": {"application/json": {"schema": reference("Error")}},
            },
        },
    }
