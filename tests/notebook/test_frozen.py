"""What a notebook is when nothing of its executions is left."""

from __future__ import annotations

import json

import pytest

from jupyter_pipelines.notebook.frozen import without_outputs


def test_executing_changes_nothing() -> None:
    cell = {"cell_type": "code", "id": "a", "metadata": {"tags": ["step:a"]}, "source": "1", "outputs": []}
    notebook = {"cells": [cell], "metadata": {"kernelspec": {"name": "python3"}}, "nbformat": 4, "nbformat_minor": 5}
    frozen = without_outputs(json.dumps(notebook).encode())
    cell["outputs"], cell["execution_count"] = [{"output_type": "stream", "name": "stdout", "text": "1"}], 3
    cell["metadata"] = {"execution": {"shell.execute_reply": "now"}, "tags": ["step:a"], "papermill": {"status": "x"}}
    notebook["metadata"] = {"widgets": {}, "papermill": {}, "kernelspec": {"name": "python3"}}
    assert without_outputs(json.dumps(notebook, indent=4).encode()) == frozen
    assert without_outputs(frozen) == frozen
    assert json.loads(frozen)["cells"][0]["metadata"] == {"tags": ["step:a"]}


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"# %%\nx = 1", b'{"cells": 3, "metadata": {}}', b"\xff", b"[" * 10**5]
)
def test_what_is_no_notebook_of_today_is_left_as_it_is(content: bytes) -> None:
    assert without_outputs(content) == content
