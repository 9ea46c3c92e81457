"""The tables of the warehouse in JupyterLab's left sidebar, and mistakes in SQL about them."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from .conftest import Lab

SHOW = "window.jupyterapp.commands.execute('jupyter-pipelines:show-warehouse')"


def test_tables_are_browsed_and_their_names_taken(serviced_lab: Lab, page: Page) -> None:
    notebook = serviced_lab.write(
        "tables.ipynb",
        ("setup", "%load_ext jupyter_pipelines"),
        ("step:daily", '%%sql --table mart.daily\nselect i as day, i * 10 as "A note" from range(3) t(i)'),
        ("step:check", "%%check mart.daily\nday: unique"),
        ("skip", "%%sql\nselect * from "),
        ("step:look", "%%sql\nselect day from mart.daily"),
    )
    serviced_lab.open(page, notebook)
    page.evaluate(SHOW)
    warehouse = page.get_by_role("region", name="Warehouse", exact=True)
    expect(warehouse).to_contain_text("There are no tables yet")

    assert serviced_lab.run(notebook.name)["state"] == "completed"
    table = warehouse.get_by_role("button", name="daily", exact=False).first
    expect(table).to_contain_text("3 rows")
    table.click()
    expect(warehouse.get_by_role("list", name="Columns of daily").get_by_role("listitem")).to_have_text(
        ["daybigint", "A notebigint"]
    )
    expect(warehouse.get_by_role("region", name="First rows of daily").locator("tbody tr").last).to_have_text("220")
    expect(warehouse).to_contain_text("1 check passed")
    expect(warehouse.get_by_role("button", name="tables.ipynb")).to_be_visible()

    editor = page.locator(".jp-Notebook .jp-CodeCell").nth(3).locator(".cm-content")
    editor.click()
    page.keyboard.press("Control+End")
    warehouse.get_by_role("button", name="Insert mart.daily into the cell").focus()
    page.keyboard.press("Enter")
    expect(editor).to_contain_text("select * from mart.daily")
    warehouse.locator("[draggable]", has_text="A note").first.drag_to(editor)
    expect(editor).to_contain_text('"A note"')

    look = page.locator(".jp-Notebook .jp-CodeCell").nth(4)
    look.locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" where dya > 1")
    problems = look.get_by_role("list", name="Problems of this cell")
    expect(problems).to_contain_text('referenced column "dya" not found')
    problems.get_by_role("button", name="Write “day”").click()
    expect(look.locator(".cm-content")).to_contain_text("where day > 1")
    expect(problems).to_have_count(0)

    find = warehouse.get_by_label("Find tables")
    find.fill("nowhere")
    expect(warehouse).to_contain_text("No table is called so")
