"""Notebooks for the tests, made in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from jupyter_pipelines.notebook import read_notebook
from jupyter_pipelines.notebook.model import NotebookDocument

PYTHON = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}


def make_notebook(*cells: Any, metadata: dict[str, Any] | None = None) -> str:
    """A notebook of code cells: each is a source, a (source, tag, …) tuple, or a whole cell as a dict."""
    made: list[Any] = []
    for at, given in enumerate(cells):
        cell = given
        if isinstance(given, str):
            cell = (given,)
        if isinstance(cell, tuple):
            source, *tags = cell
            cell = {"id": f"c{at}", "cell_type": "code", "source": source, "metadata": {"tags": tags} if tags else {}}
            cell |= {"outputs": [], "execution_count": None}
        made.append(cell)
    content = {"cells": made, "metadata": PYTHON | (metadata or {}), "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content)


@pytest.fixture
def notebook() -> Callable[..., str]:
    """Makes a notebook's text; see :func:`make_notebook`."""
    return make_notebook


@pytest.fixture
def read() -> Callable[..., NotebookDocument]:
    """Makes and reads a notebook."""
    return lambda *cells, metadata=None: read_notebook(make_notebook(*cells, metadata=metadata), "work.ipynb")
