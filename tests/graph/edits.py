"""Random editing of notebooks: what authors do to cells, and what runs observe in between."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from random import Random

from jupyter_pipelines.graph.model import Observations, Pipeline
from jupyter_pipelines.notebook import read_notebook
from jupyter_pipelines.notebook.model import NotebookDocument
from tests.graph import sql_notebooks
from tests.graph.cases import ALL
from tests.graph.programs import random_program

PATTERNS = Path(__file__).parents[1] / "corpus" / "patterns"
_BLOCK = re.compile(r"^```python(?: tags=(\[.*?\]))?\n(.*?)\n?```$", re.MULTILINE | re.DOTALL)
_WORDS = ("setup", "skip", "parameters")

Cell = tuple[str, str, str]  # id, tag, source
Cells = list[Cell]


def starting_points() -> list[Cells]:
    """The notebooks that are edited: the cases of these tests, the patterns of the corpus, random programs."""
    found = [_identified([_split(cell) for cell in case.cells]) for case in ALL]
    for path in sorted(PATTERNS.glob("*.md")):
        blocks = [(json.loads(tags)[0] if tags else "", source) for tags, source in _BLOCK.findall(path.read_text())]
        found.append(_identified(blocks))
    found += [_identified([_split(cell) for cell in random_program(Random(seed))]) for seed in range(60)]
    return [cells for cells in found if cells]


def sql_starting_points() -> list[Cells]:
    """Notebooks with SQL cells."""
    return [_identified([_split(cell) for cell in cells]) for cells in sql_notebooks.ALL]


def _split(cell: str) -> tuple[str, str]:
    word, _, source = cell.partition(":")
    return (word if word in _WORDS else f"step:{word}"), source.strip()


def _identified(cells: Sequence[tuple[str, str]]) -> Cells:
    return [(f"c{number}", tag, source) for number, (tag, source) in enumerate(cells)]


def document(cells: Cells) -> NotebookDocument:
    """The notebook, as the reader gives it."""
    content = {
        "cells": [
            {
                "id": identity,
                "cell_type": "code",
                "metadata": {"tags": [tag] if tag else []},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for identity, tag, source in cells
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return read_notebook(json.dumps(content), "edited.ipynb")


def edited(cells: Cells, pool: Sequence[Cells], random: Random, number: int) -> Cells:
    """``cells`` after one edit; what is new in them may be taken from the notebooks in ``pool``."""
    cells = list(cells)
    at = random.randrange(len(cells))
    identity, tag, source = cells[at]
    lines = source.split("\n")
    other = random.choice(random.choice(pool))
    kind = random.randrange(12)
    if kind == 0:
        source = re.sub(r"\d+", lambda _: str(random.randint(0, 9)), source, count=random.randint(1, 3))
    elif kind == 1:
        source += f"\nadded_{number} = {number}"
    elif kind == 2:
        source = f"# {number}\n{source}"
    elif kind == 3:
        source += f"\n{random.choice(other[2].split(chr(10))).strip()}"
    elif kind == 4:
        del lines[random.randrange(len(lines))]
        source = "\n".join(lines)
    elif kind == 5:
        tag = random.choice(
            [other[1], other[1], cells[random.randrange(len(cells))][1], f"step:new-{number}", "", "skip"]
        )
    elif kind == 6:
        cells.insert(at, (f"n{number}", random.choice(["", other[1]]), other[2]))
        return cells
    elif kind == 7 and len(cells) > 2:
        del cells[at]
        return cells
    elif kind == 8:
        cells.insert(random.randrange(len(cells)), cells.pop(at))
        return cells
    elif kind == 9:
        cells.insert(at, (f"n{number}", "", source))
        return cells
    elif kind == 10:
        names = re.findall(r"\b[a-z_]\w*\b", source)
        if names:
            source = re.sub(rf"\b{random.choice(names)}\b", random.choice(names), source, count=1)
    else:
        source += "  # seen"
    cells[at] = (identity, tag, source)
    return cells


def observed(pipeline: Pipeline, random: Random) -> Observations:
    """Something that runs of the pipeline may have seen."""
    names = sorted({edge.name for edge in pipeline.edges} | {"x", "y", "u", "v", "kept"})

    def some(values: Sequence[str]) -> frozenset[tuple[str, str]]:
        return frozenset((random.choice(pipeline.steps).digest, random.choice(values)) for _ in range(2))

    if not pipeline.steps or random.random() < 0.5:
        return Observations()
    return Observations(
        unchanged=some(names),
        changed=some(names) if random.random() < 0.4 else frozenset(),
        aliases=frozenset({(random.choice(pipeline.steps).digest, frozenset(random.sample(names, 2)))}),
        state_changed=some(["random", "matplotlib.rcParams", "cwd"]) if random.random() < 0.3 else frozenset(),
        state_untouched=some(["random", "numpy.random"]),
        files_written=some(["/d/x.csv", "out.txt"]),
        files_read=some(["/d/x.csv", "out.txt"]),
    )
