"""What is published, what is not yet, and the history of versions."""

from __future__ import annotations

from playwright.sync_api import Page, expect

CELLS = (
    ("setup", "import statistics"),
    ("step:load", "numbers = [1, 2, 3]"),
    ("step:mean", "statistics.mean(numbers)"),
)


def test_a_change_is_seen_reviewed_and_published(page: Page, serviced_lab) -> None:
    notebook = serviced_lab.write("reviewed.ipynb", *CELLS)
    first = serviced_lab.ask("POST", "versions", notebook="reviewed.ipynb", message="as agreed")
    panel = serviced_lab.open(page, notebook)
    bar = panel.locator(".jp-Pipelines-publishBar")
    expect(panel.get_by_role("region", name="Schedules")).to_be_visible()
    expect(bar).to_have_count(0)

    page.locator(".jp-Notebook .jp-Cell").nth(2).locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" * 2")
    expect(bar).to_contain_text("1 unpublished change")

    bar.get_by_role("button", name="Review").click()
    review = page.locator(".jp-Pipelines-reviewPage")
    expect(review.locator("[data-kind=removed]")).to_contain_text("statistics.mean(numbers)")
    expect(review.locator("div[data-kind=added]")).to_contain_text("statistics.mean(numbers) * 2")
    review.get_by_label("What has changed").fill("twice the mean")
    review.get_by_role("button", name="Publish", exact=True).click()
    expect(review.get_by_role("button", name="twice the mean")).to_contain_text("published")
    expect(review.get_by_text("As published")).to_be_visible()

    review.get_by_role("button", name="as agreed").click()
    review.get_by_role("button", name="Publish v1 again").click()
    expect(review.get_by_role("button", name="The notebook now")).to_contain_text("1 unpublished change")
    versions = serviced_lab.ask("GET", "versions?notebook=reviewed.ipynb")["versions"]
    assert [version["id"] for version in versions if version["published"]] == [first["id"]]


def test_publishing_saves_first(page: Page, serviced_lab) -> None:
    notebook = serviced_lab.write("saved_first.ipynb", *CELLS)
    serviced_lab.ask("POST", "versions", notebook="saved_first.ipynb")
    panel = serviced_lab.open(page, notebook)
    page.locator(".jp-Notebook .jp-Cell").nth(1).locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" + [4]")
    bar = panel.locator(".jp-Pipelines-publishBar")
    bar.get_by_role("button", name="Publish", exact=True).click()
    expect(bar).to_have_count(0)
    assert "+ [4]" in notebook.read_text()
    assert len(serviced_lab.ask("GET", "versions?notebook=saved_first.ipynb")["versions"]) == 2
