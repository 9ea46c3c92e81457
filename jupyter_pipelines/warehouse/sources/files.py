"""Sources that are files: on this machine, behind HTTP, in object storage; a file or a folder is a table.

DuckDB reads files of this machine by itself. All others it reads through fsspec, under addresses that begin with
``source://``: they hold no secret, need no extension of DuckDB's, and cannot be written.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import urlsplit

from fsspec.spec import AbstractFileSystem

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.notebook.table_names import shown, text_literal
from jupyter_pipelines.warehouse.sources.model import ConnectedSource
from jupyter_pipelines.warehouse.sources.secrets import FORMS, without_secrets

PROTOCOL: Final = "source"
MOST_FILES: Final = 10_000  # of one table
_READERS: Final = {"parquet": "read_parquet", "csv": "read_csv", "json": "read_json"}
_FORMATS: Final = {
    "parquet": "parquet",
    "pq": "parquet",
    "csv": "csv",
    "tsv": "csv",
    "json": "json",
    "jsonl": "json",
    "ndjson": "json",
}
_ENDING: Final = re.compile(r"\.(\w+)(?:\.(?:gz|zst))?$", re.IGNORECASE)
_TRIED: Final = ("parquet", "csv", "json", "csv.gz", "jsonl", "ndjson")  # endings, where nothing can be listed
_PACKAGES: Final = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs"}


def select_files(connection: Any, source: ConnectedSource, table: str) -> str:
    """The query that reads a table of ``source``. Raises :class:`RequestError` when there is none of that name."""
    folder = Folder.of(source)
    paths = folder.paths_of(table)
    format_ = source.text("format") or _format(paths[0])
    if not folder.is_local and not connection.filesystem_is_registered(PROTOCOL):
        connection.register_filesystem(_remote)
    if not folder.is_local:
        _remote.know(source.name, folder)
    listed = ", ".join(text_literal(folder.address(path)) for path in paths)
    options = ", hive_partitioning = true" if all("=" in path for path in paths) else ""
    options += ", union_by_name = true" if len(paths) > 1 else ""
    return f"SELECT * FROM {_READERS[format_]}([{listed}]{options})"


def list_tables(source: ConnectedSource) -> tuple[str, ...]:
    """What may be read of a source, as SQL names it: its files and folders, and what it calls a table."""
    return tuple(shown(name) for name in Folder.of(source).tables())


@dataclass(frozen=True)
class Folder:
    """Where the files of a source lie. Paths are those below ``root``."""

    source: ConnectedSource
    system: AbstractFileSystem
    root: str
    is_local: bool
    told: dict[str, dict[str, Any]] = field(default_factory=dict)  # what is known of files, while one statement runs
    copies: dict[str, Any] = field(default_factory=dict)  # of those that can only be read from their beginning

    @classmethod
    def of(cls, source: ConnectedSource) -> Folder:
        """That of ``source``. Raises :class:`RequestError` when what reads it is not installed."""
        url = source.text("url")
        protocol = urlsplit(url).scheme or "file"
        system = _system(protocol, source)
        return cls(source, system, str(system._strip_protocol(url)).rstrip("/"), protocol in {"file", "local"})

    def address(self, path: str) -> str:
        """What DuckDB is told."""
        return f"{self.root}/{path}" if self.is_local else f"{PROTOCOL}://{self.source.name}/{path}"

    def place(self, path: str) -> str:
        """What the file system is told."""
        return f"{self.root}/{path}" if path else self.root

    def tables(self) -> tuple[str, ...]:
        named = self._named()
        found = {path.partition("/")[0] for path in self._asked(self._listed)}
        return tuple(sorted({*named, *(_stem(name) for name in found)}))

    def paths_of(self, table: str) -> list[str]:
        """The files of a table, of one format."""
        paths: list[str] = self._asked(lambda: self._paths_of(table))
        if not paths:
            raise self._no_table(table)
        if len(paths) > MOST_FILES:
            raise RequestError(f"{self.source.name}.{table} has more than {MOST_FILES:,} files.", "Name fewer of them.")
        if len({_format(path) for path in paths}) > 1 and not self.source.text("format"):
            shown = ", ".join(paths[:3])
            fix = 'Say which are meant: format = "parquet", or a pattern in [' + f"{self.source.name}.tables]."
            raise RequestError(f"{self.source.name}.{table} may be several things: {shown}.", fix)
        return paths

    def _paths_of(self, table: str) -> list[str]:
        named = {name.casefold(): path for name, path in self._named().items()}
        if (pattern := named.get(table.casefold())) is not None:
            if any(mark in pattern for mark in "*?["):
                return self._fitting(self._relative(one) for one in self.system.glob(self.place(pattern)))
            if self.system.isfile(self.place(pattern)):
                return [pattern]
            return self._fitting(self._relative(one) for one in self.system.find(self.place(pattern)))
        if self._cannot_list:
            tried = [f"{table}.{ending}" for ending in _TRIED]
            return [path for path in self._fitting(tried) if self._is_there(path)][:1]
        own = [path for path in self._listed() if _stem(path.partition("/")[0]).casefold() == table.casefold()]
        files = [path for path in own if "/" not in path]
        if files:
            return files
        folders = {path.partition("/")[0] for path in own}
        return self._fitting(self._relative(one) for name in folders for one in self.system.find(self.place(name)))

    def info(self, path: str) -> dict[str, Any]:
        """Its size and more, asked for once."""
        if path not in self.told:
            told = self.system.info(self.place(path))
            if self._cannot_list and not (told.get("partial") and told.get("size")):
                self.copies[path] = copy = tempfile.NamedTemporaryFile(prefix="jupyter-pipelines-")  # noqa: SIM115
                with self.system.open(self.place(path), "rb", block_size=0) as stream:
                    shutil.copyfileobj(stream, copy)
                copy.flush()
                told = {**told, "size": os.path.getsize(copy.name)}
            self.told[path] = told
        return self.told[path]

    def open(self, path: str) -> Any:
        """The file, to be read from anywhere."""
        self.info(path)
        copy = self.copies.get(path)
        return self.system.open(self.place(path), "rb") if copy is None else Path(copy.name).open("rb")

    def _is_there(self, path: str) -> bool:
        """Whether a file is behind an address that cannot be listed."""
        try:
            self.info(path)
        except FileNotFoundError as error:
            status = getattr(error.__cause__, "status", 404)  # fsspec calls everything not found
            if status in {401, 403}:
                fix = "Give a token that may read there: token = " + FORMS + "."
                raise RequestError(f"The source {self.source.name} refuses what it is asked ({status}).", fix) from None
            return False
        return True

    @property
    def _cannot_list(self) -> bool:
        return self.system.protocol == "http" or "http" in self.system.protocol

    def _named(self) -> Mapping[str, str]:
        tables = self.source.values.get("tables")
        return tables if isinstance(tables, Mapping) else {}

    def _listed(self) -> list[str]:
        """Files that may be tables; folders with a slash at their end."""
        if self._cannot_list:
            return []
        entries = self.system.ls(self.root, detail=True)
        names = [self._relative(entry["name"]) + ("/" if entry["type"] == "directory" else "") for entry in entries]
        return [name for name in sorted(names) if name.endswith("/") or self._fitting([name])]

    def _fitting(self, paths: Any) -> list[str]:
        """Those that are data: of the format that is said, or of one that is known; nothing hidden."""
        said = self.source.text("format")
        fit = (path for path in paths if not any(part.startswith((".", "_")) for part in path.split("/")))
        return sorted(path for path in fit if (_format(path) == said if said else _format(path)))

    def _relative(self, path: str) -> str:
        return str(path).removeprefix("file://").removeprefix(self.root).strip("/")

    def _no_table(self, table: str) -> RequestError:
        near = [] if self._cannot_list else get_close_matches(table, self.tables(), 1)
        fix = (
            f"Did you mean {self.source.name}.{near[0]}?"
            if near
            else (
                f"Files are found by name ({table}.parquet, {table}.csv, {table}.json), folders of them, too; "
                f'others are named in [{self.source.name}.tables]: {table} = "path/*.csv".'
            )
        )
        return RequestError(f"The source {self.source.name} has no {table} at {self.source.text('url')}.", fix)

    def _asked(self, ask: Any) -> Any:
        """What ``ask`` gives; whatever goes wrong on the way to the files, as an error of ours."""
        try:
            return ask()
        except RequestError:
            raise
        except FileNotFoundError:
            raise RequestError(
                f"There is no {self.source.text('url')}, where the source {self.source.name} is."
            ) from None
        except Exception as error:  # each file system has errors of its own
            said = without_secrets(str(error).strip() or type(error).__name__)
            fix = f"Check its address and its secrets: jupyter pipelines sources test {self.source.name}."
            raise RequestError(f"The source {self.source.name} cannot be read: {said}", fix) from None


class _Remote(AbstractFileSystem):  # type: ignore[misc]  # fsspec ships no types
    """All sources that are not on this machine, as one file system for DuckDB that can only be read."""

    protocol = PROTOCOL
    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self._folders: dict[str, Folder] = {}
        self._changing = threading.Lock()

    def know(self, name: str, folder: Folder) -> None:
        """Have ``source://name/…`` be read from ``folder``."""
        with self._changing:
            self._folders[name] = folder

    def open(self, path: str, mode: str = "rb", **_: Any) -> Any:
        if set(mode) - set("rb"):
            raise PermissionError("sources are only read")
        folder, rest = self._found(path)
        return folder.open(rest)

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        folder, rest = self._found(path)
        return {**folder.info(rest), "name": self._strip_protocol(path)}

    def ls(self, path: str, detail: bool = True, **_: Any) -> Any:
        found = self.info(path)
        return [found] if detail else [found["name"]]

    def glob(self, path: str, **_: Any) -> list[str]:
        return [path]  # what is to be read is known before

    def exists(self, path: str, **_: Any) -> bool:
        try:
            self.info(path)
        except FileNotFoundError:
            return False
        return True

    def modified(self, path: str) -> datetime:
        """Where that is not known, it is now: what DuckDB remembers of the file is not used."""
        told = self.info(path)
        found = told.get("LastModified") or told.get("last_modified") or told.get("created") or told.get("mtime")
        return found if isinstance(found, datetime) else datetime.now(UTC)

    def _found(self, path: str) -> tuple[Folder, str]:
        name, _, rest = str(path).removeprefix(f"{PROTOCOL}://").strip("/").partition("/")
        return self._folders[name], rest


