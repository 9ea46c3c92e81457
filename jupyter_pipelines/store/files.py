"""Writing files so that a kill at any moment leaves the old content or the new, never half of it."""

from __future__ import annotations

import errno
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from jupyter_pipelines.errors import StoreError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # checked where it is used

PRIVATE_FOLDER = 0o700
UNFINISHED: Final = 3600.0  # seconds after which a file that nobody goes on writing is one that a kill has left
_FULL = {errno.ENOSPC, errno.EDQUOT}
_BEING_WRITTEN = re.compile(r"\.(writing-|.+\.)(\w{8,}(\.tmp)?|new)")  # files that take others' places when whole
_OURS_BEING_WRITTEN = re.compile(r"\.(secret|sockets|[a-z]+\.json)\.\w{8}")


def make_folder(path: Path) -> Path:
    """Create ``path`` and its parents, readable by the owner only; returns it."""
    if path.is_dir():
        return path
    for folder in (*reversed(path.parents), path):  # `parents=True` would leave those between open to others
        if not folder.is_dir():
            folder.mkdir(exist_ok=True, mode=PRIVATE_FOLDER)
    return path


def write_atomically(path: Path, content: bytes, *, sync: bool = True) -> None:
    """Replace ``path`` with ``content``. The file is created with mode 0600.

    Without ``sync`` the content survives our death at once, and the machine's only seconds later.
    Raises :class:`StoreError`, which names the folder and what to do, when it cannot be written.
    """
    try:
        make_folder(path.parent)
        _replace(path, content, sync)
    except OSError as error:
        raise cannot_write(path.parent, error) from error


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Be the only one inside, among all who lock ``path``; it is released by our death, too.

    Raises :class:`StoreError` when there can be no such file.
    """
    try:
        make_folder(path.parent)
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), 0o600)
    except OSError as error:
        raise cannot_write(path.parent, error) from error
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def hold(descriptor: int) -> None:
    """Have :func:`remove_unfinished` leave this file alone until it is closed, or we are dead."""
    if fcntl is not None:
        with suppress(OSError):  # a disk without locks: there nothing is removed
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def remove_unfinished(root: Path, folders: Iterable[str], *, now: float) -> None:
    """Remove what is in ``root``, and anywhere in its ``folders``, of files whose writers were killed.

    In ``root`` itself, which may be a folder of others, only some names are ours. ``now`` is in seconds since 1970.
    """
    with suppress(OSError):
        _remove_unfinished(str(root), filter(_OURS_BEING_WRITTEN.fullmatch, os.listdir(root)), now)
    for top in folders:
        for folder, _, names in os.walk(root / top):
            _remove_unfinished(folder, filter(_BEING_WRITTEN.fullmatch, names), now)


def _remove_unfinished(folder: str, names: Iterable[str], now: float) -> None:
    for name in names:
        with suppress(OSError):
            path = os.path.join(folder, name)
            if os.stat(path).st_mtime < now - UNFINISHED:
                _remove_unless_held(path)


def _remove_unless_held(path: str) -> None:
    if fcntl is not None:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(path)
        finally:
            os.close(descriptor)


def cannot_write(folder: Path, error: OSError) -> StoreError:
    """``error``, met while writing to ``folder``, as something its owner can act on."""
    if error.errno in _FULL:
        fix = "Free space on that disk; `jupyter pipelines gc` shows what old runs take, and removes it."
    else:
        fix = "Set JUPYTER_PIPELINES_HOME (and JUPYTER_PIPELINES_STORE, if you use it) to a folder you may write."
    return StoreError(f"The folder {folder} cannot be written: {error.strerror}.", fix)


def _replace(path: Path, content: bytes, sync: bool) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            hold(descriptor)
            file.write(content)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_json(path: Path, value: object, *, sync: bool = True) -> None:
    """Replace ``path`` with ``value`` as JSON. Raises :class:`TypeError` for what JSON cannot hold."""
    write_atomically(path, json.dumps(value, ensure_ascii=False).encode(), sync=sync)


def write_record(path: Path, record: Mapping[str, object]) -> None:
    """Replace ``path`` with ``record`` as JSON; it may hold dataclasses.

    It survives our death at once, and the machine's only seconds later: for what is written often, and must not keep
    others waiting. Ten times as fast as ``dataclasses.asdict`` and :func:`write_json`.
    """
    from pydantic_core import to_json

    write_atomically(path, to_json(record), sync=False)


def read_kept_json(path: Path, fix: str) -> object | None:
    """The JSON in ``path``; ``None`` when there is no such file.

    Raises :class:`StoreError`, which names the file and says to ``fix`` it so, when it cannot be read as JSON.
    """
    try:
        return json.loads(path.read_bytes())  # type: ignore[no-any-return]  # JSON can be anything: callers check
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"The file {path} cannot be read: {error.strerror}.", fix) from error
    except (ValueError, RecursionError) as error:
        raise StoreError(f"The file {path} cannot be read: it is no JSON.", fix) from error


def read_json(path: Path) -> object | None:
    """The JSON in ``path``; ``None`` when there is no such file, or it cannot be read as JSON."""
    try:
        return json.loads(path.read_bytes())  # type: ignore[no-any-return]  # JSON can be anything: callers check
    except (OSError, ValueError, RecursionError):
        return None
