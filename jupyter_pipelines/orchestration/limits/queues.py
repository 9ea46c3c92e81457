"""Who may go on, and who waits: tickets, each a file that its holder keeps locked.

**Of the tickets of a queue whose lock is held, N go on; the others wait in the order in which they asked.** A ticket is
a place in the queue, and a slot once its name says so. Its lock goes with the process that holds it, so a ticket whose
lock is free belongs to nobody any more, and is thrown away by who meets it. Nobody needs to hand anything on.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

from jupyter_pipelines.store.files import cannot_write, make_folder, read_json, write_json

try:
    import fcntl
except ImportError:  # Windows, where runs have no service either
    fcntl = None  # type: ignore[assignment]  # checked where it is used

SHORTEST, LONGEST = 0.1, 2.0  # seconds between two looks of the first in line, and of those far behind
_HAS_LOCKS: bool = fcntl is not None
_SUFFIX: Final = ".ticket"
_HOLDS, _WAITS = "0", "1"  # how the names of tickets begin


@dataclass(frozen=True)
class Ticket:
    """Somebody in a queue: which run, which of its steps (or ``""``), its process, and since when."""

    run: str
    step: str
    pid: int
    since: float


class Queue:
    """The queue for ``what``, a pipeline or a resource, in the folder ``limits``; ``slots()`` is none for no limit."""

    def __init__(self, limits: Path, what: str, slots: Callable[[], int | None]) -> None:
        self._folder = limits / "queues" / blake2b(what.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
        self._slots = slots

    @contextmanager
    def turn(
        self,
        run: str,
        step: str,
        cancel: threading.Event,
        tell: Callable[[int, list[Ticket]], None],
        asked: float = 0.0,
    ) -> Iterator[bool]:
        """Wait for a slot, and hold it while inside. Gives whether it was had: not when ``cancel`` was set before.

        ``asked`` is when it was asked for, in seconds since the epoch, where that was not now.
        ``tell`` is called once if there is no slot at once, with their number and who has them.
        Raises :class:`~jupyter_pipelines.errors.StoreError` when no ticket can be written.
        """
        if not _HAS_LOCKS:
            yield True
            return
        try:
            descriptor, unique = self._join(Ticket(run, step, os.getpid(), time.time()), asked or time.time())
        except OSError as error:
            raise cannot_write(self._folder, error) from error
        try:
            yield self._wait(unique, cancel, tell)
        finally:
            for begins in (_WAITS, _HOLDS):
                (self._folder / f"{begins}-{unique}").unlink(missing_ok=True)
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # also where a process that is being started has a copy of it
            os.close(descriptor)

    def people(self) -> tuple[list[Ticket], list[Ticket]]:
        """Who has a slot, and who waits, in their order."""
        slots = self._slots()
        alive = [ticket for name in self._names() if (ticket := self._read(name)) is not None]
        return (alive, []) if slots is None else (alive[:slots], alive[slots:])

    def _join(self, ticket: Ticket, asked: float) -> tuple[int, str]:
        """Take a ticket behind all that asked before; returns its open file, which is its lock, and its name's end."""
        make_folder(self._folder)
        unique = f"{int(asked * 1e6):017d}-{uuid.uuid4().hex[:12]}{_SUFFIX}"
        hidden = self._folder / f".{unique}.new"  # no place before it is locked: it would be taken for a dead one
        write_json(hidden, vars(ticket), sync=False)
        descriptor = os.open(hidden, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            hidden.rename(self._folder / f"{_WAITS}-{unique}")
        except BaseException:
            hidden.unlink(missing_ok=True)
            os.close(descriptor)
            raise
        return descriptor, unique

    def _wait(self, unique: str, cancel: threading.Event, tell: Callable[[int, list[Ticket]], None]) -> bool:
        told = False
        while not cancel.is_set():
            slots = self._slots()
            with alone(self._folder):  # else somebody who asked earlier may come while we take what is free
                before = [name for name in self._names() if name < f"{_WAITS}-{unique}"]
                holders: list[Ticket] = []
                for name in before:
                    if slots is not None and len(holders) < slots and (ticket := self._read(name)) is not None:
                        holders.append(ticket)
                if slots is None or len(holders) < slots:
                    (self._folder / f"{_WAITS}-{unique}").rename(self._folder / f"{_HOLDS}-{unique}")
                    return True
            if not told:
                told = True
                tell(slots, holders)
            with suppress_interrupt(cancel):
                cancel.wait(min(LONGEST, SHORTEST * (1 + len(before) - slots)))
        return False

    def _names(self) -> list[str]:
        """The tickets in their order, those of the dead among them."""
        with suppress(OSError):
            return sorted(name for name in os.listdir(self._folder) if name.endswith(_SUFFIX))
        return []

    def _read(self, name: str) -> Ticket | None:
        """Whose ticket that is; ``None`` for one that nobody holds any more, which is thrown away."""
        path = self._folder / name
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None  # it was given back just now
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _ticket(read_json(path))
        else:
            path.unlink(missing_ok=True)
            return None
        finally:
            os.close(descriptor)


@contextmanager
def suppress_interrupt(cancel: threading.Event) -> Iterator[None]:
    """Ctrl-C while waiting cancels the run, once, as it does while steps run."""
    try:
        yield
    except KeyboardInterrupt:
        cancel.set()


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Be the only process that is inside for this folder."""
    descriptor = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _ticket(found: object) -> Ticket:
    known: Mapping[str, object] = found if isinstance(found, dict) else {}
    run, step, pid, since = (known.get(name) for name in ("run", "step", "pid", "since"))
    return Ticket(
        str(run or ""),
        str(step or ""),
        pid if isinstance(pid, int) else 0,
        float(since) if isinstance(since, int | float) else 0.0,
    )
