"""Sets that are read back iterate as the original did, and go on growing as it would have.

A set iterates in the order of the slots of its table that its elements have got. Which these are depends on the table's
size and, where elements want the same slot, on which came first and what has left since. Pickle writes the elements in
the order of iteration, which makes the same set again most of the time only. For the others CPython's table is looked
at (``Objects/setobject.c``): each element is inserted after those that had turned it away; what has left is inserted
first and removed again, and so is what stood where a later element stands now. What comes of that is compared with the
original before it is trusted; where it differs, and on other Pythons, the set is written as pickle does.
"""

from __future__ import annotations

import ctypes
import dataclasses
import itertools
import math
import sys
import types
from collections.abc import Iterator
from typing import Any

MOST = 200_000  # elements
_LINEAR = 9  # CPython's LINEAR_PROBES
_EMPTY = sys.getsizeof(set())
_ENTRY = ctypes.sizeof(ctypes.c_void_p) + ctypes.sizeof(ctypes.c_ssize_t)
_SMALLEST = 8  # slots
_WORD = 2 * sys.maxsize + 1
_NOBODYS = 0x1ADE68B1 << 32  # a hash that elements are not likely to have
_LEFT = -1  # the hash in a slot whose element has left; no value has it

AnySet = Any  # a set or frozenset
Recipe = tuple[bool, int, list[Any], dict[int, Any], list[int]]  # the arguments of make_set

_BY_ADDRESS = (types.BuiltinFunctionType, types.MethodType)


class _SetObject(ctypes.Structure):
    """How CPython's ``PySetObject`` begins."""

    _fields_ = [
        ("object", ctypes.c_byte * object.__basicsize__),
        ("fill", ctypes.c_ssize_t),
        ("used", ctypes.c_ssize_t),
        ("mask", ctypes.c_ssize_t),
        ("table", ctypes.c_void_p),
    ]


@dataclasses.dataclass(frozen=True)
class _Table:
    """The slots of a set, as they are in memory: for each the address of its element and the hash of that."""

    slots: int
    entries: bytes

    def hashes(self) -> tuple[list[tuple[int, int]], list[int]]:
        """Slot and hash of each element, as they iterate; and the slots whose elements have left."""
        words = memoryview(self.entries).cast("q" if sys.maxsize > 2**32 else "l")
        taken = [(slot, words[2 * slot + 1]) for slot in range(self.slots) if words[2 * slot]]
        return [pair for pair in taken if pair[1] != _LEFT], [slot for slot, value in taken if value == _LEFT]


def recipe_for(original: AnySet) -> Recipe | None:
    """How to make a set with the table of ``original``; ``None`` when pickle's way does, or no way is known."""
    order, table = list(original), _table(original)
    if table is None or table == _table(type(original)(order)):
        return None
    if len(order) > MOST or not all(map(_hashes_by_content, order)):
        return None
    elements, left = table.hashes()
    if [value for _, value in elements] != list(map(hash, order)):
        return None
    early, late = _in_time(elements, table.slots - 1)
    successors = {elements[number][0]: order[number] for number in late}
    recipe = (type(original) is frozenset, table.slots, [order[number] for number in early], successors, left)
    try:
        made = make_set(*recipe)
    except Exception:  # whatever elements say when they are compared
        return None
    return recipe if len(made) == len(order) and all(one is other for one, other in zip(original, made)) else None


def _table(held: AnySet) -> _Table | None:
    """The table of a set; ``None`` where it is not laid out as is known here."""
    if sys.implementation.name != "cpython":
        return None
    size = sys.getsizeof(held) - _EMPTY
    slots = size // _ENTRY if size > 0 else _SMALLEST
    head = _SetObject.from_address(id(held))
    if head.mask != slots - 1 or head.used != len(held) or not head.used <= head.fill <= slots or not head.table:
        return None
    return _Table(slots, ctypes.string_at(head.table, slots * _ENTRY))


def _hashes_by_content(value: Any) -> bool:
    """Whether a value has the same hash in every kernel, all of which have one seed."""
    if isinstance(value, (tuple, frozenset)):
        return all(map(_hashes_by_content, value))
    if isinstance(value, float) and math.isnan(value):
        return False
    by: Any = type(value).__hash__
    return value is None or not (isinstance(value, _BY_ADDRESS) or by is object.__hash__)


