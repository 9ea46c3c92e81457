"""From a key in a large notebook to the changed graph beside it, in JupyterLab: real keys in a real browser."""

from __future__ import annotations

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
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import notebooks
from measure import Row, Skipped, Table, at_most, scratch

if TYPE_CHECKING:
    from playwright.sync_api import Page

SIZES = (300, 1000)  # cells
CELLS = 3  # of a step
KEYS = 24
PAUSE = 700.0  # milliseconds from one key to the next
TIMEOUT = 120_000  # milliseconds
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
WATCH = """([source, target, value]) => {
  const label = () =>
    document.querySelector(`.jp-Pipelines-arrow[data-source="${source}"][data-target="${target}"] text`)?.textContent;
  const state = (window.measured = { keys: [], tasks: [], key: 0, before: '' });
  document.addEventListener('keydown', () => {
    state.before = label();
    state.key = performance.now();
  }, true);
  new PerformanceObserver(list => {
    for (const { startTime, duration } of list.getEntries()) state.tasks.push([startTime, duration]);
  }).observe({ entryTypes: ['longtask'] });
  new MutationObserver(() => {
    if (!state.key || label() === state.before) return;
    const { key } = state;
    state.key = 0;
    requestAnimationFrame(() => setTimeout(() => {
      const asked = performance.getEntriesByType('resource')
        .filter(({ name, startTime }) => name.includes('/api/compile') && startTime >= key);
      const last = asked.at(-1);
      state.keys.push({
        picture: performance.now() - key,
        asked: last.requestStart - key,
        answered: last.responseEnd - key,
        from: key
      });
      performance.clearResourceTimings();
    }));
  }).observe(document.querySelector('.jp-Pipelines-dag'), { subtree: true, childList: true, characterData: true });
}"""


def benchmark() -> list[Table]:
    """The median of some keys, each of which makes a step read another value or no longer."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise Skipped("Playwright is not installed") from error
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        raise Skipped("Chromium is not installed")
    with scratch() as home, _lab(home) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        try:
            return [_table(size, _measure(browser.new_page(), url, home, size)) for size in SIZES]
        finally:
            browser.close()


def cells(size: int) -> Iterator[tuple[str, str]]:
    """Steps in a chain; each leaves a value that none reads."""
    yield "setup", "import math"
    for cell in range(size - 1):
        step, part = divmod(cell, CELLS)
        before = f"a{step - 1} + b{step - 1}" if step else "1"
        source = (f"a{step} = {before}", f"b{step} = a{step} + 1", f"c{step} = math.sqrt(b{step})\nprint(c{step})")[
            part
        ]
        yield f"step:s{step}", source


def _measure(page: Page, url: str, home: Path, size: int) -> dict[str, list[float]]:
    # A value of the step before, whose name begins as that of another: both texts mean something, with the last
    # digit and without.
    step, value = 12, "c11"
    name = f"large-{size}.ipynb"
    notebooks.write(notebooks.notebook(list(cells(size))), home / "notebooks" / name)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{url}/lab/workspaces/{size}/tree/{name}?reset")
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=TIMEOUT)
    page.evaluate("window.jupyterapp.commands.execute('jupyter-pipelines:show-panel')")
    page.locator(".jp-Pipelines-box").first.wait_for(timeout=TIMEOUT)
    cell = step * CELLS + 2
    page.evaluate(f"window.jupyterapp.commands.execute('jupyter-pipelines:go-to-cell', {{cell: {cell}}})")
    page.locator(".jp-Cell.jp-mod-active .cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.type(f"\n{value[:-1]}")
    # The notebook puts its cells on the page while the browser has nothing to do, which one without a screen never has.
    page.evaluate(f"window.jupyterapp.shell.currentWidget.content._runOnIdleTime?.({TIMEOUT})")
    page.wait_for_timeout(3_000)
    page.evaluate(WATCH, [f"s{step - 1}", f"s{step}", value])
    for number in range(KEYS):
        page.keyboard.press("Backspace" if number % 2 else value[-1])
        page.wait_for_function("count => window.measured.keys.length === count", arg=number + 1)
        page.wait_for_timeout(PAUSE)
    measured: dict[str, Any] = page.evaluate("window.measured")
    page.close()
    keys = measured["keys"]
    longest = [
        max((length for start, length in measured["tasks"] if 0 <= start - key["from"] < PAUSE), default=0.0)
        for key in keys
    ]
    return {name: [key[name] for key in keys] for name in ("asked", "answered", "picture")} | {"longest": longest}


def _table(size: int, measured: dict[str, list[float]]) -> Table:
    rows = {name: median(times) for name, times in measured.items()}
    slow = sorted(measured["picture"])[-1 - KEYS // 20]
    return Table(
        f"From a key to the picture, {size:,} cells",
        "the picture is there",
        [
            Row("the server is asked", rows["asked"]),
            Row("its answer is there", rows["answered"]),
            Row("the picture is there", rows["picture"], f"95 of 100 within {slow:.0f} ms"),
            Row(
                "longest task of the page", rows["longest"], f"at worst {max(measured['longest']):.0f} ms; 0: below 50"
            ),
        ],
        "ms",
        f"Median of {KEYS} keys, each of which changes the graph; load {os.getloadavg()[0]:.1f}.",
        (at_most("within 100 ms", rows["picture"], 100, "ms"),) if size == SIZES[0] else (),
    )


@contextmanager
def _lab(home: Path) -> Iterator[str]:
    """The address of a JupyterLab with nothing of the user's own."""
    (home / "notebooks").mkdir()
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    folders = {f"JUPYTER_{name.upper()}_DIR": str(home / name) for name in ("config", "data", "runtime")}
    folders |= {f"JUPYTERLAB_{name.upper()}_DIR": str(home / name) for name in ("settings", "workspaces")}
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyterlab", "--allow-root", "--no-browser", f"--port={port}"),
            *("--ServerApp.port_retries=0", "--IdentityProvider.token=", "--expose-app-in-browser"),
            *(f"--ServerApp.root_dir={home / 'notebooks'}", "--PipelinesApp.start_service=False"),
        ],
        env={**os.environ, **folders, "JUPYTER_PIPELINES_HOME": str(home / "pipelines")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(url, process)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"{url}/api", timeout=5).close()
            return
        except (OSError, urllib.error.URLError):
            if process.poll() is not None or time.monotonic() > deadline:
                raise Skipped("JupyterLab does not start") from None
            time.sleep(0.2)
