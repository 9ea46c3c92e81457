"""Steps proposed for notebooks without any: only tags are added, and what is proposed compiles."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jupyter_pipelines.graph import compile_pipeline, suggest
from jupyter_pipelines.notebook import read_notebook


def code(source: str, **metadata: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": [], "execution_count": None}


def text(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": source, "metadata": {}}


def notebook(*cells: dict[str, Any], **changes: Any) -> str:
    return json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 4} | changes)


def tags(source: str) -> dict[int, str]:
    """The proposed tags by cell number; the proposal adds nothing but them, and compiles."""
    suggestion = suggest(source, "work.ipynb")
    assert suggestion.notebook is not None
    proposed = json.loads(json.dumps(suggestion.notebook))
    found = {}
    for number, cell in enumerate(proposed["cells"], 1):
        added = cell["metadata"].pop("tags", None)
        if added:
            (found[number],) = added
    assert proposed == json.loads(source)
    assert [(change.cell, change.tag) for change in suggestion.changes] == list(found.items())
    pipeline = compile_pipeline(read_notebook(json.dumps(suggestion.notebook), "work.ipynb"))
    assert not found or not pipeline.errors
    return found


STORY = notebook(
    text("# Flights\n\nWhat we do."),
    code("import math\n%matplotlib inline"),
    code("path = 'a.csv'\nlimit = 3"),
    code("def double(x):\n    return 2 * x"),
    text("## 1. Load the data"),
    code("rows = [1, 2, 3, 4, limit]"),
    code("rows"),
    text("## Clean & filter\n\n```\n# not a heading\n```"),
    code("kept = [double(row) for row in rows]"),
    code("def total(values):\n    return sum(values)"),
    text("Résumé\n------"),
    code("print(total(kept), math.pi)"),
)


def test_headings_become_steps() -> None:
    assert tags(STORY) == {
        2: "setup",
        3: "parameters",
        4: "setup",
        6: "step:load-data",
        9: "step:clean-filter",
        10: "setup",
        12: "step:resume",
    }


def test_the_diff_names_cell_tag_and_first_line() -> None:
    suggestion = suggest(STORY, "work.ipynb")
    lines = suggestion.diff().splitlines()
    assert lines[1].split() == ["cell", "3", "+", "parameters", "path", "=", "'a.csv'"]
    assert len(lines) == len(suggestion.changes) == 7
    assert "cell 9: step:clean-filter, because the section “Clean & filter” begins here" in suggestion.reasons


def test_without_headings_values_decide() -> None:
    source = notebook(
        code("import math\nn = 3"),
        code("data = list(range(n))"),
        code("print(data)"),
        code("data.append(1)\ndata = data[1:]"),
        code("# Fit a model\nmodel = sum(data)"),
        code("print(model)"),
    )
    assert tags(source) == {1: "parameters", 2: "step:make-data", 5: "step:fit-model"}


def test_what_cannot_be_carried_stays_together() -> None:
    source = notebook(
        text("# Begin"),
        code("numbers = (n * n for n in range(10))\nprint(next(numbers))"),
        text("# Go on"),
        code("print(sum(numbers))"),
        text("# Apart"),
        code("print('other')"),
    )
    assert tags(source) == {2: "step:begin", 6: "step:apart"}
    assert any("begin and go are one step" in reason for reason in suggest(source, "work.ipynb").reasons)


def test_a_definition_that_needs_a_value_is_no_setup() -> None:
    source = notebook(
        text("# One"),
        code("n = compute = 3 * len('a')"),
        text("# Two"),
        code("def f(x=n):\n    return x"),
        code("print(f())"),
    )
    assert "setup" not in tags(source).values()


def test_a_function_defined_twice_is_no_setup() -> None:
    source = notebook(
        text("# One"), code("def f():\n    return 1"), code("print(f())"), text("# Two"),
        code("def f():\n    return 2"),
        code("print(f())"),
    )  # fmt: skip
    assert tags(source).get(5) != "setup"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{", "cannot be read"),
        (notebook(), "no cells"),
        (notebook(code("x = (")), "not valid Python"),
        (notebook(code("x = 1", tags=["step:a"])), "already names steps: a"),
        (notebook(code("x"), metadata={"kernelspec": {"name": "ir"}}), "Python only"),
    ],
)
def test_no_proposal_has_a_reason(source: str, words: str) -> None:
    suggestion = suggest(source, "work.ipynb")
    assert suggestion.changes == ()
    assert suggestion.diff() == ""
    assert words in " ".join(suggestion.reasons)


def test_many_sections_and_odd_titles() -> None:
    cells = [
        text("# Title"),
        text("## 🚀"),
        code("a = 1 + len('x')"),
        text("## 🚀"),
        code("b = a"),
        text("## setup"),
        code("c = b"),
    ]
    for at in range(40):
        cells += [text(f"### Part {at}"), code(f"d{at} = {at} * c")]
    found = tags(notebook(*cells))
    assert 0 < len(found) <= 12
    assert len(set(found.values())) == len(found)


def test_a_long_notebook_without_headings_gets_few_steps() -> None:
    cells = [code("v0 = len('start')")] + [code(f"v{at} = v{at - 1} + {at}\nprint(v{at})") for at in range(1, 30)]
    assert 1 < len(tags(notebook(*cells))) <= 6


def test_tables_become_steps() -> None:
    assert tags(
        notebook(
            code("%load_ext jupyter_pipelines"),
            code("%%sql --table stage.flights\nselect * from raw.flights"),
            code('%%sql --table mart."Daily Report"\nselect day, count(*) as n from stage.flights group by day'),
            code('%%check mart."Daily Report"\nday: unique'),
            code('%%sql daily <<\nfrom mart."Daily Report"'),
        )
    ) == {1: "setup", 2: "step:stage-flights", 3: "step:mart-daily-report", 5: "step:make-daily"}
