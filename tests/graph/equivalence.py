"""The proof without kernels: a notebook top to bottom in one namespace, against its steps in namespaces of their own.

Steps follow their plans to the letter: setup, definitions, loaded values (through pickle, one container per step),
late definitions, own cells, outputs. What every cell prints must agree.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import pickle
import random
import sys
import types
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import TypeVar

from jupyter_pipelines.execution.kernel_side import ambient
from jupyter_pipelines.graph import compile_pipeline
from jupyter_pipelines.graph.model import Observations, Pipeline, StepPlan
from jupyter_pipelines.notebook.model import Cell, NotebookDocument, Role

_EXECUTED = {Role.PARAMETERS, Role.SETUP, Role.STEP}


@dataclass
class Outcome:
    """What running a notebook printed, by cell; ``refused`` says why it could not be run as a pipeline."""

    printed: dict[int, str] = field(default_factory=dict)
    refused: str = ""
    failed: str = ""  # a cell raised
    observations: Observations = field(default_factory=Observations)


T = TypeVar("T")


class _Kernel:
    """A module of its own named ``__main__``, as a kernel's namespace is."""

    def __init__(self) -> None:
        self.module = types.ModuleType("__main__")
        self.namespace = self.module.__dict__
        self.random = random.getstate()

    @contextlib.contextmanager
    def active(self):
        before, state = sys.modules["__main__"], random.getstate()
        sys.modules["__main__"] = self.module
        random.setstate(self.random)
        try:
            yield
        finally:
            self.random = random.getstate()
            sys.modules["__main__"] = before
            random.setstate(state)

    def run(self, source: str) -> str:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(source, "<cell>", "exec"), self.namespace)
        return printed.getvalue()


def run_plain(document: NotebookDocument) -> Outcome:
    """Restart & Run All, in one namespace."""
    outcome, kernel = Outcome(), _Kernel()
    with kernel.active():
        for cell in document.cells:
            if cell.role in _EXECUTED and cell.python is not None:
                try:
                    outcome.printed[cell.index] = kernel.run(cell.python)
                except Exception as error:
                    outcome.failed = f"cell {cell.number}: {error!r}"
                    return outcome
    return outcome


def run_steps(pipeline: Pipeline, *, backwards: bool = False, apart: bool = False) -> Outcome:
    """Each step on its own, in an order that the edges allow; ``backwards``: as far from notebook order as they do.

    ``apart``: in a process of its own too, for what modules keep.
    """
    outcome = Outcome()
    if pipeline.errors:
        outcome.refused = "; ".join(f"{error.code} {error.message}" for error in pipeline.errors)
        return outcome
    containers: dict[str, tuple[_Dumped, dict[str, object]]] = {}
    for name in _order(pipeline, backwards=backwards):
        step = pipeline.step(name)
        try:
            if apart:
                containers[name], printed = in_a_process(lambda: _run_apart(pipeline, step, containers, outcome))  # noqa: B023
                outcome.printed.update(printed)
            else:
                _run_step(pipeline, step, containers, outcome)
        except _RefusedError as refusal:
            outcome.refused = f"{name}: {refusal}"
            return outcome
        except Exception as error:
            outcome.failed = f"{name}: {error!r}"
            return outcome
    return outcome


