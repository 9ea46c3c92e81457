"""Runs, as their users meet them: the grid beside the notebook, the page of a run, backfills, and all pipelines."""

from __future__ import annotations

import re
from datetime import date, timedelta

from playwright.sync_api import Locator, Page, expect

CHAIN = (
    ("parameters", "day: str = 'none'\nmissing: str = ''"),
    ("step:load", "numbers = [1, 2, 3]\nprint('loaded', day)"),
    ("step:mean", "from pathlib import Path\nif missing:\n    Path(missing).read_text()"),
    ("", "mean = sum(numbers) / len(numbers)"),
    ("step:report", "print(mean)"),
)


def runs_of(panel: Locator) -> Locator:
    return panel.locator("[data-section=runs]")


def square(runs: Locator, step: str, state: str) -> Locator:
    return runs.get_by_role("gridcell", name=re.compile(f"^{step}, {state}"))


def execute(page: Page, command: str, **arguments: object) -> None:
    # Not awaited: some commands end when a tab is closed.
    page.evaluate("([id, args]) => void window.jupyterapp.commands.execute(id, args)", [command, arguments])


def test_the_first_run_fills_the_grid(serviced_lab, page):
    panel = serviced_lab.open(page, serviced_lab.write("first.ipynb", *CHAIN))
    runs = runs_of(panel)
    runs.get_by_role("button", name="Run once now").click()
    grid = runs.get_by_role("grid")
    expect(grid.get_by_role("rowheader")).to_have_text(["load", "mean", "report"])
    expect(square(runs, "report", "Completed")).to_be_visible()
    head = grid.get_by_role("columnheader", name=re.compile("^Run, Completed"))
    head.hover()
    card = runs.get_by_role("tooltip")
    expect(card).to_contain_text("Started by")
    expect(card).to_contain_text("By hand")
    # The card is over everything, and within the window.
    box = card.bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 1280 and box["y"] + box["height"] <= 800
    square(runs, "load", "Completed").click()
    detail = runs.get_by_role("region", name="Step load")
    expect(detail).to_contain_text("numbers")
    expect(detail).to_contain_text("[1, 2, 3]")
    detail.get_by_text("Log", exact=True).click()
    expect(detail.locator("pre")).to_contain_text("loaded none")
    detail.get_by_role("button", name="Keep").click()
    expect(detail.get_by_role("button", name="Kept")).to_have_attribute("aria-pressed", "true")
    detail.get_by_role("button", name="Run again").click()
    expect(grid.get_by_role("columnheader", name=re.compile("^Run, Completed"))).to_have_count(2)


def test_a_failure_leads_to_its_cell_and_is_resumed(serviced_lab, page):
    path = serviced_lab.write("fails_in_the_grid.ipynb", *CHAIN)
    assert serviced_lab.run("fails_in_the_grid.ipynb", parameters={"missing": "there.txt"})["state"] == "failed"
    runs = runs_of(serviced_lab.open(page, path))
    expect(square(runs, "report", "Skipped")).to_be_visible()
    square(runs, "mean", "Failed").click()
    detail = runs.get_by_role("region", name="Step mean")
    expect(detail.get_by_role("alert")).to_contain_text("FileNotFoundError")
    detail.get_by_role("button", name="Go to the cell").click()
    expect(page.locator(".jp-Notebook .jp-Cell.jp-mod-active")).to_contain_text("read_text")
    (serviced_lab.root / "there.txt").write_text("now it is")
    detail.get_by_role("button", name="Resume").click()
    expect(square(runs, "mean", "Completed")).to_be_visible()
    # What had succeeded is taken over, and the detail is about the new run.
    expect(square(runs, "load", "Reused")).to_be_visible()
    expect(runs.get_by_role("region", name="The run")).to_contain_text("continuing another run")

    runs.get_by_role("button", name="Filter the runs").click()
    runs.get_by_role("combobox", name="State").select_option("failed")
    expect(runs.get_by_role("columnheader", name=re.compile("^Run, "))).to_have_count(1)
    runs.get_by_role("combobox", name="Started by").select_option("schedule")
    runs.get_by_role("button", name="Show all").click()
    expect(runs.get_by_role("columnheader", name=re.compile("^Run, "))).to_have_count(2)


