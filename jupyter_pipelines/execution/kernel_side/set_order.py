"""Sets that are read back iterate as the original did.

A set iterates in the order of the slots that its elements have got. Which these are depends on the size of its table
and, where elements collide, on what came first. Pickle writes the elements in the order of iteration, which makes the
same set again most of the time only. Here the table's size is taken from the original, and an order of insertion is
looked for that ends in the same iteration (see Objects/setobject.c in CPython). What is found is tried out before it is
trusted; where nothing is found, the set is written as pickle does.
"""

from __future__ import annotations

import itertools
import math
import sys
import time
import types
from collections.abc import Iterator
from typing import Any

from .rebuild import make_set

MOST = 200_000  # elements
SECONDS = 2.0
_TRIES = 60  # how often an arrangement is mended
_FEW = 5  # elements: all orders are tried
_SMALL = 1_000  # elements: all ways of all of them are tried
_FAR = 32  # slots of an element's probe sequence that are considered
_LINEAR = 9  # CPython's LINEAR_PROBES
_EMPTY = sys.getsizeof(set())
_WORD = (1 << 64) - 1

AnySet = Any  # a set or frozenset
Recipe = tuple[bool, bool, int, list[Any], list[int]]  # the arguments of rebuild.make_set

_BY_ADDRESS = (types.BuiltinFunctionType, types.MethodType)


def recipe_for(original: AnySet) -> Recipe | None:
    """How to make a set that iterates as ``original``; ``None`` when pickle's way does, or no way is known."""
    frozen, order = type(original) is frozenset, list(original)
    if len(order) < 2 or _is_same(original, type(original)(order)):
        return None
    if len(order) > MOST or not all(map(_hashes_by_content, order)):
        return None
    slots = _slots(original)
    fallback = None
    for candidate, blocked in ((order, []), *insertion_orders(order, slots)):
        for copied in (False, True):
            for table in (slots,) if blocked else (0, 1, slots):
                recipe = (frozen, copied, table, candidate, blocked)
                made = make_set(*recipe)
                if _is_same(original, made):
                    return recipe
                if fallback is None and _iterates_alike(original, made):
                    fallback = recipe
    return fallback


def _slots(held: AnySet) -> int:
    size = sys.getsizeof(held) - _EMPTY
    return 8 if size <= 0 else size // 16


def _is_same(original: AnySet, made: AnySet) -> bool:
    return sys.getsizeof(original) == sys.getsizeof(made) and _iterates_alike(original, made)


def _iterates_alike(original: AnySet, made: AnySet) -> bool:
    return len(original) == len(made) and all(one is other for one, other in zip(original, made))


def _hashes_by_content(value: Any) -> bool:
    """Whether a value has the same hash in every kernel, all of which have one seed."""
    if isinstance(value, (tuple, frozenset)):
        return all(map(_hashes_by_content, value))
    if isinstance(value, float) and math.isnan(value):
        return False
    by: Any = type(value).__hash__
    return value is None or not (isinstance(value, _BY_ADDRESS) or by is object.__hash__)


def insertion_orders(order: list[Any], slots: int) -> Iterator[tuple[list[Any], list[int]]]:
    """Orders of insertion into an empty table of ``slots`` after which elements may iterate as in ``order``.

    With each come slots that have to be blocked meanwhile: what was there has been removed from the original.
    """
    if len(order) <= _FEW:
        yield from ((list(other), []) for other in itertools.permutations(order))
    started = time.monotonic()
    ways = _ways(order, slots)
    barred: set[tuple[int, int]] = set()  # element, place in its way: not possible
    places = _arrange(ways, barred)
    best: tuple[list[int], list[int]] | None = None  # places, and the elements in the order of their insertion
    for _ in range(_TRIES):
        if places is None or time.monotonic() - started > SECONDS:
            break
        sequence = _in_time(ways, places)
        if sequence is None:  # some were turned away by each other: the one that went farthest goes elsewhere
            far = max(range(len(places)), key=places.__getitem__)
            barred.add((far, places[far]))
        else:
            best = best or (places, sequence)
            wrong = _impossible(ways, places)
            if not wrong:
                yield [order[number] for number in sequence], []
                break
            barred.update(wrong)
        places = _arrange(ways, barred)
    if best is not None:
        occupied = {way[place] for way, place in zip(ways, best[0])}
        passed = {slot for way, place in zip(ways, best[0]) for slot in way[:place]}
        yield [order[number] for number in best[1]], sorted(passed - occupied)


