"""The executed notebook: whole, valid and in the author's order at every moment of a run."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from jupyter_pipelines.errors import StoreError
from jupyter_pipelines.execution.executed_notebook import ExecutedNotebook
from jupyter_pipelines.execution.model import StepErrorInfo, StepResult
from jupyter_pipelines.graph.model import Pipeline, StepPlan
from jupyter_pipelines.notebook.model import Cell, NotebookDocument, NotebookOptions, Role, StepOptions

ROLES = [
    (Role.TEXT, None, "# Title"), (Role.PARAMETERS, None, "n = 1"), (Role.SETUP, None, "import math"),
    (Role.STEP, "one", "a = n"), (Role.SKIP, None, "look(a)"), (Role.STEP, "two", "b = a"), (Role.STEP, "two", "c = b"),
]  # fmt: skip


def make_source() -> NotebookNode:
    cells = [new_markdown_cell(text) if role is Role.TEXT else new_code_cell(text) for role, _, text in ROLES]
    for cell in cells[1:]:
        cell.outputs, cell.execution_count = [new_output("stream", name="stdout", text="old\n")], 99
    return new_notebook(cells=cells)


def make_pipeline() -> Pipeline:
    cells = tuple(
        Cell(index, f"c{index}", role, text, text, text, step) for index, (role, step, text) in enumerate(ROLES)
    )
    options = {"one": StepOptions(), "two": StepOptions()}
    document = NotebookDocument("nb.ipynb", "python", "python3", cells, options, (), NotebookOptions(), ())
    steps = (StepPlan("one", (3,), StepOptions()), StepPlan("two", (5, 6), StepOptions()))
    return Pipeline(document, steps, (), ())


def executed(source: str, count: int | None, *outputs: NotebookNode, status: str = "completed") -> NotebookNode:
    times = {"start_time": "2026-01-01T00:00:00+00:00", "end_time": "2026-01-01T00:00:01+00:00", "duration": 1.0}
    cell = new_code_cell(source, metadata={"papermill": {**times, "exception": status == "failed", "status": status}})
    cell.outputs, cell.execution_count = list(outputs), count
    return cell


def printed(text: str) -> NotebookNode:
    return new_output("stream", name="stdout", text=text)


def read(path: Path) -> NotebookNode:
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    return notebook


def test_a_run_that_goes_well(tmp_path: Path) -> None:
    source = make_source()
    before = json.dumps(source)
    book = ExecutedNotebook(
        source,
        tmp_path / "deep" / "out.ipynb",
        make_pipeline(),
        run_id="r1",
        parameters={"n": 5},
        parameters_source="n = 5",
    )
    book.step_started("one")
    for index in (2, 3):
        book.cell_started("one", index)
    book.output("one", 3, printed("a"))
    book.output("one", 3, printed("b\n"))
    book.cell_finished("one", 3, executed("a = n", 2, printed("ab\n")))
    setup = executed("import math", 1, printed("setup of one\n"))
    result = new_output("execute_result", data={"text/plain": "7"}, execution_count=2)
    book.step_finished(StepResult("one", "completed", {2: setup, 3: executed("a = n", 2, printed("ab\n"), result)}))
    other_setup = executed("import math", 1, printed("setup of two\n"))
    book.step_started("two")
    cells = {2: other_setup, 5: executed("b = a", 2), 6: executed("c = b", 3, printed("done\n"))}
    book.step_finished(StepResult("two", "completed", cells))
    book.finish("completed")

    notebook = read(tmp_path / "deep" / "out.ipynb")
    assert [cell.source for cell in notebook.cells] == [
        "# Title", "n = 1", "n = 5", "import math", "a = n", "look(a)", "b = a", "c = b"
    ]  # fmt: skip
    assert notebook.cells[2].metadata.tags == ["injected-parameters"]
    assert notebook.cells[3].outputs[0].text == "setup of one\n"
    one = notebook.cells[4]
    assert (one.outputs[0].text, one.execution_count, one.outputs[1].execution_count) == ("ab\n", 3, 3)
    assert (one.metadata.jupyter_pipelines.step, one.metadata.jupyter_pipelines.state) == ("one", "completed")
    assert one.metadata.jupyter_pipelines.start == "2026-01-01T00:00:00+00:00"
    assert one.metadata.papermill.duration == 1.0
    skipped = notebook.cells[5]
    assert (skipped.outputs, skipped.execution_count, skipped.metadata.jupyter_pipelines.state) == ([], None, "skipped")
    assert [cell.execution_count for cell in notebook.cells[6:]] == [4, 5]
    assert notebook.metadata.jupyter_pipelines.state == "completed"
    assert notebook.metadata.jupyter_pipelines.parameters == {"n": 5}
    assert notebook.metadata.papermill.exception is None
    assert json.dumps(source) == before


def test_a_failure_is_shown_on_top_and_in_place(tmp_path: Path) -> None:
    book = ExecutedNotebook(make_source(), tmp_path / "out.ipynb", make_pipeline(), run_id="r1")
    book.step_started("two")
    error = StepErrorInfo("error", "ValueError: <b>", "mend it", cell=5, first_line="b = a")
    failed = executed("b = a", 2, new_output("error", ename="ValueError", evalue="<b>", traceback=[]), status="failed")
    book.step_finished(StepResult("two", "failed", {2: executed("import math", 1), 5: failed}, error=error))
    book.finish("failed", "two failed")
    notebook = read(tmp_path / "out.ipynb")
    banner, anchor = notebook.cells[0], notebook.cells[6]
    assert "Step two failed" in banner.source
    assert 'href="#papermill-error-cell">cell 6</a>' in banner.source
    assert "&lt;b&gt;" in banner.source
    assert 'id="papermill-error-cell"' in anchor.source
    states = {cell.source: cell.metadata.get("jupyter_pipelines", {}).get("state") for cell in notebook.cells}
    assert (states["b = a"], states["c = b"], states["a = n"]) == ("failed", "not-run", "not-run")
    assert notebook.cells[-1].outputs == []
    assert notebook.metadata.papermill.exception is True


def test_it_can_be_read_at_any_time_while_threads_write(tmp_path: Path) -> None:
    path = tmp_path / "out.ipynb"
    book = ExecutedNotebook(make_source(), path, make_pipeline(), run_id="r1")
    stop = threading.Event()

    def work(step: str, index: int) -> None:
        book.step_started(step)
        while not stop.is_set():
            book.cell_started(step, index)
            for number in range(200):
                book.output(step, index, printed(f"{number}\n"))
            time.sleep(0.001)

    threads = [threading.Thread(target=work, args=case) for case in [("one", 3), ("two", 5)]]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 3
    seen = set()
    while time.monotonic() < deadline:
        if path.exists():
            seen.add(len(read(path).cells))
    stop.set()
    for thread in threads:
        thread.join()
    book.finish("completed")
    assert seen == {7}
    assert [item.name for item in tmp_path.iterdir()] == ["out.ipynb"]


def test_a_large_output_is_not_written_over_and_over(tmp_path: Path) -> None:
    book = ExecutedNotebook(make_source(), tmp_path / "out.ipynb", make_pipeline(), run_id="r1")
    book.step_started("one")
    book.cell_finished("one", 3, executed("a = n", 1, printed("x" * 5_000_000)))
    book.step_started("two")
    began = time.monotonic()
    for _ in range(200):
        book.cell_started("two", 5)
        book.output("two", 5, printed("hello\n"))
        book.cell_finished("two", 5, executed("b = a", 1, printed("hello\n")))
    book.finish("completed")
    assert time.monotonic() - began < 2
    assert len((tmp_path / "out.ipynb").read_text()) > 5_000_000


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    book = ExecutedNotebook(make_source(), tmp_path / "file" / "out.ipynb", make_pipeline(), run_id="r1")
    with pytest.raises(StoreError, match="cannot be written"):
        book.finish("completed")


def test_an_old_notebook_without_cell_ids(tmp_path: Path) -> None:
    source = make_source()
    source.nbformat_minor = 2
    for cell in source.cells:
        del cell["id"]
    book = ExecutedNotebook(source, tmp_path / "out.ipynb", make_pipeline(), run_id="r1", parameters_source="n = 2")
    book.finish("completed")
    assert read(tmp_path / "out.ipynb").nbformat_minor >= 5
