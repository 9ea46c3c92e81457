"""Garbage of Prefect's server is collected in a thread of its own, so that no request waits for the database's lock.

The collector runs in whichever thread allocates. When what it frees is a statement of an SQLite connection, SQLite has
that thread wait for as long as the connection is busy; and a connection that waits for the lock is busy for up to a
minute. Where the thread is the event loop's, who holds the lock cannot go on and let go of it: the whole server stands
still until that minute is over.
"""

from __future__ import annotations

import gc
import threading
import time

INTERVAL = 1.0  # seconds
OFTEN = 60  # intervals from one look at all objects to the next


def collect_aside() -> None:
    """Have no thread but one of its own collect garbage in this process, from now until it ends."""
    gc.disable()
    gc.freeze()
    threading.Thread(target=_collect, name="collector", daemon=True).start()


def _collect() -> None:
    count = 0
    while True:
        time.sleep(INTERVAL)
        count += 1
        gc.collect(2 if count % OFTEN == 0 else 1)
