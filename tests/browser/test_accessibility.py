"""What axe-core finds in what we show, in both themes: nothing that is serious."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

SERIOUS = ("serious", "critical")
OURS = (".jp-Pipelines-panel", ".jp-Pipelines-toolItem", ".jp-Pipelines-status", ".jp-Pipelines-cell")
CELLS = (
    ("parameters", 'day: str = "2027-01-01"  # which day\nlimit: int | None = None\ndry_run: bool = True'),
    ("setup", "import math"),
    ("step:load", "numbers = [1, 2]"),
    ("step:total", "total = math.fsum(numbers)"),
    ("step:broken", "print(total, (missing)"),
)


def execute(page: Page, command: str, **arguments: object) -> None:
    page.evaluate("([id, args]) => window.jupyterapp.commands.execute(id, args)", [command, arguments])


@pytest.fixture
def check(page, repository):
    """Have axe look at those of these parts that are there; what it finds fails the test."""
    axe = repository / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
    if not axe.exists():
        pytest.fail("axe-core is not installed: run the tests with `make test`, which installs it.")

    def check(*parts: str) -> None:
        if not page.evaluate("'axe' in window"):
            page.add_script_tag(content=axe.read_text())
        found = page.evaluate(
            """async parts => {
              const there = parts.filter(part => document.querySelector(part));
              const { violations } = await axe.run({ include: there.map(part => [part]) });
              return violations.map(({ id, impact, help, nodes }) =>
                [impact, id, help, nodes.map(({ html, failureSummary }) => [html.slice(0, 200), failureSummary])]);
            }""",
            list(parts),
        )
        assert not [violation for violation in found if violation[0] in SERIOUS]

    return check


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_a_notebook_and_its_panel(lab, page, check, theme):
    panel = lab.open(page, lab.write("axe.ipynb", *CELLS))
    expect(panel.locator(".jp-Pipelines-box")).to_have_count(3)
    expect(panel.locator(".jp-Pipelines-problem").first).to_be_visible()
    execute(page, "apputils:change-theme", theme=theme)
    page.wait_for_function(f"document.body.dataset.jpThemeName === '{theme}'")
    panel.evaluate("panel => panel.querySelectorAll('details').forEach(one => { one.open = true; })")
    check(*OURS)


def test_a_notebook_without_tags(lab, page, check):
    panel = lab.open(page, lab.write("axe-plain.ipynb", ("", "x = 1")))
    expect(panel.get_by_text("This notebook is one step so far")).to_be_visible()
    check(*OURS)


def test_the_service_and_all_pipelines(lab, page, check):
    page.goto(f"{lab.url}/lab/workspaces/axe?reset")
    expect(page.locator(".jp-Launcher")).to_be_visible()
    execute(page, "jupyter-pipelines:show-panel")
    expect(page.locator(".jp-Pipelines-panel")).to_contain_text("No notebook is open")
    page.locator(".jp-Pipelines-status").click()
    expect(page.locator(".jp-Pipelines-service")).to_be_visible()
    check(".jp-Pipelines-popup", *OURS)
    page.keyboard.press("Escape")
    execute(page, "jupyter-pipelines:open-pipelines")
    expect(page.locator(".jp-Pipelines-all")).to_be_visible()
    check(".jp-Pipelines-all")


def tab_to(page: Page, target: Locator, backwards: bool = False) -> None:
    """Go on to a control as those do who have no pointer; one that cannot be reached fails the test."""
    expect(target).to_be_visible()
    for _ in range(60):
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
        if target.evaluate("node => node === document.activeElement"):
            return
    pytest.fail(f"The keyboard does not lead to {target}")


def test_from_an_open_notebook_to_a_schedule_without_a_pointer(serviced_lab, page):
    path = serviced_lab.write(
        "untouched.ipynb",
        ("parameters", "size: int = 3"),
        ("", "numbers = list(range(size))"),
        ("step:total", "total = sum(numbers) / 0"),
    )
    page.goto(f"{serviced_lab.url}/lab/workspaces/untouched?reset")
    expect(page.locator(".jp-DirListing-item", has_text=path.name)).to_be_visible()
    page.wait_for_function("window.jupyterapp?.commands.hasCommand('jupyter-pipelines:run')")
    page.keyboard.press("Control+Shift+C")
    expect(page.locator(".lm-CommandPalette-input")).to_be_focused()
    page.keyboard.type("Open from Path")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("textbox")).to_be_focused()
    page.keyboard.type(path.name)
    page.keyboard.press("Enter")

    # JupyterLab gives the notebook the focus once more when its kernel is there.
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()
    active = page.locator(".jp-Notebook .jp-Cell.jp-mod-active")
    expect(active).to_contain_text("size: int")
    page.keyboard.press("j")
    expect(active).to_contain_text("list(range(size))")
    page.keyboard.press("Shift+T")
    expect(page.locator(".jp-Pipelines-tagger input")).to_be_focused()
    page.keyboard.type("load")
    page.keyboard.press("Enter")
    expect(active.locator("button.jp-Pipelines-pill")).to_have_text("load")

    panel = page.locator(".jp-Pipelines-panel")
    page.keyboard.press("Alt+Shift+P")
    expect(panel.locator(".jp-Pipelines-box")).to_have_count(2)
    expect(panel).to_be_focused()
    page.keyboard.press("Alt+Shift+Enter")
    failed = panel.locator(".jp-Pipelines-lastRun[data-state=failed]")
    tab_to(page, failed.get_by_role("button", name="Go to cell 3"))
    page.keyboard.press("Enter")
    expect(active).to_contain_text("/ 0")
    page.wait_for_function("document.activeElement.closest('.jp-Notebook') !== null")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+End")
    for _ in range(4):
        page.keyboard.press("Backspace")
    page.keyboard.press("Alt+Shift+R")
    expect(panel.locator(".jp-Pipelines-lastRun[data-state=completed]")).to_be_visible()

    page.keyboard.press("Alt+Shift+S")
    form = panel.get_by_role("form", name="New schedule")
    page.wait_for_function("document.activeElement.closest('.jp-Pipelines-panel form') !== null")
    tab_to(page, form.get_by_role("button", name="Save"))
    page.keyboard.press("Enter")
    expect(panel.locator(".jp-Pipelines-card")).to_contain_text("Every day at 07:00")
    expect(panel).to_contain_text("It runs next on")
