"""Schedules, triggers and alerts in the panel, as their users meet them."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import Lab

CELLS = (
    ("parameters", "day: str = '2027-01-01'\nlimit: int = 10"),
    ("step:load", "data = list(range(limit))"),
    ("step:report", "print(day, sum(data))"),
)
_NAMES = count(1)


@pytest.fixture
def notebook(serviced_lab: Lab) -> Path:
    """A notebook of the test's own."""
    return serviced_lab.write(f"plan-{next(_NAMES)}.ipynb", *CELLS)


@pytest.fixture
def hook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The address of a web server, and what it has been sent."""
    sent: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/secret-hook", sent
    server.shutdown()


def schedules(lab: Lab, notebook: Path) -> list[Any]:
    return list(lab.ask("GET", f"schedules?notebook={notebook.name}")["schedules"])


def triggers(lab: Lab, notebook: Path) -> list[Any]:
    return list(lab.ask("GET", f"triggers?notebook={notebook.name}")["triggers"])


def open_section(lab: Lab, page: Page, notebook: Path) -> Locator:
    section = lab.open(page, notebook).locator("[data-section=schedules]")
    expect(section.get_by_role("button", name="Schedule", exact=True)).to_be_visible()
    return section


def begin(section: Locator) -> Locator:
    section.get_by_role("button", name="Schedule", exact=True).click()
    return section.get_by_role("form")


def save(form: Locator) -> None:
    form.get_by_role("button", name="Save").click()
    expect(form).to_have_count(0)


def test_the_first_schedule_takes_three_clicks(serviced_lab: Lab, page: Page, notebook: Path) -> None:
    section = open_section(serviced_lab, page, notebook)
    expect(section).to_contain_text("No schedule yet")
    section.get_by_role("button", name="Every day at 07:00").click()
    form = section.get_by_role("form", name="New schedule")
    expect(form.get_by_role("region", name="Next runs").get_by_role("listitem")).to_have_count(5)
    expect(form).to_contain_text("publishes the notebook as its first version")
    expect(form.get_by_role("button", name="Save")).to_be_in_viewport(ratio=1)
    save(form)
    card = section.locator(".jp-Pipelines-card")
    expect(card).to_contain_text("Every day at 07:00")
    expect(card).to_contain_text("published version (v1)")
    expect(section.get_by_role("status")).to_contain_text("It runs next on")
    (made,) = schedules(serviced_lab, notebook)
    assert (made["schedule"]["cron"], made["version"]) == ("0 7 * * *", "published")


def test_schedules_and_triggers_of_each_kind(serviced_lab: Lab, page: Page, notebook: Path) -> None:
    other = serviced_lab.write("upstream.ipynb", ("step:one", "x = 1"))
    section = open_section(serviced_lab, page, notebook)
    cards = section.locator(".jp-Pipelines-card")

    form = begin(section)
    form.get_by_label("Every", exact=True).select_option(label="week")
    form.get_by_label("Friday").check()
    save(form)
    expect(cards).to_have_count(1)
    expect(cards).to_contain_text("Every Monday and Friday at 07:00")

    form = begin(section)
    form.get_by_role("radio", name="Cron").check()
    form.get_by_label("Cron expression").fill("first monday at 9:00")
    expect(form).to_contain_text("the first Monday at 09:00")
    save(form)
    expect(cards).to_have_count(2)

    form = begin(section)
    form.get_by_role("radio", name="Interval").check()
    form.get_by_label("Every", exact=True).fill("90")
    form.get_by_label("Unit").select_option(label="minutes")
    save(form)
    expect(cards).to_have_count(3)

    form = begin(section)
    form.get_by_role("radio", name="After").check()
    form.get_by_label("After runs of").fill(other.name)
    form.get_by_label("After runs of").press("Enter")
    form.get_by_label("That have").select_option(label="failed")
    save(form)
    expect(cards.last).to_contain_text("After upstream.ipynb failed")

    form = begin(section)
    form.get_by_role("radio", name="Event").check()
    form.get_by_label("Files").fill("incoming/*.csv")
    save(form)
    expect(cards).to_have_count(5)

    specs = [one["schedule"] for one in schedules(serviced_lab, notebook)]
    assert {spec.get("cron") or spec.get("interval") or spec.get("rrule") for spec in specs} == {
        "0 7 * * 1,5",
        "1h30m",
        "FREQ=MONTHLY;BYDAY=1MO;BYHOUR=9;BYMINUTE=0",
    }
    causes = [one["cause"] for one in triggers(serviced_lab, notebook)]
    assert sorted(str(cause.get("pipelines") or cause.get("pattern")) for cause in causes) == [
        "['upstream.ipynb']",
        "incoming/*.csv",
    ]


def test_a_token_is_shown_once(serviced_lab: Lab, page: Page, notebook: Path) -> None:
    section = open_section(serviced_lab, page, notebook)
    form = begin(section)
    form.get_by_role("radio", name="Event").check()
    form.get_by_label("When", exact=True).select_option(label="somebody asks by a token")
    save(form)
    shown = section.get_by_label("Command that sets it off")
    (made,) = triggers(serviced_lab, notebook)
    expect(shown).to_have_value(re.compile(rf"jpt_{made['id']}_\w+.*triggers/{made['id']}"))
    section.get_by_role("button", name="Close").click()
    expect(shown).to_have_count(0)


def test_surprises_of_daylight_saving_are_pointed_out_before_saving(
    serviced_lab: Lab, page: Page, notebook: Path
) -> None:
    section = open_section(serviced_lab, page, notebook)
    form = begin(section)
    form.get_by_label("At", exact=True).fill("02:30")
    form.get_by_label("Time zone").fill("Europe/Paris")
    form.locator("summary", has_text="Start, end").click()
    form.get_by_label("Starts", exact=True).fill("2027-03-27T00:00")
    runs = form.get_by_role("region", name="Next runs")
    second = runs.get_by_role("listitem").nth(1)
    expect(second).to_contain_text("02:30 does not exist on 2027-03-28: runs at 03:00")
    form.get_by_label("Starts", exact=True).fill("2027-10-30T00:00")
    expect(second).to_contain_text("02:30 comes twice on 2027-10-31: runs the first time")
    # Noon is never moved: nothing is said that needs no attention.
    form.get_by_label("At", exact=True).fill("12:00")
    expect(runs).to_contain_text("Daylight saving changes nothing")
    expect(runs.locator(".jp-Pipelines-surprise")).to_have_count(0)


def test_data_windows_are_shown_with_their_dates(serviced_lab: Lab, page: Page, notebook: Path) -> None:
    section = open_section(serviced_lab, page, notebook)
    form = begin(section)
    form.get_by_label("Time zone").fill("UTC")
    form.locator("summary", has_text="Start, end").click()
    form.get_by_label("Starts", exact=True).fill("2027-03-02T00:00")
    form.locator("summary", has_text="Parameters").click()
    day = form.locator("[data-parameter=day]")
    day.get_by_role("button", name="Let day follow the run").click()
    expect(form.get_by_label("Each run works on")).to_have_value("day")
    expect(day).to_contain_text("The next runs: 2027-03-01, 2027-03-02, 2027-03-03")
    first = form.get_by_role("region", name="Next runs").get_by_role("listitem").first
    expect(first).to_contain_text("day = 2027-03-01")
    day.get_by_role("combobox").select_option(label="an expression…")
    expression = day.get_by_label("Expression for day")
    expression.fill("{{ nonsense }}")
    expect(expression).to_have_attribute("aria-invalid", "true")
    expect(day).to_contain_text("there is no 'nonsense'")
    expect(first).to_contain_text("day = 2027-03-01")
    day.get_by_role("combobox").select_option(label="day after the window")
    expect(first).to_contain_text("day = 2027-03-02")
    save(form)
    (made,) = schedules(serviced_lab, notebook)
    assert (made["schedule"]["window"], made["schedule"]["parameters"]) == (
        "day",
        {"day": "{{ interval_end.date() }}"},
    )


def test_what_is_wrong_is_said_at_its_field(serviced_lab: Lab, page: Page, notebook: Path) -> None:
    section = open_section(serviced_lab, page, notebook)
    form = begin(section)
    form.get_by_role("radio", name="Cron").check()
    cron = form.get_by_label("Cron expression")
    cron.fill("0 99 * * *")
    expect(form.get_by_role("alert").filter(has_text="its hour, '99', is none")).to_be_visible()
    expect(cron).to_have_attribute("aria-invalid", "true")
    form.get_by_role("button", name="Save").click()
    expect(cron).to_be_focused()
    cron.fill("0 9 * * *")
    expect(form).to_contain_text("At 09:00")
    form.locator("summary", has_text="Parameters").click()
    limit = form.locator("[data-parameter=limit] input")
    limit.fill("many")
    expect(form.get_by_role("alert").filter(has_text="whole number")).to_be_visible()
    expect(limit).to_have_attribute("aria-invalid", "true")
    form.get_by_role("button", name="Save").click()
    expect(limit).to_be_focused()
    limit.fill("5")
    save(form)
    (made,) = schedules(serviced_lab, notebook)
    assert made["schedule"]["parameters"] == {"limit": 5}


def test_a_schedule_is_changed_paused_removed_and_had_back(serviced_lab: Lab, page: Page, notebook: Path) -> None:
    when = {"cron": "0 6 * * *", "zone": "Europe/Paris", "missed": "all", "parameters": {"limit": 3}}
    made = serviced_lab.ask("POST", "schedules", notebook=notebook.name, when=when)
    section = open_section(serviced_lab, page, notebook)
    card = section.locator(".jp-Pipelines-card")
    expect(card).to_contain_text("all missed runs are made up for")

    card.get_by_role("button", name="Change").click()
    form = section.get_by_role("form", name="Change the schedule")
    form.get_by_label("At", exact=True).fill("06:30")
    save(form)
    expect(card).to_contain_text("Every day at 06:30")
    (changed,) = schedules(serviced_lab, notebook)
    assert (changed["id"], changed["schedule"]["missed"]) == (made["id"], "all")

    card.get_by_role("switch").click()
    expect(card).to_contain_text("Paused")
    assert schedules(serviced_lab, notebook)[0]["paused"]
    card.get_by_role("switch").click()
    expect(card).to_contain_text("Next")

    card.get_by_role("button", name="Run now").click()
    expect(section.get_by_role("status")).to_contain_text("Started a run")
    (run,) = serviced_lab.ask("GET", f"runs?notebook={notebook.name}")["runs"]
    assert run["parameters"]["limit"] == 3

    card.get_by_role("button", name="Remove").click()
    expect(card).to_have_count(0)
    assert schedules(serviced_lab, notebook) == []
    section.get_by_role("button", name="Undo").click()
    expect(card).to_contain_text("Every day at 06:30")
    (back,) = schedules(serviced_lab, notebook)
    assert back["schedule"] == changed["schedule"]


def test_what_is_written_is_not_lost(serviced_lab: Lab, page: Page, notebook: Path) -> None:
    other = serviced_lab.write("elsewhere.ipynb", *CELLS)
    section = open_section(serviced_lab, page, notebook)
    form = begin(section)
    form.get_by_role("radio", name="Cron").check()
    form.get_by_label("Cron expression").fill("15 8 * * *")

    page.evaluate(f"() => void window.jupyterapp.commands.execute('docmanager:open', {{path: '{other.name}'}})")
    expect(page.locator(".jp-Pipelines-panel h2")).to_have_text(other.name)
    expect(form).to_have_count(0)
    page.evaluate(f"() => void window.jupyterapp.commands.execute('docmanager:open', {{path: '{notebook.name}'}})")
    expect(form.get_by_label("Cron expression")).to_have_value("15 8 * * *")

    show = "window.jupyterapp.commands.execute('jupyter-pipelines:show-panel')"
    page.evaluate(show)
    expect(form).to_have_count(0)
    page.evaluate(show)
    expect(form.get_by_label("Cron expression")).to_have_value("15 8 * * *")


def test_what_is_written_outlives_a_reload(serviced_lab: Lab, page: Page, notebook: Path) -> None:
    section = open_section(serviced_lab, page, notebook)
    form = begin(section)
    form.get_by_role("radio", name="Cron").check()
    # Written down a moment after the last key.
    with page.expect_response(
        lambda answer: "/api/workspaces/" in answer.url and "15 8 * * *" in (answer.request.post_data or "")
    ):
        form.get_by_label("Cron expression").fill("15 8 * * *")
    page.goto(f"{serviced_lab.url}/lab/workspaces/{notebook.stem}")
    expect(page.locator(".jp-Notebook:visible .jp-Cell").first).to_be_visible()
    page.evaluate(f"window.jupyterapp.commands.execute('jupyter-pipelines:schedule', {{path: '{notebook.name}'}})")
    expect(form.get_by_label("Cron expression")).to_have_value("15 8 * * *")


def test_by_the_keyboard_alone(serviced_lab: Lab, page: Page, notebook: Path) -> None:
    section = open_section(serviced_lab, page, notebook)
    page.evaluate("window.jupyterapp.commands.execute('jupyter-pipelines:schedule')")
    every = section.get_by_label("Every", exact=True)
    expect(every).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowRight")
    cron = section.get_by_label("Cron expression")
    expect(cron).to_be_visible()
    page.keyboard.press("Tab")
    expect(cron).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("45 5 * * *")
    page.keyboard.press("Enter")
    card = section.locator(".jp-Pipelines-card")
    expect(card).to_contain_text("Every day at 05:45")
    card.get_by_role("switch").focus()
    page.keyboard.press("Space")
    expect(card).to_contain_text("Paused")


def test_an_alert_is_tried_kept_and_had_back(
    serviced_lab: Lab, page: Page, notebook: Path, hook: tuple[str, list[dict[str, Any]]]
) -> None:
    address, sent = hook
    panel = serviced_lab.open(page, notebook)
    section = panel.locator("[data-section=reliability]")
    section.locator("summary").first.click()
    section.get_by_role("button", name="Alert", exact=True).click()
    form = section.get_by_role("form", name="New alert")
    form.get_by_role("radio", name="Webhook").check()
    form.get_by_role("button", name="Send test").click()
    expect(form).to_contain_text("This is needed.")
    form.get_by_label("Address").fill("http://127.0.0.1:9/")
    form.get_by_role("button", name="Send test").click()
    expect(form).to_contain_text("The test was not taken: 127.0.0.1:9")
    expect(form).to_contain_text("check host and port")
    form.get_by_label("Address").fill(address)
    form.get_by_role("button", name="Send test").click()
    expect(form).to_contain_text("The test was delivered.")
    assert [one["event"] for one in sent] == ["test"]
    form.get_by_label("it works again").uncheck()
    form.get_by_role("button", name="Save").click()
    card = section.locator(".jp-Pipelines-card")
    expect(card).to_contain_text("when it fails or is late")
    expect(section).not_to_contain_text("secret-hook")
    expect(section.locator("summary").first).to_contain_text("1 alert")

    card.get_by_role("button", name="Remove").click()
    expect(card).to_have_count(0)
    section.get_by_role("button", name="Undo").click()
    card.get_by_role("button", name="Send test").click()
    expect(card).to_contain_text("The test was delivered.")
    assert len(sent) == 2


def test_retries_are_kept_in_the_notebook_and_limits_on_the_server(
    serviced_lab: Lab, page: Page, notebook: Path
) -> None:
    panel = serviced_lab.open(page, notebook)
    section = panel.locator("[data-section=reliability]")
    section.locator("summary").first.click()
    section.locator("summary", has_text="Retries").click()
    section.get_by_label("Retries of a step").fill("2")
    delay = section.get_by_label("Wait before a retry")
    delay.fill("soon")
    delay.press("Enter")
    expect(section).to_contain_text("Write a duration such as 10s")
    delay.fill("5s")
    delay.press("Enter")
    options = page.evaluate("window.jupyterapp.shell.currentWidget.content.model.getMetadata('pipeline')")
    assert options == {"retries": 2, "retry_delay": "5s"}
    expect(section.locator("summary").first).to_contain_text("retries 2")
    page.locator(".jp-Notebook .jp-Cell .jp-InputPrompt").first.click()
    page.keyboard.press("z")
    expect(delay).to_have_value("")
    page.keyboard.press("Shift+Z")
    expect(delay).to_have_value("5s")

    section.locator("summary", has_text="Runs at once").click()
    section.get_by_label("Runs at once").fill("1")
    section.get_by_role("button", name="Set").click()
    section.locator("summary", has_text="How long").click()
    section.get_by_label("Keep runs for days").fill("30")
    section.get_by_role("button", name="Set").click()
    expect(section.get_by_role("button", name="Set")).to_have_count(0)
    (limit,) = [one for one in serviced_lab.ask("GET", "limits")["limits"] if one["name"] == notebook.name]
    assert limit["slots"] == 1
    assert serviced_lab.ask("GET", f"retention?notebook={notebook.name}")["keep_days"] == 30


def test_nothing_is_cut_off_in_a_narrow_dark_panel(serviced_lab: Lab, page: Page, notebook: Path) -> None:
    section = open_section(serviced_lab, page, notebook)
    panel = page.locator(".jp-Pipelines-panel")
    box = panel.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] - 2, 400)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 282, 400, steps=3)
    page.mouse.up()
    expect(panel).to_have_css("width", re.compile(r"^(27|28)\d"))
    page.evaluate("window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    form = begin(section)
    form.get_by_label("Every", exact=True).select_option(label="month")
    for way in ("Simple", "Cron", "Interval", "After", "Event"):
        form.get_by_role("radio", name=way).check()
        assert panel.evaluate("node => node.scrollWidth <= node.clientWidth"), way
        cut = form.evaluate(
            "form => [...form.querySelectorAll('button, label, h4, h5, p')]"
            ".filter(node => node.scrollWidth > node.clientWidth + 1).map(node => node.textContent)"
        )
        assert cut == [], way
