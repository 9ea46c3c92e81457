"""How far a notebook has drifted from its published version: cheap enough to ask at every key."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import xxhash

from jupyter_pipelines.notebook.parse import ParsedNotebook, parse
from jupyter_pipelines.orchestration.loading import read_source
from jupyter_pipelines.orchestration.versions.cells import CellPrint, cell_prints, match_cells
from jupyter_pipelines.orchestration.versions.files import LARGEST_FILE
from jupyter_pipelines.orchestration.versions.identity import real_path, stated_name, unnamed_pipeline
from jupyter_pipelines.orchestration.versions.model import FrozenFile
from jupyter_pipelines.orchestration.versions.publishing import published_id, read_content, read_entries
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store, publications
from jupyter_pipelines.typed import typed


@dataclass(frozen=True, slots=True)
class CellDrift:
    """A cell that is not as it was published. Numbers are 1-based; ``number`` is the cell's now, ``before`` then."""

    kind: Literal["added", "removed", "changed", "moved"]
    number: int | None
    before: int | None


@dataclass(frozen=True)
class Drift:
    """What differs between a notebook and its published version, ``""`` when nothing was published.

    ``settings``: the kernel or the pipeline's own options differ. ``files`` are those of the version that are not as
    they were published; ones that it does not have are looked for by :func:`diff` only.
    """

    version: str
    cells: tuple[CellDrift, ...] = ()
    files: tuple[str, ...] = ()
    settings: bool = False

    @property
    def is_clean(self) -> bool:
        return bool(self.version) and not (self.cells or self.files or self.settings)

    def count(self, kind: str) -> int:
        """How many cells were ``added``, ``removed``, ``changed`` or ``moved``."""
        return sum(cell.kind == kind for cell in self.cells)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, with ``counts`` by kind."""
        counts = {kind: self.count(kind) for kind in ("added", "removed", "changed", "moved")}
        return asdict(self) | {"counts": counts, "clean": self.is_clean}


@typed
def drift(notebook: Path | str, content: bytes | None = None) -> Drift:
    """Compare the notebook with its published version; ``content`` stands for what the file does not hold yet.

    Raises :class:`RequestError` when the file cannot be read, and :class:`StoreError` when the version was lost.
    """
    path = Path(os.path.expanduser(notebook))
    parsed = parse(read_source(path) if content is None else content, path.name)
    store = Store(Settings.load().store)
    pipeline = stated_name(parsed) or unnamed_pipeline(store, real_path(path))
    published = _published(str(store.root), pipeline, publications.state(store, pipeline))
    if not published:
        return Drift("")
    then = _frozen(str(store.root), published)
    prints = cell_prints(parsed)
    found = []
    for match in match_cells(then.cells, prints):
        before = None if match.old is None else match.old + 1
        number = None if match.new is None else match.new + 1
        if match.old is None:
            found.append(CellDrift("added", number, None))
        elif match.new is None:
            found.append(CellDrift("removed", None, before))
        elif then.cells[match.old].digest != prints[match.new].digest:
            found.append(CellDrift("changed", number, before))
        elif match.moved:
            found.append(CellDrift("moved", number, before))
    changed = [file.path for file in then.files if _is_changed(path.absolute().parent / file.path, file)]
    return Drift(published, tuple(found), tuple(changed), then.settings != _settings(parsed))


@dataclass(frozen=True)
class _Frozen:
    cells: tuple[CellPrint, ...]
    settings: str
    files: tuple[FrozenFile, ...]
    suffix: str


@lru_cache(maxsize=64)
def _published(root: str, pipeline: str, state: tuple[int, str, int]) -> str:  # noqa: ARG001  # of the cache's key
    """The id of the published version; ``state`` is that of the log, so that a new entry is seen at once."""
    return published_id(read_entries(Store(root), pipeline))


@lru_cache(maxsize=64)
def _frozen(root: str, version: str) -> _Frozen:
    store = Store(root)
    content = read_content(store, version)
    parsed = parse(store.get_notebook(content.notebook), f"notebook{content.suffix}")
    return _Frozen(cell_prints(parsed), _settings(parsed), content.files, content.suffix)


def _settings(parsed: ParsedNotebook) -> str:
    spec = parsed.metadata.get("kernelspec")
    kernel = spec.get("name") if isinstance(spec, dict) else None
    options = [parsed.metadata.get(name) for name in ("pipeline", "kubeflow_notebook")]
    return json.dumps([kernel, options], sort_keys=True, default=str)  # the YAML of text notebooks has dates


def _is_changed(place: Path, file: FrozenFile) -> bool:
    try:
        status = place.stat()
    except OSError:
        return True
    if status.st_size != file.size:
        return True
    return _address(str(place), status.st_size, status.st_mtime_ns) != file.address


@lru_cache(maxsize=20_000)
def _address(place: str, size: int, changed: int) -> str:  # noqa: ARG001  # of the cache's key
    """The address that the file would have; asked again when its size or time is another."""
    if size > LARGEST_FILE:
        return ""
    try:
        return f"{xxhash.xxh3_128_hexdigest(Path(place).read_bytes())}.file"
    except OSError:
        return ""
