"""A store of each test's own, and a project: a folder with a notebook, a module and data. No service is needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

Project = Callable[..., Path]


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_PIPELINES_STORE", str(tmp_path / "store"))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """``project(("step:load", "x = 1"), …, files=[…], name="…", at="nb.ipynb")`` writes a notebook in a folder."""

    def project(*cells: tuple[str, str], at: str = "project/nb.ipynb", **options: object) -> Path:
        notebook = nbformat.v4.new_notebook()
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        if options:
            notebook.metadata["pipeline"] = options
        for number, (tags, source) in enumerate(cells):
            cell = nbformat.v4.new_code_cell(source, id=f"cell-{number}")
            cell.metadata["tags"] = tags.split()
            notebook.cells.append(cell)
        path = tmp_path / at
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)
        return path

    return project
