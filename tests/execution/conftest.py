"""Runs steps of small notebooks in real kernels, with plans written by hand."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_pipelines.execution.model import Carried, CellEvent, StepRequest, StepResult
from jupyter_pipelines.execution.steps import run_step
from jupyter_pipelines.graph.model import Input, Pipeline, Replay, StepPlan
from jupyter_pipelines.notebook import parse_notebook, read_notebook


class Notebook:
    """A notebook of setup and steps, run step by step. What steps hand over is kept for the next."""

    def __init__(
        self,
        folder: Path,
        setup: str,
        steps: Mapping[str, str],
        parameters: str = "",
        may_fail: tuple[str, ...] = (),
    ) -> None:
        self.folder = folder
        self.objects = folder / "objects"
        cells = [("setup", setup)] if setup else []
        cells = ([("parameters", parameters)] if parameters else []) + cells
        cells += [(f"step:{name}", source) for name, source in steps.items()]
        source = {
            "cells": [
                {"id": f"c{place}", "cell_type": "code", "source": text, "outputs": [],
                 "metadata": {"tags": [tag, *(["raises-exception"] if tag[5:] in may_fail else [])]},
                 "execution_count": None}
                for place, (tag, text) in enumerate(cells)
            ],
            "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }  # fmt: skip
        content = json.dumps(source)
        self.document = read_notebook(content, "test.ipynb")
        assert not [problem for problem in self.document.diagnostics if problem.is_error], self.document.diagnostics
        self.notebook = parse_notebook(content, "test.ipynb")
        self.values: dict[str, Carried] = {}
        self.state: dict[str, Carried] = {}
        self.events: list[CellEvent] = []
        self.cancel = threading.Event()
        cells_of = {name: tuple(c.index for c in self.document.cells if c.step == name) for name in steps}
        self.plans = {name: StepPlan(name, cells_of[name], self.document.steps[name]) for name in steps}

    def plan(
        self,
        step: str,
        *,
        inputs: tuple[str, ...] = (),
        state_inputs: tuple[str, ...] = (),
        definitions: tuple[str, ...] = (),
        names: tuple[str, ...] = (),
        **fields: object,
    ) -> None:
        """State what the graph would say of a step. ``names`` are those that the definitions bind."""
        self.plans[step] = replace(
            self.plans[step],
            inputs=tuple(Input(name, "?") for name in inputs),
            state_inputs=dict.fromkeys(state_inputs, "?"),
            definitions=tuple(Replay(0, 1, source, names) for source in definitions),
            **fields,
        )

    def run(self, step: str, *, parameters: Mapping[str, object] | None = None, **fields: object) -> StepResult:
        """Plan and run a step."""
        if fields:
            self.plan(step, **fields)
        pipeline = Pipeline(self.document, tuple(self.plans.values()), (), ())
        request = StepRequest(
            "run", pipeline, self.plans[step], self.notebook, parameters or {}, dict(self.values), dict(self.state),
            self.folder, self.objects,
        )  # fmt: skip
        result = run_step(request, self.events.append, self.cancel)
        self.values.update(result.outputs)
        self.state.update(result.state_outputs)
        return result

    def text(self, result: StepResult) -> str:
        """What the cells of a step printed or showed."""
        texts = []
        for cell in result.cells.values():
            for output in cell.outputs:
                if output.output_type == "stream":
                    texts.append(output.text)
                elif "data" in output:
                    texts.append(output.data["text/plain"])
        return "".join(texts)


@pytest.fixture
def make_notebook(tmp_path: Path):
    """Make a :class:`Notebook` in a folder of its own."""

    def make(setup: str = "", parameters: str = "", may_fail: tuple[str, ...] = (), **steps: str) -> Notebook:
        return Notebook(tmp_path, setup, steps, parameters, may_fail)

    return make


@pytest.fixture(scope="session")
def notebook_class() -> type[Notebook]:
    """:class:`Notebook`, for fixtures of a wider scope."""
    return Notebook
