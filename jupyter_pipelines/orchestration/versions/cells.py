"""Telling which cells of two forms of a notebook are the same: by id, by content, by likeness.

A cell's digest is of all that it means to a pipeline: kind, source, tags and options. Comparing two notebooks of 300
cells by digests takes a few milliseconds, so that drift can be told at every key.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import xxhash

from jupyter_pipelines.notebook.parse import ParsedNotebook, RawCell

_LIKE = 0.5  # the ratio from which one source counts as a changed form of another
_BY_LINES = 4  # lines from which whole lines are compared, which is quick, and characters below
_MOST_LIKENESSES = 200  # sources compared for likeness: beyond, a rewritten notebook is told as removed and added


@dataclass(frozen=True, slots=True)
class CellPrint:
    """What is compared of a cell."""

    id: str
    kind: str
    source: str
    digest: str


@dataclass(frozen=True, slots=True)
class Match:
    """A cell that is in one form of the notebook, or in both. Places are indices."""

    old: int | None
    new: int | None
    moved: bool = False


def cell_prints(parsed: ParsedNotebook) -> tuple[CellPrint, ...]:
    """The cells of a parsed notebook, in order."""
    return tuple(CellPrint(cell.id, cell.kind, cell.source, _digest(cell)) for cell in parsed.cells)


def match_cells(old: Sequence[CellPrint], new: Sequence[CellPrint]) -> list[Match]:
    """Every cell of both once, in the order of ``new``; removed ones stand where they were."""
    pairs = _same_ids(old, new)
    _same_content(old, new, pairs)
    _alike(old, new, pairs)
    staying = _longest_increasing([pairs[index] for index in sorted(pairs)])
    by_new = {number: index for index, number in pairs.items()}
    found: list[Match] = []
    told = 0
    for number in range(len(new)):
        index = by_new.get(number)
        if index is not None and number in staying:
            found += [Match(gone, None) for gone in range(told, index) if gone not in pairs]
            told = max(told, index)
        found.append(Match(index, number, index is not None and number not in staying))
    return found + [Match(gone, None) for gone in range(told, len(old)) if gone not in pairs]


def _digest(cell: RawCell) -> str:
    options = cell.metadata.get("pipeline")
    stated = json.dumps(options, sort_keys=True, default=str) if options else ""
    text = "\0".join((cell.kind, cell.source, stated, *sorted(cell.tags)))
    return xxhash.xxh3_64_hexdigest(text.encode("utf-8", "surrogatepass"))


def _same_ids(old: Sequence[CellPrint], new: Sequence[CellPrint]) -> dict[int, int]:
    places = {cell.id: number for number, cell in enumerate(new)}
    return {
        index: places[cell.id]
        for index, cell in enumerate(old)
        if cell.id in places and new[places[cell.id]].kind == cell.kind
    }


def _same_content(old: Sequence[CellPrint], new: Sequence[CellPrint], pairs: dict[int, int]) -> None:
    taken = set(pairs.values())
    waiting: dict[str, deque[int]] = defaultdict(deque)
    for number, cell in enumerate(new):
        if number not in taken:
            waiting[cell.digest].append(number)
    for index, cell in enumerate(old):
        if index not in pairs and waiting[cell.digest]:
            pairs[index] = waiting[cell.digest].popleft()


def _alike(old: Sequence[CellPrint], new: Sequence[CellPrint], pairs: dict[int, int]) -> None:
    """Pair what is left by likeness: notebooks without ids, such as text notebooks, have nothing else to go by."""
    taken = set(pairs.values())
    left = [number for number in range(len(new)) if number not in taken]
    compared = 0
    for index, cell in enumerate(old):
        if index in pairs or not left:
            continue
        for number in left:
            compared += 1
            if compared > _MOST_LIKENESSES:
                return
            if new[number].kind == cell.kind and _is_like(cell.source, new[number].source):
                pairs[index] = number
                left.remove(number)
                break


def _is_like(one: str, other: str) -> bool:
    lines, others = one.splitlines(), other.splitlines()
    if min(len(lines), len(others)) >= _BY_LINES:
        return SequenceMatcher(None, lines[:200], others[:200], autojunk=False).ratio() >= _LIKE
    matcher = SequenceMatcher(None, one[:400], other[:400], autojunk=False)
    return matcher.real_quick_ratio() >= _LIKE and matcher.quick_ratio() >= _LIKE and matcher.ratio() >= _LIKE


def _longest_increasing(numbers: Sequence[int]) -> set[int]:
    """The numbers of a longest increasing subsequence: cells that need not have been moved (patience sorting)."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for place, number in enumerate(numbers):
        length = bisect_left(tails, number)
        before.append(ends[length - 1] if length else -1)
        if length == len(tails):
            tails.append(number)
            ends.append(place)
        else:
            tails[length] = number
            ends[length] = place
    found: set[int] = set()
    place = ends[-1] if ends else -1
    while place >= 0:
        found.add(numbers[place])
        place = before[place]
    return found
