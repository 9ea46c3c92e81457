"""Fixes of findings: whatever is offered is rid of the finding once its edits are made, as an editor makes them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jupyter_pipelines.graph import compile_pipeline
from jupyter_pipelines.graph.fixes import Fix, check
from jupyter_pipelines.notebook import read_notebook


def notebook(*cells: tuple[str, str]) -> dict[str, Any]:
    """Each cell is its tags and its source."""
    made = []
    for tags, source in cells:
        metadata = {"tags": tags.split(";" if ";" in tags else " ")} if tags else {}
        made.append({"cell_type": "code", "source": source, "metadata": metadata, "outputs": []})
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4}


def fixes(content: dict[str, Any], code: str) -> list[Fix]:
    """Those of the first finding with this code."""
    checked = check(json.dumps(content), "nb.ipynb")
    found = zip(checked.pipeline.diagnostics, checked.fixes, strict=True)
    return list(next(offered for finding, offered in found if finding.code == code))


def made(content: dict[str, Any], fix: Fix) -> dict[str, Any]:
    """The notebook once an editor has made the edits of their JSON form."""
    content = json.loads(json.dumps(content))
    cells = content["cells"]
    given = [json.loads(json.dumps(edit.to_json())) for edit in fix.edits]
    for edit in given:
        if edit["kind"] == "tags":
            cells[edit["cell"] - 1]["metadata"]["tags"] = edit["tags"]
        elif edit["kind"] == "source":
            cells[edit["cell"] - 1]["source"] = edit["source"]
    for edit in given:
        if edit["kind"] == "insert":
            new = {"cell_type": "code", "metadata": {"tags": edit["tags"]}, "source": edit["source"], "outputs": []}
            cells.insert(edit["cell"] - 1, new)
    return content


def codes(content: dict[str, Any]) -> list[str]:
    """The codes of what is wrong; of what is only a warning with a question mark."""
    pipeline = compile_pipeline(read_notebook(json.dumps(content), "nb.ipynb"))
    sure = [finding.is_error or finding.code == "JP134" for finding in pipeline.diagnostics]
    return [finding.code + ("" if yes else "?") for finding, yes in zip(pipeline.diagnostics, sure, strict=True)]


SQLITE = "import sqlite3\npath = 'a.db'\ncon = sqlite3.connect(path)"
CASES = {
    "a name with a blank": ("JP131", [("step:load data;mine", "x = 1")], ["Rename the step to “load-data”"]),
    "a name in a magic": ("JP131", [("", "%%step 1st --retries 2\nx = 1")], ["Rename the step to “step-1st”"]),
    "a reserved name": ("JP132", [("step:Setup", "x = 1")], ["Rename the step to “setup-step”"]),
    "a name that is taken": (
        "JP131",
        [("step:load-data", "x = 1"), ("step:load.data", "y = 1"), ("step:z after:load.data", "z = 1")],
        ["Rename the step to “load-data-2”"],
    ),
    "names that differ by case": (
        "JP133",
        [("step:load", "x = 1"), ("step:Load", "y = 2"), ("step:z after:Load", "print(x, y)")],
        ["Write “load” here, too"],
    ),
    "two roles": (
        "JP130",
        [("step:a", "x = 1"), ("setup step:b", "import math")],
        ["Keep the tag “setup”", "Keep the tag “step:b”"],
    ),
    "a tag and a magic": (
        "JP130",
        [("step:a", "%%setup\nimport math"), ("step:b", "1")],
        ["Keep the tag “step:a”", "Keep the magic"],
    ),
    "a tag like ours": ("JP134", [("step:a", "x = 1"), ("Setup", "import math")], ["Write the tag “setup”"]),
    "after a misspelled step": (
        "JP135",
        [("step:clean", "x = 1"), ("step:b after:claen", "y = 1")],
        ["Write “after:clean”", "Remove “after:claen”"],
    ),
    "after itself": ("JP136", [("step:a after:a", "x = 1")], ["Remove “after:a”"]),
    "setup after a step": (
        "JP137",
        [("setup after:a", "import math"), ("step:a", "1")],
        ["Remove “after:” from the cell"],
    ),
    "a magic below a comment": (
        "JP121",
        [("", "# loads\n%%step load\nx = 1")],
        ["Move “%%step load” to the top of the cell"],
    ),
    "SQL without our extension": (
        "JP152",
        [("setup", "import os"), ("step:a", "%%sql\nselect $limit"), ("step:b", "%%check t\nid: unique")],
        ["Add “%load_ext jupyter_pipelines” to cell 1"],
    ),
    "SQL without our extension, setup by a magic": (
        "JP152",
        [("", "%%setup\nimport os"), ("step:a", "%%sql\nselect 1")],
        ["Add “%load_ext jupyter_pipelines” to cell 1"],
    ),
    "SQL without our extension and setup": (
        "JP152",
        [("parameters", "limit = 1"), ("step:a", "%%sql\nselect 1")],
        ["Add a setup cell with “%load_ext jupyter_pipelines”"],
    ),
    "SQL without our extension and steps": (
        "JP152",
        [("", "%%sql\nselect 1"), ("", "x = 1")],
        ["Add a cell with “%load_ext jupyter_pipelines”"],
    ),
    "an unknown name": (
        "JP301",
        [("parameters", "a = 1"), ("step:a", "print(a + threshold)")],
        ["Add “threshold” as a parameter"],
    ),
    "an unknown name without parameters": ("JP301", [("step:a", "print(limit)")], ["Add “limit” as a parameter"]),
    "a module's usual name": ("JP301", [("step:a", "x = np.ones(3)")], ["Add “import numpy as np”"]),
    "a module's name beside setup": ("JP301", [("", "import os"), ("step:a", "math.pi")], ["Add “import math”"]),
    "only in a skipped cell": ("JP303", [("skip", "x = 1"), ("step:a", "print(x)")], ["Remove “skip” from cell 1"]),
    "changed by a skipped cell": (
        "JP303",
        [("step:a", "x = [1]"), ("", "%%skip\nx.append(2)\nx = 3"), ("step:b", "print(x)")],
        ["Remove “skip” from cell 2"],
    ),
    "a star import": (
        "JP305",
        [("step:a", "%pylab\nx = pi"), ("step:b", "print(x, cos(3))")],
        ["Move this line to a setup cell"],
    ),
    "setup that needs a step": (
        "JP320",
        [("step:a", "x = 1"), ("setup", "y = x"), ("step:b", "print(y)")],
        ["Mark cell 1 as setup", "Make cell 2 a part of step “a”"],
    ),
    "setup that comes late": (
        "JP321",
        [("setup", "k = 1"), ("step:a", "x = k"), ("setup", "k = 2"), ("step:b", "print(x, k)")],
        ["Make cell 3 a part of step “a”"],
    ),
    "a cycle": (
        "JP310",
        [("step:a", "x = 1"), ("step:b", "y = x"), ("step:a", "print(y)")],
        ["Make “a” and “b” one step"],
    ),
    "a step in pieces": (
        "JP311",
        [("step:a", "x = 1"), ("step:b", "x = 2"), ("step:a", "print(x)"), ("", "y = x")],
        ["Give the part from cell 3 a name of its own: “a-2”"],
    ),
    "a value that is changed later": (
        "JP312",
        [("step:a", "x = [1]"), ("step:b", "print(x)"), ("step:a", "x.append(2)"), ("step:c", "print(x)")],
        ["Give the part from cell 3 a name of its own: “a-2”"],
    ),
    "a generator": (
        "JP401",
        [("step:a", "g = (i for i in range(3))\nnext(g)"), ("step:b", "print(list(g))")],
        ["Make “a” and “b” one step"],
    ),
    "a generator two steps on": (
        "JP401",
        [
            ("step:a", "g = (i for i in range(3))\nn = next(g)"),
            ("step:b after:a", "m = n"),
            ("step:c after:b", "print(list(g), m)"),
        ],
        ["Make “a”, “b” and “c” one step"],
    ),
    "a connection of its own cell": (
        "JP401",
        [("step:a", SQLITE), ("", "n = 1"), ("step:b", "rows = con.execute('select 1').fetchall()\nprint(n)")],
        ["Mark cell 1 as setup", "Make “a” and “b” one step"],
    ),
    "a connection in a cell that does more": (
        "JP401",
        [
            ("step:a", f"print('begin')\n{SQLITE}\nn = con.execute('select 2').fetchall()"),
            ("step:b", "rows = con.execute('select 1').fetchall()\nprint(n)"),
        ],
        ["Move “con” to a setup cell", "Make “a” and “b” one step"],
    ),
    "a lock": (
        "JP401",
        [("step:a", "import threading\nlock = threading.Lock()"), ("step:b", "with lock: print(1)")],
        ["Mark cell 1 as setup", "Make “a” and “b” one step"],
    ),
    "an iterator in setup": (
        "JP402",
        [("setup", "it = iter([1, 2, 3])"), ("step:a", "next(it)"), ("step:b", "print(next(it))")],
        ["Make “a” and “b” one step"],
    ),
    "no commit": (
        "JP403",
        [
            ("setup", "import sqlite3\ncon = sqlite3.connect('a.db')"),
            ("step:a", "con.execute('insert into t values (1)')"),
            ("step:b", "print(con.execute('select 1').fetchall())"),
        ],
        ["End cell 2 with “con.commit()”"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_offered_is_rid_of_the_finding(name: str) -> None:
    code, cells, titles = CASES[name]
    content = notebook(*cells)
    assert code in codes(content)
    offered = fixes(content, code)
    assert [fix.title for fix in offered] == titles
    before = codes(content).count(code)
    for fix in offered:
        assert codes(made(content, fix)).count(code) < before, fix


@pytest.mark.parametrize(
    ("code", "cells"),
    [
        ("JP120", [("step:a", "x = (")]),
        ("JP301", [("step:a", "columns = 1\nprint(colums)")]),  # misspelled: not for us to say how
        ("JP302", [("step:a", "print(x)"), ("step:b", "x = input()")]),
        ("JP307", [("step:a", "3"), ("step:b", "print(_)")]),
        ("JP301", [("step:a", "print(limit)"), ("step:b", "x = (")]),  # the graph is not what it will be
        ("JP401", [("step:a", "c = []\nwith open('a') as f:\n    c.append(1)"), ("step:b", "f.read()")]),
    ],
)
def test_nothing_is_offered_where_it_would_be_a_guess(code: str, cells: list[tuple[str, str]]) -> None:
    content = notebook(*cells)
    if code in codes(content):
        assert [fix.title for fix in fixes(content, code) if "one step" not in fix.title] == []


def test_what_is_below_a_cell_keeps_its_step() -> None:
    content = notebook(("step:a after:z", SQLITE), ("", "n = 1"), ("step:b", "con.execute('x')"), ("step:z", "1"))
    (fix, *_) = fixes(content, "JP401")
    assert [(edit.cell, edit.tags) for edit in fix.edits] == [(1, ("setup",)), (2, ("step:a", "after:z"))]


def test_other_tags_and_the_options_of_a_magic_stay() -> None:
    (fix,) = fixes(notebook(("mine", "%%step a.b --retries 2\nx = 1")), "JP131")
    assert [(edit.kind, edit.source) for edit in fix.edits] == [("source", "%%step a-b --retries 2\nx = 1")]
    (fix,) = fixes(notebook(("mine step:a.b other", "x = 1")), "JP131")
    assert [edit.tags for edit in fix.edits] == [("mine", "step:a-b", "other")]


def test_a_notebook_without_steps_has_none_when_its_extension_is_loaded() -> None:
    content = notebook(("", "%%sql\nselect 1"), ("", "x = 1"))
    (fix,) = fixes(content, "JP152")
    assert [(edit.cell, edit.tags, edit.source) for edit in fix.edits] == [(1, (), "%load_ext jupyter_pipelines")]
    assert codes(made(content, fix)) == []
    (fix,) = fixes(notebook(("", "%%setup\nimport os"), ("step:a", "%%sql\nselect 1")), "JP152")
    assert [edit.source for edit in fix.edits] == ["%%setup\n%load_ext jupyter_pipelines\nimport os"]


def test_what_is_no_notebook_has_no_fixes() -> None:
    for source in ("", "{", "[]", '{"cells": 3}', json.dumps({"cells": [], "nbformat": 4, "metadata": {}})):
        checked = check(source, "nb.ipynb")
        assert len(checked.fixes) == len(checked.pipeline.diagnostics) > 0
        assert not any(checked.fixes)
