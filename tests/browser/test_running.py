"""Running a notebook from JupyterLab, as its users meet it: from the panel, the toolbar and the keyboard."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, Route, expect

CHAIN = (
    ("parameters", "size: int = 3  # how many numbers\nverbose: bool = False"),
    ("step:load", "numbers = list(range(size))"),
    ("step:total", "total = sum(numbers)"),
    ("step:report", "print(total, verbose)"),
)


def execute(page: Page, command: str, **arguments: object) -> None:
    page.evaluate("([id, args]) => window.jupyterapp.commands.execute(id, args)", [command, arguments])


def last_run(panel: Locator, state: str) -> Locator:
    return panel.locator(f".jp-Pipelines-lastRun[data-state={state}]")


def state_of(panel: Locator, step: str) -> Locator:
    return panel.locator(f".jp-Pipelines-box[data-step={step}]")


def field(panel: Locator, name: str) -> Locator:
    return panel.locator(f"[data-parameter={name}]")


def test_run_fail_go_to_the_cell_fix_and_resume(serviced_lab, page):
    path = serviced_lab.write("fails.ipynb", *CHAIN[:2], ("step:total", "total = sum(numbers) / 0"), CHAIN[3])
    panel = serviced_lab.open(page, path)
    panel.get_by_role("button", name="Run now").click()
    expect(last_run(panel, "failed")).to_contain_text("Failed in total")
    expect(last_run(panel, "failed")).to_contain_text("ZeroDivisionError: division by zero")
    expect(state_of(panel, "load")).to_have_attribute("data-state", "completed")
    expect(state_of(panel, "total")).to_have_attribute("data-state", "failed")
    expect(panel.locator(".jp-Pipelines-state")).to_have_text("Failing")
    # The toolbar says the same.
    expect(page.get_by_role("button", name="Pipeline: Failing")).to_be_visible()

    last_run(panel, "failed").get_by_role("button", name="Go to cell 3").click()
    active = page.locator(".jp-Notebook .jp-Cell.jp-mod-active")
    expect(active).to_contain_text("/ 0")
    active.locator(".cm-content").click()
    page.keyboard.press("Control+End")
    for _ in range(4):
        page.keyboard.press("Backspace")
    last_run(panel, "failed").get_by_role("button", name="Resume").click()
    expect(last_run(panel, "completed")).to_be_visible()
    # The notebook was saved first; what had succeeded was taken over.
    assert "/ 0" not in path.read_text()
    expect(state_of(panel, "load")).to_have_attribute("data-state", "reused")
    expect(state_of(panel, "report")).to_have_attribute("data-state", "completed")


def test_parameters_are_typed_kept_and_used(serviced_lab, page):
    path = serviced_lab.write("given.ipynb", *CHAIN)
    panel = serviced_lab.open(page, path)
    size = field(panel, "size").locator("input")
    expect(size).to_have_value("3")
    size.fill("many")
    expect(field(panel, "size").get_by_role("alert")).to_contain_text("whole number")
    page.get_by_role("button", name="Run pipeline", exact=True).click()
    expect(panel).to_contain_text("The value of size is not right")
    size.fill("5")
    field(panel, "verbose").get_by_role("switch").click()
    expect(panel.locator("[data-section=parameters]")).to_contain_text("2 changed")
    panel.get_by_role("button", name="Run with these").click()
    expect(last_run(panel, "completed")).to_be_visible()
    runs = serviced_lab.ask("GET", "runs?notebook=given.ipynb")["runs"]
    assert [run["parameters"] for run in runs] == [{"size": 5, "verbose": True}]

    # What was filled in is there after the page was closed; a reset takes it back.
    expect(page.locator(".jp-Pipelines-panel")).to_be_visible()
    page.goto(f"{serviced_lab.url}/lab/workspaces/given/tree/given.ipynb")
    expect(field(panel, "size").locator("input")).to_have_value("5")
    field(panel, "size").get_by_role("button", name="Reset size").click()
    expect(field(panel, "size").locator("input")).to_have_value("3")
    panel.get_by_role("button", name="Reset all").click()
    expect(panel.locator("[data-section=parameters]")).not_to_contain_text("changed")


def test_a_part_of_the_pipeline_from_the_keyboard(serviced_lab, page):
    panel = serviced_lab.open(page, serviced_lab.write("part.ipynb", *CHAIN))
    expect(panel.locator(".jp-Pipelines-box")).to_have_count(3)
    # One stop for the graph; arrow keys lead through it, Enter to the cell.
    panel.locator(".jp-Pipelines-box[tabindex='0']").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".jp-Notebook .jp-Cell.jp-mod-active")).to_contain_text("total = sum")
    page.wait_for_function("document.activeElement.closest('.jp-Notebook') !== null")
    page.keyboard.press("Alt+Shift+U")
    expect(last_run(panel, "completed")).to_be_visible()
    (run,) = serviced_lab.ask("GET", "runs?notebook=part.ipynb")["runs"]
    assert run["until"] == "total"
    expect(state_of(panel, "total")).to_have_attribute("data-state", "completed")

    menu = panel.get_by_role("button", name="More ways to run")
    menu.focus()
    page.keyboard.press("Enter")
    items = page.locator(".lm-Menu-itemLabel")
    expect(items.filter(has_text="Run Only Step total")).to_be_visible()
    expect(items.filter(has_text="Verify against Restart & Run All")).to_be_visible()
    page.keyboard.press("Escape")
    expect(items).to_have_count(0)


def test_a_run_is_cancelled(serviced_lab, page):
    cells = (("step:slow", "import time\ntime.sleep(60)"), ("step:after", "print(1)"))
    panel = serviced_lab.open(page, serviced_lab.write("slow.ipynb", *cells))
    panel.get_by_role("button", name="Run now").click()
    expect(state_of(panel, "slow")).to_have_attribute("data-state", "running")
    expect(page.get_by_role("button", name=re.compile("Pipeline: Running"))).to_be_visible()
    panel.get_by_role("button", name="Cancel run").click()
    expect(last_run(panel, "cancelled")).to_be_visible()
    expect(panel.get_by_role("button", name="Run now")).to_be_enabled()


def test_the_service_is_away_and_comes_back(lab, page):
    """Here nothing runs: the panel says what that means, and what to do."""
    service = {"state": "stopped", "configured": False, "since": 0, "parts": {}}

    def start(route: Route) -> None:
        service.update(state="running", since=1)
        route.fulfill(json=service)

    page.route("**/jupyter-pipelines/api/service?*", lambda route: route.fulfill(json=service))
    page.route("**/jupyter-pipelines/api/service/start*", start)
    panel = lab.open(page, lab.write("away.ipynb", *CHAIN))
    notice = panel.locator(".jp-Pipelines-notice[data-tone=warning]", has_text="The service is not running")
    expect(notice).to_contain_text("Schedules start nothing until it is")
    expect(panel.locator(".jp-Pipelines-state")).to_have_text("Offline")
    status = page.locator(".jp-Pipelines-status")
    expect(status).to_have_attribute("aria-label", "Pipelines: The service is not running")
    status.click()
    details = page.get_by_role("region", name="The service of Jupyter Pipelines")
    details.get_by_role("button", name="Show the log").click()
    expect(details).to_contain_text("The service has never run, so there is no log.")
    details.get_by_role("button", name="Start").click()
    expect(details).to_contain_text("The service is running")
    expect(notice).to_have_count(0)
    expect(panel.locator(".jp-Pipelines-state")).to_have_text("Draft")


def test_a_notebook_without_tags_runs_as_one_step(serviced_lab, page):
    panel = serviced_lab.open(page, serviced_lab.write("one.ipynb", ("", "x = 1"), ("", "print(x)")))
    panel.get_by_role("button", name="Run as one step").click()
    expect(last_run(panel, "completed")).to_be_visible()


def test_scheduled_notebooks_are_marked_in_the_file_browser(serviced_lab, page):
    serviced_lab.write("marked.ipynb", *CHAIN)
    schedule = serviced_lab.ask("POST", "schedules", notebook="marked.ipynb", when="every day at 07:00", timezone="UTC")
    page.goto(f"{serviced_lab.url}/lab/workspaces/marked?reset")
    item = page.locator(".jp-DirListing-item", has_text="marked.ipynb")
    mark = item.locator(".jp-Pipelines-fileMark")
    expect(mark).to_have_attribute("aria-label", re.compile("^Scheduled: .*07:00"))
    item.click(button="right")
    expect(page.locator(".lm-Menu-itemLabel", has_text="Schedule…")).to_be_visible()
    page.keyboard.press("Escape")
    # It follows without being asked.
    serviced_lab.ask("POST", f"schedules/{schedule['id']}/pause")
    expect(mark).to_have_count(0)

    # While no notebook is open, the panel shows all pipelines.
    execute(page, "jupyter-pipelines:show-panel")
    row = page.locator(".jp-Pipelines-list button", has_text="marked.ipynb")
    expect(row).to_be_visible()
    row.click()
    panel = page.locator(".jp-Pipelines-panel")
    expect(panel.get_by_role("heading", name="marked.ipynb")).to_be_visible()
    switch = panel.locator(".jp-Pipelines-pause").get_by_role("switch")
    expect(switch).to_have_attribute("aria-checked", "false")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "true")
    assert not serviced_lab.ask("GET", f"schedules/{schedule['id']}")["paused"]
