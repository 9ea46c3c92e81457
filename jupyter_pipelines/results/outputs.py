"""What the cells of two runs put out: texts, figures and errors, where they are not the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from jupyter_pipelines.errors import PipelinesError
from jupyter_pipelines.execution.executed_notebook import ERROR_TAG, INJECTED_TAG, KEY

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from jupyter_pipelines.results.run import Run

LARGEST: Final = 200_000_000  # bytes of an executed notebook that is read to be compared
_ADDED: Final = {INJECTED_TAG, ERROR_TAG}  # cells that the author's notebook has not
_RAN: Final = {"completed", "failed"}
_IMAGES: Final = ("image/png", "image/jpeg", "image/gif", "image/webp")


@dataclass(frozen=True)
class Output:
    """Something that a cell put out. ``content`` is text, or of an image its data (base64) of type ``mime``."""

    kind: Literal["text", "image", "error"]
    content: str
    mime: str = "text/plain"


@dataclass(frozen=True)
class OutputPair:
    """What a cell put out in two runs that differ in it. ``cell`` is its number in the notebook of the second."""

    cell: int
    step: str
    first: tuple[Output, ...]
    second: tuple[Output, ...]


def compare_cells(first: Run, second: Run) -> tuple[OutputPair, ...]:
    """The cells that both runs have run, and that put out something else in the second.

    Cells are matched by their ids, those of older notebooks by their place. Addresses, times and the like that differ
    in every run are no difference; figures are compared pixel by pixel.
    """
    from jupyter_pipelines.verification.outputs import compare_outputs, shown

    before, after = _cells(first), _cells(second)
    found = []
    for key, (number, cell) in after.items():
        other = before.get(key)
        if other is None:
            continue
        status, _ = compare_outputs([shown(other[1].outputs)], shown(cell.outputs))
        if status == "different":
            step = str(cell.metadata[KEY].get("step", ""))
            found.append(OutputPair(number, step, tuple(_outputs(other[1])), tuple(_outputs(cell))))
    return tuple(found)


def _cells(run: Run) -> Mapping[object, tuple[int, NotebookNode]]:
    """The code cells that have run, with their numbers, by what they are matched by."""
    from pathlib import Path

    path = Path(run.record.executed_notebook) if run.record.executed_notebook else None
    try:
        if path is None or path.stat().st_size > LARGEST:
            return {}
        cells = run.notebook().cells
    except (OSError, ValueError, PipelinesError):  # cleaned away, or not written yet
        return {}
    own = [cell for cell in cells if not _ADDED & set(cell.metadata.get("tags", ()))]
    return {
        cell.get("id") or number: (number, cell)
        for number, cell in enumerate(own, start=1)
        if cell.cell_type == "code" and cell.metadata.get(KEY, {}).get("state") in _RAN
    }


def _outputs(cell: NotebookNode) -> Iterator[Output]:
    for output in cell.outputs:
        if output.output_type == "stream":
            yield Output("text", output.text)
        elif output.output_type == "error":
            yield Output("error", f"{output.ename}: {output.evalue}")
        else:
            yield _richest(output.data)


def _richest(data: Mapping[str, Any]) -> Output:
    """An image where there is one, else text: HTML that a notebook has made is nothing to be shown elsewhere."""
    for mime in _IMAGES:
        if mime in data:
            return Output("image", "".join(str(data[mime]).split()), mime)
    return Output("text", str(data.get("text/plain", ", ".join(data))))
