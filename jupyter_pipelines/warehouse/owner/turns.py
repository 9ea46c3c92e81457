"""Who may write: transactions that write the same tables take turns, so that none fails because of another.

DuckDB lets transactions write at once, and fails those that come second to the same rows. What a program in a notebook
has done in between cannot be repeated for it, so it is kept from failing instead: before its first statement, when it
has seen nothing yet, a transaction waits until those before it have ended that write the same tables. One that does not
say what it writes is alone. Everybody reads at any time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from jupyter_pipelines.graph.sql.model import WHOLE_SCHEMA
from jupyter_pipelines.notebook.table_names import TableName

LOOK = 0.5  # seconds between two looks whether the one who waits is still there


@dataclass(eq=False)
class Turn:
    """The right to write ``tables``, or all of them where that is ``None``."""

    tables: frozenset[TableName] | None
    has_come: threading.Event = field(default_factory=threading.Event)

    def collides(self, other: Turn) -> bool:
        """Whether both may write the same."""
        if self.tables is None or other.tables is None:
            return True
        return any(_meet(mine, theirs) for mine in self.tables for theirs in other.tables)


class Turns:
    """All turns of one warehouse, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._line: list[Turn] = []
        self._changing = threading.Lock()

    @contextmanager
    def taken(self, tables: Collection[TableName] | None, is_gone: Callable[[], bool]) -> Iterator[None]:
        """Have a turn while inside."""
        turn = self.take(tables, is_gone)
        try:
            yield
        finally:
            self.give_back(turn)

    def take(self, tables: Collection[TableName] | None, is_gone: Callable[[], bool]) -> Turn:
        """Wait for a turn. Raises :class:`InterruptedError` when ``is_gone`` says that nobody waits any more."""
        turn = Turn(None if tables is None else frozenset(tables))
        with self._changing:
            self._line.append(turn)
            self._call_up()
        try:
            while not turn.has_come.wait(LOOK):
                if is_gone():
                    raise InterruptedError
        except BaseException:
            self.give_back(turn)
            raise
        return turn

    def give_back(self, turn: Turn) -> None:
        with self._changing:
            self._line.remove(turn)
            self._call_up()

    def _call_up(self) -> None:
        """Wake those, and no others, whose turn has come: nobody before them may write the same."""
        for place, turn in enumerate(self._line):
            if not turn.has_come.is_set() and not any(turn.collides(other) for other in self._line[:place]):
                turn.has_come.set()


def _meet(one: TableName, other: TableName) -> bool:
    if WHOLE_SCHEMA in {one.table, other.table}:
        return one.key[:2] == other.key[:2]
    return one == other
