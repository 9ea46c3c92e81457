"""The role magics: a cell runs as if its first line were a comment."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from jupyter_pipelines.magics.pipeline import notebook_path
from jupyter_pipelines.magics.roles import without_role_magic


@pytest.fixture(scope="module")
def started_shell() -> Iterator[InteractiveShell]:
    main = sys.modules["__main__"]
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "jupyter_pipelines")
    yield shell
    InteractiveShell.clear_instance()
    sys.modules["__main__"] = main


@pytest.fixture
def shell(started_shell: InteractiveShell) -> Iterator[InteractiveShell]:
    yield started_shell
    started_shell.reset(new_session=False)


@pytest.mark.parametrize("line", ["%%step clean --after load --retries 2", "%%setup", "%%skip"])
def test_body_runs_once_and_its_last_expression_is_the_result(shell: InteractiveShell, line: str) -> None:
    shell.user_ns["runs"] = []
    result = shell.run_cell(f"{line}\nruns.append(1)\nlen(runs) * 10")
    assert result.result == 10
    assert shell.user_ns["runs"] == [1]


def test_an_exception_is_the_cells_own_with_its_line_number(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    result = shell.run_cell("%%step broken\nx = 1\n1 / 0")
    assert isinstance(result.error_in_exec, ZeroDivisionError)
    shown = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)
    assert shown.count("Traceback (most recent call last)") == 1
    assert "----> 3 1 / 0" in shown


def test_await_and_other_magics_work_below_the_line(shell: InteractiveShell) -> None:
    assert shell.run_cell("%%step wait\nimport asyncio\nawait asyncio.sleep(0)\n'awaited'").result == "awaited"
    assert shell.run_cell("%%step shown\n%%capture said\nprint('hello')").success
    assert shell.user_ns["said"].stdout == "hello\n"
    assert shell.run_cell("%%step count\nwords = !echo one two\nwords[0]").result == "one two"


def test_the_word_alone_is_still_help(shell: InteractiveShell) -> None:
    assert without_role_magic(["%%step?\n"]) == ["%%step?\n"]
    assert "step" in shell.magics_manager.magics["cell"]


def test_called_as_a_function_the_body_runs_and_raises(shell: InteractiveShell) -> None:
    shell.run_cell_magic("step", "a", "y = 5")
    assert shell.user_ns["y"] == 5
    with pytest.raises(ZeroDivisionError):
        shell.run_cell_magic("skip", "", "1 / 0")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["\n", "%%step a\n", "x\n"], ["\n", "# %%step a\n", "x\n"]),
        (["%%stepping a\n", "x\n"], ["%%stepping a\n", "x\n"]),
        (["%%skip"], ["# %%skip"]),
        (["x\n", "%%step a\n"], ["x\n", "%%step a\n"]),
        ([], []),
    ],
)
def test_only_a_role_line_at_the_top_is_taken(lines: list[str], expected: list[str]) -> None:
    assert without_role_magic(lines) == expected


def test_the_notebook_is_the_named_one_or_the_one_the_front_end_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    here = tmp_path / "a.ipynb"
    here.write_text("{}")
    assert notebook_path("other.ipynb", {}, {}) == Path("other.ipynb")
    assert notebook_path("", {"__vsc_ipynb_file__": str(here)}, {}) == here
    assert notebook_path("", {}, {"JPY_SESSION_NAME": "folder/below/the/root/a.ipynb"}) == Path("a.ipynb")
    with pytest.raises(UsageError, match="--notebook NB"):
        notebook_path("", {}, {})
