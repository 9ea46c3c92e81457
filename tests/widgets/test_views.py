"""Views of runs: HTML for whoever has no kernel, and no harm from what a notebook says."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter

import jupyter_pipelines as jp
from jupyter_pipelines.results import Run
from jupyter_pipelines.widgets import show_history, show_run, show_trends

EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>"
CELLS = (
    ("parameters", "word: str = 'a'"),
    (
        "setup",
        (
            "import pandas as pd\n\nclass Rude:\n    def __repr__(self):\n        raise RuntimeError('no')\n"
            "class Slow:\n    def __repr__(self):\n        import time\n        time.sleep(60)\n        return ''"
        ),
    ),
    (
        "step:make",
        (
            f"text = {EVIL!r}\nloop = []\nloop.append(loop)\nrude = Rude()\nslow = [Slow() for _ in range(10)]\n"
            "idle = Slow()\nboth = {'a': Slow(), 'b': [Slow()]}\n"
            "huge = pd.DataFrame({'x': range(2_000_000)})\nnumber = 7"
        ),
    ),
    (
        "step:use",
        (
            "print(len(text), len(loop), len(slow), len(huge), type(rude), type(idle), len(both), number)\n"
            f"raise ValueError({EVIL!r})"
        ),
    ),
)


@pytest.fixture(scope="module")
def run(service: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("views")
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for number, (tag, source) in enumerate(CELLS):
        notebook.cells.append(nbformat.v4.new_code_cell(source, id=f"cell-{number}", metadata={"tags": [tag]}))
    nbformat.write(notebook, folder / "evil.ipynb")
    before = os.environ.get("JUPYTER_PIPELINES_STORE")
    os.environ["JUPYTER_PIPELINES_STORE"] = str(folder / "store")
    try:
        jp.pipeline(folder / "evil.ipynb").run()
        yield jp.pipeline(folder / "evil.ipynb").run({"word": EVIL})
    finally:
        os.environ.pop("JUPYTER_PIPELINES_STORE")
        if before is not None:
            os.environ["JUPYTER_PIPELINES_STORE"] = before


def test_hostile_values_do_no_harm(run: Run) -> None:
    made = run.step("make")
    assert run.state == "failed" and made.state == "completed" and made.ended - made.started < 60  # no `__repr__` ran
    other = jp.runs(run.pipeline)[1]
    began = time.monotonic()
    views = [show_run(run), show_history(run.pipeline), show_trends(run.pipeline, "huge.rows")]
    shown = [view.html() for view in views] + [run.compare(other)._repr_html_(), jp.runs()._repr_html_()]
    for html in shown:
        assert "<img" not in html and "<script" not in html and len(html) < 30_000
    assert "&lt;script&gt;" in shown[0] and "2,000,000" in shown[0]
    assert EVIL not in repr(jp.pipeline(run.pipeline))
    assert time.monotonic() - began < 20
    values = {one.name: one.status for one in run.compare(other).values}
    assert values["make.huge"] == values["make.text"] == "same"
    loop: Any = run.value("loop")
    assert loop[0] is loop


def test_a_view_of_a_run_that_has_ended_is_plain_html(run: Run) -> None:
    bundle = show_run(run)._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"} and "✗" in str(bundle["text/plain"])


def test_the_saved_notebook_tells_the_same_without_a_kernel(run: Run, tmp_path: Path) -> None:
    sources = [
        f"import jupyter_pipelines as jp\nfrom jupyter_pipelines.widgets import *\nnb = {run.pipeline!r}",
        "jp.runs(nb)[0]",
        "show_history(nb)",
        "show_trends(nb, 'make.duration')",
        "jp.runs(nb)[1].compare(jp.runs(nb)[0])",
        "view = show_run(jp.submit(nb))\nview",
        "view.wait().state",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}).execute()
    ended = notebook.cells[5].outputs[-1].data
    assert "application/vnd.jupyter.widget-view+json" not in ended and "failed" in ended["text/html"]
    notebook.metadata.pop("widgets")  # as JupyterLab saves it
    html, _ = HTMLExporter().from_notebook_node(notebook)
    assert html.count('class="jp-PipelinesResult"') == 5
    assert "onerror=alert" not in html.replace("&lt;img src=x onerror=alert", "")
    for told in ("make.duration", "Parameters", "Durations", "ValueError"):
        assert told in html


def test_a_long_parameter_leaves_each_run_its_line(run: Run) -> None:
    html = jp.runs(run.pipeline)._repr_html_()
    brief = EVIL[:23].replace("<", "&lt;")
    assert f">word = {brief}…</span>" in html
    assert 'title="word = &lt;img src=x onerror=alert(1)&gt;' in html


def test_a_history_sends_a_page_and_turns_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jupyter_pipelines.widgets.history.PAGE", 1)
    view = show_history(run.pipeline)
    view.widget()
    first = view._table.value
    assert first.count("<tr>") == 2 and run.id[:8] in jp.runs(run.pipeline)._repr_html_()
    view._older.click()
    assert view._table.value != first and not view._newer.disabled
    view._state.value = "completed"
    assert "No run on record fits." in view._table.value and view._compare.disabled
    view._state.value = ""
    began = datetime.fromtimestamp(run.record.started).date()
    view._until.value = began
    assert view._table.value.count("<tr>") == 2
    view._until.value = began - timedelta(days=2)
    assert "No run on record fits." in view._table.value
    view._until.value = None
    view._given.value = "word"
    assert "is no parameter with its value" in view._told.value
    view._given.value = ""
    assert view._table.value.count("<tr>") == 2
