"""Kernels made ready while other steps run, so that taking one costs milliseconds.

``prepare`` says what will be wanted; a thread per kind of kernel makes them: forked from a zygote where that can be
trusted (Linux), started the ordinary way ahead of need elsewhere. ``take`` gives one or nothing: whatever goes wrong
here, the caller starts a kernel as usual, and only the log tells. ``JUPYTER_PIPELINES_WARM_KERNELS=0`` turns it off.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jupyter_pipelines.execution.kernels.imports import modules_of
from jupyter_pipelines.execution.kernels.zygote_client import ReadyKernel, RefusedError, Zygote, start_single
from jupyter_pipelines.settings import Settings

logger = logging.getLogger(__name__)

MAX_READY = max(2, os.cpu_count() or 1)  # of one kind at a time
MAX_KINDS = 3  # zygotes kept
MAX_AGE = 600.0  # seconds that a zygote, or a ready kernel, may be unused or old
MAX_MEMORY = 2_000_000_000  # bytes of a zygote
PATIENCE = 1.5  # seconds to wait for a kernel that is being forked: less than starting one
# Seconds to wait for a zygote's first imports. A new kernel would do the same ones, begin later and slow both down; the
# limit is for imports that hang there only.
IMPORT_PATIENCE = 15.0

_VOLATILE = {"PYTEST_CURRENT_TEST", "JPY_PARENT_PID", "PWD", "OLDPWD", "SHLVL", "_", "COLUMNS", "LINES"}


@dataclass(frozen=True)
class Kind:
    """What ready kernels must have in common: interpreter, environment and modules imported ahead."""

    command: tuple[str, ...]
    env: frozenset[tuple[str, str]]
    modules: tuple[str, ...]

    @classmethod
    def of(cls, argv: list[str], env: Mapping[str, str], imports: tuple[str, ...]) -> Kind | None:
        """The kind for a kernel's command, or ``None`` if such kernels cannot be made ahead."""
        if not is_enabled() or argv[1:][-4:] not in (
            ["-m", "ipykernel_launcher", "-f", "{connection_file}"],
            ["-m", "ipykernel", "-f", "{connection_file}"],
        ):
            return None
        command = (_interpreter(argv[0]), *argv[1:-4])
        kept = {
            (name, value)
            for name, value in env.items()
            if name not in _VOLATILE and not name.startswith(("JUPYTER_PIPELINES_", "PREFECT_"))
        }
        return cls(command, frozenset(kept), modules_of(imports))


def is_enabled() -> bool:
    """Whether kernels are made ready at all here."""
    return sys.platform != "win32" and Settings.load().warm_kernels


def prepare(kind: Kind, count: int) -> None:
    """Have kernels of ``kind`` made until ``count`` of them have been taken, a few at a time. Returns at once."""
    with _lock:
        stock = _stocks.get(kind)
        if stock is None or stock.closed:
            while len(_stocks) >= MAX_KINDS:
                oldest = min(_stocks, key=lambda kind: _stocks[kind].used)
                _stocks.pop(oldest).close()
            stock = _stocks[kind] = _Stock(kind)
    stock.want(count)


def take(kind: Kind, directory: Path, env: Mapping[str, str], *, stops_at_failure: bool = False) -> ReadyKernel | None:
    """A ready kernel that has become the kernel for ``directory`` and ``env``, or ``None``.

    ``stops_at_failure`` has it run nothing any more behind a cell that has failed.
    """
    with _lock:
        stock = _stocks.get(kind)
    if stock is None:
        return None
    while (ready := stock.take()) is not None:
        if ready.adopt(directory, env, stops_at_failure):
            return ready
        logger.debug("A ready kernel is not fit for %s", directory)
        ready.discard()
        if ready.zygote is not None and not ready.zygote.fits(directory):
            stock.renew()
            return None
    return None


def close() -> None:
    """End everything that is ready and not taken."""
    with _lock:
        stocks = list(_stocks.values())
        _stocks.clear()
    for stock in stocks:
        stock.close()


