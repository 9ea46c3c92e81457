"""A store for one purpose: nothing in it is taken from, or left in, anybody's history."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_VARIABLE = "JUPYTER_PIPELINES_STORE"


@contextmanager
def scratch_store() -> Iterator[Path]:
    """An empty folder, deleted in the end; while inside, this process keeps its store in it."""
    before = os.environ.get(_VARIABLE)
    with tempfile.TemporaryDirectory(prefix="jupyter-pipelines-", ignore_cleanup_errors=True) as folder:
        os.environ[_VARIABLE] = str(Path(folder) / "store")
        try:
            yield Path(folder)
        finally:
            if before is None:
                del os.environ[_VARIABLE]
            else:
                os.environ[_VARIABLE] = before
