"""One service for all tests of this room, and notebooks written in a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest

from jupyter_pipelines.orchestration.service import Endpoint, ensure_service, stop_service
from jupyter_pipelines.settings import Settings

WriteNotebook = Callable[..., Path]


@pytest.fixture(scope="session")
def service_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project home whose service runs as long as the tests."""
    home = tmp_path_factory.mktemp("home")
    settings = Settings(home=home, store=str(home / "store"), max_parallel=2)
    ensure_service(settings)
    yield home
    stop_service(settings)


@pytest.fixture
def home(service_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shared service with a store of this test's own."""
    for name in ("PREFECT_API_URL", "PREFECT_API_AUTH_STRING"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JUPYTER_PIPELINES_HOME", str(service_home))
    monkeypatch.setenv("JUPYTER_PIPELINES_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("JUPYTER_PIPELINES_MAX_PARALLEL", "2")
    return service_home


@pytest.fixture
def endpoint(home: Path) -> Endpoint:
    """Where the service answers."""
    return ensure_service(Settings.load())


@pytest.fixture
def write(tmp_path: Path) -> WriteNotebook:
    """``write(("step:load", "x = 1"), …, name="nb.ipynb")`` writes a notebook: a cell is tags and source."""

    def write(*cells: tuple[str, str], name: str = "nb.ipynb", kernel: str = "python3") -> Path:
        notebook = nbformat.v4.new_notebook()
        notebook.metadata["kernelspec"] = {"name": kernel, "display_name": kernel, "language": "python"}
        for number, (tags, source) in enumerate(cells):
            cell = nbformat.v4.new_code_cell(source, id=f"cell-{number}")
            cell.metadata["tags"] = tags.split()
            notebook.cells.append(cell)
        path = tmp_path / name
        nbformat.write(notebook, path)
        return path

    return write