class _Stock:
    """The ready kernels of one kind, and the thread that makes them."""

    def __init__(self, kind: Kind) -> None:
        self.used = time.monotonic()
        self.closed = False
        self._kind = kind
        self._changed = threading.Condition()
        self._ready: list[ReadyKernel] = []
        self._wanted = 0
        self._zygote: Zygote | None = None
        self._beginning_again = False
        self._excluded: set[str] = set()
        self._forking = sys.platform == "linux"
        self._thread = threading.Thread(target=self._work, name="ready-kernels", daemon=True)
        self._thread.start()

    def want(self, count: int) -> None:
        with self._changed:
            self.used = time.monotonic()
            self._wanted = max(self._wanted, count)
            self._changed.notify_all()

    def take(self) -> ReadyKernel | None:
        with self._changed:
            self.used = time.monotonic()
            patience = PATIENCE if self._zygote is not None else IMPORT_PATIENCE
            self._changed.wait_for(lambda: self._ready or not self._is_one_coming(), patience)
            if not self._ready:
                return None
            self._wanted = max(0, self._wanted - 1)
            self._changed.notify_all()
            return self._ready.pop(0)

    def _is_one_coming(self) -> bool:
        """Whether the next kernel will be there sooner than one that is started now."""
        return self._wanted > 0 and self._forking and not self._beginning_again and not self.closed

    def renew(self) -> None:
        """Something that was imported has changed: begin again."""
        with self._changed:
            stale, self._ready = self._ready, []
            zygote, self._zygote = self._zygote, None
        for ready in stale:
            ready.discard()
        if zygote is not None:
            zygote.close()

    def close(self) -> None:
        with self._changed:
            self.closed = True
            self._changed.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=10)
        self.renew()

    def _work(self) -> None:
        try:
            while self._wait_for_work():
                ready = self._make()
                with self._changed:
                    late = self.closed
                    if not late:
                        self._ready.append(ready)
                    self._beginning_again = False
                    self._changed.notify_all()
                if late:
                    ready.discard()
        except RefusedError as error:
            logger.info("Kernels are started as they are needed: %s", error)
        except Exception:
            logger.warning("Kernels are started as they are needed", exc_info=True)
        finally:
            with self._changed:
                self.closed = True
                self._changed.notify_all()
            self.renew()

    def _wait_for_work(self) -> bool:
        with self._changed:
            while not self.closed:
                if len(self._ready) < min(self._wanted, MAX_READY):
                    return True
                self._changed.wait(timeout=MAX_AGE / 10)
                if time.monotonic() - self.used > MAX_AGE:
                    return False
        return False

    def _make(self) -> ReadyKernel:
        if not self._forking:
            return start_single(self._kind.command, dict(self._kind.env))
        for _ in range(2):
            zygote = self._current_zygote()
            if zygote is None:
                break
            try:
                return zygote.fork()
            except RefusedError as error:
                logger.info("A zygote is given up: %s", error)
                self._begin_again()
                self.renew()
        with self._changed:
            self._forking = False
            self._changed.notify_all()
        if self.closed:
            raise RefusedError("", "it is not wanted any more")
        return start_single(self._kind.command, dict(self._kind.env))

    def _current_zygote(self) -> Zygote | None:
        zygote = self._zygote
        if zygote is not None and time.monotonic() - zygote.began < MAX_AGE and zygote.memory < MAX_MEMORY:
            return zygote
        if zygote is not None:
            self.renew()
        for _ in range(len(self._kind.modules) + 2):
            modules = [name for name in self._kind.modules if name not in self._excluded]
            try:
                self._zygote = Zygote(self._kind.command, dict(self._kind.env), modules, lambda: self.closed)
                return self._zygote
            except RefusedError as error:
                logger.info("Not imported ahead: %s", error)
                if not error.module or self.closed:
                    return None
                self._excluded.add(error.module)
                self._begin_again()
        return None

    def _begin_again(self) -> None:
        """Let nobody wait: imports that are done once more have no start over those of a new kernel."""
        with self._changed:
            self._beginning_again = True
            self._changed.notify_all()


def _interpreter(command: str) -> str:
    """As jupyter_client does: a bare ``python`` is the one we run in."""
    version = sys.version_info
    return (
        sys.executable if command in {"python", f"python{version[0]}", f"python{version[0]}.{version[1]}"} else command
    )


_lock = threading.Lock()
_stocks: dict[Kind, _Stock] = {}


def _forget() -> None:
    """In a process forked from ours: what is here belongs to the parent."""
    global _lock, _stocks
    _lock, _stocks = threading.Lock(), {}


atexit.register(close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
