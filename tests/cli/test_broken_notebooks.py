"""`check`, and every command that reads a notebook, on notebooks that are broken in all the ways they come."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_pipelines.cli import main


def cell(source: str, *tags: str, **changes: Any) -> dict[str, Any]:
    base = {"cell_type": "code", "source": source, "metadata": {"tags": list(tags)}, "outputs": []}
    return base | {"execution_count": None} | changes


def notebook(*cells: Any, kernel: str = "python3", **changes: Any) -> str:
    metadata = {"kernelspec": {"name": kernel, "display_name": kernel, "language": "python"}}
    return json.dumps({"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 4} | changes)


LARGE_OUTPUT = {"output_type": "stream", "name": "stdout", "text": ["x" * 99 + "\n"] * 100_000}
FORMAT_3 = {
    "nbformat": 3,
    "nbformat_minor": 0,
    "metadata": {"name": ""},
    "worksheets": [{"metadata": {}, "cells": [{"cell_type": "code", "input": "1 +", "outputs": [], "metadata": {}}]}],
}

# name, content, exit code of check, what its message must say
BROKEN: list[tuple[str, str | bytes, int, tuple[str, ...]]] = [
    ("corrupt JSON", notebook(cell("x = 1"))[:-30], 1, ("JP101", "error")),
    ("no JSON at all", "import pandas as pd\n", 1, ("JP101",)),
    ("merge conflict", '{\n<<<<<<< HEAD\n "cells": []\n=======\n>>>>>>> other\n}', 1, ("JP101", "merge conflict")),
    ("not text", b"\x89PNG\r\n\x1a\n\xff\xfe", 1, ("JP101",)),
    ("empty file", "", 1, ("JP102",)),
    ("a list", "[]", 1, ("JP103",)),
    ("format 3 with a mistake", json.dumps(FORMAT_3), 1, ("JP120", "cell 1", "1 +")),
    ("a future format", json.dumps({"nbformat": 9, "cells": []}), 1, ("JP105", "9")),
    ("no cells", notebook(), 1, ("JP106",)),
    ("10 MB of output", notebook(cell("x = 1", outputs=[LARGE_OUTPUT])), 0, ()),
    (
        "syntax error",
        notebook(cell("x = 1", "step:a"), cell("y = 1\nz = = 2", "step:b")),
        1,
        ("JP120", "cell 2, line 2"),
    ),
    (
        "cyclic after",
        notebook(cell("x=1", "step:a", "after:b"), cell("y=1", "step:b", "after:a")),
        1,
        ("a", "b", "fix"),
    ),
    ("after an unknown step", notebook(cell("x = 1", "step:a", "after:nowhere")), 1, ("JP135", "nowhere")),
    ("after itself", notebook(cell("x = 1", "step:a", "after:a")), 1, ("JP136",)),
    ("unknown kernel", notebook(cell("x = 1", "step:a"), kernel="no-such-kernel"), 1, ("no-such-kernel", "fix")),
    ("emoji as a name", notebook(cell("x = 1", "step:🚀")), 1, ("JP131", "🚀", "cell 1")),
    ("right-to-left name", notebook(cell("x = 1", "step:שלום")), 1, ("JP131", "שלום")),
    ("empty name", notebook(cell("x = 1", "step:")), 1, ("JP131",)),
    ("reserved name", notebook(cell("x = 1", "step:setup")), 1, ("JP132",)),
    ("two roles", notebook(cell("x = 1", "step:a", "skip")), 1, ("JP130", "cell 1")),
    ("magic against tag", notebook(cell("%%step b\nx = 1", "step:a")), 1, ("JP1", "cell 1")),
    ("unknown option", notebook(cell("%%step a --retires 3\nx = 1")), 1, ("JP1", "retires")),
    ("unresolved name", notebook(cell("x = unheard_of + 1", "step:a")), 1, ("unheard_of", "cell 1, line 1")),
    ("tags as text", notebook(cell("x = 1") | {"metadata": {"tags": "step:a"}}), 1, ("JP112",)),
    ("terminal sequences", notebook(cell("\x1b[2Jx = = 1", "step:a")), 1, ("JP120",)),
    ("half a surrogate pair", notebook(cell("x = '\ud800'", "step:a")), 1, ("JP120",)),
]
IDS = [case[0] for case in BROKEN]


@pytest.fixture
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    content = request.param
    file = tmp_path / "broken.ipynb"
    file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    return file


@pytest.mark.parametrize(("path", "code", "words"), [case[1:] for case in BROKEN], ids=IDS, indirect=["path"])
def test_check_says_what_is_wrong(
    path: Path, code: int, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(path)]) == code
    told = capsys.readouterr()
    assert "Traceback" not in told.out + told.err
    assert "internal error" not in told.err
    assert "\x1b" not in told.out
    for word in words:
        assert word in told.out
    if code:
        assert "fix: " in told.out


@pytest.mark.parametrize("path", [case[1] for case in BROKEN], ids=IDS, indirect=True)
def test_every_command_stays_calm(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commands = ["check", "show", "explain", "suggest", *([] if _is_sound(path, capsys) else ["run", "verify"])]
    for command in commands:
        for extra in ([], ["--format", "json"]):
            code = main([command, str(path), *extra])
            told = capsys.readouterr()
            assert code in {0, 1, 2}
            assert "Traceback" not in told.out + told.err
            assert "internal error" not in told.err, command
            if extra:
                json.loads(told.out)
            if command == "run":
                assert code == 2


def _is_sound(path: Path, capsys: pytest.CaptureFixture[str]) -> bool:
    code = main(["check", str(path)])
    told = capsys.readouterr().out
    return code == 0 or "is not installed here" in told  # which only running finds out


def test_two_thousand_cells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells = [cell(f"x{number} = {f'x{number - 1}' if number else 0} + 1", f"step:s{number}") for number in range(2000)]
    file = tmp_path / "long.ipynb"
    file.write_text(notebook(*cells))
    assert main(["check", str(file)]) == 0
    assert "2,000 steps" in capsys.readouterr().out


def test_the_json_form_is_complete(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.ipynb", tmp_path / "bad.ipynb"
    good.write_text(notebook(cell("x = 1", "step:a")))
    bad.write_text(notebook(cell("x = 1", "step:a"), cell("y = = 2", "step:b")))
    assert main(["check", str(good), str(bad), "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [entry["notebook"] for entry in told["notebooks"]] == [str(good), str(bad)]
    assert told["errors"] == 1
    finding = next(found for found in told["notebooks"][1]["diagnostics"] if found["severity"] == "error")
    assert finding["code"] == "JP120"
    assert finding["location"] == {"cell": 2, "line": 1}
    assert finding["first_line"] == "y = = 2"
    assert finding["fix"]


def test_strict_makes_warnings_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "warned.ipynb"
    file.write_text(notebook(cell("x = 1", "step:a", "stpe:b")))
    assert main(["check", str(file)]) == 0
    assert "warning" in capsys.readouterr().out
    assert main(["check", "--strict", str(file)]) == 1
