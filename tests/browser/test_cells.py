"""Cells of a notebook: what the pills above them say, and what is done there."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

STEPS = (
    ("parameters", "size: int = 3"),
    ("setup", "import math"),
    ("step:load", "numbers = list(range(size))"),
    ("", "top = max(numbers)"),
    ("step:total", "total = math.fsum(numbers)"),
    ("skip", "numbers[:2]"),
)


def code_cell(page: Page, index: int) -> Locator:
    return page.locator(".jp-Notebook:visible .jp-CodeCell").nth(index)


def pill(page: Page, index: int) -> Locator:
    return code_cell(page, index).locator("button.jp-Pipelines-pill")


def expect_roles(page: Page, *roles: str) -> None:
    """What each code cell is shown to be, as soon as what was done has been compiled."""
    cells = page.locator(".jp-Notebook:visible .jp-CodeCell > .jp-Pipelines-cell")
    expect(cells).to_have_count(len(roles))
    for index, role in enumerate(roles):
        expect(cells.nth(index)).to_have_attribute("data-role", role)


def field(page: Page) -> Locator:
    return page.get_by_role("combobox", name="What the cell")


def options(page: Page, **which: bool) -> Locator:
    return page.get_by_role("listbox", name="Choices").get_by_role("option", **which)


def execute(page: Page, command: str, **arguments: object) -> None:
    page.evaluate("([id, args]) => window.jupyterapp.commands.execute(id, args)", [command, arguments])


def saved(page: Page, path: Path) -> nbformat.NotebookNode:
    """The notebook's file after saving."""
    # A kernel that answers meanwhile writes its language into the notebook: then it is to be saved again.
    page.wait_for_function(
        """async () => {
      await window.jupyterapp.commands.execute('docmanager:save');
      return !window.jupyterapp.shell.currentWidget.context.model.dirty;
    }"""
    )
    return nbformat.read(path, as_version=4)


def tags_in(page: Page, path: Path) -> list[list[str]]:
    return [cell.metadata.get("tags", []) for cell in saved(page, path).cells]


def test_pills_say_what_cells_are(lab, page):
    lab.open(page, lab.write("pills.ipynb", *STEPS))
    expect(page.locator("button.jp-Pipelines-pill")).to_have_text(["parameters", "setup", "load", "total", "skipped"])
    # A cell without a tag goes on with the step above it: it has the line in that step's colour, and no pill.
    expect(code_cell(page, 3).locator(".jp-Pipelines-cell")).to_have_attribute("data-role", "inherited")
    colours = page.locator(".jp-CodeCell > .jp-Pipelines-cell").evaluate_all(
        "all => all.map(one => getComputedStyle(one, '::before').backgroundColor)"
    )
    assert colours[2] == colours[3] != colours[4]


def test_tag_by_the_ghost_undo_and_save(lab, page):
    path = lab.write("tagging.ipynb", ("markdown", "## Load the data"), ("", "data = [1, 2]"), ("", "print(sum(data))"))
    panel = lab.open(page, path)
    expect(panel.get_by_text("This notebook is one step so far")).to_be_visible()
    code_cell(page, 0).hover()
    code_cell(page, 0).get_by_role("button", name="+ step").click()
    # The heading above offers a name.
    expect(field(page)).to_have_value("load-the-data")
    page.keyboard.type("setup ")
    expect(options(page).first).to_contain_text("setup")
    field(page).fill("Données brutes")
    expect(page.get_by_role("alert").filter(has_text="a letter first")).to_be_visible()
    expect(options(page).first).to_contain_text("donnees-brutes")
    page.keyboard.press("Escape")
    expect(field(page)).to_have_count(0)
    expect_roles(page, "", "")
    code_cell(page, 0).get_by_role("button", name="+ step").click()
    page.keyboard.type("load")
    page.keyboard.press("Enter")
    expect(pill(page, 0)).to_have_text("load")
    expect(panel.locator(".jp-Pipelines-step")).to_have_count(1)

    # The focus is in the notebook again: the keys of its command mode work.
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+T")
    page.keyboard.type("skip")
    page.keyboard.press("Enter")
    expect(pill(page, 1)).to_have_text("skipped")
    page.keyboard.press("z")
    # Only the last change is taken back, however quickly it came.
    expect(pill(page, 1)).to_have_count(0)
    expect(pill(page, 0)).to_have_text("load")
    assert tags_in(page, path) == [[], ["step:load"], []]
    page.keyboard.press("z")
    expect(panel.get_by_text("This notebook is one step so far")).to_be_visible()
    expect_roles(page, "", "")


