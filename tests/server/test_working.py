"""Threads are bounded, and so is what waits for them; what is slow holds up nothing else."""

from __future__ import annotations

import asyncio
import threading

import pytest

from jupyter_pipelines.server.refusals import RefusedError
from jupyter_pipelines.server.working import CHANGING, MOST_WAITING, Threads


async def test_what_comes_beyond_the_bounds_is_told_to_come_back():
    threads, free = Threads(), threading.Event()
    waiting = [asyncio.create_task(threads.do(free.wait, slow=True)) for _ in range(CHANGING + MOST_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(RefusedError) as refused:
        await threads.do(free.wait, slow=True)
    assert (refused.value.status, refused.value.retry_after) == (503, 5)
    assert await threads.do(lambda: "looked up") == "looked up"
    waiting[-1].cancel()  # who does not wait any more
    free.set()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert found[:-1] == [True] * (len(waiting) - 1)
    assert await threads.do(lambda: "there is room again", slow=True) == "there is room again"
    threads.end()


async def test_a_request_that_is_too_large_is_refused(ask, own_home):
    reply = await ask("POST runs", {"notebook": "a.ipynb", "parameters": {"text": "x" * 1_100_000}})
    assert reply.status == 413
