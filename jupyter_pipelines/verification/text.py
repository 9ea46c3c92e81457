"""Comparing text with what several runs of the reference wrote, so that only what they agree on has to be met."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Literal

Agreement = Literal["same", "nondeterministic", "different"]

_TOKEN = re.compile(r"\w+|[^\w\s]")


def compare_text(references: Sequence[str], got: str) -> Agreement:
    """Whether ``got`` is what the references wrote.

    Where they differ among themselves, what they share must be there: each line that is the same in all of them, and
    in the other lines the words that are. Everything with a digit in such a line is free, since two runs of something
    random agree in single digits by chance.
    """
    distinct = list(dict.fromkeys(references))
    if got in distinct:
        return "same" if len(distinct) == 1 else "nondeterministic"
    if len(distinct) == 1:
        return "different"
    return "nondeterministic" if _shares(distinct, got) else "different"


def first_difference(expected: str, got: str) -> tuple[str, str]:
    """The first lines that differ, each with the number it has, for people."""
    one, other = expected.split("\n"), got.split("\n")
    for number in range(max(len(one), len(other))):
        left = one[number] if number < len(one) else None
        right = other[number] if number < len(other) else None
        if left != right:
            return _line(number, left), _line(number, right)
    return "", ""


def _line(number: int, text: str | None) -> str:
    if text is None:
        return "(ends before)"
    shortened = text if len(text) <= 200 else text[:199] + "…"
    return f"line {number + 1}: {shortened}"


def _shares(references: Sequence[str], got: str) -> bool:
    columns = [reference.split("\n") for reference in references]
    lines = got.split("\n")
    if all(len(column) == len(lines) for column in columns):
        return all(_line_agrees(row, line) for row, line in zip(zip(*columns, strict=True), lines, strict=True))
    shared = columns[0]
    for column in columns[1:]:
        matcher = SequenceMatcher(None, shared, column, autojunk=False)
        shared = [line for block in matcher.get_matching_blocks() for line in shared[block.a : block.a + block.size]]
    left = iter(lines)
    return all(line in left for line in shared)  # each in turn, in order


def _line_agrees(row: Sequence[str], line: str) -> bool:
    if line in row:
        return True
    if len(set(row)) == 1:
        return False
    columns = [_words(text) for text in row]
    words = _words(line)
    if any(len(column) != len(words) for column in columns):
        return True  # not alike enough to say which words belong together
    return all(
        word in choices or len(set(choices)) > 1
        for choices, word in zip(zip(*columns, strict=True), words, strict=True)
    )


def _words(line: str) -> list[str]:
    return [word for word in _TOKEN.findall(line) if not any(sign.isdigit() for sign in word) and word not in "+-."]