def test_tag_from_the_keyboard_alone(lab, page):
    path = lab.write("keyboard.ipynb", *STEPS)
    lab.open(page, path)
    expect(pill(page, 2)).to_have_text("load")
    code_cell(page, 3).locator(".jp-InputPrompt").click()
    # Nothing of what is typed is lost before the field is there, or done to the cell: an x would cut it.
    page.keyboard.press("Shift+T")
    page.keyboard.type("cut")
    page.keyboard.press("Control+A")
    page.keyboard.type("xto")
    expect(field(page)).to_have_value("xto")
    page.keyboard.press("Control+A")
    # What begins like a step's name is completed; another choice is an arrow away.
    page.keyboard.type("to")
    page.keyboard.press("Tab")
    expect(field(page)).to_have_value("total")
    page.keyboard.press("Control+A")
    page.keyboard.type("lo")
    page.keyboard.press("ArrowDown")
    expect(options(page, selected=True)).to_contain_text("load")
    page.keyboard.press("Enter")
    expect(pill(page, 3)).to_have_text("load")
    # At the pill of a step that no other cell names, a new name is that of the step.
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+T")
    page.keyboard.type("sum")
    expect(options(page).first).to_contain_text("rename total")
    page.keyboard.press("Enter")
    expect(pill(page, 4)).to_have_text("sum")
    assert tags_in(page, path)[2:5] == [["step:load"], ["step:load"], ["step:sum"]]


def test_tagging_keeps_foreign_tags_and_takes_all_selected_cells(lab, page):
    path = lab.write("many.ipynb", ("hide-input", "a = 1"), ("", "b = 2"), ("", "c = 3"))
    lab.open(page, path)
    code_cell(page, 0).locator(".jp-InputPrompt").click()
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+T")
    expect(page.get_by_text("2 cells", exact=True)).to_be_visible()
    page.keyboard.type("both")
    page.keyboard.press("Enter")
    expect(pill(page, 1)).to_have_text("both")
    assert tags_in(page, path) == [["hide-input", "step:both"], ["step:both"], []]
    page.keyboard.press("z")
    expect(page.locator("button.jp-Pipelines-pill")).to_have_count(0)
    assert tags_in(page, path) == [["hide-input"], [], []]


def test_options_of_a_step(lab, page):
    path = lab.write("options.ipynb", *STEPS)
    panel = lab.open(page, path)
    expect(pill(page, 4)).to_have_text("total")
    pill(page, 4).hover()
    code_cell(page, 4).get_by_role("button", name="Options of step total").click()
    form = page.get_by_role("form", name="Options of step total")
    form.get_by_label("Retries").fill("many")
    form.get_by_role("button", name="Apply").click()
    expect(form.get_by_role("alert").first).to_contain_text("whole number")
    form.get_by_label("Retries").fill("2")
    form.get_by_label("Time limit").fill("10m")
    form.get_by_label("always new").check()
    form.get_by_label("load").check()
    page.keyboard.press("Enter")
    expect(form).to_have_count(0)
    cell = saved(page, path).cells[4]
    assert cell.metadata.pipeline == {"retries": 2, "timeout": "10m", "cache": False}
    assert cell.metadata.tags == ["step:total", "after:load"]
    expect(panel.locator(".jp-Pipelines-problem")).to_have_count(0)
    page.keyboard.press("z")
    cell = saved(page, path).cells[4]
    assert "pipeline" not in cell.metadata
    assert cell.metadata.tags == ["step:total"]


