"""Runs as widgets, in a notebook: followed while they go on, chosen, compared, cancelled."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Lab

STEPS = (
    ("parameters", "seed: int = 1\npause: float = 0.0"),
    ("step:load", "import time\ndata = list(range(10))\ntime.sleep(pause)"),
    ("step:fit", "model = sum(data) * seed\nif seed == 13:\n    raise ValueError('<b>unlucky</b>')"),
)


def _open(lab: Lab, page: Page, name: str, *sources: str) -> Locator:
    """A notebook that looks at the runs of the pipeline; all its cells are run."""
    path = lab.write(name, ("", "%load_ext jupyter_pipelines"), *(("", source) for source in sources))
    page.goto(f"{lab.url}/lab/workspaces/{path.stem}/tree/{path.name}?reset")
    expect(page.locator(".jp-Notebook .jp-Cell").first).to_be_visible()
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    return page.locator(".jp-Notebook")


def test_history_is_chosen_and_compared(serviced_lab: Lab, page: Page) -> None:
    serviced_lab.write("numbers.ipynb", *STEPS)
    serviced_lab.run("numbers.ipynb")
    serviced_lab.run("numbers.ipynb", parameters={"seed": 13})
    notebook = _open(
        serviced_lab,
        page,
        "looking.ipynb",
        "%pipeline history --notebook numbers.ipynb",
        "%pipeline trend fit.duration --notebook numbers.ipynb",
    )
    history = notebook.locator(".jp-OutputArea-output", has=page.get_by_role("button", name="Compare"))
    expect(history.locator("tbody tr")).to_have_count(2)
    expect(history.get_by_text("1–2 of 2")).to_be_visible()
    # Arrows in the colour of the text, which follows the theme.
    expect(history.locator("select").first).to_have_css("background-image", re.compile("^linear-gradient"))
    history.get_by_role("button", name="Compare").click()
    expect(history.get_by_role("heading", name="Parameters")).to_be_visible()
    expect(history.get_by_role("heading", name="Notebook")).to_be_visible()
    history.locator("select").first.select_option("failed")
    expect(history.get_by_text("1–1 of 1")).to_be_visible()
    history.get_by_placeholder("parameter=value").fill("seed=14")
    history.get_by_placeholder("parameter=value").press("Enter")
    expect(history.get_by_text("No run on record fits.")).to_be_visible()
    trend = notebook.locator(".jp-OutputArea-output", has=page.locator("svg[role=img]")).last
    expect(trend.get_by_role("img", name=re.compile("fit.duration over 2 runs"))).to_be_visible()

    # Without the kernel that made it the output is what a reader sees: no dead buttons, no "model not found".
    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    kept = notebook.locator(".jp-OutputArea-output", has=page.locator("tbody tr"))
    expect(page.get_by_role("button", name="Compare")).to_have_count(0)
    expect(kept.locator("tbody tr")).to_have_count(2)
    page.reload()
    expect(kept.locator("tbody tr")).to_have_count(2)
    expect(page.get_by_text("model not found")).to_have_count(0)


def test_a_run_is_followed_and_cancelled(serviced_lab: Lab, page: Page) -> None:
    serviced_lab.write("slow_widgets.ipynb", *STEPS)
    notebook = _open(serviced_lab, page, "following.ipynb", "%pipeline run -p pause=120 --notebook slow_widgets.ipynb")
    output = notebook.locator(".jp-OutputArea-output").last
    expect(output.get_by_role("img", name=re.compile("load running"))).to_be_visible()
    output.get_by_role("button", name="Log").click()
    expect(output.locator("pre")).to_contain_text("Step load started")
    output.get_by_role("button", name="Cancel").click()
    expect(output.locator("strong + .cancelled")).to_be_visible()
    expect(output.get_by_role("button", name="Cancel")).to_have_count(0)
