"""What tests of several rooms share."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer

    from jupyter_pipelines.orchestration.service import Endpoint

WriteNotebook = Callable[..., Path]

REPOSITORY = Path(__file__).parent.parent


def pytest_configure() -> None:
    """Have Ctrl-C mean what it does in a terminal, here and in what tests start, also where a shell has put it off."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


class FileScheduling(LoadScopeScheduling):
    """The tests of one file stay together, and one process alone drives browsers."""

    def _split_scope(self, nodeid: str) -> str:
        return "browser" if nodeid.startswith("tests/browser/") else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FileScheduling:
    """Share tests out over processes as :class:`FileScheduling` says."""
    return FileScheduling(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a test that failed what the service has said last: it is gone when somebody looks."""
    report = yield
    home = os.environ.get("JUPYTER_PIPELINES_HOME")
    if report.failed and home:
        for log in sorted(Path(home).glob("logs/*.log")):
            if last := log.read_text(errors="replace").splitlines()[-40:]:
                report.sections.append((f"the service's {log.name}", "\n".join(last)))
    return report


@pytest.fixture(scope="session", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the service, its store and Prefect's own files in a folder of this test session.

    Nothing a test does may reach the state of the person who runs it, and neither a service nor a warehouse's owner
    outlives the tests.
    """
    from jupyter_pipelines.orchestration.service import stop_service
    from jupyter_pipelines.settings import Settings
    from jupyter_pipelines.warehouse import Warehouse

    os.environ["JUPYTER_PIPELINES_HOME"] = str(tmp_path_factory.mktemp("home"))
    os.environ.pop("JUPYTER_PIPELINES_STORE", None)
    os.environ.pop("JUPYTER_PIPELINES_WAREHOUSE", None)
    os.environ["JUPYTER_PIPELINES_WAREHOUSE_IDLE"] = "20"  # of those that tests make in folders of their own
    os.environ.pop("PREFECT_API_URL", None)
    yield
    stop_service(Settings.load())
    Warehouse(Settings.load().warehouse).release(force=True)


@pytest.fixture(scope="module", autouse=True)
def _nothing_left_to_start(_own_home: None) -> Iterator[None]:
    """What the tests of one file schedule is not met by those of another: they share a home."""
    yield
    home = Path(os.environ["JUPYTER_PIPELINES_HOME"])
    if any(next((home / name).glob("*.json"), None) for name in ("schedules", "triggers", "alerts")):
        import jupyter_pipelines as jp

        for made in (*jp.schedules(), *jp.triggers()):
            jp.unschedule(made.id)
        for alert in jp.alerts():
            jp.unalert(alert.id)


@pytest.fixture(scope="session")
def service(_own_home: None) -> Endpoint:
    """The one service of the test session: starting it takes seconds."""
    from jupyter_pipelines.orchestration.service import ensure_service
    from jupyter_pipelines.settings import Settings

    return ensure_service(Settings.load())


@pytest.fixture
def store(service: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of this test's own, and a running service."""
    monkeypatch.setenv("JUPYTER_PIPELINES_STORE", str(tmp_path / "store"))
    return tmp_path / "store"


@pytest.fixture(scope="module")
def lakes() -> Iterator[None]:
    """Processes that these tests start find a DuckDB with extensions for lakes, which the newest one has not."""
    folder = Path(sys.prefix, "lake")
    if not (folder / "duckdb_extension_ducklake").is_dir():
        pytest.skip("DuckDB with its extensions for lakes is not installed: make .venv/.made/lake")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        yield


@pytest.fixture
def write(tmp_path: Path) -> WriteNotebook:
    """``write(("step:load", "x = 1"), …, name="nb.ipynb")`` writes a notebook; a cell is tags and source."""
    import nbformat

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


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of this repository."""
    return REPOSITORY


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist of this tree, and the wheel made from that sdist where there is no Node.

    The front end is taken as `make` built it.
    """
    if not (REPOSITORY / "jupyter_pipelines" / "labextension" / "static" / "style.js").exists():
        pytest.fail("The front end is not built: run the tests with `make test`, which builds it.")
    folder = tmp_path_factory.mktemp("dist")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    environment = os.environ | {"HATCH_JUPYTER_BUILDER_SKIP_NPM": "1"}
    command = [sys.executable, "-m", "build", "--sdist", "--outdir", str(folder), str(REPOSITORY)]
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    (sdist,) = folder.glob("*.tar.gz")
    # Nothing but Python's own commands on the path: a build that wants Node fails.
    environment = {name: value for name, value in os.environ.items() if name != "HATCH_JUPYTER_BUILDER_SKIP_NPM"}
    environment["PATH"] = str(Path(sys.executable).parent)
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(sdist)], check=True, env=environment)
    return folder
