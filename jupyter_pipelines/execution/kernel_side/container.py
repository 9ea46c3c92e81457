"""The file that holds what a step hands over.

Layout: 8 bytes of magic, the length of the header (8 bytes, little endian), the header (JSON), then pickles and
buffers, each aligned to 64 bytes. The header lists the values and, for every part, place, size and digest; the file's
name is the digest of the header, so it vouches for all the rest.

Names that share objects are in one *group*, a pickle of a dict; every other name is a group and a pickle of its own, so
that it is read without what the others need. Buffers are not read but mapped into memory, copy-on-write.

Files are written beside their place and renamed, without waiting for the disk. What has been in memory since the system
started is what was written; a file from before is checked completely, once per process, when it is loaded.
"""

from __future__ import annotations

import contextlib
import io
import json
import mmap
import os
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

from . import reading
from .collecting import without_collecting
from .digests import algorithm_of, digest, is_known
from .pickling import Pickled

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # checked where it is used

MAGIC = b"JPVALUE1"
ALIGNMENT = 64
FORMAT = 1
GLANCE = 0.1  # seconds for which what removes old files may take one away to see whether it is in use

Json = dict[str, Any]
Loads = Callable[..., Any]  # with the signature of reading.loads


class ContainerError(Exception):
    """A container that cannot be read: absent, truncated, altered, or made by another Python."""


class Group:
    """Names that are written as one pickle. ``digests``: those of the buffers, if known."""

    def __init__(self, names: tuple[str, ...], pickled: Pickled, digests: list[str] | None = None) -> None:
        self.names = names
        self.pickled = pickled
        self.buffer_digests = [digest(buffer) for buffer in pickled.buffers] if digests is None else digests


def path_of(objects: str, address: str) -> str:
    """Where the container with this address is."""
    return os.path.join(objects, address[:2], address[2:])


def write(objects: str, groups: Iterable[Group], values: dict[str, Json]) -> str:
    """Write a container and return its address.

    ``values`` describes each name for people and programs: ``type``, ``size``, ``digest``, ``summary``.
    """
    parts: list[tuple[int, Any]] = []
    end = 0

    def place(data: Any, name: str) -> list[Any]:
        nonlocal end
        size = data.nbytes if isinstance(data, memoryview) else len(data)
        start = _align(end)
        parts.append((start, data))
        end = start + size
        return [start, size, name]

    entries = []
    for group in groups:
        pickled = group.pickled
        entries.append(
            {
                "names": list(group.names),
                "pickle": place(pickled.stream, digest(pickled.stream)),
                "buffers": [place(data, name) for data, name in zip(pickled.buffers, group.buffer_digests)],
                "needs": sorted(pickled.needs),
                "reads": sorted(pickled.reads),
                "python": "%d.%d" % sys.version_info[:2] if pickled.has_code else None,
            }
        )
    header = json.dumps(
        {"format": FORMAT, "size": end, "values": values, "groups": entries}, separators=(",", ":"), sort_keys=True
    ).encode()
    address = digest(header)
    path = path_of(objects, address)
    if not _is_there(path, len(header), end):
        _write_atomically(path, header, parts)
    return address


def _align(place: int) -> int:
    return -(-place // ALIGNMENT) * ALIGNMENT


def _data_start(header_size: int) -> int:
    return _align(len(MAGIC) + 8 + header_size)


def _is_there(path: str, header_size: int, data_size: int) -> bool:
    """Whether the file is there already; then it is as good as new, for what removes old ones."""
    try:
        if os.stat(path).st_size != _data_start(header_size) + data_size or _is_older_than_system(path):
            return False
        os.utime(path)
    except OSError:
        return False
    return True


def _write_atomically(path: str, header: bytes, parts: list[tuple[int, Any]]) -> None:
    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".writing-", dir=folder)  # mode 0600
    try:
        with open(handle, "wb", buffering=0) as file:
            _hold(handle)
            _write_all(file, MAGIC + len(header).to_bytes(8, "little") + header)
            start = _data_start(len(header))
            for place, data in parts:
                file.seek(start + place)
                _write_all(file, data)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _hold(descriptor: int) -> None:
    """Say that this file is being written: what removes those that kills have left leaves it alone."""
    if fcntl is not None:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _write_all(file: io.FileIO, data: Any) -> None:
    view = memoryview(data).cast("B")
    while view.nbytes:
        view = view[file.write(view) :]


