"""Notebook 7, where each document has a tab of the browser to itself."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from .conftest import Lab, started

CELLS = (
    ("parameters", "day: str = 'none'"),
    ("step:load", "numbers = [1, 2, 3]"),
    ("", "total = sum(numbers)"),
    ("step:report", "print(day, numbers)"),
)


@pytest.fixture(scope="module")
def notebook7(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = tmp_path_factory.mktemp("notebook7")
    with started(home, "--PipelinesApp.start_service=False", application="notebook") as app:
        yield app


def execute(page: Page, command: str, **arguments: object) -> None:
    page.evaluate("([id, args]) => void window.jupyterapp.commands.execute(id, args)", [command, arguments])


def test_it_has_all_that_jupyterlab_has(notebook7, page):
    notebook7.write("here.ipynb", *CELLS)
    page.goto(f"{notebook7.url}/tree")
    expect(page.get_by_role("tab", name="Files")).to_be_visible()
    page.get_by_role("menuitem", name="View").click()
    page.locator(".lm-Menu-item[data-command='jupyter-pipelines:open-pipelines']").click()
    # A page is a tab beside the files.
    expect(page.get_by_role("tab", name="Pipelines")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("heading", name="No pipelines yet")).to_be_visible()

    # What is about a notebook is done where that is opened.
    with page.context.expect_page() as opened:
        execute(page, "jupyter-pipelines:schedule", path="here.ipynb")
    notebook = opened.value
    expect(notebook.get_by_role("form", name="New schedule")).to_be_visible()
    assert os.path.basename(notebook.url) == "here.ipynb"
    panel = notebook.locator(".jp-Pipelines-panel")
    notebook.locator(".jp-CodeCell").nth(2).locator(".jp-InputPrompt").click()
    notebook.keyboard.press("Shift+T")
    notebook.keyboard.type("total")
    notebook.keyboard.press("Enter")
    expect(panel.locator(".jp-Pipelines-step")).to_have_count(3)
    notebook.keyboard.press("Alt+Shift+P")
    expect(panel).to_be_hidden()
    notebook.keyboard.press("Alt+Shift+P")
    expect(panel).to_be_focused()

    # Pages are below the notebook, one at a time, and each is found again.
    below = notebook.locator("#jp-down-stack")
    execute(notebook, "jupyter-pipelines:open-graph")
    expect(below.locator(".jp-Pipelines-box")).to_have_count(3)
    execute(notebook, "jupyter-pipelines:backfill")
    expect(below.get_by_role("heading", name="Backfill of here.ipynb")).to_be_visible()
    expect(below.locator(".jp-Pipelines-box").first).to_be_hidden()
    execute(notebook, "jupyter-pipelines:open-graph")
    expect(below.get_by_role("tab")).to_have_count(2)
    below.locator(".jp-Pipelines-box[data-step=report]").click()
    expect(notebook.locator(".jp-Cell.jp-mod-active")).to_contain_text("print(day, numbers)")
