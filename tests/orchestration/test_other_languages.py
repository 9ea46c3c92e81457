"""Notebooks of another language: all steps in one kernel, in notebook order, nothing inferred."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import jupyter_pipelines as jp


@pytest.fixture
def other_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A kernel whose specification names a language that we do not understand."""
    folder = tmp_path / "jupyter" / "kernels" / "other"
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (folder / "kernel.json").write_text(json.dumps({"argv": command, "display_name": "Other", "language": "other"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    return "other"


def test_steps_share_one_kernel_and_end_one_by_one(
    store: Path, write: Callable[..., Path], other_language: str
) -> None:
    notebook = write(
        ("step:make", "x = 1"), ("step:show", "print(x + 1)"), ("step:fail", "1 / 0"), ("step:never", "print(x)")
    )
    content = json.loads(notebook.read_text())
    content["metadata"] = {"kernelspec": {"name": other_language, "display_name": "Other", "language": other_language}}
    notebook.write_text(json.dumps(content))
    assert jp.load(notebook).sequential
    record = jp.run(notebook)
    assert {step.name: step.state for step in record.steps} == {
        "make": "completed",
        "show": "completed",
        "fail": "failed",
        "never": "skipped",
    }
    assert "ZeroDivisionError" in record.step("fail").error
    executed = json.loads(Path(record.executed_notebook).read_text())
    shown = [cell["outputs"] for cell in executed["cells"] if cell["cell_type"] == "code"]
    assert shown[1][0]["text"] == ["2\n"]
