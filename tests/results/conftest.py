"""Two runs of one pipeline, made once for all tests that only look at them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.results import NotebookPipeline, Run

PNG = r"""
import struct, zlib
from IPython.display import Image

def png(shade):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head, pixel = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0), zlib.compress(bytes([0, shade]))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")
"""
CELLS = (
    ("parameters", "rows: int = 100\nseed: int = 1\ntoken: str = ''  # secret"),
    (
        "setup",
        "import numpy as np\nimport pandas as pd\nimport jupyter_pipelines as jp\n\ndef double(x):\n    return 2 * x\n"
        + PNG,
    ),
    (
        "step:load",
        "frame = pd.DataFrame({'x': np.arange(rows), 'y': np.arange(rows) * seed})\ntotal = int(frame.x.sum())",
    ),
    (
        "step:fit",
        (
            "slope = float((frame.x * frame.y).sum() / (frame.x**2).sum())\njp.metric('steepness', slope)\n"
            "model = {'slope': slope}"
        ),
    ),
    ("step:label", "label = '<script>alert(1)</script>'\nloss = float('nan')\nImage(png(seed))"),
    (
        "step:report",
        (
            "print(model, label)\njp.metric('loss', 0.5)\nif seed == 13:\n    raise ValueError('unlucky ' + label)\n"
            "score = double(model['slope'])"
        ),
    ),
)


@dataclass(frozen=True)
class Made:
    """A pipeline, a run of it that completed, and a later one that failed."""

    pipeline: NotebookPipeline
    good: Run
    bad: Run


def write_notebook(path: Path, cells: tuple[tuple[str, str], ...] = CELLS) -> Path:
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for number, (tag, source) in enumerate(cells):
        notebook.cells.append(nbformat.v4.new_code_cell(source, id=f"cell-{number}", metadata={"tags": [tag]}))
    nbformat.write(notebook, path)
    return path


@pytest.fixture(scope="module")
def made(service: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("results")
    before = os.environ.get("JUPYTER_PIPELINES_STORE")
    os.environ["JUPYTER_PIPELINES_STORE"] = str(folder / "store")
    try:
        pipeline = jp.pipeline(write_notebook(folder / "demo.ipynb"))
        good = pipeline.run()
        bad = pipeline.run({"rows": 120, "seed": 13, "token": "hunter2-hunter2"})
        yield Made(pipeline, good, bad)
    finally:
        os.environ.pop("JUPYTER_PIPELINES_STORE")
        if before is not None:
            os.environ["JUPYTER_PIPELINES_STORE"] = before
