"""The duty: notes in the outbox what is to be told, and sends what is there, again until it is taken.

Nothing waits for it: it has a thread of the worker's, and a destination that is down or slow has one of its own for
the seconds that it may take.
"""

from __future__ import annotations

import random
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jupyter_pipelines.orchestration.alerts.model import AlertRecord, Message, Progress, Queued
from jupyter_pipelines.orchestration.alerts.shelf import Shelf
from jupyter_pipelines.store import Store

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.alerts.lateness import Deadlines

LONGEST: Final = 5.0  # seconds between two looks: a clock that was set, or a run that was found dead, tells nobody
FIRST_RETRY: Final = 10.0  # seconds; then twice as long each time
LONGEST_RETRY: Final = 15 * 60.0
GIVEN_UP: Final = 3 * 86_400.0  # seconds after which a message that nobody takes is dropped
MOST_QUEUED: Final = 200
"""How many messages wait for one destination; when there are more, the oldest are dropped, and that is told."""
AT_A_TIME: Final = 5.0  # seconds in which one destination is sent to in one look
AT_ONCE: Final = 8
"""How many destinations are sent to at the same time."""


class Alerting:
    """Sees to the alerts of the project home ``home``. There is one, in the worker."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._shelf = Shelf(home)
        self._deadlines: Deadlines | None = None
        self._fresh = False  # whether the schedules were read in this look
        self._taken: set[str] = set()  # keys of messages that were taken, though the outbox could not be changed

    def look(self) -> float:
        """Note and send what is to be told; returns in how many seconds to look again, at the latest."""
        return self.look_at(time.time())

    def look_at(self, now: float) -> float:
        """The same, at ``now`` (seconds since the epoch)."""
        records = self._shelf.records()
        self._fresh = False
        if not records:
            return LONGEST
        for record in records:
            try:
                self._note(record, now)
            except Exception:  # a full disk, a damaged store: what is to be told is found again, others go on
                traceback.print_exc()
        waiting = [(record, self._shelf.outbox(record.id)) for record in records]
        due = [(record, queue) for record, queue in waiting if any(_is_due(one, now) for one in queue)]
        if due:
            with ThreadPoolExecutor(min(AT_ONCE, len(due))) as pool:
                if not all(list(pool.map(lambda one: self._send(one[0], one[1], now), due))):
                    return 0.0
        return LONGEST

    def _note(self, record: AlertRecord, now: float) -> None:
        """Put into the outbox what has come to pass since the last look."""
        from jupyter_pipelines.orchestration.alerts import foresight, lateness, streaks
        from jupyter_pipelines.orchestration.history import History

        progress = self._shelf.progress(record)
        before = progress.to_json()
        store = Store(record.store)
        progress.mark, runs = History(store).ended_since(progress.mark)
        messages = []
        if "late" in record.on:  # before the ends: who was late, and is done by now, has recovered
            messages = self._schedules().passed(record, progress, now)
            messages += lateness.slow_runs(record, progress, store, now)
        messages += streaks.ended(record, progress, runs)
        if "failure" in record.on:
            messages += foresight.foreseen(record, progress, self._home)
        for place, message in enumerate(messages):
            self._put(record, progress, Queued(message, made=now, place=place, due=now))
        if progress.to_json() != before:
            self._shelf.save_progress(record, progress)

    def _schedules(self) -> Deadlines:
        from jupyter_pipelines.orchestration.alerts.lateness import Deadlines

        if self._deadlines is None:
            self._deadlines = Deadlines(self._home)
        if not self._fresh:
            self._deadlines.refresh()
            self._fresh = True
        return self._deadlines

    def _put(self, record: AlertRecord, progress: Progress, new: Queued) -> None:
        queue = self._shelf.outbox(record.id)
        for queued in queue[: max(0, len(queue) + 1 - MOST_QUEUED)]:
            self._shelf.take_out(record.id, queued.message.key)
            progress.dropped += 1
        self._shelf.put(record.id, new)

    def _send(self, record: AlertRecord, queue: list[Queued], now: float) -> bool:
        """Send what is due to one destination, in order; after the first that it does not take, the rest waits.

        Gives whether it came to the end: a destination that is slow gets some at a time, so that others need not wait.
        """
        from jupyter_pipelines.orchestration.alerts import destinations

        progress = self._shelf.progress(record)
        begun = time.monotonic()
        ended = True
        for queued in queue:
            if time.monotonic() - begun > AT_A_TIME:
                ended = False
                break
            key = queued.message.key
            try:
                if key not in self._taken:
                    destinations.send(record.to, _with_dropped(queued.message, progress.dropped))
                self._taken.add(key)
            except destinations.NotTakenError as error:
                progress.problem = f"{error}"
                self._put_off(record, progress, queue[queue.index(queued) :], now)
                print(f"alert {record.id} to {destinations.shown(record.to)}: {error}", flush=True)
                break
            self._shelf.take_out(record.id, key)
            self._taken.discard(key)
            progress.sent += 1
            progress.last_sent, progress.problem, progress.dropped = now, "", 0
        self._shelf.save_progress(record, progress)
        return ended

    def _put_off(self, record: AlertRecord, progress: Progress, queue: list[Queued], now: float) -> None:
        """Have all that waits for a destination wait longer, each time twice as long; drop what nobody takes."""
        attempts = max(queued.attempts for queued in queue) + 1
        pause = min(LONGEST_RETRY, FIRST_RETRY * 2.0 ** min(attempts - 1, 20)) * random.uniform(0.8, 1.2)
        for queued in queue:
            if now - queued.made > GIVEN_UP:
                self._shelf.take_out(record.id, queued.message.key)
                progress.dropped += 1
            else:
                queued.attempts, queued.due = attempts, now + pause
                self._shelf.put(record.id, queued)


def _is_due(queued: Queued, now: float) -> bool:
    return queued.due <= now or queued.due > now + 2 * LONGEST_RETRY  # the clock was set back


def _with_dropped(message: Message, dropped: int) -> Message:
    if not dropped:
        return message
    note = f"{dropped} earlier alerts were dropped: this destination did not take them in time."
    return replace(message, text=f"{message.text}\n\n{note}", data={**message.data, "dropped": dropped})
