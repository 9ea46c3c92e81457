"""`check --fix`: what there is one way to put right is put right in the file, and nothing else of it changes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.cli import main
from jupyter_pipelines.errors import RequestError

Written = Callable[..., Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """``written([tags, source], …, indent=…)`` is a notebook as some tool has written it."""

    def written(*cells: tuple[list[str], str], lines: bool = True, end: str = "\n", **layout: object) -> Path:
        document = {
            "nbformat_minor": 5,
            "nbformat": 4,
            "cells": [
                {
                    "source": source.splitlines(keepends=True) if lines else source,
                    "cell_type": "code",
                    "metadata": {"zeta": 1, "tags": tags, "alpha": 2.50},
                    "id": f"c{number}",
                    "outputs": [],
                    "execution_count": None,
                }
                for number, (tags, source) in enumerate(cells)
            ],
            "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3 ü"}},
        }
        path = tmp_path / "nb.ipynb"
        path.write_bytes((json.dumps(document, **layout) + end).encode())  # type: ignore[arg-type]  # options of dumps
        return path

    return written


@pytest.mark.parametrize(
    ("layout", "lines", "end"),
    [
        ({"indent": 1, "ensure_ascii": False}, True, "\n"),
        ({"indent": 4}, True, ""),
        ({"indent": "\t", "ensure_ascii": False}, False, "\n\n"),
        ({"separators": (",", ":")}, False, ""),
    ],
)
def test_only_what_is_put_right_changes(written: Written, layout: dict, lines: bool, end: str) -> None:
    cells = ([[], "# é\nx = 1"], [["step:my load"], "y = 2\nprint(y)"])
    path = written(*cells, lines=lines, end=end, **layout)
    before = path.read_text()
    path.chmod(0o640)
    found = jp.fix(path, write=False)
    assert (len(found.fixes), found.written, path.read_text()) == (1, False, before)
    assert "JP131 in cell 2" in found.fixes[0]
    assert "-# %% step:my load\n+# %% step:my-load\n" in found.diff
    assert jp.fix(path).written
    assert path.read_text() == before.replace("step:my load", "step:my-load")
    assert path.stat().st_mode & 0o777 == 0o640
    again = jp.fix(path)
    assert (again.fixes, again.diff, again.written) == ((), "", False)


def test_one_after_the_other_and_new_cells_too(written: Written) -> None:
    path = written(
        (["step:load"], "rows = np.arange(3)"),
        (["step:load it"], "%%sql\nSELECT 1"),
        indent=1,
        ensure_ascii=False,
    )
    found = jp.fix(path)
    document = json.loads(path.read_text())
    assert len(found.fixes) >= 2
    sources = ["".join(cell["source"]) for cell in document["cells"]]
    assert "import numpy as np" in "\n".join(sources)
    assert len({cell["id"] for cell in document["cells"]}) == len(document["cells"])
    assert not jp.check(path.read_bytes(), path.name).pipeline.errors


def test_what_the_author_must_decide_is_left(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    path = written((["step:a"], "print(threshold)"), (["step:b", "setup"], "1"), indent=1)
    before = path.read_bytes()
    assert main(["check", "--fix", str(path)]) == 1
    assert path.read_bytes() == before
    capsys.readouterr()
    assert main(["check", "--fix", "--diff", str(path)]) == 2


def test_the_command_shows_and_writes(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    path = written((["step:my load"], "1"), indent=1)
    before = path.read_bytes()
    assert main(["check", "--diff", str(path)]) == 1
    told = capsys.readouterr().out
    assert "+# %% step:my-load" in told
    assert "would fix JP131" in told
    assert path.read_bytes() == before
    assert main(["check", "--fix", str(path), "--format", "json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)["notebooks"]
    assert (one["written"], len(one["fixes"]), one["diagnostics"]) == (True, 1, [])


def test_a_link_stays_one_and_what_cannot_be_is_refused(written: Written, tmp_path: Path) -> None:
    path = written((["step:my load"], "1"), indent=1)
    link = tmp_path / "link.ipynb"
    link.symlink_to(path)
    assert jp.fix(link).written
    assert os.path.islink(link)
    assert "step:my-load" in path.read_text()
    other = tmp_path / "other.ipynb"
    path.rename(other)
    other.write_text(other.read_text().replace("my-load", "my load"))
    path.write_text("{")
    assert jp.fix(path).fixes == ()
    assert main(["check", "--fix", str(path), str(other)]) == 1
    assert "step:my-load" in other.read_text()
    other.write_text(other.read_text().replace("my-load", "my load"))
    path.with_suffix(".py").write_text("x = 1\n")
    with pytest.raises(RequestError, match="format"):
        jp.fix(path.with_suffix(".py"))
    assert main(["check", "--fix", str(other), str(path.with_suffix(".py"))]) == 2
    assert "step:my load" in other.read_text()
