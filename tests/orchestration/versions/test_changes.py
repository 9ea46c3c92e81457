"""Drift and diff: every change is told, as what it is, and nothing else is."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.versions import Drift

Project = Callable[..., Path]

CELLS = (
    ("parameters", "n: int = 3"),
    ("setup", "import math"),
    ("step:load", "rows = list(range(n))"),
    ("step:mean", "mean = sum(rows) / n"),
    ("step:report", "print(mean)"),
)


def _edit(notebook: Path, change: Callable[[nbformat.NotebookNode], object]) -> None:
    content = nbformat.read(notebook, 4)
    change(content)
    nbformat.write(content, notebook)


def _told(drift: Drift) -> list[tuple[str, int | None, int | None]]:
    return [(cell.kind, cell.before, cell.number) for cell in drift.cells]


def test_a_notebook_that_was_never_published_has_no_version_to_drift_from(project: Project) -> None:
    drift = jp.drift(project(*CELLS))
    assert drift.version == ""
    assert not drift.is_clean


def test_drift_tells_which_cells(project: Project) -> None:
    notebook = project(*CELLS)
    version = jp.publish(notebook)
    assert jp.drift(notebook) == Drift(version.id)

    def change(content: nbformat.NotebookNode) -> None:
        content.cells[0]["source"] = "n: int = 4"
        content.cells[4]["metadata"]["tags"].append("after:load")
        content.cells.insert(1, nbformat.v4.new_markdown_cell("# new", id="new"))
        del content.cells[2]

    _edit(notebook, change)
    drift = jp.drift(notebook)
    assert _told(drift) == [("changed", 1, 1), ("added", None, 2), ("removed", 2, None), ("changed", 5, 5)]
    assert (drift.count("changed"), drift.count("added"), drift.settings, drift.files) == (2, 1, False, ())
    jp.publish(notebook)
    assert jp.drift(notebook).is_clean


def test_a_moved_cell_is_told_as_the_one_that_moved(project: Project) -> None:
    notebook = project(*CELLS)
    jp.publish(notebook)
    _edit(notebook, lambda content: content.cells.insert(1, content.cells.pop(3)))
    assert _told(jp.drift(notebook)) == [("moved", 4, 2)]
    (cell,) = jp.diff(notebook).cells
    assert (cell.kind, cell.before, cell.after, cell.lines) == ("moved", 4, 2, ())


def test_drift_of_unsaved_content_settings_and_files(project: Project) -> None:
    notebook = project(*CELLS, files=["a.txt", "b.txt"])
    for name in ("a.txt", "b.txt"):
        (notebook.parent / name).write_text("old")
    jp.publish(notebook)
    content = json.loads(notebook.read_bytes())
    content["cells"][2]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "ran"}]
    assert jp.drift(notebook, json.dumps(content).encode()).is_clean
    content["metadata"]["pipeline"]["max_parallel"] = 2
    assert jp.drift(notebook, json.dumps(content).encode()).settings
    (notebook.parent / "a.txt").write_text("new")  # same size
    (notebook.parent / "b.txt").unlink()
    assert jp.drift(notebook).files == ("a.txt", "b.txt")
    assert jp.drift(notebook, b"not a notebook").count("removed") == len(CELLS)


def test_drift_follows_what_is_published(project: Project) -> None:
    notebook = project(*CELLS)
    first = jp.publish(notebook)
    _edit(notebook, lambda content: content.cells.pop())
    assert not jp.drift(notebook).is_clean
    second = jp.publish(notebook)
    assert jp.drift(notebook) == Drift(second.id)
    jp.rollback(notebook, first.id)
    assert _told(jp.drift(notebook)) == [("removed", 5, None)]


def test_drift_is_cheap_enough_for_every_key(project: Project) -> None:
    cells = [(f"step:s{number}" if number % 10 == 0 else "", f"x{number} = {number}\n" * 12) for number in range(300)]
    notebook = project(*cells)
    jp.publish(notebook)
    _edit(notebook, lambda content: content.cells[150].update(source="y = 1"))
    content = notebook.read_bytes()
    assert _told(jp.drift(notebook, content)) == [("changed", 151, 151)]
    times = []
    for _ in range(15):
        begin = time.process_time()
        jp.drift(notebook, content)
        times.append(time.process_time() - begin)
    assert min(times) < 0.005
    # A notebook that was written anew is the worst there is.
    other = {**json.loads(content), "cells": []}
    for number in range(300):
        other["cells"].append(
            {"cell_type": "code", "id": f"new{number}", "metadata": {}, "source": f"z = {number}\n" * 12}
        )
    begin = time.process_time()
    drift = jp.drift(notebook, json.dumps(other).encode())
    assert time.process_time() - begin < 0.2
    assert (drift.count("removed"), drift.count("added")) == (300, 300)


def test_any_edits_are_undone_by_what_drift_tells(project: Project) -> None:
    """Whatever is done to the cells: each is told once, and what is not told is the same."""
    chance = random.Random(7)
    notebook = project(*[("", f"cell_{number} = {number}") for number in range(12)])
    jp.publish(notebook)
    before = nbformat.read(notebook, 4)
    for _ in range(60):
        content = nbformat.from_dict(json.loads(json.dumps(before)))
        for _ in range(chance.randrange(5)):
            place = chance.randrange(len(content.cells))
            match chance.choice(["edit", "move", "remove", "add", "copy"]):
                case "edit":
                    content.cells[place].source += f"\n# {chance.random()}"
                case "move":
                    content.cells.insert(chance.randrange(len(content.cells)), content.cells.pop(place))
                case "remove" if len(content.cells) > 1:
                    del content.cells[place]
                case "copy":
                    content.cells.insert(
                        0, nbformat.from_dict({**content.cells[place], "id": str(chance.random())[2:]})
                    )
                case _:
                    content.cells.insert(place, nbformat.v4.new_code_cell("z = 0", id=str(chance.random())[2:]))
        told = jp.drift(notebook, nbformat.writes(content).encode()).cells
        olds = [cell.before for cell in told if cell.before]
        news = [cell.number for cell in told if cell.number]
        assert len(set(olds)) == len(olds)
        assert len(set(news)) == len(news)
        kept = [cell.source for number, cell in enumerate(before.cells, 1) if number not in olds]
        assert kept == [cell.source for number, cell in enumerate(content.cells, 1) if number not in news]


def test_diff_reads_like_a_review(project: Project) -> None:
    notebook = project(*CELLS, files=["data.bin"])
    (notebook.parent / "data.bin").write_bytes(b"\0old")
    (notebook.parent / "helper.py").write_text("x = 1\n")
    _edit(notebook, lambda content: content.cells[1].update(source="import math\nimport helper"))
    first = jp.publish(notebook)

    def change(content: nbformat.NotebookNode) -> None:
        content.cells[0]["source"] = "n: float = 3.5\nname = 'a'"
        content.cells[3]["source"] = "mean = sum(rows) / len(rows)"
        content.cells[3]["metadata"]["tags"] = ["step:average"]
        content.cells[2]["metadata"]["pipeline"] = {"retries": 2}
        content.metadata["pipeline"]["max_parallel"] = 3
        del content.cells[4]

    _edit(notebook, change)
    (notebook.parent / "helper.py").write_text("x = 2\n")
    (notebook.parent / "data.bin").write_bytes(b"\0new")
    found = jp.diff(notebook, first.id)
    assert (found.old, found.new) == (first.id, "")
    assert [(cell.kind, cell.before, cell.after) for cell in found.cells] == [
        *(("changed", 1, 1), ("changed", 4, 4), ("removed", 5, None))
    ]
    assert found.cells[1].lines == ("-mean = sum(rows) / n", "+mean = sum(rows) / len(rows)")
    assert [(mark.name, mark.before, mark.after) for mark in found.cells[1].marks] == [
        *(("role", "step mean", "step average"), ("tags", "step:mean", "step:average"))
    ]
    parameters = {(change.name, change.before, change.after) for change in found.parameters}
    assert parameters == {("n", "int = 3", "float = 3.5"), ("name", None, "str = 'a'")}
    options = {(change.name, change.before, change.after) for change in found.options}
    assert options == {("max_parallel", None, "3"), ("step load: retries", None, "2")}
    assert [(file.kind, file.path, file.lines) for file in found.files] == [
        *(("changed", "data.bin", ()), ("changed", "helper.py", ("-x = 1", "+x = 2")))
    ]
    assert found.environment == ()
    second = jp.publish(notebook)
    between = jp.diff(notebook, first.id, second.id)
    assert (between.cells, between.files, between.options) == (found.cells, found.files, found.options)
    assert jp.diff(notebook).is_empty


def test_what_a_change_of_sql_means_is_said(project: Project) -> None:
    build = "%%sql --table mart.daily\nselect day from raw.flights"
    notebook = project(("setup", "%load_ext jupyter_pipelines"), ("step:a", build))
    jp.publish(notebook)
    for source, said in (
        (build.replace("select day", "SELECT\n  day"), "formatting only"),
        (build.replace("day from", "day, max(delay) over () as worst from"), "additive; adds worst"),
        (build.replace("mart.daily", "mart.weekly"), "what is built, or how"),
        (build + "\n%%check\nday: unique", "checks only"),
    ):
        _edit(notebook, lambda content, source=source: content.cells[1].update(source=source))
        (cell,) = jp.diff(notebook).cells
        assert cell.sql == said


def test_cells_without_ids_are_known_by_their_likeness(project: Project) -> None:
    notebook = project(*CELLS)
    text = notebook.with_suffix(".py")
    text.write_text('# %% tags=["step:load"]\nrows = [1, 2, 3]\n\n# %% tags=["step:mean"]\nmean = sum(rows) / 3\n')
    jp.publish(text)
    text.write_text(text.read_text().replace("/ 3", "/ len(rows)"))
    (cell,) = jp.diff(text).cells
    assert (cell.kind, cell.lines) == ("changed", ("-mean = sum(rows) / 3", "+mean = sum(rows) / len(rows)"))
    assert _told(jp.drift(text)) == [("changed", 2, 2)]


def test_diff_of_what_is_not_there(project: Project) -> None:
    notebook = project(*CELLS)
    with pytest.raises(RequestError, match="No version"):
        jp.diff(notebook)
    jp.publish(notebook)
    with pytest.raises(RequestError, match="has no version 'zz'"):
        jp.diff(notebook, "zz")
