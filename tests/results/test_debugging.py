"""A step's past is brought back exactly, and the way back into the source loses nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

import jupyter_pipelines as jp
from jupyter_pipelines.cli import main
from jupyter_pipelines.errors import RequestError

if TYPE_CHECKING:
    from tests.results.conftest import Made

SOURCE = "import random\nimport os\n"


@pytest.fixture
def debugged(made: Made, tmp_path: Path) -> Path:
    return jp.debug(made.bad.id, output=tmp_path / "debug.ipynb").path


def test_running_it_reproduces_the_error(debugged: Path) -> None:
    notebook = nbformat.read(debugged, as_version=4)
    with pytest.raises(CellExecutionError, match="unlucky"):
        NotebookClient(notebook, resources={"metadata": {"path": str(debugged.parent)}}).execute()
    (failed,) = [cell for cell in notebook.cells if cell.metadata.get("jupyter_pipelines", {}).get("failed")]
    assert failed.outputs[-1].evalue == "unlucky <script>alert(1)</script>"
    assert "hunter2" not in debugged.read_text()


def test_a_step_that_succeeded_has_its_values_and_secrets_too(made: Made, tmp_path: Path) -> None:
    made_now = jp.debug(made.bad.id, "fit", output=tmp_path / "fit.ipynb")
    notebook = nbformat.read(made_now.path, as_version=4)
    notebook.cells[-1] = nbformat.v4.new_code_cell("print(len(frame), slope, seed, token, os.getcwd())")
    notebook.cells.insert(-1, nbformat.v4.new_code_cell("import os"))
    NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert notebook.cells[-1].outputs[0].text == f"120 13.0 13 hunter2-hunter2 {made.pipeline.path.parent}\n"


def test_hidden_state_is_as_it_was(service: object, tmp_path: Path) -> None:
    from tests.results.conftest import write_notebook

    path = write_notebook(
        tmp_path / "dice.ipynb",
        (
            ("step:seed", "import random\nrandom.seed(7)\nfirst = random.random()"),
            ("step:roll", "second = random.random()\nprint(first, second)"),
        ),
    )
    run = jp.pipeline(path).run()
    notebook = nbformat.read(jp.debug(run.id, "roll").path, as_version=4)
    NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}).execute()
    there = [cell.outputs[0].text for cell in notebook.cells if cell.get("outputs")]
    assert there[-1] == run.notebook().cells[1].outputs[0].text


def test_what_was_changed_is_not_lost_when_it_is_asked_for_again(debugged: Path, made: Made) -> None:
    debugged.write_text(debugged.read_text().replace("print(model, label)", "print(model, label, 2)"))
    again = jp.debug(made.bad.id, output=debugged)
    assert not again.is_new and "print(model, label, 2)" in debugged.read_text()
    with pytest.raises(RequestError, match="is another notebook"):
        jp.debug(made.bad.id, "fit", output=debugged)


def _fix(debugged: Path) -> None:
    notebook = nbformat.read(debugged, as_version=4)
    for cell in notebook.cells:
        if cell.metadata.get("jupyter_pipelines", {}).get("failed"):
            cell.source = cell.source.replace("seed == 13", "seed == 14")
    nbformat.write(notebook, debugged)


def test_a_fix_is_applied_to_the_cell_that_it_is_of(
    debugged: Path, made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    source = made.pipeline.path
    before = source.read_text()
    try:
        _fix(debugged)
        source.write_text(before.replace("label = ", "caption = label = "))  # another cell: that is no conflict
        assert main(["apply", str(debugged)]) == 0
        assert "cell 6 of demo.ipynb changed" in capsys.readouterr().out
        after = source.read_text()
        assert "seed == 14" in after and "caption = label" in after
        changed = nbformat.reads(after, as_version=4)
        assert [cell.metadata.tags for cell in changed.cells][-1] == ["step:report"]
    finally:
        source.write_text(before)


def test_a_cell_that_was_changed_meanwhile_is_not_overwritten(debugged: Path, made: Made) -> None:
    source = made.pipeline.path
    before = source.read_text()
    try:
        _fix(debugged)
        changed = before.replace("print(model, label)", "print(label)")
        source.write_text(changed)
        with pytest.raises(RequestError, match="was changed since the run"):
            jp.apply_fix(debugged)
        assert source.read_text() == changed
    finally:
        source.write_text(before)


def test_what_was_run_is_what_is_saved(debugged: Path) -> None:
    notebook = nbformat.read(debugged, as_version=4)
    (failed,) = [cell for cell in notebook.cells if cell.metadata.get("jupyter_pipelines", {}).get("failed")]
    with pytest.raises(RequestError, match="saved otherwise than it was run"):
        jp.apply_fix(debugged, {failed.id: "something else"})
    with pytest.raises(RequestError, match="Nothing is changed"):
        jp.apply_fix(debugged)


def test_what_cannot_be_debugged_is_told(made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RequestError, match="has failed"):
        jp.debug(made.good.id)
    with pytest.raises(RequestError, match="has no step 'train'"):
        jp.debug(made.good.id, "train")
    with pytest.raises(RequestError, match="no notebook that debugs"):
        jp.apply_fix(made.pipeline.path)
    assert main(["debug", made.bad.id, "--output", str(tmp_path / "x.ipynb"), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["step"] == "report"
