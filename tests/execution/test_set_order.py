"""Sets come back with the order in which they iterate, however they were made."""

from __future__ import annotations

import dataclasses
import random
import sys
from collections.abc import Callable

import pytest

from jupyter_pipelines.execution.kernel_side import rebuild
from jupyter_pipelines.execution.kernel_side.pickling import pickle_value

MAKERS: dict[str, Callable[[list[object]], object]] = {
    "of a list": set,
    "literal": lambda items: {*items},
    "copied": lambda items: set(items).copy(),
    "union": lambda items: set(items[::2]) | set(items[1::2]),
    "difference": lambda items: set(items) - set(items[::3]),
    "with removals": lambda items: _without(set(items), items[: len(items) // 2]),
    "frozen": frozenset,
    "frozen set": lambda items: frozenset(set(items)),
}


def _without(made: set[object], removed: list[object]) -> set[object]:
    for item in removed:
        made.discard(item)
    return made


def _carried(value: object) -> object:
    pickled = pickle_value(value)
    return rebuild.loads(pickled.stream, buffers=pickled.buffers)


@dataclasses.dataclass(frozen=True)
class Point:
    x: int
    name: str


@pytest.mark.parametrize("how", MAKERS)
def test_iterates_as_the_original(how: str) -> None:
    generator = random.Random(how)
    for size in (*range(2, 40), 100, 200, 400, 3_000):
        # Hashes of numbers are always the same; those of text are others each time, and for a few no way is found.
        numbers = [generator.randint(-(10**9), 10**9) for _ in range(size)]
        for items in (numbers, [number * 7 for number in numbers], [(number, -number) for number in numbers]):
            original = MAKERS[how](items)
            back = _carried(original)
            assert type(back) is type(original)
            assert list(back) == list(original)
            assert sys.getsizeof(back) == sys.getsizeof(original)


def test_sets_inside_values_stay_one_object() -> None:
    names = {f"name {number}" * (number % 4 + 1) for number in range(50)}
    points = {Point(number, f"p{number}") for number in range(50)}
    back = _carried({"first": names, "again": [names, points], "key": {frozenset(names): 1}})
    assert back["first"] is back["again"][0]
    assert list(back["first"]) == list(names)
    assert list(back["again"][1]) == list(points)
    assert list(next(iter(back["key"]))) == list(frozenset(names))


def test_a_set_that_came_back_is_written_as_it_was() -> None:
    names = {f"name {number}" * (number % 4 + 1) for number in range(80)}
    assert pickle_value(_carried(names)).stream == pickle_value(names).stream


def test_elements_that_turned_each_other_away_iterate_as_they_did() -> None:
    made: set[int] = set()
    for number in (1, 33, 167):  # 33 finds 1 in its slot, and 167 both of them
        made.add(number)
    made.discard(1)
    assert list(_carried(made)) == list(made) == [167, 33]