class Container:
    """A container that is open for reading. Its size and header are verified when it is opened."""

    def __init__(self, objects: str, address: str) -> None:
        self.address = address
        self.path = path_of(objects, address)
        if not os.path.exists(self.path):
            time.sleep(GLANCE)
        try:
            with open(self.path, "rb") as file:
                self.memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        except FileNotFoundError:
            raise ContainerError(f"{address} is not in the store") from None
        except (OSError, ValueError) as error:
            raise ContainerError(f"{address} cannot be read: {error}") from error
        length = int.from_bytes(self.memory[8:16], "little") if self.memory[:8] == MAGIC else -1
        header = self.memory[16 : 16 + length]
        if length < 0 or len(header) != length or not self._is_intact(header, address):
            raise ContainerError(f"{address} is damaged: its header is not what was written")
        self.manifest: Json = json.loads(header)
        self._start = _data_start(length)
        if len(self.memory) != self._start + self.manifest["size"]:
            raise ContainerError(f"{address} is damaged: it has {len(self.memory):,} bytes, not what was written")
        self._loaded: dict[int, dict[str, object]] = {}
        if _is_older_than_system(self.path):
            self.verify()

    @property
    def values(self) -> dict[str, Json]:
        """What the container holds, by name."""
        values: dict[str, Json] = self.manifest["values"]
        return values

    def group(self, name: str) -> Json:
        """The group that a name is in; raises :class:`ContainerError`."""
        for group in self.manifest["groups"]:
            if name in group["names"]:
                found: Json = group
                return found
        raise ContainerError(f"{self.address} does not hold {name!r}")

    def verify(self) -> None:
        """Check every byte against its digest; raises :class:`ContainerError`."""
        for group in self.manifest["groups"]:
            for part in (group["pickle"], *group["buffers"]):
                if not self._is_intact(self._part(part), part[2]):
                    raise ContainerError(f"{self.address} is damaged: {', '.join(group['names'])} was altered")

    @without_collecting()
    def load(self, names: Collection[str], loads: Loads = reading.loads) -> Json:
        """The values of ``names``. What is in one group is the same objects however often it is asked for."""
        found: Json = {}
        for name in names:
            group = self.group(name)
            place = group["pickle"][0]
            if place not in self._loaded:
                self._loaded[place] = self._load_group(group, loads)
            found[name] = self._loaded[place][name]
        return found

    def buffer_digest(self, place: int, size: int) -> str | None:
        """The digest of the buffer that lies at ``place`` in this container's memory, as it was written."""
        for group in self.manifest["groups"]:
            for start, length, name in group["buffers"]:
                if self._start + start == place and length == size:
                    return str(name)
        return None

    def _load_group(self, group: Json, loads: Loads) -> dict[str, object]:
        if group["python"] not in (None, "%d.%d" % sys.version_info[:2]) and loads is reading.loads:
            raise ContainerError(f"it holds functions of Python {group['python']}, which no other version can load")
        stream = self._part(group["pickle"])
        if not self._is_intact(stream, group["pickle"][2]):
            raise ContainerError(f"{self.address} is damaged: {', '.join(group['names'])} was altered")
        buffers = [self._part(part) for part in group["buffers"]]
        value = loads(stream, buffers=buffers)
        names = group["names"]
        return dict(value) if len(names) > 1 else {names[0]: value}

    def _part(self, part: list[Any]) -> memoryview:
        start = self._start + part[0]
        return memoryview(self.memory)[start : start + part[1]]

    @staticmethod
    def _is_intact(data: Any, name: str) -> bool:
        algorithm = algorithm_of(name)
        return not is_known(algorithm) or digest(data, algorithm) == name


def _is_older_than_system(path: str) -> bool:
    """Whether the file was written before the system started, so that a loss of power may have damaged it."""
    try:
        clock = getattr(time, "CLOCK_BOOTTIME", None)
        running = time.clock_gettime(clock) if clock is not None else time.monotonic()
        return os.stat(path).st_mtime < time.time() - running
    except OSError:
        return True
