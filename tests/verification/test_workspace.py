"""The copy of a notebook's folder in which it is verified."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_pipelines.verification import workspace
from jupyter_pipelines.verification.workspace import Workspace


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    folder = tmp_path / "project" / "notebooks"
    folder.mkdir(parents=True)
    (tmp_path / "project" / "data").mkdir()
    (tmp_path / "project" / "data" / "x.csv").write_text("1")
    (folder / "helper").mkdir()
    (folder / "helper" / "__init__.py").write_text("")
    (folder / "nb.ipynb").write_text("{}")
    return folder / "nb.ipynb"


def test_each_run_finds_the_files_as_they_were(notebook: Path, tmp_path: Path) -> None:
    work = Workspace(notebook, tmp_path / "scratch")
    work.renew()
    (work.notebook.parent / "new.csv").touch()
    (work.notebook.parent / "helper" / "__init__.py").write_text("changed")
    work.renew()
    assert sorted(path.name for path in work.notebook.parent.iterdir()) == ["helper", "nb.ipynb"]
    assert (work.notebook.parent / "helper" / "__init__.py").read_text() == ""
    assert sorted(path.name for path in notebook.parent.iterdir()) == ["helper", "nb.ipynb"]


def test_neighbours_are_found(notebook: Path, tmp_path: Path) -> None:
    work = Workspace(notebook, tmp_path / "scratch")
    work.renew()
    assert (work.notebook.parent / ".." / "data" / "x.csv").read_text() == "1"


def test_a_folder_that_is_too_large_is_used_as_it_is(
    notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace, "LARGEST_COPY", 1)
    work = Workspace(notebook, tmp_path / "scratch")
    work.renew()
    assert work.notebook == notebook
