"""What lies beside a warehouse's file: the lock by which it has one owner, and where that one answers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from jupyter_pipelines.errors import WarehouseError
from jupyter_pipelines.store.files import make_folder, read_json, write_json

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LOCKS = fcntl is not None
"""Whether this system has the locks by which a warehouse has one owner."""


@dataclass(frozen=True)
class Endpoint:
    """Where an owner answers, and the token it wants to see."""

    address: str
    token: str
    pid: int
    since: float  # seconds since the epoch


@dataclass(frozen=True)
class WarehouseFiles:
    """The file of a warehouse, and its owner's. Made with :meth:`of`, so that one file has one name."""

    path: Path

    @classmethod
    def of(cls, path: Path) -> WarehouseFiles:
        """Those of the warehouse at ``path``; links are followed."""
        return cls(Path(os.path.realpath(path)))

    @property
    def lock(self) -> Path:
        return self.path.with_name(self.path.name + ".lock")

    @property
    def endpoint(self) -> Path:
        return self.path.with_name(self.path.name + ".owner")

    @property
    def log(self) -> Path:
        return self.path.with_name(self.path.name + ".log")

    def load_endpoint(self) -> Endpoint | None:
        """Where the owner said last that it answers; it may be gone since."""
        found = read_json(self.endpoint)
        try:
            return Endpoint(**found) if isinstance(found, dict) else None
        except TypeError:
            return None

    def save_endpoint(self, endpoint: Endpoint) -> None:
        write_json(self.endpoint, asdict(endpoint), sync=False)

    def forget_endpoint(self) -> None:
        with suppress(OSError):
            self.endpoint.unlink(missing_ok=True)

    def make_folder(self) -> None:
        """Make the folder of the file. Raises :class:`WarehouseError` when nothing can be written there."""
        try:
            make_folder(self.path.parent)
            os.close(self._open_lock())
        except OSError as error:
            raise WarehouseError(
                f"The warehouse {self.path} cannot be used: {self.path.parent}: {error.strerror}.",
                "Set JUPYTER_PIPELINES_WAREHOUSE to a file in a folder that you may write.",
            ) from None

    def is_owned(self) -> bool:
        """Whether some process is the owner, or about to be."""
        try:
            descriptor = os.open(self.lock, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def is_owned_by(self, endpoint: Endpoint) -> bool:
        """Whether the owner that answers there is still the owner, or has not quite ended."""
        now = self.load_endpoint()
        return self.is_owned() and (now is None or now.pid == endpoint.pid)

    @contextmanager
    def owned(self) -> Iterator[bool]:
        """Be the owner while inside; says whether the place was free. Our death gives it back, too."""
        descriptor = self._open_lock()
        try:
            yield _take(descriptor)
        finally:
            os.close(descriptor)

    def _open_lock(self) -> int:
        return os.open(self.lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)


def _take(descriptor: int) -> bool:
    """Take the lock; somebody who only looks (:meth:`WarehouseFiles.is_owned`) may be in the way for a moment."""
    import time

    for _ in range(10):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
        else:
            return True
    return False
