"""Running a notebook from JupyterLab, as its users meet it."""

from __future__ import annotations

from playwright.sync_api import expect


def test_a_run_of_the_service_is_on_record(serviced_lab, page):
    serviced_lab.write("once.ipynb", ("step:one", "x = 1"), ("step:two", "print(x)"))
    assert serviced_lab.run("once.ipynb")["state"] == "completed"
    panel = serviced_lab.open(page, serviced_lab.root / "once.ipynb")
    expect(panel).to_contain_text("one")