def _in_time(elements: list[tuple[int, int]], mask: int) -> tuple[list[int], list[int]]:
    """The elements, given by slot and hash, each after those that turned it away; and those that came to a slot when
    what had turned others away there had left.
    """
    holder = {slot: number for number, (slot, _) in enumerate(elements)}
    early = [number for number, (slot, value) in enumerate(elements) if value & mask == slot]
    begun, placed, late = set[int](), set(early), dict[int, None]()
    for first in range(len(elements)):
        waiting = [first]
        while waiting:
            number = waiting[-1]
            if number not in begun and number not in placed:
                begun.add(number)
                slot, value = elements[number]
                before = [holder[passed] for passed in _passed(value, mask, slot) if passed in holder]
                late.update(dict.fromkeys(other for other in before if other in begun and other not in placed))
                waiting += (other for other in before if other not in begun)
                continue
            waiting.pop()
            if number not in placed:
                placed.add(number)
                if number not in late:
                    early.append(number)
    return early, list(late)


def _passed(value: int, mask: int, end: int) -> Iterator[int]:
    """The slots at which CPython looks for room for a hash until it comes to the slot ``end``."""
    perturb = value & _WORD
    slot = perturb & mask
    while True:
        for probe in range(slot, slot + (_LINEAR if slot + _LINEAR <= mask else 0) + 1):
            if probe == end:
                return
            yield probe
        perturb >>= 5
        slot = (slot * 5 + 1 + perturb) & mask


class _Guest:
    """Holds one slot of a set's table until the elements are in theirs."""

    def __init__(self, slot: int) -> None:
        self.slot = slot

    def __hash__(self) -> int:
        return _NOBODYS + self.slot


class _Echo:
    """A key of its own in a dict, which a set then takes for an element that it has: it only makes room."""

    def __init__(self, of: Any) -> None:
        self.hash = hash(of)
        self.of: Any = self

    def __hash__(self) -> int:
        return self.hash

    def __eq__(self, other: object) -> bool:
        return other is self.of


_PLAIN = frozenset({_Guest, int, float, complex, bool, str, bytes, tuple, frozenset, type(None)})  # may meet an echo


def make_set(
    frozen: bool,
    slots: int,
    order: list[Any],
    successors: dict[int, Any],
    left: list[int],
    into: set[Any] | None = None,
) -> AnySet:
    """A set with that many slots: ``order`` is inserted while the slots of ``successors`` and those ``left`` are taken.

    ``into``: an empty set that becomes this one.
    """
    guests, followed = [_Guest(slot) for slot in left], [_Guest(slot) for slot in successors]
    everyone = [*guests, *followed, *order]
    first = dict.fromkeys(everyone[: slots // 2 - 1])  # given a dict, an empty set makes room for twice as many
    leaving = [*guests, *_make_room(first, max(5, slots // 4) if slots > _SMALLEST else 0)]
    rest = everyone[slots // 2 - 1 :]
    if frozen and not successors:
        whole = frozenset(first).union(rest) if rest else frozenset(first)
        return frozenset(leaving) ^ whole if leaving else whole
    made = set() if into is None else into
    made.update(first)
    made.update(rest)
    for guest, successor in zip(followed, successors.values()):
        made.discard(guest)
        made.add(successor)
    for other in leaving:  # one by one: all at once would tidy the table up
        made.discard(other)
    return frozenset(made) if frozen else made


def _make_room(keys: dict[Any, None], wanted: int) -> list[object]:
    """Have a dict as many keys as are wanted, and a set made of it no other elements but those returned."""
    missing = wanted - len(keys)
    if missing <= 0:
        return []
    leaders = [value for value in keys if type(value) in _PLAIN]
    if not leaders:
        others = [object() for _ in range(missing)]
        keys.update(dict.fromkeys(others))
        return others
    echoes = {_Echo(leader): leader for leader, _ in zip(itertools.cycle(leaders), range(missing))}
    keys.update(dict.fromkeys(echoes))
    for echo, leader in echoes.items():
        echo.of = leader
    return []
