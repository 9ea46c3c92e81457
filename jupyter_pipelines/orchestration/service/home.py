"""What the service keeps in its project home, and the lock by which there is only one."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from jupyter_pipelines.errors import ServiceError
from jupyter_pipelines.store.files import make_folder, read_json, write_atomically, write_json

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # checked where it is used


@dataclass
class PartStatus:
    """One process of the service. Times are seconds since the epoch."""

    state: str = "starting"  # or "running", or "restarting"
    pid: int = 0
    since: float = 0.0
    restarts: int = 0
    last_end: str = ""  # how it ended the last time


@dataclass
class ServiceStatus:
    """What the service says of itself, in ``service.json``."""

    pid: int
    python: str
    since: float
    parts: dict[str, PartStatus] = field(default_factory=dict)


@dataclass(frozen=True)
class ServiceHome:
    """The files of the service in the folder ``path``. All are their owner's alone."""

    path: Path

    @property
    def lock(self) -> Path:
        return self.path / "service.lock"

    @property
    def endpoint(self) -> Path:
        return self.path / "endpoint.json"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def sockets(self) -> Path:
        """A file that holds the folder of the service's sockets: their names must be short, a home's may be long."""
        return self.path / "sockets"

    def log(self, part: str) -> Path:
        """The log of one part."""
        return make_folder(self.logs) / f"{part}.log"

    def open_log(self, part: str) -> IO[bytes]:
        """The log of one part, to be added to."""
        return os.fdopen(os.open(self.log(part), os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600), "ab")

    def secret(self) -> str:
        """The server's secret, kept over restarts: runs that outlive a server must be able to report to the next."""
        path = self.path / "secret"
        if not path.exists():
            write_atomically(path, f"jupyter:{secrets.token_urlsafe(32)}".encode())
        return path.read_text()

    def socket(self, name: str) -> Path | None:
        """The socket called ``name``, if the service runs."""
        with suppress(OSError):
            return Path(self.sockets.read_text().strip()) / name
        return None

    def note_store(self, store: str) -> None:
        """Have the service look after what is on record in ``store``, too, wherever its own is."""
        noted = self.path / "stores" / hashlib.sha256(store.encode()).hexdigest()[:16]
        if not noted.exists():
            write_atomically(noted, store.encode())

    def stores(self) -> list[str]:
        """The stores that have been noted and are still there."""
        noted = [path.read_text() for path in sorted((self.path / "stores").glob("[0-9a-f]*"))]
        return [store for store in noted if os.path.isdir(store)]

    def save_status(self, status: ServiceStatus) -> None:
        write_json(self.path / "service.json", asdict(status))

    def load_status(self) -> ServiceStatus | None:
        """What the service said last; ``None`` when it never ran."""
        found = read_json(self.path / "service.json")
        if not isinstance(found, dict):
            return None
        try:
            parts = {name: PartStatus(**part) for name, part in found.pop("parts").items()}
            return ServiceStatus(**found, parts=parts)
        except (TypeError, KeyError, AttributeError):
            return None

    def holder(self) -> int:
        """The process that holds the lock: the service of this home. 0 when none runs."""
        if fcntl is None or not self.lock.exists():
            return 0
        with open(self.lock, "rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                written = file.read().strip()
                return int(written) if written.isdigit() else -1  # it has only just taken it
        return 0

    @contextmanager
    def held(self) -> Iterator[bool]:
        """Hold the lock while inside; says whether it was free. It is released by our death, too."""
        require_locks()
        descriptor = os.open(self.lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        if not _take(descriptor):
            os.close(descriptor)
            yield False
            return
        try:
            os.ftruncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
            yield True
        finally:
            os.close(descriptor)


def require_locks() -> None:
    """Raise :class:`ServiceError` where the system has no locks, and so no service."""
    if fcntl is None:
        raise ServiceError(
            "The pipeline service cannot run on this system yet.",
            "Start a server with `prefect server start` and set PREFECT_API_URL to its address.",
        )


def _take(descriptor: int) -> bool:
    """Take the lock; somebody who only looks who has it (:meth:`ServiceHome.holder`) may be in the way for a moment."""
    for _ in range(20):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
        else:
            return True
    return False
