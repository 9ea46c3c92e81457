"""Notebooks written in a line, and one service for all tests of this room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest

from jupyter_pipelines.orchestration.service import ensure_service, stop_service
from jupyter_pipelines.settings import Settings

Write = Callable[..., Path]


@pytest.fixture(scope="session")
def _service(_own_home: None) -> Iterator[None]:
    ensure_service(Settings.load())
    yield
    stop_service(Settings.load())


@pytest.fixture
def store(_service: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A running service, and a store of this test's own."""
    monkeypatch.setenv("JUPYTER_PIPELINES_STORE", str(tmp_path / "store"))
    return tmp_path / "store"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """``write(("step:load", "x = 1"), …)`` writes a notebook; a cell is tags and source."""

    def write(*cells: tuple[str, str], name: str = "nb.ipynb") -> Path:
        notebook = nbformat.v4.new_notebook()
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        for number, (tags, source) in enumerate(cells):
            cell = nbformat.v4.new_code_cell(source, id=f"cell-{number}")
            cell.metadata["tags"] = tags.split()
            notebook.cells.append(cell)
        path = tmp_path / name
        nbformat.write(notebook, path)
        return path

    return write
