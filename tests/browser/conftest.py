"""JupyterLab servers, without and with the service, and a page in the system's Chromium."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from jupyter_pipelines.settings import Settings

expect.set_options(timeout=30_000)

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SETTINGS = {
    "apputils-extension/notification": '{"fetchNews": "false", "checkForUpdates": false}',
    "apputils-extension/themes": '{"theme": "JupyterLab Light", "adaptive-theme": false}',
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: its address, and the folder it shows."""

    url: str
    root: Path

    def write(self, name: str, *cells: tuple[str, str]) -> Path:
        """Put a notebook there; each cell is a tag ("" for none, "markdown" for text) and a source."""
        notebook = nbformat.v4.new_notebook()
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        for tag, source in cells:
            if tag == "markdown":
                notebook.cells.append(nbformat.v4.new_markdown_cell(source))
            else:
                notebook.cells.append(nbformat.v4.new_code_cell(source, metadata={"tags": [tag]} if tag else {}))
        path = self.root / name
        nbformat.write(notebook, path)
        return path

    def open(self, page: Page, path: Path) -> Locator:
        """Open a notebook with the panel beside it; the panel is returned."""
        page.goto(f"{self.url}/lab/workspaces/{path.stem}/tree/{path.name}?reset")
        expect(page.locator(".jp-Notebook .jp-Cell").first).to_be_visible()
        panel = page.locator(".jp-Pipelines-panel")
        page.evaluate("window.jupyterapp.commands.execute('jupyter-pipelines:show-panel')")
        expect(panel).to_be_visible()
        return panel

    def ask(self, method: str, endpoint: str, **body: object) -> Any:
        """What our part of the server answers to a request, to prepare what a journey needs."""
        request = urllib.request.Request(
            f"{self.url}/jupyter-pipelines/api/{endpoint}",
            method=method,
            data=None if method == "GET" else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def run(self, name: str, **body: object) -> Any:
        """Have the service run a notebook; the run is returned when it has ended, whichever way."""
        run = self.ask("POST", "runs", notebook=name, **body)
        deadline = time.monotonic() + 60
        while run["state"] in ("pending", "running"):
            if time.monotonic() > deadline:
                pytest.fail(f"The run does not end: {run}")
            time.sleep(0.1)
            run = self.ask("GET", f"runs/{run['id']}")
        return run


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"{url}/api", timeout=5) as answer:
                answer.read()
            return
        except (OSError, urllib.error.URLError):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"JupyterLab did not start:\n{log.read_text()}")
            time.sleep(0.2)


@contextmanager
def started(home: Path, *arguments: str, application: str = "jupyterlab") -> Iterator[Lab]:
    """A JupyterLab, or another application, with nothing of the user's own; all it keeps is below `home`."""
    from jupyter_pipelines.warehouse import Warehouse

    root = home / "notebooks"
    root.mkdir()
    for name, content in SETTINGS.items():
        path = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "JUPYTER_PIPELINES_HOME": str(home / "pipelines"),
    }
    port = _free_port()
    command = [
        *(sys.executable, "-m", application, "--allow-root", "--no-browser", f"--port={port}"),
        *("--ServerApp.port_retries=0", "--IdentityProvider.token=", "--expose-app-in-browser"),
        *("--ServerApp.disable_check_xsrf=True", f"--ServerApp.root_dir={root}", *arguments),
    ]
    log = home / "lab.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url, process, log)
        yield Lab(url, root)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)
        Warehouse(home / "pipelines" / "warehouse.duckdb").release(force=True)  # its owner outlives JupyterLab, too


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One JupyterLab for all browser tests that need no service."""
    with started(tmp_path_factory.mktemp("lab"), "--PipelinesApp.start_service=False") as lab:
        yield lab


@pytest.fixture(scope="session")
def serviced_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One JupyterLab whose service runs, for journeys that run, schedule and publish; it takes seconds to start."""
    from jupyter_pipelines.orchestration.service import stop_service
    from jupyter_pipelines.warehouse.warehouse import Warehouse

    home = tmp_path_factory.mktemp("serviced-lab")
    try:
        with started(home) as lab:
            deadline = time.monotonic() + 90
            while lab.ask("GET", "service")["state"] != "running":
                if time.monotonic() > deadline:
                    pytest.fail(f"The service did not start:\n{(home / 'lab.log').read_text()}")
                time.sleep(0.2)
            yield lab
    finally:
        # The service outlives JupyterLab, and so does the owner of the warehouse.
        stop_service(replace(Settings.load(), home=home / "pipelines"))
        Warehouse(home / "pipelines" / "warehouse.duckdb").release(force=True)


# Not for the whole session: Playwright's event loop must be gone when other tests want theirs.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium; nothing is downloaded."""
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        pytest.fail("Chromium is not installed: run the tests with `make test`, which installs it.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(CHROMIUM_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page with no past. An error that no one caught fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error.stack or error)))
    yield page
    context.close()
    # Others have errors of their own: ipywidgets cannot do with a notebook that has no kernel, nor Notebook 7 with
    # settings of plugins that a page of it leaves out.
    others = ("/lab/extensions/", "/static/notebook/")
    assert not [error for error in errors if not any(map(error.__contains__, others)) or "/jupyter-pipelines/" in error]
