"""Where a version runs.

A version that froze nothing but its notebook runs in the notebook's own folder: that is what the notebook would do.

One with files, or whose notebook's folder is gone, runs in a folder of its own, kept in the store and used again by its
next run. There every file that was frozen is as it was published; all else that is in the notebook's folder is there by
a link, so that data which was not declared is found as it is now, and a file that exists is written where it is.
Neighbours of the notebook's folder are linked too (``../data``). When the last run in the folder ends, new files are
moved to beside the notebook.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import xxhash

from jupyter_pipelines.errors import RequestError, StoreError
from jupyter_pipelines.orchestration.versions.model import Content, FrozenFile, Version
from jupyter_pipelines.orchestration.versions.paths import IGNORED
from jupyter_pipelines.orchestration.versions.publishing import read_content
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store
from jupyter_pipelines.store.collection import GRACE
from jupyter_pipelines.store.files import cannot_write, make_folder, write_atomically

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # checked where it is used

logger = logging.getLogger(__name__)

LEVELS = 2  # folders above the notebook's whose entries are linked
_TEMPORARY = ".frozen."  # how the names of files begin that are being written
_READ_ONLY = 0o400


def unpack(version: Version, folder: Path | str) -> Path:
    """Write what ``version`` froze into ``folder``, which must not exist; returns the path of its notebook there.

    The folder is there whole or not at all. Raises :class:`RequestError` when it exists, and :class:`StoreError` when
    something is lost, or cannot be written.
    """
    store, target = Store(Settings.load().store), Path(folder)
    if os.path.lexists(target):
        raise RequestError(f"{folder} is there already.", "Name a new folder.")
    files = version.content.files
    name = Path(version.notebook).with_suffix(version.content.suffix).name
    while name in {file.path for file in files}:
        name = f"_{name}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name[:40]}.") as scratch:
            whole = Path(scratch) / "version"
            whole.mkdir()
            for file in files:
                _write(store, file, whole / file.path, 0o644)
            (whole / name).write_bytes(store.get_notebook(version.content.notebook))
            whole.rename(target)
    except OSError as error:
        raise cannot_write(target, error) from error
    return target / name


def working_folder(store: Store, version: str | None, notebook: Path) -> Path:
    """The folder in which ``version`` of ``notebook`` runs: the notebook's own, or one made as it must be.

    Without a version, the notebook as it is, it is the notebook's own. Raises :class:`StoreError`.
    """
    home = notebook.absolute().parent
    content = _content_apart(store, version, home)
    if version is None or content is None:
        return home
    folder = _folder(store, version, home)
    try:
        make_folder(folder)
        root = _root(store, version, home)
        if not (root / "home").exists():
            write_atomically(root / "home", os.fsencode(home))
        os.utime(root)
        _link_neighbours(home, folder)
        _mirror(store, content, home, folder)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return folder


@contextmanager
def used(store: Store, version: str | None, notebook: Path) -> Iterator[None]:
    """Work in the version's folder while inside; when the last user leaves, its new files go to beside the notebook."""
    home = notebook.absolute().parent
    content = _content_apart(store, version, home)
    if version is None or content is None:
        yield
        return
    folder = _folder(store, version, home)
    lock = make_folder(_root(store, version, home)) / "lock"
    descriptor = os.open(lock, os.O_CREAT | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        try:
            if fcntl is not None:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _bring_home(folder, home, {file.path for file in content.files})
        except BlockingIOError:
            pass  # somebody else is still at work: who leaves last does it
        except OSError as error:
            logger.warning("What runs have made in %s could not be moved to %s: %s", folder, home, error.strerror)
        os.close(descriptor)


def unused_folders(store: Store, *, now: float) -> dict[Path, int]:
    """The folders of versions, with their sizes in bytes, that no run is in, or has asked for of late.

    One with files that could not be moved to beside their notebook stays. ``now`` is in seconds since the epoch.
    """
    found = {}
    for root in sorted((store.root / "folders").glob("*-*")):
        version = root.name.partition("-")[0]
        try:
            home = Path(os.fsdecode((root / "home").read_bytes()))
            frozen = {file.path for file in read_content(store, version).files}
            folder = _folder(store, version, home)
            idle = root.stat().st_mtime < now - GRACE and _is_idle(root / "lock")
            if idle and not any(_made(folder, folder, home, frozen)):
                found[root] = sum((folder / path).stat().st_size for path in frozen)
        except (OSError, StoreError):
            continue
    return found


def _is_idle(lock: Path) -> bool:
    if fcntl is None or not lock.exists():
        return True
    with open(lock, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _content_apart(store: Store, version: str | None, home: Path) -> Content | None:
    """What ``version`` froze if it needs a folder of its own, ``None`` if it runs in the notebook's."""
    if version is None:
        return None
    content = read_content(store, version)
    return content if content.files or not home.is_dir() else None


def _root(store: Store, version: str, home: Path) -> Path:
    place = xxhash.xxh3_64_hexdigest(os.fsencode(home))
    return store.root / "folders" / f"{version}-{place}"


def _folder(store: Store, version: str, home: Path) -> Path:
    parts = home.relative_to(home.anchor).parts[-LEVELS - 1 :]
    return _root(store, version, home).joinpath("copy", *parts)


def _link_neighbours(own: Path, copy: Path) -> None:
    for _ in range(min(LEVELS, len(own.parts) - 2)):
        _link_entries(own.parent, copy.parent, {own.name})
        own, copy = own.parent, copy.parent


def _mirror(store: Store, content: Content, home: Path, folder: Path) -> None:
    """Make ``folder`` have the frozen files, and links to all else that ``home`` has."""
    frozen = {file.path for file in content.files}
    folders = {"": frozenset(path.split("/")[0] for path in frozen)}
    for path in frozen:
        parts = path.split("/")
        for depth in range(1, len(parts)):
            below = "/".join(parts[:depth])
            folders[below] = folders.get(below, frozenset()) | {parts[depth]}
    for path in sorted(folders):
        place = folder / path
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            place.unlink(missing_ok=True)
        place.mkdir(exist_ok=True)
        _link_entries(home / path, place, folders[path])
    for file in content.files:
        place = folder / file.path
        if not _is_whole(place, file):
            _write(store, file, place, _READ_ONLY)


def _link_entries(source: Path, target: Path, left_out: frozenset[str] | set[str]) -> None:
    """Links in ``target`` to what is in ``source``, less ``left_out``; links to what is gone, or moved, go."""
    for entry in os.scandir(target):
        place = source / entry.name
        if _is_ours(entry, place) and (entry.name in left_out or not os.path.lexists(place)):
            with suppress(FileNotFoundError):  # another run tidies, too
                os.unlink(entry.path)
    try:
        names = os.listdir(source)
    except OSError:  # gone, or not ours to read
        return
    for name in names:
        if name not in left_out and name not in {"__pycache__", ".ipynb_checkpoints"}:
            with suppress(FileExistsError):  # another run made it, or a run has left a file of this name
                os.symlink(source / name, target / name)


def _is_whole(place: Path, file: FrozenFile) -> bool:
    if place.is_symlink() or not place.is_file():
        return False
    return place.stat().st_size == file.size and Store.address(place.read_bytes(), ".file") == file.address


def _write(store: Store, file: FrozenFile, place: Path, mode: int) -> None:
    """Replace ``place``, whole or not at all."""
    content = store.get(file.address, f"file {file.path}")
    place.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=place.parent, prefix=_TEMPORARY)
    try:
        with os.fdopen(descriptor, "wb") as written:
            written.write(content)
        os.chmod(temporary, mode | ((mode & 0o444) >> 2 if file.executable else 0))
        os.replace(temporary, place)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _bring_home(folder: Path, home: Path, frozen: set[str]) -> None:
    """Move what runs have made in ``folder`` to ``home``, and leave links to it."""
    if not home.is_dir():  # perhaps it is only not mounted: nothing is put in its place
        logger.warning("%s is gone: what runs of a published version have made stays in %s", home, folder)
        return
    for place, path in list(_made(folder, folder, home, frozen)):
        target = home / path
        try:
            _move(place, target)
            os.symlink(target, place)
        except OSError as error:
            logger.warning("%s was left by a run and could not be moved to %s: %s", place, target, error.strerror)


def _move(place: Path, target: Path) -> None:
    """Move ``place`` to ``target``, which is replaced whole; a folder that is in both is merged."""
    if place.is_dir() and target.is_dir() and not place.is_symlink():
        for name in os.listdir(place):
            _move(place / name, target / name)
        place.rmdir()
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.replace(place, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _move_to_another_disk(place, target)


def _move_to_another_disk(place: Path, target: Path) -> None:
    """Move ``place``, which goes when it is whole at ``target``."""
    is_folder = place.is_dir() and not place.is_symlink()
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name[:40]}.") as scratch:
        whole = Path(scratch) / "whole"
        if is_folder:
            shutil.copytree(place, whole, symlinks=True)
        else:
            shutil.copy2(place, whole, follow_symlinks=False)
        os.replace(whole, target)
    if is_folder:
        shutil.rmtree(place)
    else:
        place.unlink()


def _made(folder: Path, root: Path, home: Path, frozen: set[str]) -> Iterator[tuple[Path, str]]:
    """What is in ``folder`` and neither a frozen file nor a link of ours, with its path below ``root``."""
    below = {"/".join(path.split("/")[:depth]) for path in frozen for depth in range(1, path.count("/") + 1)}
    for entry in os.scandir(folder):
        path = Path(entry.path).relative_to(root).as_posix()
        ours = path in frozen or entry.name.startswith(_TEMPORARY) or _is_ours(entry, home / path)
        if ours or entry.name in IGNORED:
            continue
        if path in below and not entry.is_symlink():
            yield from _made(Path(entry.path), root, home, frozen)
        else:
            yield Path(entry.path), path


def _is_ours(entry: os.DirEntry[str], place: Path) -> bool:
    """Whether ``entry`` is the link to ``place`` that we made, not one that a run has made."""
    try:
        return entry.is_symlink() and os.readlink(entry.path) == str(place)
    except OSError:  # it has gone since
        return True
