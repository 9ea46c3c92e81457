"""Tells a random generator that was set, so that numbers come again, from one that was drawn from alone."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

_WORDS = 624  # of the state of a Mersenne Twister, made anew when all are drawn
_MOST_BLOCKS = 2000  # that are looked through, some 15 ms; who draws more counts as having set it


def were_set(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Which of the generators ``after`` cannot have come there from ``before`` by drawing alone."""
    return [name for name, state in after.items() if name in before and not _drawn(before[name], state)]


def _drawn(before: Any, after: Any) -> bool:
    first, last = _twister(before), _twister(after)
    if first is None or last is None:
        return bool(first is last and _same(before, after))
    (words, place), (wanted, there) = first, last
    if words == wanted:
        return place <= there
    sought = _drawing(wanted, 0).getrandbits(32 * _WORDS)
    drawing = _drawing(words, _WORDS)
    return any(drawing.getrandbits(32 * _WORDS) == sought for _ in range(_MOST_BLOCKS))


def _twister(state: Any) -> tuple[tuple[int, ...], int] | None:
    """The words of a Mersenne Twister and how many of them are drawn, as Python's generator has them, or NumPy's."""
    if isinstance(state, tuple):
        *words, place = state[1]
        return tuple(words), place
    if isinstance(state, dict) and state.get("bit_generator") == "MT19937":
        return tuple(state["state"]["key"].tolist()), state["state"]["pos"]
    return None


def _drawing(words: tuple[int, ...], place: int) -> random.Random:
    generator = random.Random()
    generator.setstate((3, (*words, place), None))
    return generator


def _same(before: Any, after: Any) -> bool:
    from .comparison import difference

    return difference(before, after) is None
