"""Compile a notebook: cold, again, and after one edit of several kinds in several places. Arguments: NOTEBOOK"""

import ast
import json
import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

_, path = sys.argv[1:]

from jupyter_pipelines.graph import compile_pipeline  # noqa: E402
from jupyter_pipelines.notebook import read_notebook  # noqa: E402


def seconds(work: Callable[[], object]) -> float:
    started = time.process_time()  # it computes and nothing else: what other processes do is left out
    work()
    return time.process_time() - started


def compiled(source: bytes) -> Callable[[], object]:
    return lambda: compile_pipeline(read_notebook(source, "large.ipynb"))


content = json.loads(Path(path).read_text())
sources = ["".join(cell["source"]) for cell in content["cells"]]


def _literal(cells: list[dict], at: int) -> None:
    cells[at]["source"] = re.sub(r"> [0-9]+|0[.]5", lambda found: found[0] + "1", sources[at], count=1) + "  # edited"


def _name(cells: list[dict], at: int) -> None:
    cells[at]["source"] = sources[at] + f"\nedited_{at} = {at}"


def _line(cells: list[dict], at: int) -> None:
    cells[at]["source"] = "# a line above all others\n" + sources[at]


def _cell(cells: list[dict], at: int) -> None:
    new = {**cells[at], "id": f"new-{at}", "metadata": {}, "source": f"new_{at} = {at}"}
    cells.insert(at + 1, new)


def _tag(cells: list[dict], at: int) -> None:
    cells[at]["metadata"] = {"tags": [f"step:new-{at}"]}


def _gone(cells: list[dict], at: int) -> None:
    del cells[at]


EDITS: dict[str, Callable[[list[dict], int], None]] = {
    "a literal changed": _literal,
    "a name added": _name,
    "a line added above": _line,
    "a cell added": _cell,
    "a step's tag added": _tag,
    "a cell removed": _gone,
}
POSITIONS = (0, 1, 20, 50, 100, 150, 200, 250, 290, 299)


def edited(edit: Callable[[list[dict], int], None], at: int) -> bytes:
    changed = json.loads(json.dumps(content))
    edit(changed["cells"], at)
    return json.dumps(changed).encode()


def after(edit: Callable[[list[dict], int], None]) -> list[float]:
    """Seconds after the edit at each position, each time from the notebook as it was."""
    times = []
    for at in POSITIONS:
        compiled(whole)()
        times.append(seconds(compiled(edited(edit, at))))
    return times


def parse() -> None:
    for source in sources:
        ast.parse(source)


# One cell, so that what is imported at the first use is imported.
small = json.dumps({**content, "cells": content["cells"][:1]}).encode()
compiled(small)()
whole = json.dumps(content).encode()
cold = seconds(compiled(whole))
answer = {
    "cold": cold,
    "again": statistics.median(seconds(compiled(whole)) for _ in range(5)),
    "edited": {kind: after(edit) for kind, edit in EDITS.items()},
    "parse": statistics.median(seconds(parse) for _ in range(3)),
}
print(json.dumps(answer))
