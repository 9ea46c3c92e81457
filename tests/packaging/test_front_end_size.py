"""What the browser has to load of the front end."""

from __future__ import annotations

import gzip
from pathlib import Path

WHOLE = 150_000  # bytes, compressed as servers do


def compressed(path: Path) -> int:
    return len(gzip.compress(path.read_bytes()))


def test_the_whole_front_end_is_small(repository):
    built = repository / "jupyter_pipelines" / "labextension"
    sizes = {str(path.relative_to(built)): compressed(path) for path in built.rglob("*") if path.is_file()}
    assert "static/style.js" in sizes, "The front end is not built: run the tests with `make test`, which builds it."
    assert sum(sizes.values()) < WHOLE, sorted(sizes.items(), key=lambda item: -item[1])
