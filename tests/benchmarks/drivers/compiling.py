"""Compile a notebook: cold, again, and after one cell changed. Arguments: NOTEBOOK"""

import ast
import json
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


def edited(cell: int) -> bytes:
    changed = json.loads(json.dumps(content))
    changed["cells"][cell]["source"] = sources[cell] + f"\nedited_{cell} = {cell}"
    return json.dumps(changed).encode()


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
    "edited": statistics.median(seconds(compiled(edited(cell))) for cell in (299, 250, 150, 50, 20)),
    "parse": statistics.median(seconds(parse) for _ in range(3)),
}
print(json.dumps(answer))