def test_pills_follow_cells_wherever_they_go(lab, page):
    lab.open(page, lab.write("moving.ipynb", *STEPS))
    expect(pill(page, 4)).to_have_text("total")
    code_cell(page, 4).locator(".jp-InputPrompt").click()
    page.keyboard.press("Control+Shift+ArrowUp")
    expect(page.locator("button.jp-Pipelines-pill")).to_have_text(["parameters", "setup", "load", "total", "skipped"])
    expect(pill(page, 3)).to_have_text("total")
    # The cell that went on with `load` goes on with `total` now.
    expect(code_cell(page, 4).locator(".jp-Pipelines-cell")).to_have_attribute("data-role", "inherited")
    page.keyboard.press("c")
    page.keyboard.press("v")
    expect(page.locator("button.jp-Pipelines-pill", has_text="total")).to_have_count(2)
    page.keyboard.press("z")
    expect(page.locator("button.jp-Pipelines-pill", has_text="total")).to_have_count(1)
    code_cell(page, 2).locator(".cm-content").click()
    page.keyboard.press("Home")
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Control+Shift+Minus")
    expect(page.locator("button.jp-Pipelines-pill", has_text="load")).to_have_count(2)
    code_cell(page, 2).locator(".jp-InputPrompt").click()
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+M")
    expect(page.locator("button.jp-Pipelines-pill", has_text="load")).to_have_count(1)
    page.keyboard.press("m")
    expect(page.locator("button.jp-Pipelines-pill", has_text="load")).to_have_count(0)


def test_the_cell_menu_and_the_palette_offer_the_tags(lab, page):
    lab.open(page, lab.write("menu.ipynb", ("", "import math"), ("", "x = 1")))
    code_cell(page, 0).locator(".cm-content").click(button="right")
    page.locator(".lm-Menu-itemLabel", has_text=re.compile("^Pipeline$")).hover()
    page.locator(".lm-Menu-itemLabel", has_text="Tag as Setup").click()
    expect(pill(page, 0)).to_have_text("setup")
    page.keyboard.press("Control+Shift+C")
    page.locator(".lm-CommandPalette-input").fill("Skip in the Pipeline")
    expect(page.locator(".lm-CommandPalette-itemLabel", has_text="Skip in the Pipeline")).to_be_visible()


BROKEN = (
    ("step:load", "import sqlite3\ndb = sqlite3.connect(':memory:')\nnumbers = [1, 2]"),
    ("step:use", "print(db.execute('select 1').fetchall())"),
)


def test_problems_stand_below_their_cell_and_are_put_right(lab, page):
    path = lab.write("problems.ipynb", *BROKEN)
    panel = lab.open(page, path)
    problems = page.get_by_role("list", name="Problems of this cell")
    expect(problems).to_have_count(1)
    expect(code_cell(page, 1).get_by_role("list", name="Problems of this cell")).to_contain_text("db")
    problems.get_by_role("button", name="line 1").click()
    expect(code_cell(page, 1).locator(".cm-content")).to_be_focused()
    problems.get_by_role("button", name="What to do").click()
    problems.get_by_role("button", name="one step").click()
    expect(pill(page, 1)).to_have_text("load")
    expect(problems).to_have_count(0)
    expect(panel.locator(".jp-Pipelines-problem")).to_have_count(0)
    execute(page, "notebook:undo-cell-action")
    expect(pill(page, 1)).to_have_text("use")
    # The panel offers the same.
    panel.locator(".jp-Pipelines-problem").get_by_role("button", name="Move “db” to a setup cell", exact=True).click()
    expect(panel.locator(".jp-Pipelines-problem")).to_have_count(0)
    assert ["setup"] in tags_in(page, path)


def test_where_one_types_a_problem_waits_for_a_pause(lab, page):
    panel = lab.open(page, lab.write("pause.ipynb", ("step:one", "x = 1"), ("", "y = 2")))
    code_cell(page, 1).locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" + (")
    # The panel tells at once; below the cell nothing moves until the author pauses.
    expect(panel.locator(".jp-Pipelines-problem")).to_have_count(1)
    expect(page.get_by_role("list", name="Problems of this cell")).to_have_count(1)
    page.keyboard.type("3)")
    expect(page.get_by_role("list", name="Problems of this cell")).to_have_count(0)


