"""Parameters and grids as they are written on the command line and in files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_pipelines.cli.arguments import read_grid, read_parameters, split_values
from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.notebook import read_notebook
from jupyter_pipelines.notebook.model import NotebookDocument

Write = Callable[..., Path]


@pytest.fixture
def document(write: Write) -> NotebookDocument:
    path = write(("parameters", "alpha = 1.0\nname = 'a'\nlayers = [8]\ncount = 3"), ("step:a", "print(alpha)"))
    return read_notebook(path.read_bytes(), path.name)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("0.1,1,10", ["0.1", "1", "10"]),
        ("one", ["one"]),
        ('"Paris, TX",Rome', ["Paris, TX", "Rome"]),
        ("'a,b', c", ["a,b", "c"]),
        ("[8,8],[16]", ["[8,8]", "[16]"]),
        ('{"a": [1,2]},{}', ['{"a": [1,2]}', "{}"]),
        ('["x,]"],2', ['["x,]"]', "2"]),
        ("it's,fine", ["it's", "fine"]),
        ('"a" and "b",c', ['"a" and "b"', "c"]),
        ("", [""]),
        ("a,,b", ["a", "", "b"]),
    ],
)
def test_commas_in_quotes_and_brackets_do_not_separate(text: str, parts: list[str]) -> None:
    assert split_values(text) == parts


@pytest.mark.parametrize("text", ["[1,2", '"a,b'])
def test_an_open_quote_or_bracket_is_told(text: str) -> None:
    with pytest.raises(RequestError, match="is missing"):
        split_values(text)


def test_a_grid_has_values_of_the_parameters_types(document: NotebookDocument) -> None:
    grid = read_grid(document, ["alpha=0.1,1", "layers=[8,8],[16]", 'name="x, y",z'])
    assert grid == {"alpha": [0.1, 1.0], "layers": [[8, 8], [16]], "name": ["x, y", "z"]}
    assert all(isinstance(value, float) for value in grid["alpha"])


@pytest.mark.parametrize("options", [["alpha"], ["=1"], ["alpha=1", "alpha=2"], ["alpha=x"], ["nothing=1"]])
def test_a_wrong_grid_is_a_wrong_request(document: NotebookDocument, options: list[str]) -> None:
    with pytest.raises(RequestError):
        read_grid(document, options)


def test_a_file_gives_parameters_and_p_wins(document: NotebookDocument, tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("alpha: 2.5\ncount: 7\nname: from file\n")
    assert read_parameters(document, ["count=9"], str(file)) == {"alpha": 2.5, "count": 9, "name": "from file"}
    file = tmp_path / "p.json"
    file.write_text('{"layers": [1, 2]}')
    assert read_parameters(document, [], str(file)) == {"layers": [1, 2]}


def test_everything_wrong_is_told_at_once(document: NotebookDocument, tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("cuont: 7\n")
    with pytest.raises(RequestError) as told:
        read_parameters(document, ["alpha=many"], str(file))
    assert "cuont" in str(told.value)
    assert "alpha" in str(told.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [("p.yaml", "a: [1"), ("p.json", "{"), ("p.yaml", "- 1\n"), ("p.yaml", "\x00"), ("missing.yaml", None)],
)
def test_a_file_that_cannot_be_read_is_a_wrong_request(
    document: NotebookDocument, tmp_path: Path, name: str, content: str | None
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(RequestError, match=r"p\.|missing"):
        read_parameters(document, [], str(tmp_path / name))
