"""Work that blocks is done in threads, so many of them, and so much may wait: who comes beyond that is told to return.

Looking something up never waits behind starting a service or cancelling a run: each has threads of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Final, TypeVar

from jupyter_pipelines.server.refusals import RefusedError

T = TypeVar("T")

LOOKING: Final = 4  # threads
CHANGING: Final = 8
MOST_WAITING: Final = 100  # requests, in each of the two


class Threads:
    """The threads of a server process. To be used from its event loop."""

    def __init__(self) -> None:
        self._pools = {slow: _Pool(CHANGING if slow else LOOKING, slow) for slow in (False, True)}

    async def do(self, work: Callable[[], T], *, slow: bool = False) -> T:
        """What ``work`` returns; ``slow`` for what may take seconds. Raises :class:`RefusedError` when too much waits.

        It is done to its end, also when nobody waits for it any more.
        """
        return await self._pools[slow].do(work)

    def end(self) -> None:
        """Begin nothing more; what is being done is done to its end."""
        for pool in self._pools.values():
            pool.executor.shutdown(wait=False, cancel_futures=True)


class _Pool:
    def __init__(self, size: int, slow: bool) -> None:
        self.executor = ThreadPoolExecutor(size, f"jupyter-pipelines-{'changing' if slow else 'looking'}")
        self._size = size
        self._there = 0

    async def do(self, work: Callable[[], T]) -> T:
        if self._there >= self._size + MOST_WAITING:
            raise RefusedError(
                HTTPStatus.SERVICE_UNAVAILABLE, "The server is busy.", "Try again in some seconds.", retry_after=5
            )
        self._there += 1
        future = self.executor.submit(work)
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: _on(loop, self._leave))
        return await asyncio.shield(asyncio.wrap_future(future))

    def _leave(self) -> None:
        self._there -= 1


def _on(loop: asyncio.AbstractEventLoop, work: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(work)
