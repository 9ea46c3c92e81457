"""The notebook in which a step's past is brought back: what it was given, then its own cells, to be changed and run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from jupyter_pipelines.execution.step_notebook import loading_after, phase_source
from jupyter_pipelines.notebook import parameters_source
from jupyter_pipelines.notebook.model import Cell, Role

if TYPE_CHECKING:
    from pathlib import Path

    from nbformat import NotebookNode

    from jupyter_pipelines.execution.model import StepRequest

KEY = "jupyter_pipelines"
_ROLE_LINE = re.compile(r"\s*%%(step|setup|skip)\b")


def build_debug_notebook(
    request: StepRequest, job: Path, *, about: str, failed: int | None, error: str, mark: Mapping[str, object]
) -> NotebookNode:
    """The notebook that brings back what ``request`` says, and ends with the step's cells.

    Cells of the author's have their index in ``metadata.jupyter_pipelines``; ours have the source that we gave them.
    ``failed`` is the index of the cell that failed with ``error``; ``mark`` goes into the notebook's metadata.
    """
    from nbformat.v4 import new_notebook

    cells = list(_cells(request, job, about, failed, error))
    for number, cell in enumerate(cells):
        cell["id"] = f"debug-{number}"
    notebook: NotebookNode = new_notebook(cells=cells, metadata={"language_info": {"name": "python"}})
    name = request.pipeline.document.kernel_name
    if name:
        notebook.metadata["kernelspec"] = {"name": name, "display_name": name, "language": "python"}
    notebook.metadata[KEY] = {"debug": dict(mark)}
    return notebook


def _cells(request: StepRequest, job: Path, about: str, failed: int | None, error: str) -> Iterator[NotebookNode]:
    step, document = request.step, request.pipeline.document
    yield _text(about)
    uses_roles = any(_ROLE_LINE.match(document.cells[index].source) for index in (*step.cells, *_shared(request)))
    load = "%load_ext jupyter_pipelines\n" if uses_roles else ""
    yield _ours(f"{load}# The folder and the environment of the step.\n{phase_source('begin', job)}")
    yield from _preamble(request, job)
    if step.definitions:
        yield _ours(_joined("Imports, functions and classes of other steps.", [one.source for one in step.definitions]))
    yield _ours(f"# The values and the hidden state that the step was given.\n{phase_source('restore', job)}")
    if step.late_definitions:
        late = [one.source + loading_after(at, step, job) for at, one in enumerate(step.late_definitions, start=1)]
        yield _ours(_joined("Definitions that need these values.", late))
    for index in step.cells:
        if index == failed:
            lines = "\n".join(f"    {line}" for line in error.strip().splitlines()[:12])
            yield _text(f"▼ **This cell failed** (cell {index + 1} of the notebook):\n\n{lines}")
        yield _authors(document.cells[index], failed=index == failed)
    yield _ours(
        "# When it works: save, take away the # below, and run this. What you have changed is put into the notebook,\n"
        "# and the run resumes from there.\n%load_ext jupyter_pipelines\n# %pipeline apply",
        shown=True,
    )


def _shared(request: StepRequest) -> list[int]:
    cells = request.pipeline.document.cells
    return [cell.index for cell in cells if cell.role in (Role.PARAMETERS, Role.SETUP)]


def _preamble(request: StepRequest, job: Path) -> Iterator[NotebookNode]:
    document = request.pipeline.document
    shared = _shared(request)
    last = max((index for index in shared if document.cells[index].role is Role.PARAMETERS), default=None)
    secret = {parameter.name for parameter in document.parameters if parameter.secret}
    given = {name: value for name, value in request.parameters.items() if name not in secret}
    for index in shared:
        yield _authors(document.cells[index], folded=True)
        if index == last and given:
            yield _ours(f"# The parameters of the run.\n{parameters_source(document, given)}", shown=True)
        if index == last and secret & request.parameters.keys():
            yield _ours(f"# Its secret parameters, which are not written down here.\n{phase_source('secrets', job)}")


def _joined(title: str, sources: list[str]) -> str:
    return "\n".join([f"# {title}", *sources])


def _text(source: str) -> NotebookNode:
    from nbformat.v4 import new_markdown_cell

    made: NotebookNode = new_markdown_cell(source)
    return made


def _authors(cell: Cell, *, folded: bool = False, failed: bool = False) -> NotebookNode:
    from nbformat.v4 import new_code_cell

    made: NotebookNode = new_code_cell(cell.source)
    made.metadata[KEY] = {"index": cell.index} | ({"failed": True} if failed else {})
    if folded:
        made.metadata["jupyter"] = {"source_hidden": True}
    return made


def _ours(source: str, *, shown: bool = False) -> NotebookNode:
    from nbformat.v4 import new_code_cell

    made: NotebookNode = new_code_cell(source)
    made.metadata[KEY] = {"source": source}
    if not shown:
        made.metadata["jupyter"] = {"source_hidden": True}
    return made
