"""Whether two values are the same: every change that code could notice is one, wherever the value keeps its state."""

from __future__ import annotations

import array
import collections
import datetime
import decimal
import functools
import io
import itertools
import operator
import random
import re
import threading
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from jupyter_pipelines.execution.comparison import difference, same_value


class Slotted:
    __slots__ = ("__hidden", "shown")

    def __init__(self) -> None:
        self.__hidden, self.shown = 1, 2

    def bump(self) -> None:
        self.__hidden += 1


class Dice(random.Random):
    pass


class Words(list):  # type: ignore[type-arg]
    pass


class Table(collections.OrderedDict):  # type: ignore[type-arg]
    pass


Make = Callable[[], Any]
Change = Callable[[Any], object]

CHANGES: dict[str, tuple[Make, Change]] = {
    "random": (lambda: random.Random(3), lambda v: v.random()),
    "random_subclass": (lambda: Dice(3), lambda v: v.random()),
    "generator": (lambda: np.random.default_rng(3), lambda v: v.normal()),
    "random_state": (lambda: np.random.RandomState(3), lambda v: v.rand()),
    "bit_generator": (lambda: np.random.PCG64(3), lambda v: v.random_raw()),
    "seed_sequence": (lambda: np.random.SeedSequence(3), lambda v: v.spawn(1)),
    "deque": (lambda: collections.deque([1], 3), lambda v: v.append(2)),
    "ordered": (lambda: collections.OrderedDict(a=1, b=2), lambda v: v.move_to_end("a")),
    "ordered_subclass": (lambda: Table(a=1, b=2), lambda v: v.move_to_end("a")),
    "counter": (lambda: collections.Counter("aab"), lambda v: v.update("a")),
    "default_factory": (lambda: collections.defaultdict(list, a=[1]), lambda v: setattr(v, "default_factory", int)),
    "default_made": (lambda: collections.defaultdict(list, a=[1]), lambda v: v["b"]),
    "list_iterator": (lambda: iter([1, 2]), next),
    "range_iterator": (lambda: iter(range(3)), next),
    "enumeration": (lambda: enumerate([1, 2]), next),
    "text_read": (lambda: io.StringIO("abc"), lambda v: v.read(1)),
    "text_written": (lambda: io.StringIO("abc"), lambda v: v.write("x")),
    "bytes_read": (lambda: io.BytesIO(b"abc"), lambda v: v.read(1)),
    "array": (lambda: array.array("d", [1]), lambda v: v.append(2)),
    "bytearray": (lambda: bytearray(b"a"), lambda v: v.append(2)),
    "memoryview": (lambda: memoryview(bytearray(b"ab")), lambda v: operator.setitem(v, 0, 1)),
    "private_slot": (Slotted, lambda v: v.bump()),
    "list_subclass": (lambda: Words([1]), lambda v: setattr(v, "tag", 1)),
    "partial": (lambda: functools.partial(max, key=[1]), lambda v: v.keywords["key"].append(1)),
    "os_error": (lambda: FileNotFoundError(2, "x", "f"), lambda v: setattr(v, "filename", "g")),
    "exit": (lambda: SystemExit(2), lambda v: setattr(v, "code", 1)),
    "cause": (lambda: ValueError("x"), lambda v: setattr(v, "__cause__", KeyError())),
    "decimal_context": (lambda: decimal.Context(prec=3), lambda v: setattr(v, "prec", 4)),
}

DIFFERENT = [
    (re.compile("a"), re.compile("b")),
    (decimal.Decimal("1.0"), decimal.Decimal("1.00")),
    (slice(1), slice(2)),
    (range(0), range(1, 1)),
    (datetime.datetime(2024, 1, 1), datetime.datetime(2024, 1, 1, fold=1)),
    ({1}, {True}),
    ({1: 2}.keys(), {2: 2}.keys()),
    (property(len), property(max)),
    (itertools.count(1), itertools.count(2)),
    (functools.partial(max), functools.partial(min)),
    (np.random.Generator(np.random.PCG64(3)), np.random.Generator(np.random.MT19937(3))),
    (collections.deque(maxlen=3), collections.deque(maxlen=4)),
    (operator.itemgetter(1), operator.itemgetter(2)),
    (list[int], list[str]),
    (types.MappingProxyType({1: 2}), types.MappingProxyType({1: 3})),
]


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_seen(name: str) -> None:
    make, change = CHANGES[name]
    one, other = make(), make()
    assert difference(one, other) is None
    change(other)
    assert not same_value(one, other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT, ids=lambda value: re.sub(r" at 0x\w+", "", repr(value)))
def test_values_that_differ(one: object, other: object) -> None:
    assert not same_value(one, other)


def test_locks_have_nothing_to_compare() -> None:
    assert same_value([threading.Lock()], [threading.Lock()])


def test_what_is_not_known_is_different() -> None:
    iterator = type(re.finditer("a", "a"))
    one, other = re.finditer("a", "aa"), re.finditer("a", "aa")
    assert isinstance(one, iterator)
    assert "cannot be compared" in (difference(one, other) or "")
