"""Writing files so that a kill at any moment leaves the old content or the new, never half of it."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

PRIVATE_FOLDER = 0o700


def make_folder(path: Path) -> Path:
    """Create ``path`` and its parents, readable by the owner only; returns it."""
    path.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    return path


def write_atomically(path: Path, content: bytes) -> None:
    """Replace ``path`` with ``content``. The file is created with mode 0600."""
    make_folder(path.parent)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_json(path: Path, value: object) -> None:
    """Replace ``path`` with ``value`` as JSON. Raises :class:`TypeError` for what JSON cannot hold."""
    write_atomically(path, json.dumps(value, ensure_ascii=False).encode())


def read_json(path: Path) -> object | None:
    """The JSON in ``path``; ``None`` when there is no such file or it is not JSON."""
    try:
        return json.loads(path.read_bytes())  # type: ignore[no-any-return]  # JSON can be anything: callers check
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
