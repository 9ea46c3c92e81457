"""What a notebook means, as the panel is told: its steps, steps proposed for it, how findings are put right."""

from __future__ import annotations

import gc

import nbformat
import pytest

from jupyter_pipelines.execution.kernel_side.collecting import without_collecting

# A route that forgets to ask who is there is a failure.
pytestmark = pytest.mark.filterwarnings("error::jupyter_server.serverapp.JupyterServerAuthWarning")


def sent(*cells: tuple[str, str]) -> dict[str, object]:
    """A request with a notebook: each cell is its tags and its source, or ``"#"`` and text."""
    node = nbformat.v4.new_notebook()
    for tags, source in cells:
        if tags == "#":
            node.cells.append(nbformat.v4.new_markdown_cell(source))
        else:
            node.cells.append(nbformat.v4.new_code_cell(source, metadata={"tags": tags.split()} if tags else {}))
    return {"name": "a.ipynb", "notebook": node}


async def test_steps_tell_their_options_and_files(ask):
    body = sent(
        ("step:load", "import pandas as pd\nframe = pd.read_csv('in.csv')"),
        ("step:save after:load", "frame.to_parquet('out/a.parquet')"),
    )
    body["notebook"]["cells"][1]["metadata"]["pipeline"] = {"retries": 2, "timeout": "5m"}
    load, save = (await ask("POST compile", body)).json["steps"]
    assert (load["files_read"], load["files_written"]) == (["in.csv"], [])
    assert (save["files_read"], save["files_written"]) == ([], ["out/a.parquet"])
    assert (save["options"]["retries"], save["options"]["timeout"], save["options"]["after"]) == (2, 300, ["load"])


async def test_steps_tell_the_tables_they_touch(ask):
    body = sent(
        ("setup", "%load_ext jupyter_pipelines"),
        ("step:build", "%%sql --table mart.daily\nselect * from raw.flights"),
        ("step:read", "%%sql\nselect * from mart.daily"),
    )
    found = (await ask("POST compile", body)).json
    build, read = found["steps"]
    assert (build["tables_read"], build["tables_written"]) == (["raw.flights"], ["mart.daily"])
    assert (read["tables_read"], read["tables_written"]) == (["mart.daily"], [])
    assert [(edge["kind"], edge["name"]) for edge in found["edges"]] == [("table", "mart.daily")]


async def test_columns_are_traced(ask):
    body = sent(
        ("setup", "%load_ext jupyter_pipelines"),
        ("step:build", "%%sql --table mart.daily\nselect day, count(*) as n from raw.flights group by day"),
    )
    found = (await ask("POST lineage", body)).json
    [table] = found["tables"]
    assert (table["name"], table["step"], table["cell"], table["reads"]) == ("mart.daily", "build", 2, ["raw.flights"])
    day = {"name": "day", "sources": [{"table": "raw.flights", "column": "day", "certain": True}]}
    assert table["columns"] == [day, {"name": "n", "sources": []}]
    assert [(box["name"], box["rows"]) for box in found["picture"]["boxes"]] == [
        ("raw.flights", ["day"]),
        ("mart.daily", ["day", "n"]),
    ]
    assert (await ask("POST lineage", sent(("step:a", "1")))).json["tables"] == []


async def test_steps_are_proposed(ask):
    body = sent(
        ("", "import math"),
        ("", "limit = 3"),
        ("#", "# Load"),
        ("", "rows = list(range(limit))"),
        ("#", "# Report"),
        ("", "print(math.fsum(rows))"),
    )
    found = (await ask("POST suggest", body)).json
    assert [(cell["cell"], cell["role"], cell["name"]) for cell in found["cells"]] == [
        (1, "setup", ""),
        (2, "parameters", ""),
        (4, "step", "load"),
        (6, "step", "report"),
    ]
    assert all(cell["reason"] for cell in found["cells"])


async def test_where_nothing_is_proposed_it_is_said_why(ask):
    for body, why in (
        (sent(("step:load", "x = 1")), "already names steps: load"),
        (sent(("", "x = (")), "Correct this first"),
        ({"notebook": {"cells": 3}}, "cannot be read"),
    ):
        found = (await ask("POST suggest", body)).json
        assert found["cells"] == []
        assert why in found["reasons"][0]


async def test_findings_come_with_their_fixes(ask):
    body = sent(("setup step:load", "import math"), ("step:b after:lod", "print(limit)"))
    found = {one["code"]: one["fixes"] for one in (await ask("POST compile", body)).json["diagnostics"]}
    assert found["JP130"] == [
        {"title": "Keep the tag “setup”", "edits": [{"kind": "tags", "cell": 1, "tags": ["setup"]}]},
        {"title": "Keep the tag “step:load”", "edits": [{"kind": "tags", "cell": 1, "tags": ["step:load"]}]},
    ]
    assert found["JP301"] == [
        {
            "title": "Add “limit” as a parameter",
            "edits": [{"kind": "insert", "cell": 1, "tags": ["parameters"], "source": "limit = None"}],
        }
    ]
    assert [fix["title"] for fix in found["JP135"]] == ["Remove “after:lod”"]


async def test_a_kernel_can_be_asked_what_its_values_are(ask):
    expression = (await ask("POST inspection", {"names": ["frame", "größe"]})).json["expression"]
    assert eval(expression, {"größe": 3, "other": 4}).found == {
        "größe": {"type": "int", "size": 28, "summary": "3", "carried": True, "reason": ""}
    }
    for names in (["a b"], ["x)("], [""], [1], ["x"] * 501):
        refused = await ask("POST inspection", {"names": names})
        assert (refused.status, refused.error["field"].partition(".")[0]) == (400, "names")


def test_garbage_is_looked_for_again_when_all_is_compiled():
    with without_collecting():
        with without_collecting():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), without_collecting():
        1 / 0  # noqa: B018
    assert gc.isenabled()
    gc.disable()
    try:
        with without_collecting():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
