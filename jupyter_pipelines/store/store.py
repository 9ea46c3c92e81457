"""The store on a local folder.

::

    objects/ab/cdef…        values of steps and frozen notebooks, named by their content
    runs/RUN/run.json       the record of a run;  runs/RUN/executed.ipynb  its executed notebook
    results/ab/KEY.json     how a step ended, by the key of everything it depended on
    observations/DIGEST.json  what runs saw about a step's source
    active/RUN              an empty file for each run that has not been seen to end
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import xxhash

from jupyter_pipelines.errors import StoreError
from jupyter_pipelines.store.files import make_folder, read_json, write_atomically, write_json


@dataclass(frozen=True)
class StoredResult:
    """A step's result as JSON, to be taken by a later run; ``run`` is the id of the run that made it."""

    run: str
    result: Mapping[str, object]
    files: Mapping[str, str] = field(default_factory=dict)  # path -> fingerprint, of what it read and wrote
    outputs: tuple[str, ...] = ()  # what it was asked to leave; a name that it left unbound is not in its result


class Store:
    """Objects, run records, step results and observations under one folder.

    Raises :class:`StoreError` when ``url`` is not a local path: object storage is not supported yet.
    """

    def __init__(self, url: str) -> None:
        if "://" in url and urlsplit(url).scheme != "file":
            raise StoreError(f"The store {url!r} is not a local folder.", "Set JUPYTER_PIPELINES_STORE to a folder.")
        path = urlsplit(url).path if url.startswith("file://") else url
        self.root = Path(path).expanduser().absolute()

    @property
    def objects(self) -> Path:
        """The folder of content-addressed objects, created when missing."""
        try:
            return make_folder(self.root / "objects")
        except OSError as error:
            raise StoreError(
                f"The store at {self.root} cannot be written: {error.strerror}.",
                "Set JUPYTER_PIPELINES_HOME to a folder you may write.",
            ) from error

    def has_object(self, address: str) -> bool:
        """Whether the object called ``address`` is there."""
        return self.object_path(address).exists()

    def object_path(self, address: str) -> Path:
        """Where the object called ``address`` is, or would be."""
        return self.root / "objects" / address[:2] / address[2:]

    def put_notebook(self, content: bytes) -> str:
        """Keep a frozen notebook; returns its content address."""
        address = _notebook_address(content)
        if not self.has_object(address):
            write_atomically(self.object_path(address), content)
        return address

    def get_notebook(self, address: str) -> bytes:
        """The notebook kept under ``address``. Raises :class:`StoreError` when it is gone or altered."""
        try:
            content = self.object_path(address).read_bytes()
        except OSError as error:
            raise StoreError(f"The notebook version {address} is not in the store at {self.root}.") from error
        if _notebook_address(content) != address:
            raise StoreError(f"The notebook version {address} in the store at {self.root} was altered.")
        return content

    def run_folder(self, run: str) -> Path:
        """The folder of a run: its record and executed notebook."""
        return self.root / "runs" / run

    def save_run(self, run: str, record: Mapping[str, object]) -> None:
        """Write the record of a run."""
        write_json(self.run_folder(run) / "run.json", record)

    def load_run(self, run: str) -> Mapping[str, object] | None:
        """The record of a run, ``None`` when there is none that can be read."""
        record = read_json(self.run_folder(run) / "run.json")
        return record if isinstance(record, dict) else None

    def mark_active(self, run: str, active: bool) -> None:
        """Note that ``run`` is going on, or no longer is: what is active without its process was killed."""
        marker = self.root / "active" / run
        if active:
            write_atomically(marker, b"")
        else:
            marker.unlink(missing_ok=True)

    def active_runs(self) -> list[str]:
        """The ids of the runs that have not been seen to end."""
        folder = self.root / "active"
        return sorted(path.name for path in folder.iterdir() if path.name[0] != ".") if folder.is_dir() else []

    def run_ids(self) -> Iterator[str]:
        """The ids of all runs, newest first."""
        folder = self.root / "runs"
        if not folder.is_dir():
            return
        paths = ((path.stat().st_mtime, path.name) for path in folder.iterdir() if (path / "run.json").exists())
        for _, name in sorted(paths, reverse=True):
            yield name

    def save_result(self, key: str, result: StoredResult) -> None:
        """Remember how a step with ``key`` ended."""
        write_json(
            self.root / "results" / key[:2] / f"{key[2:]}.json",
            {"run": result.run, "result": result.result, "files": result.files, "outputs": result.outputs},
        )

    def load_result(self, key: str) -> StoredResult | None:
        """What an earlier step with ``key`` gave."""
        found = read_json(self.root / "results" / key[:2] / f"{key[2:]}.json")
        if not isinstance(found, dict):
            return None
        return StoredResult(
            run=found["run"],
            result=found["result"],
            files=found.get("files", {}),
            outputs=tuple(found.get("outputs", ())),
        )

    def save_observed(self, digest: str, observed: Mapping[str, object]) -> None:
        """Remember what was observed about the step source with ``digest``."""
        write_json(self.root / "observations" / f"{digest}.json", observed)

    def load_observed(self, digest: str) -> Mapping[str, object] | None:
        """What was observed about the step source with ``digest``."""
        found = read_json(self.root / "observations" / f"{digest}.json")
        return found if isinstance(found, dict) else None


def _notebook_address(content: bytes) -> str:
    return f"{xxhash.xxh3_128_hexdigest(content)}.ipynb"
