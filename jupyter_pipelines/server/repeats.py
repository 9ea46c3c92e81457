"""Requests that are sent again because their answer was lost: with the same ``Idempotency-Key`` they are done once.

The answers of a day are remembered, as far as there is room; a second request that comes before the first is answered
waits for that answer. A run's key goes to Prefect as well, so that it holds when this server was started anew.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import blake2b
from http import HTTPStatus
from typing import Final

from jupyter_pipelines.server.refusals import RefusedError
from jupyter_pipelines.server.route import Answer

HEADER: Final = "Idempotency-Key"
LONGEST: Final = 200
REMEMBERED: Final = 1000
DAY: Final = 86_400.0


@dataclass
class _Known:
    body: bytes
    time: float
    answer: asyncio.Future[Answer]


class Repeats:
    """The requests with a key of one server process. To be used from its event loop."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], _Known] = OrderedDict()

    async def once(self, where: str, key: str, body: bytes, do: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer of ``do``, or what it was the first time. What failed is tried again when it is asked again.

        Who asks is not looked at: with the server's token a person has another name in every request.
        """
        if not key:
            return await do()
        if len(key) > LONGEST or not key.isprintable():
            raise RefusedError(
                HTTPStatus.BAD_REQUEST,
                f"An idempotency key has at most {LONGEST} printable characters.",
                "Use a random UUID.",
                HEADER,
            )
        name, digest = (where, key), blake2b(body, digest_size=16).digest()
        known = self._known.get(name)
        if known is not None and time.monotonic() - known.time < DAY:
            if known.body != digest:
                raise RefusedError(
                    HTTPStatus.UNPROCESSABLE_ENTITY,
                    "Another request had this idempotency key.",
                    "Use a new key for a new request.",
                    HEADER,
                )
            return await asyncio.shield(known.answer)
        made = _Known(digest, time.monotonic(), asyncio.ensure_future(do()))
        self._known[name] = made
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        made.answer.add_done_callback(lambda answer: self._ended(name, answer))
        return await asyncio.shield(made.answer)

    def _ended(self, name: tuple[str, str], answer: asyncio.Future[Answer]) -> None:
        known = self._known.get(name)
        failed = answer.cancelled() or answer.exception() is not None
        if failed and known is not None and known.answer is answer:
            del self._known[name]
