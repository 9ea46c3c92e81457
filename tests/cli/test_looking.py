"""`show`, `explain` and `suggest`: looking at a notebook without running it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest

from jupyter_pipelines.cli import main

Write = Callable[..., Path]

STEPS = (
    ("step:load", "rows = [3, 1, 2]"),
    ("step:clean", "clean = sorted(rows)"),
    ("step:report", "print(clean)"),
)


def test_show_draws_the_steps(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(write(*STEPS))]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in ("load", "clean", "report"))


def test_show_writes_pictures_and_data(write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notebook = str(write(*STEPS))
    assert main(["show", notebook, "--format", "svg", "-o", str(tmp_path / "graph.svg")]) == 0
    assert capsys.readouterr().out == ""
    assert ElementTree.parse(tmp_path / "graph.svg").getroot().tag.endswith("svg")
    assert main(["show", notebook, "--format", "mermaid"]) == 0
    assert "load" in capsys.readouterr().out
    assert main(["show", notebook, "--format", "json"]) == 0
    assert [step["name"] for step in json.loads(capsys.readouterr().out)["steps"]] == ["load", "clean", "report"]


def test_show_says_where_it_cannot_write(write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(write(*STEPS)), "-o", str(tmp_path / "nowhere" / "graph.txt")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_explain_names_cells_and_names(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    notebook = str(write(*STEPS))
    assert main(["explain", notebook]) == 0
    told = capsys.readouterr().out
    assert "`clean`" in told
    assert "cell 3" in told
    assert main(["explain", notebook, "clean", "--format", "json"]) == 0
    edges = json.loads(capsys.readouterr().out)["edges"]
    assert {(edge["source"], edge["target"], edge["name"]) for edge in edges} == {
        ("load", "clean", "rows"),
        ("clean", "report", "clean"),
    }
    assert all(edge["name"] in edge["explanation"] for edge in edges)


def test_explain_guesses_a_mistyped_step(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(write(*STEPS)), "claen"]) == 2
    assert "Did you mean clean?" in capsys.readouterr().err


def test_suggest_shows_a_diff_and_writes_it_when_told(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook = nbformat.v4.new_notebook()
    for heading, source in (
        ("Load", "rows = [3, 1, 2]"),
        ("Clean", "clean = sorted(rows)"),
        ("Report", "print(clean)"),
    ):
        notebook.cells += [nbformat.v4.new_markdown_cell(f"## {heading}"), nbformat.v4.new_code_cell(source)]
    path = tmp_path / "plain.ipynb"
    nbformat.write(notebook, path)
    before = path.read_bytes()
    assert main(["suggest", str(path)]) == 0
    told = capsys.readouterr()
    assert "step:clean" in told.out
    assert "--write" in told.err
    assert path.read_bytes() == before
    assert main(["suggest", str(path), "--write", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["written"] is True
    tagged = nbformat.read(path, as_version=4)
    assert [cell.source for cell in tagged.cells] == [cell.source for cell in notebook.cells]
    assert "step:clean" in tagged.cells[3].metadata.tags
    assert main(["check", str(path)]) == 0
