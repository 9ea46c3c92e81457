"""The state of a walk through the notebook, and how one cell's part in it is kept.

What a cell does depends on its source and on what it asks of the state that the cells before it left. Both what it
asked and what it put in are noted down: where a later compilation comes to the same cell and every question has the
same answer, the answers of the cell are put in again and the cell is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from jupyter_pipelines.graph.events import FunctionInfo
from jupyter_pipelines.graph.values import Definition, Place, Version

if TYPE_CHECKING:
    from jupyter_pipelines.graph.adoption import Adoption

K = TypeVar("K")
V = TypeVar("V")


class Group(dict[str, bool]):
    """Names that share objects with one name (True: the very object); equal when their order is, too."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Group) and list(self.items()) == list(other.items())

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None


class Part(Generic[K, V]):
    """A part of the state: a mapping that notes what the cell at hand asks of it and puts into it."""

    __slots__ = ("absent", "now", "now_items", "now_keys", "other", "present", "removed", "seen", "written")

    def __init__(self) -> None:
        self.now: dict[K, V] = {}
        self.now_items, self.now_keys = self.now.items(), self.now.keys()
        self.other: set[K] = set()  # what may not be here as it was here the last time
        self.begin()

    def begin(self) -> None:
        """The next cell comes."""
        self.seen: dict[K, V] = {}
        self.absent: set[K] = set()
        self.present: set[K] = set()
        self.written: dict[K, V] = {}
        self.removed: set[K] = set()

    def get(self, key: K) -> V | None:
        now = self.now
        if key in now:
            value = now[key]
            if key not in self.written:
                self.seen[key] = value
            return value
        if key not in self.removed:
            self.absent.add(key)
        return None

    def __getitem__(self, key: K) -> V:
        value = self.now[key]
        if key not in self.written:
            self.seen[key] = value
        return value

    def __contains__(self, key: K) -> bool:
        found = key in self.now
        if found:
            if key not in self.written:
                self.present.add(key)
        elif key not in self.removed:
            self.absent.add(key)
        return found

    def __setitem__(self, key: K, value: V) -> None:
        self.now[key] = self.written[key] = value
        self.removed.discard(key)

    def pop(self, key: K) -> V | None:
        value = self.get(key)
        if key in self.now:
            del self.now[key]
            self.written.pop(key, None)
            self.removed.add(key)
        return value


class Share:
    """One cell's share in the state: what it asked, with the answers, and what it did."""

    __slots__ = ("absent", "asked", "made", "present", "removed", "seen", "written")

    def __init__(self, parts: Iterable[Part[Any, Any]], before: Part[Version, Version | None]) -> None:
        # Pairs of a part, or of a view of it, and what is compared with it: this is looked at for every cell.
        self.seen = [(part.now_items, part.seen.items()) for part in parts if part.seen]
        self.absent = [(part.now_keys, part.absent) for part in parts if part.absent]
        self.present = [(part.now_keys, part.present) for part in parts if part.present]
        self.written = [(part, part.written) for part in parts if part.written]
        self.removed = [(part, part.removed) for part in parts if part.removed]
        self.made: Iterable[tuple[Version, Version | None]] = before.written.items()
        self.asked = {part: (part.seen.keys(), part.absent, part.present) for part in parts}

    def is_reached(self, parts: Sequence[Part[Any, Any]]) -> bool:
        """Whether the cell asked about anything that may not be in ``parts`` as it was the last time."""
        for part in parts:
            for keys in self.asked.get(part, ()):
                if not keys.isdisjoint(part.other):
                    return True
        return False

    def holds(self) -> bool:
        """Whether all that the cell asked would have the same answers now."""
        for now, seen in self.seen:
            if not seen <= now:
                return False
        for keys, absent in self.absent:
            if not keys.isdisjoint(absent):
                return False
        return all(present <= keys for keys, present in self.present)

    def repeat(self) -> None:
        """Do what the cell did."""
        for part, written in self.written:
            part.now.update(written)
        for part, removed in self.removed:
            for key in removed:
                part.now.pop(key, None)
        for version, previous in self.made:
            version.previous = previous

    def agrees(self) -> None:
        """What the cell did is what it did the last time."""
        for part, keys in (*self.written, *self.removed):
            if part.other:
                part.other.difference_update(keys)

    def differs(self, before: Share | None) -> None:
        """What the cell did, against what it did the last time it was met (``None``: it was not)."""
        now, then = self.outcome(), before.outcome() if before is not None else {}
        for part in now.keys() | then.keys():
            done, was = now.get(part, {}), then.get(part, {})
            for key in done.keys() | was.keys():
                if key in done and key in was and (done[key] is was[key] or done[key] == was[key]):
                    part.other.discard(key)
                else:
                    part.other.add(key)

    def outcome(self) -> dict[Part[Any, Any], dict[Any, object]]:
        """What the cell put into each part; what it took out stands for itself."""
        found: dict[Part[Any, Any], dict[Any, object]] = {part: dict(written) for part, written in self.written}
        for part, removed in self.removed:
            found.setdefault(part, {}).update(dict.fromkeys(removed, _REMOVED))
        return found

    def is_gone(self) -> None:
        """The cell was there the last time and is no more."""
        for part, keys in (*self.written, *self.removed):
            part.other.update(keys)


