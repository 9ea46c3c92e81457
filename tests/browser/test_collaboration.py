"""Two people in one notebook, where jupyter-collaboration is installed."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from .conftest import Lab

pytest.importorskip("jupyter_server_ydoc", reason="jupyter-collaboration is not installed")

CELLS = (("step:load", "numbers = [1, 2]"), ("step:total", "total = sum(numbers)"), ("", "print(total)"))


@pytest.fixture
def other(browser: Browser) -> Page:
    """What somebody else sees."""
    return browser.new_context(viewport={"width": 1280, "height": 800}).new_page()


def cell(page: Page, position: int) -> Locator:
    return page.locator(".jp-Notebook .jp-Cell").nth(position - 1)


def pill(page: Page, position: int) -> Locator:
    return cell(page, position).locator("button.jp-Pipelines-pill")


def tag(page: Page, position: int, name: str) -> None:
    cell(page, position).locator(".jp-InputPrompt").click()
    page.keyboard.press("Shift+T")
    page.locator(".jp-Pipelines-tagger input").fill(name)
    page.keyboard.press("Enter")


def test_tags_are_shared_and_undone_by_who_set_them(lab: Lab, page: Page, other: Page) -> None:
    path = lab.write("shared.ipynb", *CELLS)
    lab.open(page, path)
    panel = lab.open(other, path)
    tag(page, 3, "report")
    expect(pill(other, 3)).to_have_text("report")
    expect(panel.locator(".jp-Pipelines-box")).to_have_count(3)
    tag(other, 2, "sum")
    expect(pill(page, 2)).to_have_text("sum")
    cell(page, 1).locator(".jp-InputPrompt").click()
    page.keyboard.press("z")
    expect(pill(other, 3)).to_have_count(0)
    expect(pill(other, 2)).to_have_text("sum")
    cell(other, 1).locator(".jp-InputPrompt").click()
    other.keyboard.press("z")
    expect(pill(page, 2)).to_have_text("total")