def in_a_process(work: Callable[[], T]) -> T:
    """What ``work`` returns or raises in a copy of this process."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with os.fdopen(writing, "wb") as pipe:
            try:
                pickle.dump((work(), None), pipe)
            except BaseException as error:
                pickle.dump((None, error), pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        result, error = pickle.load(pipe)
    os.waitpid(child, 0)
    if error is not None:
        raise error
    return result


def _run_apart(
    pipeline: Pipeline, step: StepPlan, containers: dict[str, tuple[_Dumped, dict[str, object]]], outcome: Outcome
) -> tuple[tuple[_Dumped, dict[str, object]], dict[int, str]]:
    for component, producer in step.state_inputs.items():
        if component != "random":
            ambient.restore(component, containers[producer][1][component])
    _run_step(pipeline, step, containers, outcome)
    values, states = containers[step.name]
    now = ambient.capture()
    return (values, {**{name: now[name] for name in step.state_outputs}, **states}), outcome.printed


class _RefusedError(Exception):
    """The guard, or a value that cannot be carried."""


def _order(pipeline: Pipeline, *, backwards: bool) -> list[str]:
    names = [step.name for step in pipeline.steps]
    sorter: TopologicalSorter[str] = TopologicalSorter({name: pipeline.upstream(name) for name in names})
    sorter.prepare()
    order: list[str] = []
    ready: list[str] = []
    while sorter.is_active():
        ready += sorter.get_ready()
        ready.sort(key=names.index, reverse=backwards)
        order.append(ready.pop(0))
        sorter.done(order[-1])
    return order


def _run_step(
    pipeline: Pipeline, step: StepPlan, containers: dict[str, tuple[_Dumped, dict[str, object]]], outcome: Outcome
) -> None:
    kernel = _Kernel()
    with kernel.active():
        for cell in pipeline.document.cells:
            if cell.role in {Role.PARAMETERS, Role.SETUP} and cell.python is not None:
                printed = kernel.run(cell.python)
                assert outcome.printed.setdefault(cell.index, printed) == printed, "setup differs between steps"
        for replay in step.definitions:
            kernel.run(replay.source)
        loaded = _load(step, containers, kernel)
        for component, producer in step.state_inputs.items():
            if component == "random":
                random.setstate(containers[producer][1][component])  # type: ignore[arg-type]
        for replay in step.late_definitions:
            kernel.run(replay.source)
        before = {name: pickle.dumps(loaded[name]) for name in step.guarded if name in loaded}
        for index in step.cells:
            python = pipeline.document.cells[index].python
            if python is not None:
                outcome.printed[index] = kernel.run(python)
        _guard(step, before, loaded)
        states = {component: random.getstate() for component in step.state_outputs if component == "random"}
        containers[step.name] = (_dump(step, kernel.namespace), states)


def _load(step: StepPlan, containers: Mapping[str, tuple[_Dumped, object]], kernel: _Kernel) -> dict[str, object]:
    loaded: dict[str, object] = {}
    for producer in sorted({value.producer for value in step.inputs}):
        wanted = {value.name for value in step.inputs if value.producer == producer}
        for names, dumped in containers[producer][0]:
            if wanted & names:
                for name, value in pickle.loads(dumped).items():
                    if name in wanted:
                        loaded[name] = kernel.namespace[name] = value
    return loaded


_Dumped = list[tuple[frozenset[str], bytes]]


def _dump(step: StepPlan, namespace: Mapping[str, object]) -> _Dumped:
    """Names that share objects go into one pickle, every other name into its own, as the product does it."""
    values = {name: namespace[name] for name in step.outputs if name in namespace}
    groups: list[tuple[set[str], set[int]]] = []
    for name, value in values.items():
        names, objects = {name}, _mutable_objects(value)
        for group in [group for group in groups if group[1] & objects]:
            groups.remove(group)
            names, objects = names | group[0], objects | group[1]
        groups.append((names, objects))
    try:
        return [(frozenset(names), pickle.dumps({name: values[name] for name in names})) for names, _ in groups]
    except Exception as error:
        raise _RefusedError(f"cannot carry: {error}") from error


def _mutable_objects(value: object) -> set[int]:
    found: set[int] = set()
    pending = [value]
    while pending:
        current = pending.pop()
        if id(current) in found or isinstance(
            current, type | types.ModuleType | types.FunctionType | str | int | float
        ):
            continue
        if not isinstance(current, tuple | frozenset | types.NoneType):
            found.add(id(current))
        pending += gc.get_referents(current)
    return found


def _guard(step: StepPlan, before: Mapping[str, bytes], loaded: Mapping[str, object]) -> None:
    for name, dumped in before.items():
        if pickle.dumps(loaded[name]) != dumped and pickle.dumps(pickle.loads(dumped)) != pickle.dumps(loaded[name]):
            raise _RefusedError(f"`{name}` changed")


def check(
    document: NotebookDocument, observations: Observations | None = None, *, apart: bool = False
) -> tuple[Pipeline, str]:
    """Compile, run both ways, compare; returns ``"equal"`` or the refusal, fails on a silent difference."""
    pipeline = compile_pipeline(document, observations or Observations())
    reference = in_a_process(lambda: run_plain(document)) if apart else run_plain(document)
    verdict = "equal"
    for backwards in (False, True):
        outcome = run_steps(pipeline, backwards=backwards, apart=apart)
        if outcome.refused:
            verdict = outcome.refused
            continue
        assert bool(outcome.failed) == bool(reference.failed), f"{outcome.failed!r} instead of {reference.failed!r}"
        if reference.failed:
            continue
        for cell in document.cells:
            expected, got = reference.printed.get(cell.index), outcome.printed.get(cell.index)
            assert got == expected, _difference(pipeline, cell, expected, got)
    return pipeline, verdict


def _difference(pipeline: Pipeline, cell: Cell, expected: str | None, got: str | None) -> str:
    notebook = "\n".join(f"--- {other.step or other.role}\n{other.source}" for other in pipeline.document.cells)
    edges = "\n".join(edge.explain() for edge in pipeline.edges)
    return f"cell {cell.number}: {got!r} instead of {expected!r}\n{notebook}\n{edges}"
