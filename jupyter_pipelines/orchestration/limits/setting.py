"""Setting limits, and looking at who has the slots: the public API of this room."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jupyter_pipelines.errors import RequestError, StoreError
from jupyter_pipelines.orchestration.limits.queues import Queue, Ticket, alone
from jupyter_pipelines.orchestration.service.home import require_locks
from jupyter_pipelines.orchestration.service.home_format import refuse_later
from jupyter_pipelines.orchestration.versions.identity import pipeline_of
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store
from jupyter_pipelines.store.files import cannot_write, make_folder, read_kept_json, write_json
from jupyter_pipelines.typed import typed

MOST: Final = 1000
_RESOURCE: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")


@dataclass(frozen=True)
class Limit:
    """How many may go on at once: runs of a pipeline, or steps that need a resource; and who does, and who waits.

    ``slots`` is ``None`` where there is no limit. A resource that nothing was set for has one slot.
    """

    kind: str  # "pipeline" or "resource"
    name: str
    slots: int | None
    running: tuple[Ticket, ...] = ()
    waiting: tuple[Ticket, ...] = ()


@typed
def limit(what: Path | str, slots: int | None) -> Limit:
    """Let at most ``slots`` runs of a notebook's pipeline go on at once, or steps that need a resource of that name.

    ``None`` takes the limit away: a pipeline then has none, a resource one slot. It holds from now on, for those that
    wait already, too; what goes on is left alone. Raises :class:`RequestError`, or
    :class:`~jupyter_pipelines.errors.ServiceError` on a system without locks.
    """
    require_locks()
    if slots is not None and (isinstance(slots, bool) or not isinstance(slots, int) or not 1 <= slots <= MOST):
        raise RequestError(f"{slots!r} at once cannot be.", f"Give a number from 1 to {MOST:,}.")
    kind, name = _meant(what)
    home = Settings.load().home
    refuse_later(home)
    shelf = LimitShelf(home)
    shelf.save(kind, name, slots)
    return shelf.look_at(kind, name)


@typed
def limits() -> list[Limit]:
    """All limits that were set in this project home, and the resources that somebody has or waits for."""
    shelf = LimitShelf(Settings.load().home)
    return [shelf.look_at(kind, name) for kind, name in shelf.known()]


class LimitShelf:
    """The limits of the project home ``home``: ``limits/limits.json``, and the queues beside it."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "limits"

    def queue(self, kind: str, name: str) -> Queue:
        """Where those line up who need a slot of it."""
        return Queue(self._folder, f"{kind} {name}", lambda: self.slots(kind, name))

    def slots(self, kind: str, name: str) -> int | None:
        """How many slots there are; ``None`` where there is no limit. Raises :class:`StoreError`."""
        return self._set(kind).get(name, 1 if kind == "resource" else None)

    def save(self, kind: str, name: str, slots: int | None) -> None:
        """Set how many slots there are; ``None`` forgets it."""
        try:
            make_folder(self._folder)
            with alone(self._folder):
                found = {each: self._set(each) for each in ("pipeline", "resource")}
                found[kind].pop(name, None)
                if slots is not None:
                    found[kind][name] = slots
                write_json(self._path, found)
        except OSError as error:
            raise cannot_write(self._folder, error) from error

    def note(self, resource: str) -> None:
        """Remember that there is such a resource: it can be listed then, although nothing was set for it."""
        path = self._folder / "resources" / resource
        if not path.exists():
            make_folder(path.parent)
            path.touch(mode=0o600)

    def known(self) -> Iterator[tuple[str, str]]:
        """All that have a limit, by kind and name."""
        yield from (("pipeline", name) for name in sorted(self._set("pipeline")))
        folder = self._folder / "resources"
        used = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        yield from (("resource", name) for name in sorted({*self._set("resource"), *used}))

    def waiting_runs(self) -> int:
        """How many runs wait for a slot of their pipeline."""
        return sum(len(self.look_at("pipeline", name).waiting) for name in self._set("pipeline"))

    def look_at(self, kind: str, name: str) -> Limit:
        """One limit as it is now."""
        running, waiting = self.queue(kind, name).people()
        return Limit(kind, name, self.slots(kind, name), tuple(running), tuple(waiting))

    @property
    def _path(self) -> Path:
        return self._folder / "limits.json"

    def _set(self, kind: str) -> dict[str, int]:
        fix = "Move it away, and set the limits anew with `jupyter pipelines limit`."
        found = read_kept_json(self._path, fix)
        whole = {} if found is None else found
        if not isinstance(whole, dict) or not all(map(_is_limits, whole.values())):
            raise StoreError(f"The file {self._path} cannot be read: it holds no limits.", fix)
        return dict(whole.get(kind, {}))


def _is_limits(found: object) -> bool:
    return isinstance(found, dict) and all(isinstance(slots, int) and slots >= 1 for slots in found.values())


def _meant(what: Path | str) -> tuple[str, str]:
    """A notebook, or else the name of a resource."""
    path = Path(os.path.expanduser(what))
    if path.suffix in {".ipynb", ".py", ".md"} or os.path.isfile(path):
        if not os.path.isfile(path):
            raise RequestError(f"There is no notebook {what}.", "Check the path; a resource has no dot in its name.")
        return "pipeline", pipeline_of(Store(Settings.load().store), path)
    if not _RESOURCE.fullmatch(str(what)):
        raise RequestError(
            f"{what} is neither a notebook nor the name of a resource.",
            "Name a notebook, or a resource with letters, digits, dashes and underscores.",
        )
    return "resource", str(what)