def test_a_failure_is_debugged_in_a_notebook_of_its_own(serviced_lab, page):
    path = serviced_lab.write("to_debug.ipynb", *CHAIN)
    assert serviced_lab.run("to_debug.ipynb", parameters={"missing": "never.txt"})["state"] == "failed"
    runs = runs_of(serviced_lab.open(page, path))
    square(runs, "mean", "Failed").click()
    runs.get_by_role("button", name="Debug here").click()
    expect(page.locator(".jp-Notebook:visible")).to_contain_text("Path(missing).read_text()")
    expect(page.get_by_role("main").get_by_role("tab", selected=True)).not_to_have_text("to_debug.ipynb")


def test_a_run_is_cancelled(serviced_lab, page):
    path = serviced_lab.write(
        "long_in_the_grid.ipynb", ("step:wait", "import time\ntime.sleep(600)"), ("step:after", "x = 1")
    )
    runs = runs_of(serviced_lab.open(page, path))
    serviced_lab.ask("POST", "runs", notebook="long_in_the_grid.ipynb")
    square(runs, "wait", "Running").click()
    runs.get_by_role("button", name="Cancel").click()
    expect(runs.get_by_role("columnheader", name=re.compile("^Run, Cancelled"))).to_be_visible()
    expect(runs.get_by_role("button", name="Cancel")).to_be_hidden()


