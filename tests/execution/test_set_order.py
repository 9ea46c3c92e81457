"""Sets come back with the order in which they iterate, however they were made."""

from __future__ import annotations

import dataclasses
import random
import sys
from collections.abc import Callable

import pytest

from jupyter_pipelines.execution.kernel_side import reading
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
    return reading.loads(pickled.stream, buffers=pickled.buffers)


@dataclasses.dataclass(frozen=True)
class Point:
    x: int
    name: str


@pytest.mark.parametrize("how", MAKERS)
def test_iterates_as_the_original(how: str) -> None:
    generator = random.Random(how)
    for size in (*range(2, 40), 100, 200, 400, 3_000):
        words = [generator.choice("abcd") * generator.randint(1, 5) + str(generator.random()) for _ in range(size)]
        numbers = [generator.randint(-(10**9), 10**9) for _ in range(size)]
        for items in (words, numbers, list(zip(words, numbers, strict=True))):
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


@pytest.mark.parametrize("seed", range(20))
def test_grows_and_shrinks_as_the_original_would_have(seed: int) -> None:
    generator = random.Random(seed)
    held: set[object] = set()
    for _ in range(60):
        _change(held, generator.getstate())
        generator.random()
        back = _carried(held)
        assert list(back) == list(held)
        _change(held, generator.getstate())
        _change(back, generator.getstate())
        assert list(back) == list(held)
        generator.random()


def _change(held: set[object], state: tuple[object, ...]) -> None:
    generator = random.Random()
    generator.setstate(state)
    words = [f"{generator.random()}"[: generator.randint(3, 6)] for _ in range(generator.choice((1, 3, 10, 40)))]
    points = [Point(len(word), word) for word in words]
    match generator.randrange(6):
        case 0:
            held.update(words)
        case 1:
            held |= set(points)
        case 2:
            held ^= set(words)
        case 3:
            for item in list(held)[:: generator.randint(1, 4)]:
                held.discard(item)
        case 4:
            held -= set(list(held)[: len(held) // 2])
        case _:
            for number in generator.choices(range(1_000), k=30):
                held.add(number)


class Node:
    """Hashes by what it has only when it is whole, and refers to what it is an element of."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.nodes: set[Node] = set()
        self.weights: dict[Node, int] = {}

    def __hash__(self) -> int:
        return len(self.name) + ord(self.name[-1])

    def __eq__(self, other: object) -> bool:
        return self.name == other.name  # type: ignore[attr-defined]  # as many write it


def test_elements_that_can_only_be_compared_with_their_like() -> None:
    nodes = {Node(f"node {number}") for number in range(100)}
    for node in list(nodes)[::3]:
        nodes.discard(node)
    assert [node.name for node in _carried(nodes)] == [node.name for node in nodes]


def test_elements_that_refer_to_what_they_are_in() -> None:
    nodes = [Node(f"node {number}") for number in range(30)]
    for node in nodes:
        node.nodes = set(nodes[::2]) | set(nodes)
        node.weights = {other: len(other.name) for other in reversed(nodes)}
    back = _carried(nodes)
    assert all(other in back for node in back for other in (*node.nodes, *node.weights))
    assert [[other.name for other in node.nodes] for node in back] == [[x.name for x in node.nodes] for node in nodes]
    assert [list(node.weights.values()) for node in back] == [list(node.weights.values()) for node in nodes]
    assert all(node.weights[other] == len(other.name) and other in node.nodes for node in back for other in back)
