"""What axe-core finds in what we show, in both themes: nothing that is serious."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

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
