"""The store on a local folder.

::

    objects/ab/cdef…        values of steps, frozen notebooks and files, named by their content
    runs/RUN/run.json       the record of a run;  runs/RUN/executed.ipynb  its executed notebook
    results/ab/KEY.json     how a step ended, by the key of everything it depended on
    observations/DIGEST.json  what runs saw about a step's source
    active/RUN              an empty file for each run that has not been seen to end, as old as it was seen alive last
    kept/RUN                an empty file for each run that cleaning leaves alone
    removed/                runs that are being removed
    moved/RUN               the id that a run has now, which had this one before it began
    index/                  what the records say, to be searched: see :mod:`jupyter_pipelines.store.run_index`
    pipelines/, adopted/    what was published: see :mod:`jupyter_pipelines.store.publications`
    held/                   what is frozen without that: see :mod:`jupyter_pipelines.store.holds`
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import xxhash

from jupyter_pipelines.errors import LostError, StoreError
from jupyter_pipelines.store.files import (
    cannot_write,
    make_folder,
    read_json,
    write_atomically,
    write_json,
    write_record,
)

FOLDERS: Final = (
    *("objects", "runs", "results", "observations", "active", "kept", "moved", "index", "pipelines", "adopted", "held"),
    "secrets",
)
"""What is in these is ours alone; in `folders` runs have worked."""

_LOST = "Publish the notebook again, or ask for its backfill again; or bring the store back from a backup."


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
        self.root = Path(os.path.expanduser(path)).absolute()

    @property
    def objects(self) -> Path:
        """The folder of content-addressed objects, created when missing."""
        try:
            return make_folder(self.root / "objects")
        except OSError as error:
            raise cannot_write(self.root, error) from error

    def has_object(self, address: str) -> bool:
        """Whether the object called ``address`` is there."""
        return self.object_path(address).exists()

    def object_path(self, address: str) -> Path:
        """Where the object called ``address`` is, or would be."""
        return self.root / "objects" / address[:2] / address[2:]

    def claim_object(self, address: str) -> bool:
        """Whether the object called ``address`` is there; if so, cleaning leaves it alone for now."""
        try:
            os.utime(self.object_path(address))
        except OSError:
            return False
        return True

    @staticmethod
    def address(content: bytes, suffix: str) -> str:
        """The address of ``content``: its digest, and ``suffix``."""
        return f"{xxhash.xxh3_128_hexdigest(content)}{suffix}"

    def put(self, content: bytes, suffix: str) -> str:
        """Keep ``content``; returns its address, which ends in ``suffix``. What is there already counts as new."""
        address = self.address(content, suffix)
        if not self.claim_object(address):
            write_atomically(self.object_path(address), content)
        return address

    def get(self, address: str, what: str = "object") -> bytes:
        """What is kept under ``address``. Raises :class:`StoreError` about ``what`` when it cannot be read.

        Where it is gone or altered for good, that is a :class:`LostError`.
        """
        try:
            content = self.object_path(address).read_bytes()
        except FileNotFoundError as error:
            lost = LostError if self.root.is_dir() else StoreError  # else a disk is away
            raise lost(f"The {what} {address} is not in the store at {self.root}.", _LOST) from error
        except (OSError, ValueError) as error:  # ValueError: a null byte in the address
            raise StoreError(f"The {what} {address} is not in the store at {self.root}.") from error
        if self.address(content, address[32:]) != address:
            raise LostError(f"The {what} {address} in the store at {self.root} was altered.", _LOST)
        return content

    def put_notebook(self, content: bytes) -> str:
        """Keep a frozen notebook; returns its content address."""
        return self.put(content, ".ipynb")

    def get_notebook(self, address: str) -> bytes:
        """The notebook kept under ``address``. Raises :class:`StoreError` when it is gone or altered."""
        return self.get(address, "notebook version")

    def run_folder(self, run: str) -> Path:
        """The folder of a run: its record and executed notebook."""
        return self.root / "runs" / run

    def save_run(self, run: str, record: Mapping[str, object], *, sync: bool = True) -> None:
        """Write the record of a run.

        With ``sync``, for a change of its state, it survives a power cut, and the index is told. Without, it may hold
        dataclasses.
        """
        path = self.run_folder(run) / "run.json"
        if not sync:
            write_record(path, record)
            return
        from jupyter_pipelines.store.run_index import RunIndex

        saved = {**record, "saved": time.time()}
        with RunIndex(self.root).change(run, saved):
            write_json(path, saved)

    def has_run(self, run: str) -> bool:
        """Whether there is a record of the run, readable or not."""
        return os.path.exists(self.run_folder(run) / "run.json")  # unlike a Path's, it takes any text

    def load_run(self, run: str) -> Mapping[str, object] | None:
        """The record of a run, ``None`` when there is none that can be read."""
        record = read_json(self.run_folder(run) / "run.json")
        if record is None and (now := self.moved_to(run)):
            record = read_json(self.run_folder(now) / "run.json")
        return record if isinstance(record, dict) else None

    def move_run(self, run: str, now: str) -> None:
        """Have ``run`` be known as ``now``, which is on record: asked for by either id, it is found."""
        from jupyter_pipelines.store.run_index import RunIndex

        write_atomically(self.root / "moved" / run, now.encode())
        self.remove_run(run)
        RunIndex(self.root).forget([run])

    def moved_to(self, run: str) -> str:
        """The id that ``run`` has now; ``""`` when it has never had another."""
        with suppress(OSError, ValueError):
            return (self.root / "moved" / run).read_text("ascii")
        return ""

    def moved_runs(self, beginning: str) -> list[str]:
        """The former ids of runs that begin with ``beginning``."""
        with suppress(OSError):
            return [name for name in os.listdir(self.root / "moved") if name[0] != "." and name.startswith(beginning)]
        return []

    def mark_active(self, run: str, active: bool) -> None:
        """Note that ``run`` is going on, or no longer is: what is active without its process was killed."""
        marker = self.root / "active" / run
        if active:
            write_atomically(marker, b"")
        else:
            with suppress(OSError):  # looked at again the next time
                marker.unlink(missing_ok=True)

    def note_alive(self, run: str) -> None:
        """Note that ``run``, which is active, was seen alive just now."""
        with suppress(OSError):
            os.utime(self.root / "active" / run)

    def active_since(self, run: str) -> float:
        """When ``run`` was noted as going on, or seen alive last, in seconds since the epoch; 0 when it is over."""
        with suppress(OSError):
            return (self.root / "active" / run).stat().st_mtime
        return 0.0

    def active_runs(self) -> list[str]:
        """The ids of the runs that have not been seen to end."""
        folder = self.root / "active"
        if not folder.is_dir():
            return []
        return sorted(path.name for path in folder.iterdir() if path.name[0] != "." and path.is_file())

    def mark_kept(self, run: str, kept: bool) -> None:
        """Note that cleaning is to leave ``run`` alone, or no longer. Raises :class:`StoreError`."""
        marker = self.root / "kept" / run
        if kept:
            write_atomically(marker, b"")
        else:
            marker.unlink(missing_ok=True)

    def kept_runs(self) -> set[str]:
        """The ids of the runs that cleaning is to leave alone."""
        with suppress(OSError):
            return {name for name in os.listdir(self.root / "kept") if name[0] != "."}
        return set()

    def remove_run(self, run: str) -> None:
        """Remove the record and the executed notebook of ``run``: at once they are gone, or as they were."""
        removed = make_folder(self.root / "removed")
        with suppress(OSError):  # it is gone already, or somebody else removes it
            self.run_folder(run).rename(removed / run)
        shutil.rmtree(removed / run, ignore_errors=True)

    def remove_remains(self) -> None:
        """Remove what is left of runs whose removal was interrupted, and former ids of runs that are gone."""
        shutil.rmtree(self.root / "removed", ignore_errors=True)
        for run in self.moved_runs(""):
            if not self.has_run(self.moved_to(run)):
                with suppress(OSError):
                    (self.root / "moved" / run).unlink()

    def run_ids(self) -> Iterator[str]:
        """The ids of all runs, newest first."""
        folder = self.root / "runs"
        if not folder.is_dir():
            return
        paths = ((path.stat().st_mtime, path.name) for path in folder.iterdir() if (path / "run.json").exists())
        for _, name in sorted(paths, reverse=True):
            yield name

    def save_result(self, key: str, result: StoredResult) -> None:
        """Remember how a step with ``key`` ended. What a power cut takes is made again."""
        write_record(self.root / "results" / key[:2] / f"{key[2:]}.json", vars(result))

    def load_result(self, key: str) -> StoredResult | None:
        """What an earlier step with ``key`` gave."""
        found = read_json(self.root / "results" / key[:2] / f"{key[2:]}.json")
        if not isinstance(found, dict):
            return None
        run, result, files, outputs = (found.get(name) for name in ("run", "result", "files", "outputs"))
        if not (isinstance(run, str) and isinstance(result, dict)):
            return None
        return StoredResult(
            run=run,
            result=result,
            files=files if isinstance(files, dict) else {},
            outputs=tuple(outputs) if isinstance(outputs, list) else (),
        )

    def save_observed(self, digest: str, observed: Mapping[str, object]) -> None:
        """Remember what was observed about the step source with ``digest``."""
        write_json(self.root / "observations" / f"{digest}.json", observed, sync=False)

    def load_observed(self, digest: str) -> Mapping[str, object] | None:
        """What was observed about the step source with ``digest``."""
        found = read_json(self.root / "observations" / f"{digest}.json")
        return found if isinstance(found, dict) else None
