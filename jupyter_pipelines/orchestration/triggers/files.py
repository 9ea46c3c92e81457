"""Triggers that go by files: what has appeared or changed since the last look, and is still.

The cursor is a snapshot: each matching file with its size, time and inode. What differs from it is new, also when it
came while nobody looked; once an occurrence of it is kept, the file's new state is in the snapshot, in the same write.
Files that have gone are remembered for a while: a disk that comes back brings nothing new, a file moved back does.
"""

from __future__ import annotations

import os
import stat
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Final

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.triggers import patterns
from jupyter_pipelines.orchestration.triggers.model import Occurrence, OnFiles

Stamp = list[int]
"""Size, time of the last change in nanoseconds, inode; and when any of what is known of the file changed, its name too.
"""

MOST_FILES: Final = 20_000
MOST_GONE: Final = 5_000  # files that are remembered after they have gone
RESCAN: Final = 60.0  # seconds after which files are looked at although nothing was heard of them
UNWATCHED: Final = 5.0  # the same where nothing can be heard: the folder is not there yet, or cannot be watched


def snapshot(pattern: str) -> dict[str, Stamp]:
    """The files that match now. Raises :class:`RequestError` when there are more than :data:`MOST_FILES`."""
    found: dict[str, Stamp] = {}
    for path in patterns.find(pattern):
        with suppress(OSError, UnicodeEncodeError):  # it has gone just now; or its name is no text
            path.encode()
            status = os.stat(path)
            if stat.S_ISREG(status.st_mode):
                found[path] = [status.st_size, status.st_mtime_ns, status.st_ino, status.st_ctime_ns]
        if len(found) > MOST_FILES:
            raise RequestError(
                f"More than {MOST_FILES:,} files match {pattern}.", "Give a narrower pattern, or move old files away."
            )
    return found


class FileLook:
    """What has been seen of one trigger's files and is not still yet; in memory alone, as it is found again."""

    def __init__(self, cause: OnFiles) -> None:
        self._cause = cause
        self._moving: dict[str, tuple[Stamp, float]] = {}  # as seen last, and since when

    def look(
        self, cursor: object, now: float, made_by_us: Callable[[str, float], bool | None]
    ) -> tuple[object, list[Occurrence], float | None]:
        """The snapshot to go on with, the occurrences, and in how many seconds something may have become still.

        ``now`` is of the monotonic clock. ``made_by_us`` says of a path and its time whether a run of this trigger has
        written it: then it is no occurrence. ``None`` when that is not known yet.
        """
        folder = patterns.root(self._cause.pattern)
        if not os.path.isdir(folder):  # a disk that is away: its files have not gone
            raise RequestError(f"The folder {folder} is not there.", "Make it, or remove the trigger.")
        before, gone = _stamps(cursor, "files"), _stamps(cursor, "gone")
        seen = snapshot(self._cause.pattern)
        gone |= {path: stamp for path, stamp in before.items() if path not in seen}
        before |= {path: stamp for path, stamp in seen.items() if gone.pop(path, None) == stamp}
        known = {path: _newer(before[path], stamp) for path, stamp in seen.items() if path in before}
        changed = {path: stamp for path, stamp in seen.items() if known.get(path) != stamp}
        moving = {path: self._moving.get(path, (stamp, now)) for path, stamp in changed.items()}
        self._moving = {
            path: (stamp, moving[path][1] if moving[path][0] == stamp else now) for path, stamp in changed.items()
        }
        still = [path for path, (_, since) in self._moving.items() if now - since >= self._cause.still]
        if self._cause.together and len(still) < len(changed):
            still = []
        ours = {path: made_by_us(path, changed[path][1] / 1e9) for path in still}
        if self._cause.together and None in ours.values():
            ours = {}
        for path, is_ours in ours.items():
            if is_ours is not None:
                known[path] = changed[path]
                del self._moving[path]
        new = sorted(
            (path for path, is_ours in ours.items() if is_ours is False), key=lambda path: (seen[path][1], path)
        )
        batches = ([new] if new else []) if self._cause.together else [[path] for path in new]
        waits = [self._cause.still - (now - since) for _, since in self._moving.values()]
        following = {"files": known, "gone": dict(list(gone.items())[-MOST_GONE:])}
        return following, [_occurrence(batch, seen) for batch in batches], max(0.1, min(waits)) if waits else None


def now(pattern: str) -> object:
    """The cursor of what is there by now. Raises as :func:`snapshot`."""
    return {"files": snapshot(pattern), "gone": {}}


def _stamps(cursor: object, which: str) -> dict[str, Stamp]:
    found = cursor.get(which) if isinstance(cursor, dict) else None
    return dict(found) if isinstance(found, dict) else {}


def _newer(known: Stamp, seen: Stamp) -> Stamp:
    """What is seen, where it is the file that is known: its permissions may be others."""
    return seen if known[:-1] == seen[:-1] else known


def _occurrence(paths: list[str], seen: Mapping[str, Stamp]) -> Occurrence:
    text = "\n".join(f"{path} {seen[path]}" for path in paths)
    key = blake2b(text.encode(), digest_size=16).hexdigest()
    names: dict[str, object] = {"files": paths}
    if len(paths) == 1:
        names["file"] = paths[0]
    return Occurrence(key, time.time(), names)


class Watcher:
    """Hears of changes below folders, in a thread of its own, and says so to ``tell``."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._heard: set[str] = set()
        self._watched: dict[str, bool] = {}  # folders, and whether what is below their own folders is watched, too
        self._stop = threading.Event()

    def watch(self, watched: Mapping[str, bool]) -> None:
        """Watch these folders, as far as they are there, and no others."""
        present = {folder: deep for folder, deep in watched.items() if os.path.isdir(folder)}
        with self._lock:
            if present == self._watched:
                return
            self._stop.set()
            self._heard.update((*present, *self._watched))  # what has happened meanwhile nobody has heard
            self._watched, self._stop = present, threading.Event()
        for deep in (False, True):
            folders = [folder for folder, is_deep in present.items() if is_deep is deep]
            if folders:
                work = threading.Thread(target=self._listen, args=(folders, deep, self._stop), daemon=True)
                work.name = "files"
                work.start()

    def is_watched(self, folder: str) -> bool:
        """Whether changes below the folder are heard."""
        with self._lock:
            return folder in self._watched

    def heard(self) -> list[str]:
        """The paths that something has happened to since this was asked last."""
        with self._lock:
            found, self._heard = self._heard, set()
        return list(found)

    def _listen(self, folders: list[str], deep: bool, stop: threading.Event) -> None:
        try:
            from watchfiles import watch

            options = {"debounce": 400, "step": 50, "rust_timeout": 60_000, "raise_interrupt": False}
            for changes in watch(*folders, watch_filter=None, stop_event=stop, recursive=deep, **options):  # type: ignore[arg-type]  # their types differ
                with self._lock:
                    self._heard.update(path for _, path in changes)
                self._tell()
        except Exception:  # a folder that has gone, a limit of the system
            traceback.print_exc()
        with self._lock:
            if stop is self._stop:
                for folder in folders:
                    self._watched.pop(folder, None)


def folder_of(pattern: str) -> tuple[str, bool]:
    """The folder to watch for a pattern, and whether that goes deeper than the folder itself."""
    root = patterns.root(pattern)
    return root, os.sep in os.path.relpath(pattern, root)


def concerns(path: str, pattern: str) -> bool:
    """Whether what has happened to ``path`` may matter to ``pattern``."""
    root = patterns.root(pattern)
    return path == root or Path(path).is_relative_to(root)