def _ways(order: list[Any], slots: int) -> list[list[int]]:
    """The slots that each element may come to rest in, in the order in which it would try them.

    Those of large sets that are where their neighbours are have not gone far.
    """
    mask = slots - 1
    hashes = [hash(value) for value in order]
    if len(order) <= _SMALL:
        return [_first(_probes(value, mask)) for value in hashes]
    homes = [value & mask for value in hashes]
    around = [homes[0]] * 2 + homes + [homes[-1]] * 2
    near = 8 * slots // len(order) + _LINEAR
    ways = []
    for number, home in enumerate(homes):
        middle = sorted(around[number : number + 5])[2]
        if abs(home - middle) <= near and home + _LINEAR <= mask:
            ways.append(list(range(home, home + _LINEAR + 1)))
        else:
            ways.append(_first(_probes(hashes[number], mask)))
    return ways


def _probes(value: int, mask: int) -> Iterator[int]:
    """The slots at which CPython looks for room for a hash, one after the other."""
    perturb = value & _WORD
    slot = perturb & mask
    while True:
        yield from range(slot, slot + (_LINEAR if slot + _LINEAR <= mask else 0) + 1)
        perturb >>= 5
        slot = (slot * 5 + 1 + perturb) & mask


def _first(probes: Iterator[int]) -> list[int]:
    """The first slots of a probe sequence, each once."""
    found: dict[int, None] = {}
    for _ in range(2 * _FAR):
        found[next(probes)] = None
        if len(found) == _FAR:
            break
    return list(found)


def _arrange(ways: list[list[int]], barred: set[tuple[int, int]]) -> list[int] | None:
    """A place in each element's way so that slots increase, with as few probes as can be."""
    # For each element the best ends so far: (slot, cost, place, the end before), slots increasing, costs decreasing.
    ends: list[tuple[int, int, int, Any]] = [(-1, 0, 0, None)]
    for number, way in enumerate(ways):
        new: list[tuple[int, int, int, Any]] = []
        position, before, least = 0, None, -1
        for slot, place in sorted(zip(way, range(len(way)))):
            while position < len(ends) and ends[position][0] < slot:
                before = ends[position]
                position += 1
            if before is not None and (least < 0 or before[1] + place < least):
                if not barred or (number, place) not in barred:
                    least = before[1] + place
                    new.append((slot, least, place, before))
        if not new:
            return None
        ends = new
    places = []
    end: Any = ends[-1]
    while end[3] is not None:
        places.append(end[2])
        end = end[3]
    return places[::-1]


def _impossible(ways: list[list[int]], places: list[int]) -> list[tuple[int, int]]:
    """The elements that would have come to rest earlier on their way, where nobody is."""
    occupied = {way[place] for way, place in zip(ways, places)}
    return [
        (number, place)
        for number, (way, place) in enumerate(zip(ways, places))
        if place and not occupied.issuperset(way[:place])
    ]


def _in_time(ways: list[list[int]], places: list[int]) -> list[int] | None:
    """The elements so that each comes after those it was turned away by."""
    holder = {way[place]: number for number, (way, place) in enumerate(zip(ways, places))}
    state = [0] * len(ways)  # 1: being placed, 2: placed
    sequence: list[int] = []
    for first in range(len(ways)):
        stack = [first]
        while stack:
            number = stack[-1]
            if state[number] == 0:
                state[number] = 1
                for slot in ways[number][: places[number]]:
                    if slot not in holder:
                        continue  # blocked
                    if state[holder[slot]] == 1:
                        return None
                    if state[holder[slot]] == 0:
                        stack.append(holder[slot])
            else:
                stack.pop()
                if state[number] == 1:
                    state[number] = 2
                    sequence.append(number)
    return sequence