_remote = _Remote()


def _system(protocol: str, source: ConnectedSource) -> AbstractFileSystem:
    import fsspec

    values = source.values
    options: dict[str, Any] = {}
    if protocol in {"s3", "s3a"}:
        given = {"key": "key", "secret": "secret", "session_token": "token", "endpoint": "endpoint_url"}
        options = {theirs: values[ours] for ours, theirs in given.items() if ours in values}
        options |= {"client_kwargs": {"region_name": values["region"]}} if "region" in values else {}
    elif protocol in {"http", "https"} and "token" in values:
        options = {"client_kwargs": {"headers": {"Authorization": f"Bearer {values['token']}"}}}
    try:
        # Nothing that was listed before, and nobody else's connection.
        return fsspec.filesystem(protocol, use_listings_cache=False, skip_instance_cache=True, **options)
    except ImportError:
        package = _PACKAGES.get(protocol, "aiohttp" if protocol in {"http", "https"} else "what fsspec needs for it")
        raise RequestError(
            f"The source {source.name} is at {protocol}://, and what reads that is not installed.",
            f"Install it where notebooks run: pip install {package}.",
        ) from None
    except ValueError:
        raise RequestError(f"The source {source.name} is at {protocol}://, which nothing here can read.") from None


def _format(path: str) -> str:
    found = _ENDING.search(path)
    return _FORMATS.get(found[1].lower(), "") if found else ""


def _stem(name: str) -> str:
    """``orders`` of ``orders.csv.gz``, and of the folder ``orders/``."""
    name = PurePosixPath(name).name
    return _ENDING.sub("", name) if _format(name) else name