def test_suggested_steps_are_accepted_all_or_one_by_one(lab, page):
    path = lab.write(
        "suggest.ipynb",
        ("", "import math"),
        ("markdown", "## Load the data"),
        ("", "numbers = list(range(3))"),
        ("markdown", "## Sum"),
        ("", "total = math.fsum(numbers)"),
        ("", "print(total)"),
    )
    lab.open(page, path)
    code_cell(page, 0).locator(".jp-InputPrompt").click()
    execute(page, "jupyter-pipelines:suggest-steps")
    bar = page.get_by_role("region", name="Suggested steps")
    expect(bar).to_contain_text("2 steps, setup")
    expect_roles(page, "proposal", "proposal", "proposal", "")
    page.get_by_role("button", name="Reject setup").click()
    page.get_by_role("button", name="Accept load-data").click()
    expect(page.locator("button.jp-Pipelines-pill")).to_have_text(["load-data"])
    bar.get_by_role("button", name="Accept all").click()
    expect(page.locator("button.jp-Pipelines-pill")).to_have_text(["load-data", "sum"])
    expect(bar).to_have_count(0)
    assert tags_in(page, path) == [[], [], ["step:load-data"], [], ["step:sum"], []]
    execute(page, "notebook:undo-cell-action")
    expect(page.locator("button.jp-Pipelines-pill")).to_have_text(["load-data"])
    execute(page, "jupyter-pipelines:suggest-steps")
    expect(bar).to_contain_text("already names steps")
    bar.get_by_role("button", name="Close").click()
    expect(bar).to_have_count(0)


def test_a_live_kernel_tells_what_steps_hand_on(lab, page):
    cells = (
        ("step:load", "import re\nnumbers = list(range(1000))\nfound = re.finditer('a', 'aaa')"),
        ("step:use", "print(len(numbers), next(found))"),
    )
    lab.open(page, lab.write("live.ipynb", *cells))
    expect(pill(page, 1)).to_have_text("use")
    page.wait_for_function("window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'")
    execute(page, "runmenu:run-all")
    problems = code_cell(page, 0).get_by_role("list", name="Problems of this cell")
    expect(problems).to_contain_text("found cannot be handed from load to use: it is an iterator")
    pill(page, 0).hover()
    code_cell(page, 0).get_by_role("button", name="Options of step load").click()
    expect(page.get_by_role("form")).to_contain_text("1,000 items")
    page.keyboard.press("Escape")
    # The author's own numbers of executions are not disturbed.
    expect(code_cell(page, 1).locator(".jp-InputPrompt")).to_have_text("[2]:")
    page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    expect(problems).to_have_count(0)


@pytest.fixture
def windowed(lab) -> Iterator[None]:
    """Notebooks have only those cells in the page that are seen."""
    url = f"{lab.url}/lab/api/settings/@jupyterlab/notebook-extension:tracker"

    def put(settings: dict[str, str]) -> None:
        body = json.dumps({"raw": json.dumps(settings)}).encode()
        headers = {"Content-Type": "application/json"}
        urllib.request.urlopen(urllib.request.Request(url, body, headers, method="PUT"), timeout=30).close()

    put({"windowingMode": "full"})
    yield
    put({})


def test_a_thousand_cells_in_a_windowed_notebook(lab, windowed, page):
    cells = [("step:first", "x0 = 0"), *[("", f"x{at} = x{at - 1} + 1") for at in range(1, 999)], ("step:last", "x998")]
    lab.open(page, lab.write("thousand.ipynb", *cells))
    expect(pill(page, 0)).to_have_text("first")
    expect(code_cell(page, 1).locator(".jp-Pipelines-cell")).to_have_attribute("data-role", "inherited")
    code_cell(page, 1).locator(".cm-content").click()
    page.keyboard.press("Control+End")
    # Nothing is drawn again at pills that say what they said, however many there are.
    page.evaluate(
        """() => {
      window.redrawn = 0;
      for (const cell of window.jupyterapp.shell.currentWidget.content.widgets) {
        const [pill] = cell.layout.widgets;
        new MutationObserver(all => { window.redrawn += all.length; }).observe(
          pill.node, {subtree: true, childList: true}
        );
      }
    }"""
    )
    with page.expect_response("**/jupyter-pipelines/api/compile*"):
        page.keyboard.type(" + 1")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("window.redrawn") == 0
    execute(page, "jupyter-pipelines:go-to-cell", cell=1000)
    last = page.locator(".jp-Cell.jp-mod-active button.jp-Pipelines-pill")
    expect(last).to_have_text("last")
    expect(last).to_be_in_viewport()
    page.keyboard.press("Shift+T")
    expect(field(page)).to_be_focused()
    page.keyboard.type("end")
    page.keyboard.press("Enter")
    expect(last).to_have_text("end")
