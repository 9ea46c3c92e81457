"""What was published, pipeline by pipeline: logs that only grow.

Each entry is a file of its own, made under a number that nobody else has: two that publish at once both get one, and
nobody has to lock. An entry that was cut short by a kill cannot be read, and is as if it had never been begun.

::

    pipelines/KEY/00000001.json   the first entry of a pipeline's log; KEY is the digest of what the pipeline is called;
                                  the time of `pipelines` is that of the last entry of all
    adopted/KEY.json              which pipeline the notebook at a path was given to; KEY is the digest of the path
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import xxhash

from jupyter_pipelines.store.files import cannot_write, make_folder, read_json, write_json
from jupyter_pipelines.store.holds import held

if TYPE_CHECKING:
    from jupyter_pipelines.store.store import Store


_NOTHING: Final = (0, "", 0)


def append(store: Store, pipeline: str, entry: Mapping[str, object]) -> None:
    """Add ``entry`` to the log of ``pipeline``. Raises :class:`StoreError` when it cannot be written."""
    content = json.dumps({**entry, "pipeline": pipeline}, ensure_ascii=True).encode()
    folder = _log(store, pipeline)
    try:
        make_folder(folder)
        number = max((int(path.stem) for path in _entries(folder)), default=0) + 1
        while True:
            path = folder / f"{number:08d}.json"
            try:
                descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            except FileExistsError:
                number += 1
            else:
                break
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        os.utime(folder.parent)  # so that one look tells whether any log has changed
    except OSError as error:
        raise cannot_write(folder, error) from error


def read(store: Store, pipeline: str) -> list[Mapping[str, object]]:
    """The log of ``pipeline``, oldest entry first; empty when nothing was published."""
    return _read(_log(store, pipeline))


def read_all(store: Store) -> Iterator[list[Mapping[str, object]]]:
    """The logs of all pipelines."""
    with suppress(OSError):
        for folder in sorted((store.root / "pipelines").iterdir()):
            yield _read(folder)


def state(store: Store, pipeline: str) -> tuple[int, str, int]:
    """What changes whenever the log of ``pipeline`` does, at the cost of one look at its folder."""
    return _state(_log(store, pipeline))


def states(store: Store, pipelines: Collection[str] | None = None) -> dict[str, tuple[int, str, int]]:
    """The same for the logs of these pipelines, by default all, by the names of the logs; see :func:`read_log`."""
    folder = store.root / "pipelines"
    try:
        names = os.listdir(folder) if pipelines is None else [_key(pipeline) for pipeline in pipelines]
    except OSError:
        names = []
    return {name: state for name in names if (state := _state(folder / name)) != _NOTHING}


def read_log(store: Store, name: str) -> tuple[str, list[Mapping[str, object]]]:
    """The pipeline whose log is called ``name`` (``""`` when nothing in it can be read), and its entries."""
    found = _read(store.root / "pipelines" / name)
    pipeline = found[-1].get("pipeline") if found else None
    return (pipeline, found) if isinstance(pipeline, str) else ("", [])


def _state(folder: Path) -> tuple[int, str, int]:
    try:
        names = os.listdir(folder)
        last = max(names, default="")
        return len(names), last, (folder / last).stat().st_size
    except OSError:
        return _NOTHING


def adopt(store: Store, path: str, pipeline: str) -> None:
    """From now on the notebook at ``path`` belongs to ``pipeline``."""
    write_json(store.root / "adopted" / f"{_key(path)}.json", {"path": path, "pipeline": pipeline})


def adopted(store: Store, path: str) -> str | None:
    """The pipeline that the notebook at ``path`` was given to, if it was."""
    found = read_json(store.root / "adopted" / f"{_key(path)}.json")
    pipeline = found.get("pipeline") if isinstance(found, dict) else None
    return pipeline if isinstance(pipeline, str) else None


def adopting(store: Store) -> dict[str, list[str]]:
    """By pipeline the paths of the notebooks that were given to it, the last one first."""
    found: dict[str, list[str]] = {}
    files = [(entry.stat().st_mtime_ns, entry.path) for entry in _scan(store.root / "adopted")]
    for _, file in sorted(files, reverse=True):
        entry = read_json(Path(file))
        if isinstance(entry, dict) and all(isinstance(entry.get(name), str) for name in ("path", "pipeline")):
            found.setdefault(str(entry["pipeline"]), []).append(str(entry["path"]))
    return found


def kept_objects(store: Store) -> set[str]:
    """The addresses of all objects that published versions are made of, and those that are held."""
    logs = read_all(store)
    versions = {str(entry["version"]) for log in logs for entry in log if isinstance(entry.get("version"), str)}
    kept: set[str] = set()
    for version in versions | set(held(store).values()):
        address = f"{version}.json"
        kept.add(address)
        manifest = read_json(store.object_path(address))
        if isinstance(manifest, dict):
            kept.add(str(manifest.get("notebook")))
            files = manifest.get("files")
            kept |= {str(file.get("address")) for file in files or () if isinstance(file, dict)}
    return kept


def _log(store: Store, pipeline: str) -> Path:
    return store.root / "pipelines" / _key(pipeline)


def _scan(folder: Path) -> list[os.DirEntry[str]]:
    with suppress(OSError), os.scandir(folder) as entries:
        return [entry for entry in entries if not entry.name.startswith(".")]
    return []


def _key(text: str) -> str:
    return xxhash.xxh3_128_hexdigest(text.encode("utf-8", "surrogatepass"))


def _entries(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.json") if path.stem.isdecimal())


def _read(folder: Path) -> list[Mapping[str, object]]:
    found = [read_json(path) for path in _entries(folder)]
    return [entry for entry in found if isinstance(entry, dict)]
