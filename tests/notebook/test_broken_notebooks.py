"""Whatever is wrong with a file, reading it gives a finding that an author can use, and never an exception."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pipelines.notebook import CODES, parse_notebook, read_notebook
from jupyter_pipelines.notebook.model import NotebookDocument, Role

Read = Callable[..., NotebookDocument]

V3 = {
    "nbformat": 3,
    "nbformat_minor": 0,
    "metadata": {"name": "old"},
    "worksheets": [
        {
            "metadata": {},
            "cells": [
                {"cell_type": "heading", "level": 1, "source": ["Old"], "metadata": {}},
                {"cell_type": "code", "input": ["x = 1\n", "y = 2"], "outputs": [], "language": "python",
                 "collapsed": False, "prompt_number": 1, "metadata": {}},
            ],
        }
    ],
}  # fmt: skip


def code_cell(**changes: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": "x = 1", "metadata": {}, "outputs": [], "execution_count": None} | changes


def whole(*cells: Any, **changes: Any) -> str:
    return json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 4} | changes)


UNREADABLE = [
    ("cut off", whole(code_cell())[:-20], "JP101", "ends too early"),
    ("garbage", "print('not json')", "JP101", "line 1"),
    ("merge conflict", '{\n<<<<<<< HEAD\n "cells": []\n=======\n>>>>>>> other\n}', "JP101", "merge conflict at line 2"),
    ("not UTF-8", b'{"cells": "\xe9"}', "JP101", "not text"),
    ("nested without end", '{"cells": ' + "[" * 100_000 + "]" * 100_000 + "}", "JP101", "nested"),
    ("no bytes", b"", "JP102", "empty"),
    ("only blanks", " \n\t ", "JP102", "empty"),
    ("a list", "[1, 2]", "JP103", "list"),
    ("no cells", '{"metadata": {}, "nbformat": 4}', "JP103", "no list of cells"),
    ("cells of another kind", '{"cells": {}, "nbformat": 4}', "JP103", "no list of cells"),
    ("a damaged format 3", json.dumps({"nbformat": 3, "worksheets": [{"cells": [{"input": 3}]}]}), "JP105", "format 3"),
    ("a future format", json.dumps({"nbformat": 5, "cells": []}), "JP105", "format 5"),
]


@pytest.mark.parametrize(("source", "code", "words"), [case[1:] for case in UNREADABLE], ids=[c[0] for c in UNREADABLE])
def test_an_unreadable_file_is_one_error(source: bytes | str, code: str, words: str) -> None:
    document = read_notebook(source, "broken.ipynb")
    (finding,) = document.diagnostics
    assert finding.code == code
    assert finding.is_error
    assert words in finding.message
    assert finding.fix
    assert document.cells == ()
    assert parse_notebook(source, "broken.ipynb") is None


def test_format_3_is_upgraded() -> None:
    document = read_notebook(json.dumps(V3), "old.ipynb")
    assert [cell.source for cell in document.cells] == ["# Old", "x = 1\ny = 2"]
    assert document.steps.keys() == {"notebook"}
    assert "JP104" in {finding.code for finding in document.diagnostics}
    assert not any(finding.is_error for finding in document.diagnostics)
    assert document.cells == read_notebook(json.dumps(V3), "old.ipynb").cells
    node = parse_notebook(json.dumps(V3), "old.ipynb")
    assert node is not None
    assert [cell.id for cell in node.cells] == [cell.id for cell in document.cells]


@pytest.mark.parametrize(
    ("cells", "words"),
    [([], "no cells"), ([{"cell_type": "markdown", "source": "# hi", "metadata": {}}], "no code cells")],
)
def test_nothing_to_run(cells: list[Any], words: str) -> None:
    findings = [finding for finding in read_notebook(whole(*cells), "x.ipynb").diagnostics if finding.code == "JP106"]
    assert [words in finding.message for finding in findings] == [True]


MALFORMED_CELLS = [
    ("not an object", 7, "JP107"),
    ("no type", {"source": "x", "metadata": {}}, "JP107"),
    ("unknown type", code_cell(cell_type="heading"), "JP107"),
    ("a type that is a list", code_cell(cell_type=["code"]), "JP107"),
    ("no source", {"cell_type": "code", "metadata": {}}, "JP107"),
    ("source of numbers", code_cell(source=[1, 2]), "JP107"),
    ("metadata of the wrong type", code_cell(metadata=["tags"]), "JP112"),
    ("tags as text", code_cell(metadata={"tags": "step:load"}), "JP112"),
    ("tags with numbers", code_cell(metadata={"tags": ["step:load", 3]}), "JP112"),
    ("pipeline as list", code_cell(metadata={"pipeline": []}), "JP112"),
    ("null character", code_cell(source="x = 1\0"), "JP120"),
    ("half a surrogate pair", code_cell(source="x = '\ud800'"), "JP120"),
    ("nested expression", code_cell(source="(" * 5000 + ")" * 5000), "JP120"),
]


@pytest.mark.parametrize(("cell", "code"), [case[1:] for case in MALFORMED_CELLS], ids=[c[0] for c in MALFORMED_CELLS])
def test_a_malformed_cell_is_named(cell: Any, code: str) -> None:
    source = whole(code_cell(source="first = 1"), cell, code_cell(source="last = 1"))
    document = read_notebook(source, "x.ipynb")
    assert len(document.cells) == 3
    found = [finding for finding in document.diagnostics if finding.code == code]
    assert found
    assert found[0].location is not None
    assert found[0].location.cell == 2
    node = parse_notebook(source, "x.ipynb")
    assert node is not None
    assert [one.id for one in node.cells] == [one.id for one in document.cells]


def test_notebook_metadata_of_the_wrong_type() -> None:
    document = read_notebook(whole(code_cell(), metadata=3), "x.ipynb")
    assert {finding.code for finding in document.diagnostics} >= {"JP112", "JP109"}


def test_kernels() -> None:
    def codes(metadata: dict[str, Any]) -> tuple[str, set[str]]:
        document = read_notebook(whole(code_cell(source="x <- 1"), metadata=metadata), "x.ipynb")
        return document.language, {f"{finding.code} {finding.severity}" for finding in document.diagnostics}

    assert codes({}) == ("python", {"JP109 info"})
    assert codes({"kernelspec": {"name": "ir"}}) == ("R", {"JP110 info"})
    assert codes({"kernelspec": {"name": "julia-1.10"}}) == ("julia", {"JP110 info"})
    assert codes({"kernelspec": {"name": "mystery"}}) == ("python", {"JP109 warning"})
    assert codes({"kernelspec": {"name": "x", "language": "scala"}}) == ("scala", {"JP110 info"})
    assert codes({"kernelspec": 5, "language_info": []}) == ("python", {"JP109 info"})


def test_another_language_has_steps_but_no_python_and_no_parameters() -> None:
    cells = [
        code_cell(source="n <- 3", metadata={"tags": ["parameters"]}),
        code_cell(source="%%step load --retries 2\nx <- n %>% f()"),
    ]
    document = read_notebook(whole(*cells, metadata={"kernelspec": {"name": "ir", "language": "R"}}), "x.ipynb")
    assert document.steps["load"].retries == 2
    assert document.cells[1].code == "\nx <- n %>% f()"
    assert document.cells[1].python is None
    assert document.parameters == ()
    assert {finding.code for finding in document.diagnostics} == {"JP110", "JP204"}


def test_ids_are_made_and_stay() -> None:
    cells = [code_cell(source="a"), code_cell(source="a"), code_cell(source="b"), code_cell(source="c", id="one")]
    ids = [cell.id for cell in read_notebook(whole(*cells), "x.ipynb").cells]
    assert len(set(ids)) == 4
    longer = read_notebook(whole(code_cell(source="new"), *cells), "x.ipynb")
    assert [cell.id for cell in longer.cells[1:]] == ids
    twice = read_notebook(whole(cells[3], cells[3]), "x.ipynb")
    assert len({cell.id for cell in twice.cells}) == 2
    assert "JP108" in {finding.code for finding in twice.diagnostics}


def test_ten_megabytes_of_output_cost_little() -> None:
    output = {"output_type": "stream", "name": "stdout", "text": ["x" * 99 + "\n"] * 100_000}
    source = whole(code_cell(outputs=[output]), code_cell(outputs=[{"output_type": "wrong"}, 3]))
    started = time.perf_counter()
    document = read_notebook(source, "x.ipynb")
    assert time.perf_counter() - started < 1
    assert document.steps.keys() == {"notebook"}
    node = parse_notebook(source, "x.ipynb")
    assert node is not None
    assert len(node.cells[0].outputs[0].text) == 10_000_000


def test_two_thousand_cells(read: Read) -> None:
    document = read(*[(f"x{at} = {at}", f"step:s{at}") for at in range(2000)])
    assert len(document.steps) == 2000
    assert document.diagnostics == ()


def test_three_hundred_cells_are_read_quickly(read: Read) -> None:
    body = "\n".join(f"value_{at} = compute(value_{at - 1}, {at}, key='k')" for at in range(13))

    def seconds(mark: str) -> float:
        started = time.process_time()
        document = read(*[f"# {mark} {at}\n{body}" for at in range(300)])
        assert len(document.cells) == 300
        return time.process_time() - started

    # New sources each time, so nothing comes from a cache; the best of three, because other work shares the machine.
    assert min(seconds(mark) for mark in ("a", "b", "c")) < 0.15


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("🚀", "rocket"), ("load 🚀", "load-rocket"), ("évaluer", "evaluer"), ("שלום", "step"), ("تحميل", "step"),
        ("load data", "load-data"), ("1st", "step-1st"), ("a/b", "a-b"), ("\u202eload", "load"), ("x" * 300, "x" * 60),
        ("Setup!", "setup-step"), ("-", "step"),
    ],
)  # fmt: skip
def test_unusual_step_names_get_a_suggestion(read: Read, name: str, suggestion: str) -> None:
    document = read((f"{name!r}", f"step:{name}"))
    (finding,) = document.diagnostics
    assert finding.code == "JP131"
    assert f"`{suggestion}`" in finding.fix
    assert list(document.steps) == [suggestion]


def test_text_notebooks() -> None:
    percent = '# %% [markdown]\n# # Title\n\n# %% tags=["step:load"]\nx = 1\n\n# %% tags=["step:use"]\nprint(x)\n'
    document = read_notebook(percent, "work.py")
    assert list(document.steps) == ["load", "use"]
    assert [cell.role for cell in document.cells] == [Role.TEXT, Role.STEP, Role.STEP]
    assert document.cells == read_notebook(percent, "work.py").cells
    markdown = read_notebook('# Title\n\n```python tags=["step:load"]\nx = 1\n```\n', "work.md")
    assert list(markdown.steps) == ["load"]


def test_text_notebooks_without_jupytext(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (finding,) = read_notebook("# %%\nx = 1", "work.py").diagnostics
    assert finding.code == "JP111"
    assert "pip install jupytext" in finding.fix


def test_every_code_is_in_the_table_and_explained() -> None:
    assert all(code.title and code.documentation.endswith(".") for code in CODES.values())


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_tag = st.sampled_from(["step:a", "step:", "setup", "skip", "after:a", "parameters", "prev:b", "block:x;y"]) | _json
_metadata = st.fixed_dictionaries({}, optional={"tags": st.lists(_tag, max_size=3) | _json, "pipeline": _json}) | _json
_source = st.sampled_from(["x = 1", "%%step a --retries", "%%bash\nls", "!ls", "x = !ls \\\n a\nx", "(", "%%", "a?"])
_cell = (
    st.fixed_dictionaries(
        {"cell_type": st.sampled_from(["code", "markdown"]) | _json},
        optional={
            "source": _source | st.text(max_size=30) | _json,
            "metadata": _metadata,
            "id": _json,
            "outputs": _json,
        },
    )
    | _json
)


@settings(max_examples=80, deadline=None)
@given(
    st.fixed_dictionaries({"cells": st.lists(_cell, max_size=5)}, optional={"metadata": _metadata, "nbformat": _json})
)
def test_any_json_is_read_without_an_exception(content: dict[str, Any]) -> None:
    source = json.dumps(content)
    document = read_notebook(source, "x.ipynb")
    for finding in document.diagnostics:
        assert finding.code in CODES
        assert finding.render("x.ipynb")
    for cell in document.cells:
        assert (cell.step is not None) == (cell.role is Role.STEP)
        assert cell.step is None or cell.step in document.steps


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_without_an_exception(content: bytes) -> None:
    read_notebook(content, "x.ipynb")
