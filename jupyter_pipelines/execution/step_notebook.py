"""Builds the notebook of one step: the author's cells that it runs, and ours around them."""

from __future__ import annotations

import ast
import secrets
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nbformat import NotebookNode

from jupyter_pipelines.execution.kernels.imports import FOR_SQL
from jupyter_pipelines.notebook.model import MAY_FAIL, Cell, NotebookDocument, Role
from jupyter_pipelines.notebook.parsing import parse_python

if TYPE_CHECKING:
    from jupyter_pipelines.execution.model import StepRequest
    from jupyter_pipelines.graph.model import Pipeline, Replay, StepPlan

_LOADER = Path(__file__).parent / "kernel_side" / "load.py"


def build(request: StepRequest, job: Path) -> NotebookNode:
    """The notebook that runs ``request.step`` in a fresh kernel.

    Every code cell says in ``metadata.jupyter_pipelines`` which of the author's cells it is (``index``, ``None`` for
    ours), whether it is ``hidden``, and its ``phase``. ``job`` is the path of the file that the hidden cells read.
    """
    document = request.pipeline.document
    # nbformat's own makers hold each part against the schema: half of what a step's notebook would cost.
    notebook = NotebookNode(
        cells=list(_cells(request, job)),
        metadata=NotebookNode(language_info=NotebookNode(name="python")),
        nbformat=4,
        nbformat_minor=5,
    )
    if document.kernel_name:
        name = document.kernel_name
        notebook.metadata["kernelspec"] = NotebookNode(name=name, display_name=name)
    return notebook


def _cells(request: StepRequest, job: Path) -> Iterator[NotebookNode]:
    step = request.step
    yield _hidden(phase_source("begin", job), "begin")
    yield from _preamble(request)
    for replay in step.definitions:
        yield from _replay(request, replay)
    yield _hidden(phase_source("load", job), "load")
    for number, replay in enumerate(step.late_definitions, start=1):
        yield from _replay(request, replay, loading_after(number, step, job))
    for index in step.cells:
        yield _visible(request, index, "step")
    yield _hidden(phase_source("save", job), "save")


def _preamble(request: StepRequest) -> Iterator[NotebookNode]:
    """Parameters and setup cells in notebook order (parameters may need imports above them), given values last."""
    from jupyter_pipelines.notebook import parameters_source

    cells = [cell for cell in request.pipeline.document.cells if cell.role in (Role.PARAMETERS, Role.SETUP)]
    last = max((cell.index for cell in cells if cell.role is Role.PARAMETERS), default=None)
    for cell in cells:
        yield _visible(request, cell.index, cell.role.value)
        if cell.index == last and request.parameters:
            yield _hidden(parameters_source(request.pipeline.document, request.parameters), "parameters")


def _visible(request: StepRequest, index: int, phase: str) -> NotebookNode:
    cell = request.pipeline.document.cells[index]
    made = _code_cell(cell.code, phase, index=index, hidden=False)
    tags = request.notebook.cells[index].metadata.get("tags")
    if tags:
        made.metadata["tags"] = list(tags)
    return made


def _replay(request: StepRequest, replay: Replay, then: str = "") -> Iterator[NotebookNode]:
    # Lines before it keep the numbers that warnings and tracebacks show: those of the author's cell, whose empty first
    # lines IPython leaves out. It leaves out ours, too, unless there is something in the first of them.
    cell = request.pipeline.document.cells[replay.cell]
    code = cell.code
    above = code[: len(code) - len(code.lstrip())].count("\n")
    lines = max(0, replay.line - 1 - above)
    source = ("#" if lines else "") + "\n" * lines + replay.source
    if not cell.may_fail:
        yield _hidden(source + then, "definitions", replay.cell)
        return
    made = _hidden(source, "definitions", replay.cell)
    made.metadata["tags"] = [MAY_FAIL]  # what fails there, fails here
    yield made
    if then:
        yield _hidden(then.strip(), "definitions", replay.cell)


def loading_after(number: int, step: StepPlan, job: Path) -> str:
    """The line after the ``number``-th late definition (from 1) that loads the inputs which have waited for it."""
    return "\n" + phase_source("load_rest" if number == len(step.late_definitions) else "load_more", job)


def _hidden(source: str, phase: str, index: int | None = None) -> NotebookNode:
    return _code_cell(source, phase, index=index, hidden=True)


def _code_cell(source: str, phase: str, *, index: int | None, hidden: bool) -> NotebookNode:
    ours = NotebookNode(index=index, hidden=hidden, phase=phase)
    return NotebookNode(
        id=secrets.token_hex(4),
        cell_type="code",
        metadata=NotebookNode(jupyter_pipelines=ours),
        execution_count=None,
        source=source,
        outputs=[],
    )


