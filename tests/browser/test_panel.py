"""The panel, as its users meet it: what it shows, what can be done from it, and what is in the file afterwards."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, Route, expect

DIAMOND = (
    ("markdown", "# Sums"),
    ("parameters", "size: int = 3  # how many numbers"),
    ("setup", "import math"),
    ("step:load", "numbers = list(range(size))"),
    ("", "top = max(numbers)"),
    ("step:total", "total = math.fsum(numbers)"),
    ("step:mean", "mean = math.fsum(numbers) / len(numbers)"),
    ("step:report", "print(total, mean, top)"),
)
THEMES = ("JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast")


def steps_of(panel: Locator) -> Locator:
    return panel.locator(".jp-Pipelines-step > button .jp-Pipelines-stepName")


def code_cell(page: Page, index: int) -> Locator:
    return page.locator(".jp-Notebook:visible .jp-CodeCell").nth(index)


def execute(page: Page, command: str, **arguments: object) -> None:
    page.evaluate("([id, args]) => window.jupyterapp.commands.execute(id, args)", [command, arguments])


def arrows_of(panel: Locator) -> set[tuple[str, str]]:
    pairs = panel.locator(".jp-Pipelines-arrow").evaluate_all(
        "all => all.map(one => [one.dataset.source, one.dataset.target])"
    )
    return {(source, target) for source, target in pairs}


def test_it_shows_what_the_notebook_means(lab, page):
    panel = lab.open(page, lab.write("diamond.ipynb", *DIAMOND))
    expect(steps_of(panel)).to_have_text(["load", "total", "mean", "report"])
    # That report needs `top` of load is in the list; the arrow would tell nothing that the others do not.
    assert arrows_of(panel) == {
        ("load", "total"),
        ("load", "mean"),
        ("total", "report"),
        ("mean", "report"),
    }
    expect(panel.locator(".jp-Pipelines-step").get_by_text("cells 4–5")).to_be_visible()
    expect(panel.locator(".jp-Pipelines-parameters")).to_contain_text("size")
    expect(panel.locator(".jp-Pipelines-parameters")).to_contain_text("how many numbers")


def test_it_follows_what_one_types(lab, page):
    panel = lab.open(page, lab.write("typing.ipynb", ("step:one", "x = 1"), ("step:two", "y = 2")))
    expect(steps_of(panel)).to_have_text(["one", "two"])
    assert arrows_of(panel) == set()
    code_cell(page, 1).locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" + x")
    expect(panel.locator(".jp-Pipelines-arrow")).to_have_attribute("data-source", "one")
    page.keyboard.type(" + (")
    problem = panel.locator(".jp-Pipelines-problem[data-severity=error]").first
    expect(problem).to_contain_text("cell 2")
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    expect(panel.locator(".jp-Pipelines-problem[data-severity=error]")).to_have_count(1)


def test_steps_and_problems_lead_to_their_cells(lab, page):
    cells = [("step:first", "x = 1"), *[("", f"print({number})") for number in range(60)], ("step:last", "y = x + (")]
    panel = lab.open(page, lab.write("long.ipynb", *cells))
    last = panel.locator(".jp-Pipelines-box[data-step=last]")
    last.focus()
    page.keyboard.press("Enter")
    active = page.locator(".jp-Notebook .jp-Cell.jp-mod-active")
    expect(active).to_contain_text("y = x + (")
    expect(active).to_be_in_viewport()
    expect(last).to_have_attribute("aria-current", "step")
    panel.locator(".jp-Pipelines-step button[data-step=first]").click()
    expect(active).to_contain_text("x = 1")
    expect(active).to_be_in_viewport()
    panel.locator(".jp-Pipelines-problem[data-severity=error] > button").first.click()
    expect(active).to_contain_text("y = x + (")


def test_it_says_when_the_server_is_gone_and_comes_back(lab, page):
    panel = lab.open(page, lab.write("gone.ipynb", ("step:one", "x = 1")))
    expect(steps_of(panel)).to_have_text(["one"])
    routes: list[Route] = []

    def refuse(route: Route) -> None:
        routes.append(route)
        route.abort()

    page.route("**/jupyter-pipelines/api/compile*", refuse)
    code_cell(page, 0).locator(".cm-content").click()
    page.keyboard.type("y = 2\n")
    expect(panel.get_by_role("alert")).to_contain_text("does not answer")
    expect(steps_of(panel)).to_have_text(["one"])
    assert routes
    page.unroute("**/jupyter-pipelines/api/compile*", refuse)
    panel.get_by_role("button", name="Try again").click()
    expect(panel.get_by_role("alert")).to_have_count(0)


def test_without_a_notebook_it_says_what_it_is_for(lab, page):
    page.goto(f"{lab.url}/lab/workspaces/none?reset")
    expect(page.locator(".jp-Launcher")).to_be_visible()
    execute(page, "jupyter-pipelines:show-panel")
    expect(page.locator(".jp-Pipelines-panel")).to_contain_text("No notebook is open")


CONTRASTS = """selector => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  // What is seen where these colours are put over each other.
  const seen = colours => {
    context.fillStyle = 'white';
    context.fillRect(0, 0, 1, 1);
    for (const colour of colours) {
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
    }
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = colour => colour.map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const backgrounds = node => node
    ? [...backgrounds(node.parentElement), getComputedStyle(node).backgroundColor]
    : [];
  const found = {};
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode.parentElement;
    const text = walk.currentNode.textContent.trim();
    if (!text || !node.closest(selector) || !node.checkVisibility({ visibilityProperty: true })) continue;
    const behind = backgrounds(node);
    const box = node.closest('.jp-Pipelines-box')?.querySelector('rect');
    if (node.closest('svg') && !box) continue;
    if (box) behind.push(getComputedStyle(box).fill);
    const front = box ? getComputedStyle(node).fill : getComputedStyle(node).color;
    const [a, b] = [light(seen([...behind, front])), light(seen(behind))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    found[text] = Math.min(found[text] ?? ratio, ratio);
  }
  return found;
}"""


def expect_readable(page: Page, selector: str, *, at_least: int) -> None:
    """Each piece of text has a contrast of 4.5 with what is behind it on the screen (WCAG 2)."""
    found = page.evaluate(CONTRASTS, selector)
    assert len(found) >= at_least, found
    assert not {text: round(ratio, 1) for text, ratio in found.items() if ratio < 4.5}


def change_theme(page: Page, theme: str) -> None:
    execute(page, "apputils:change-theme", theme=theme)
    page.wait_for_function(f"document.body.dataset.jpThemeName === '{theme}'")
    # JupyterLab takes its splash away a moment later, and fails where it is to do so twice.
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)


@pytest.mark.parametrize("theme", THEMES)
def test_it_can_be_read_and_is_narrow_enough(lab, page, theme):
    panel = lab.open(page, lab.write("narrow.ipynb", *DIAMOND, ("step:broken", "z = (")))
    expect(panel.locator(".jp-Pipelines-problem").first).to_be_visible()
    change_theme(page, theme)
    # JupyterLab itself stops at 250 pixels.
    panel.evaluate("panel => Object.assign(panel.style, { minWidth: 0, maxWidth: '240px' })")
    assert panel.evaluate("panel => [panel.offsetWidth, panel.scrollWidth <= panel.clientWidth]") == [240, True]
    for part in panel.locator("button, input, code, p, h2, h3").all():
        box = part.bounding_box()
        frame = panel.bounding_box()
        if box and frame and box["width"] > 1:
            assert box["x"] + box["width"] <= frame["x"] + 240 + 1, part.inner_text()
    expect_readable(page, ".jp-Pipelines-panel", at_least=20)


def test_pills_and_states_can_be_read_in_every_theme(lab, page):
    """All colours of steps, in the notebook and in the graph, and all states that a pipeline may be in."""
    steps = [(f"step:s{number}", f"x{number} = {number}") for number in range(10)]
    states = ("draft", "active", "paused", "running", "failing", "late", "will-fail", "offline")
    common = {"owner": "ada", "version": None, "last_runs": [], "next": None, "missing": False, "problem": ""}
    rows = [
        {**common, "notebook": f"{state}.ipynb", "name": state, "state": state, "schedules": 0, "triggers": 0}
        for state in states
    ]
    page.route("**/api/pipelines*", lambda route: route.fulfill(json={"pipelines": rows, "next": None}))
    path = lab.write("colours.ipynb", ("parameters", "size = 3"), ("setup", "import math"), ("skip", "1"), *steps)
    panel = lab.open(page, path)
    expect(panel.locator(".jp-Pipelines-box")).to_have_count(10)
    expect(page.locator("button.jp-Pipelines-pill")).to_have_count(13)
    for theme in THEMES:
        change_theme(page, theme)
        expect_readable(page, ".jp-Pipelines-pill", at_least=13)
        expect_readable(page, ".jp-Pipelines-box", at_least=20)
    execute(page, "jupyter-pipelines:open-pipelines")
    expect(page.get_by_role("table", name="Pipelines").locator(".jp-Pipelines-chip")).to_have_count(len(states))
    for theme in THEMES:
        change_theme(page, theme)
        expect_readable(page, ".jp-Pipelines-table", at_least=2 * len(states))