def test_the_grid_is_walked_through_by_keys(serviced_lab, page):
    path = serviced_lab.write("keys.ipynb", *CHAIN)
    for number in range(3):
        serviced_lab.run("keys.ipynb", parameters={"day": str(number)})
    panel = serviced_lab.open(page, path)
    runs = runs_of(panel)
    expect(square(runs, "report", "Completed")).to_have_count(3)
    execute(page, "apputils:change-theme", theme="JupyterLab Dark")
    page.wait_for_function("document.body.dataset.jpThemeName === 'JupyterLab Dark'")
    panel.evaluate("panel => Object.assign(panel.style, { minWidth: 0, maxWidth: '280px' })")
    # The panel does not scroll sideways; the grid's frame may.
    assert panel.evaluate("node => node.scrollWidth <= node.clientWidth")
    # JupyterLab gives the notebook the focus once more when its kernel is there.
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()
    runs.get_by_role("button", name="Backfill").focus()
    # Filter and backfill come after the grid, which is one stop.
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    expect(runs.get_by_role("columnheader", name=re.compile("^Run, Completed")).last).to_be_focused()
    expect(runs.get_by_role("tooltip")).to_contain_text("day")
    for key in ("ArrowLeft", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    expect(square(runs, "mean", "Completed").nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    detail = runs.get_by_role("region", name="Step mean")
    expect(detail).to_contain_text("day")
    assert panel.evaluate("node => node.scrollWidth <= node.clientWidth")
    page.keyboard.press("Escape")
    expect(detail).to_be_hidden()


def test_the_page_of_a_run_is_linked_to(serviced_lab, page):
    serviced_lab.write("page.ipynb", *CHAIN)
    serviced_lab.run("page.ipynb", parameters={"day": "Monday"})
    run = serviced_lab.run("page.ipynb", parameters={"day": "Tuesday", "missing": "nowhere.txt"})
    page.goto(f"{serviced_lab.url}/lab/workspaces/page?reset&pipeline-run={run['id']}")
    content = page.locator(".jp-Pipelines-page")
    expect(content.get_by_role("heading", name="Run of page.ipynb")).to_be_visible()
    # What failed is looked at first.
    expect(content.get_by_role("button", name=re.compile("^mean, Failed"))).to_have_attribute("aria-pressed", "true")
    expect(content.locator(".jp-Pipelines-traceback")).to_contain_text("No such file or directory")
    expect(content.locator(".jp-Pipelines-traceback .ansi-red-fg, .jp-Pipelines-traceback span").first).to_be_visible()
    changes = content.locator(".jp-Pipelines-changes")
    expect(changes).to_contain_text("Monday")
    expect(changes).to_contain_text("Tuesday")
    expect(content.locator(".jp-Pipelines-logLines")).to_contain_text("loaded Tuesday")
    page.keyboard.press("Tab")
    content.get_by_role("button", name=re.compile("^mean, Failed")).focus()
    page.keyboard.press("ArrowUp")
    expect(content.get_by_role("region", name="load")).to_contain_text("[1, 2, 3]")
    content.get_by_role("button", name="Open the executed notebook").click()
    expect(page.locator(".jp-Notebook:visible")).to_contain_text("loaded Tuesday")
    expect(page.get_by_text("notebook is read-only")).to_be_visible()


def test_a_backfill_is_tried_dry_then_started_paused_and_gone_on_with(serviced_lab, page):
    path = serviced_lab.write("many.ipynb", *CHAIN)
    panel = serviced_lab.open(page, path)
    runs_of(panel).get_by_role("button", name="Backfill").click()
    wizard = page.locator(".jp-Pipelines-page")
    preview = wizard.get_by_role("region", name="What it would do")
    expect(preview).to_contain_text("7 windows · 7 runs")
    last = date.today() - timedelta(days=1)
    wizard.get_by_label("From").fill(str(last + timedelta(days=1)))
    expect(wizard.get_by_role("alert").filter(has_text="before the beginning")).to_be_visible()
    wizard.get_by_label("From").fill(str(last - timedelta(days=2)))
    day = wizard.locator("[data-parameter=day]")
    day.get_by_role("combobox").select_option(label="an expression…")
    day.get_by_label("Expression for day").fill("{{ nonsense }}")
    expect(wizard.get_by_role("alert").filter(has_text="there is no 'nonsense'").first).to_be_visible()
    day.get_by_role("combobox").select_option(label="first day of the window")
    expect(preview).to_contain_text("3 windows · 3 runs")
    expect(preview).to_contain_text(f'day="{last}"')
    # What was filled in outlives the tab.
    execute(page, "application:close")
    expect(wizard).to_be_hidden()
    execute(page, "jupyter-pipelines:backfill", path="many.ipynb")
    expect(day.get_by_role("combobox")).to_have_value("{{ interval_start.date() }}")

    wizard.get_by_role("button", name="Run 3 windows").click()
    wizard.get_by_role("button", name="Pause").click()
    wizard.get_by_role("button", name="Go on").click()
    expect(wizard.get_by_text("Completed").first).to_be_visible()
    expect(wizard).to_contain_text("3 of 3 windows")
    wizard.get_by_role("listitem").first.get_by_role("button").click()
    expect(page.get_by_role("heading", name="Run of many.ipynb")).to_be_visible()

    # In the history it is one thing.
    execute(page, "docmanager:open", path="many.ipynb")
    runs = runs_of(panel)
    column = runs.get_by_role("columnheader", name="Backfill, Completed, 3 of 3 windows")
    expect(runs.get_by_role("columnheader", name=re.compile("^(Run|Backfill), "))).to_have_count(1)
    column.click()
    expect(runs.get_by_role("region", name="The backfill").get_by_role("listitem")).to_have_count(3)


def test_a_moved_notebook_is_found_again(serviced_lab, page):
    path = serviced_lab.write("moved.ipynb", *CHAIN)
    serviced_lab.run(path.name)
    folder = serviced_lab.root / "elsewhere"
    folder.mkdir()
    path.rename(folder / path.name)
    page.goto(f"{serviced_lab.url}/lab/workspaces/moved/tree/elsewhere/moved.ipynb?reset")
    expect(page.locator(".jp-Notebook .jp-Cell").first).to_be_visible()
    execute(page, "jupyter-pipelines:show-panel")
    panel = page.locator(".jp-Pipelines-panel")
    expect(panel).to_contain_text("moved.ipynb is on record, and is no longer there")
    panel.get_by_role("button", name="Relink").click()
    expect(square(runs_of(panel), "report", "Completed")).to_be_visible()


def test_all_pipelines_are_listed_found_and_run(serviced_lab, page):
    serviced_lab.write("listed.ipynb", *CHAIN)
    serviced_lab.run("listed.ipynb", parameters={"missing": "nowhere.txt"})
    page.goto(f"{serviced_lab.url}/lab/workspaces/pipelines?reset")
    page.wait_for_function("window.jupyterapp?.commands.hasCommand('jupyter-pipelines:open-pipelines')")
    execute(page, "jupyter-pipelines:open-pipelines")
    table = page.get_by_role("table", name="Pipelines")
    page.get_by_role("searchbox", name="Find pipelines").fill("listed")
    row = table.get_by_role("row", name=re.compile("listed"))
    expect(row).to_contain_text("Failing")
    expect(row.get_by_role("img", name="Last runs, the newest last: Failed")).to_be_visible()
    row.get_by_role("button", name="Run listed.ipynb now").click()
    expect(row).to_contain_text("Not published")
    expect(row.get_by_role("img", name="Last runs, the newest last: Failed, Completed")).to_be_visible()
    row.get_by_role("button", name="listed", exact=True).click()
    expect(page.locator(".jp-Notebook:visible")).to_contain_text("numbers")
    expect(square(runs_of(page.locator(".jp-Pipelines-panel")), "report", "Completed")).to_be_visible()
    page.get_by_role("tab", name="Pipelines", exact=True).first.click()
    page.get_by_role("searchbox", name="Find pipelines").fill("nothing is called like this")
    page.get_by_role("button", name="Show all").click()
    expect(row).to_be_visible()


def test_thousands_of_pipelines_are_a_few_rows(lab, page):
    many = [
        {
            "notebook": f"team-{number % 17}/report-{number}.ipynb",
            "name": f"report-{number}",
            "state": "failing" if number % 2 else "paused",
            "owner": "ada",
            "version": None,
            "last_runs": [],
            "next": None,
            "schedules": 0,
            "triggers": 0,
            "missing": False,
            "problem": "",
        }
        for number in range(5000)
    ]
    page.route(re.compile(r"/api/pipelines"), lambda route: route.fulfill(json={"pipelines": many, "next": None}))
    page.goto(f"{lab.url}/lab/workspaces/thousands?reset")
    page.wait_for_function("window.jupyterapp?.commands.hasCommand('jupyter-pipelines:open-pipelines')")
    execute(page, "jupyter-pipelines:open-pipelines")
    content = page.locator(".jp-Pipelines-all")
    content.get_by_role("combobox", name="State").select_option("failing")
    expect(content.get_by_text("2500 of 5000")).to_be_visible()
    frame = content.locator(".jp-Pipelines-tableFrame")
    frame.evaluate("node => { node.scrollTop = node.scrollHeight }")
    expect(content.get_by_role("row").last).to_be_visible()
    expect(content.locator("tbody tr").last).to_have_attribute("aria-rowindex", "2501")
    assert content.locator("tbody tr").count() < 80
    for width in (700, 560):  # the file browser takes its part of them
        page.set_viewport_size({"width": width, "height": 600})
        page.wait_for_function(
            "limit => { const { clientWidth, scrollWidth } = document.querySelector('.jp-Pipelines-tableFrame');"
            " return clientWidth < limit && scrollWidth <= clientWidth }",
            arg=width,
        )