def phase_source(phase: str, job: Path) -> str:
    """One line that runs our code, whatever the notebook has named ``open`` or ``exec``, and leaves no name behind."""
    names = f"{{'__name__': '_jupyter_pipelines_load', '__file__': path, 'PHASE': {phase!r}, 'JOB': {str(job)!r}}}"
    return (
        f"(lambda b, path: b.exec(b.compile(b.open(path, 'rb').read(), path, 'exec'), {names}))"
        f"(__import__('builtins'), {str(_LOADER)!r})"
    )


# What the job and the kernel need to know of the notebook


def execution_counts(document: NotebookDocument) -> dict[int, int]:
    """The number each code cell gets when the whole notebook runs from top to bottom, by cell index."""
    cells = [cell for cell in document.cells if cell.role is not Role.TEXT and cell.source.strip()]
    return {cell.index: number for number, cell in enumerate(cells, start=1)}


def replayable_names(document: NotebookDocument) -> list[str]:
    """The names that ``def`` and ``class`` statements bind in exactly one cell: these are replayed, not carried."""
    cells_by_name: Counter[str] = Counter()
    for cell in document.cells:
        if cell.python is not None and cell.role is not Role.SKIP:
            cells_by_name.update(set(_defined_names(cell)))
    return sorted(name for name, cells in cells_by_name.items() if cells == 1)


def replayed_names(pipeline: Pipeline) -> list[str]:
    """The names that statements bind which steps other than their own execute again, as in ``Pair = namedtuple(…)``."""
    replays = (replay for step in pipeline.steps for replay in (*step.definitions, *step.late_definitions))
    return sorted({name for replay in replays for name in replay.names})


def late_names(step: StepPlan) -> list[str]:
    """The names that definitions bind which are repeated only when values are there."""
    return sorted({name for replay in step.late_definitions for name in replay.names})


def setup_imports(document: NotebookDocument) -> tuple[str, ...]:
    """The import statements of the setup cells, as source, so that a kernel which has done them can be taken."""
    found = []
    for cell in document.cells:
        if cell.role is Role.SETUP and cell.python is not None:
            found += [ast.unparse(node) for node in _parse(cell).body if isinstance(node, ast.Import | ast.ImportFrom)]
    return tuple(dict.fromkeys(found))


def imports_ahead(pipeline: Pipeline, step: StepPlan) -> tuple[str, ...]:
    """The import statements that a kernel for ``step`` may have done before it is taken.

    Those of setup, and those of other steps that are repeated: all of them, so that most steps share one kind of
    kernel. A step that imports one of these in a cell of its own does so there, where what importing shows is seen.
    What our own magics import shows nothing.
    """
    document = pipeline.document
    setup = setup_imports(document) + (
        (f"import {FOR_SQL}",) if any(cell.sql or cell.check for cell in document.cells) else ()
    )
    repeated = dict.fromkeys(
        replay.source for other in pipeline.steps for replay in other.definitions if _is_import(replay.source)
    )
    own = {replay for replay in repeated for index in step.cells if replay in document.cells[index].code}
    return setup if own else (*setup, *(source for source in repeated if source not in setup))


def _is_import(source: str) -> bool:
    return source.startswith(("import ", "from "))


def assigned_names(cell: Cell) -> set[str]:
    """The names that a cell binds at its top level, roughly: for messages."""
    names = {
        node.id for node in ast.walk(_parse(cell)) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return names | set(_defined_names(cell))


def bound_names(document: NotebookDocument, step: StepPlan) -> list[str]:
    """The names that a step's cells assign at their top level, apart from private ones, in order."""
    names: dict[str, None] = {}
    for index in step.cells:
        for node in _parse(document.cells[index]).body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
                found = [inner for target in targets if target is not None for inner in ast.walk(target)]
                names.update((inner.id, None) for inner in found if isinstance(inner, ast.Name) and inner.id[0] != "_")
    return list(names)


def _defined_names(cell: Cell) -> Iterator[str]:
    queue: list[ast.AST] = [_parse(cell)]
    while queue:
        node = queue.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.stmt | ast.Module | ast.ExceptHandler | ast.match_case):
            queue.extend(ast.iter_child_nodes(node))


def _parse(cell: Cell) -> ast.Module:
    try:
        return parse_python(cell.python or "")
    except (SyntaxError, ValueError):
        return ast.Module(body=[], type_ignores=[])
