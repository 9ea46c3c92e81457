"""What one run waits for: its pipeline's slot before it begins, and its steps' resources before each begins."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from jupyter_pipelines.orchestration.limits.queues import Ticket
from jupyter_pipelines.orchestration.limits.setting import LimitShelf


class Turns:
    """The slots of the run ``run``, which was ``asked`` for then, in seconds since the epoch, if not now.

    ``tell`` is told what it waits for: the step, or ``""`` for the run, and words.
    """

    def __init__(
        self, home: Path, run: str, cancel: threading.Event, tell: Callable[[str, str], None], asked: float = 0.0
    ) -> None:
        self._shelf = LimitShelf(home)
        self._run = run
        self._cancel = cancel
        self._tell = tell
        self._asked = asked

    @contextmanager
    def of_pipeline(self, pipeline: str) -> Iterator[bool]:
        """Hold one of the pipeline's slots while inside; gives whether it was had before the run was cancelled."""

        def tell(slots: int, holders: Sequence[Ticket]) -> None:
            many = "another run of the pipeline" if slots == 1 else f"one of {slots} runs of the pipeline"
            self._tell("", f"waits for {many} to end: {_who(holders)}")

        with self._shelf.queue("pipeline", pipeline).turn(self._run, "", self._cancel, tell, self._asked) as had:
            yield had

    @contextmanager
    def of_resources(self, step: str, resources: Collection[str]) -> Iterator[bool]:
        """Hold a slot of each resource while inside.

        All take them in the order of their names, so that no two can each wait for what the other has.
        """
        with ExitStack() as held:
            yield all(held.enter_context(self._of_resource(step, name)) for name in sorted(set(resources)))

    @contextmanager
    def _of_resource(self, step: str, name: str) -> Iterator[bool]:
        def tell(slots: int, holders: Sequence[Ticket]) -> None:
            many = "the only slot" if slots == 1 else f"one of {slots} slots"
            self._tell(step, f"waits for {many} of {name}: {_who(holders)}")

        self._shelf.note(name)
        with self._shelf.queue("resource", name).turn(self._run, step, self._cancel, tell) as had:
            yield had


def _who(holders: Sequence[Ticket]) -> str:
    shown = [f"{one.step} of run {one.run[:8]}" if one.step else f"run {one.run[:8]}" for one in holders[:3]]
    more = len(holders) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