_REMOVED = object()
EVERY = "*"  # the only key of a part that is one thing


class State:
    """All that the walk knows when it comes to a cell."""

    def __init__(self) -> None:
        self.env = Part[str, Version]()
        self.before = Part[Version, Version | None]()  # what versions were made from, for those who ask
        self.tied = Part[str, Group]()
        self.own = Part[tuple[str, str], Version | None]()  # by step and name: the last version; None: deleted
        self.uses = Part[tuple[str, str], tuple[Version, ...]]()  # by step and name: versions from outside
        self.used_by_steps = Part[str, Place]()  # where a step first used what is not its own
        self.deleted = Part[str, Place]()
        self.owners = Part[FunctionInfo, Definition]()
        self.lambdas = Part[FunctionInfo, Definition]()
        self.components = Part[str, tuple[str, ...]]()  # of hidden state, that have been set
        self.stars = Part[str, tuple[Version, ...]]()
        self.ambients = Part[str, tuple[Definition, ...]]()
        self.unrepeatable = Part[str, tuple[str, Place, str]]()  # settings by package: what, where, by which step
        self.made_files = Part[str, bool]()  # the last parts of their paths; EVERY: a command may have made any
        self._parts: tuple[Part[Any, Any], ...] = tuple(self.__dict__.values())

    def clear(self) -> None:
        """Before the first cell."""
        for part in self._parts:
            part.now.clear()
            part.other.clear()

    def others(self) -> list[Part[Any, Any]]:
        """The parts in which something may not be as it was the last time."""
        return [part for part in self._parts if part.other]

    def begin(self) -> None:
        """The next cell comes."""
        for part in self._parts:
            part.begin()

    def adopt(self, adoption: Adoption) -> None:
        """Put in, of what the cell has made, the earlier objects that are to be kept."""
        for name, version in self.env.written.items():
            self.env[name] = adoption.version(version)
        before = {
            adoption.version(version): adoption.version(previous) if previous is not None else None
            for version, previous in self.before.written.items()
        }
        for version in self.before.written:
            del self.before.now[version]
        self.before.written.clear()
        for version, previous in before.items():
            self.before[version] = version.previous = previous
        for key, own in self.own.written.items():
            if own is not None:
                self.own[key] = adoption.version(own)
        for part in (self.owners, self.lambdas):
            for info, definition in list(part.written.items()):
                part[info] = adoption.definition(definition)
        for info, definition in adoption.functions():
            self.owners[info] = definition
        if EVERY in self.stars.written:
            self.stars[EVERY] = tuple(adoption.version(version) for version in self.stars.written[EVERY])
        if EVERY in self.ambients.written:
            self.ambients[EVERY] = tuple(adoption.definition(one) for one in self.ambients.written[EVERY])

    def share(self) -> Share:
        """The share of the cell that was looked at last."""
        return Share(self._parts, self.before)
