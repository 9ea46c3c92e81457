"""Two runs beside each other: parameters, numbers, durations, values, outputs, and the notebooks that ran."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from jupyter_pipelines.errors import PipelinesError
from jupyter_pipelines.orchestration.model import OutputRecord
from jupyter_pipelines.results.outputs import OutputPair, compare_cells
from jupyter_pipelines.results.run import Run

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.versions.comparison import CellChange

LARGEST = 200_000_000  # bytes of a value that is read to be compared
LONGEST = 300  # characters of a difference that are told
Status = Literal["same", "different", "only-first", "only-second", "not-compared"]


@dataclass(frozen=True)
class Pair:
    """Something with a name in both runs; ``None`` where a run has it not."""

    name: str
    first: Any
    second: Any

    @property
    def is_same(self) -> bool:
        return bool(self.first == self.second and type(self.first) is type(self.second))


@dataclass(frozen=True)
class ValuePair:
    """A value in both runs, as ``first`` and ``second`` say it in words; ``detail`` says what differs."""

    name: str
    status: Status
    first: str = ""
    second: str = ""
    detail: str = ""


@dataclass(frozen=True)
class RunComparison:
    """What two runs have in common and what not. Times are seconds."""

    first: Run
    second: Run
    parameters: tuple[Pair, ...]
    metrics: tuple[Pair, ...]
    durations: tuple[Pair, ...]  # of steps
    values: tuple[ValuePair, ...]
    outputs: tuple[OutputPair, ...]  # of cells that both have run, where they differ
    cells: tuple[CellChange, ...]  # in which the notebooks differ

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        names = ("parameters", "metrics", "durations", "values", "outputs", "cells")
        return {"first": self.first.id, "second": self.second.id} | {
            name: [asdict(one) for one in getattr(self, name)] for name in names
        }

    def __repr__(self) -> str:
        from jupyter_pipelines.results.showing.text import describe_comparison

        return describe_comparison(self)

    def _repr_html_(self) -> str:
        from jupyter_pipelines.results.showing.comparison import comparison_html

        return comparison_html(self)


def compare(first: Run, second: Run) -> RunComparison:
    """Compare two runs. Values are read to be compared; what cannot be, or is very large, is said to be so."""
    return RunComparison(
        first,
        second,
        _pairs(_parameters(first), _parameters(second)),
        _pairs(first.metrics, second.metrics),
        _pairs(_durations(first), _durations(second)),
        tuple(_values(first, second)),
        compare_cells(first, second),
        _cells(first, second),
    )


def _pairs(first: Mapping[str, Any], second: Mapping[str, Any]) -> tuple[Pair, ...]:
    return tuple(Pair(name, first.get(name), second.get(name)) for name in dict.fromkeys([*first, *second]))


def _parameters(run: Run) -> dict[str, Any]:
    """What the run was given, and the defaults of the rest."""
    try:
        declared = run.graph().document.parameters
    except PipelinesError:  # what ran was cleaned away
        declared = ()
    return {one.name: one.default for one in declared if not one.secret and not one.computed} | dict(run.parameters)


def _durations(run: Run) -> dict[str, float | None]:
    return {step.name: step.ended - step.started if step.ended and step.started else None for step in run.steps}


def _cells(first: Run, second: Run) -> tuple[CellChange, ...]:
    if first.record.version == second.record.version:
        return ()
    from jupyter_pipelines.orchestration.versions.comparison import compare_sources

    try:
        return compare_sources(first.record.version, second.record.version, first.record.notebook)
    except PipelinesError:  # one of them was cleaned away
        return ()


def _values(first: Run, second: Run) -> Iterator[ValuePair]:
    before, after = _outputs(first), _outputs(second)
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        if old is None or new is None:
            status: Status = "only-second" if old is None else "only-first"
            yield ValuePair(name, status, _words(old), _words(new))
        elif old.container == new.container:
            yield ValuePair(name, "same", _words(old), _words(new))
        else:
            status, detail = _difference(name, (first, old), (second, new))
            yield ValuePair(name, status, _words(old), _words(new), detail)


def _outputs(run: Run) -> dict[str, OutputRecord]:
    return {f"{step.name}.{output.name}": output for step in run.steps for output in step.outputs}


def _words(output: OutputRecord | None) -> str:
    return "" if output is None else output.summary or output.type


def _difference(name: str, old: tuple[Run, OutputRecord], new: tuple[Run, OutputRecord]) -> tuple[Status, str]:
    """Whether two values differ, and where."""
    if old[1].type != new[1].type:
        return "different", f"{old[1].type} against {new[1].type}"
    if max(old[1].size, new[1].size) > LARGEST:
        return "not-compared", "too large to be read for a comparison"
    try:
        first, second = old[0].value(name), new[0].value(name)
    except PipelinesError as error:
        return "not-compared", error.message
    try:
        return _compared(first, second, name.rpartition(".")[2])
    except Exception as error:  # whatever the values' own methods raise
        return "not-compared", f"{type(error).__name__} while it was compared"


def _compared(first: Any, second: Any, name: str) -> tuple[Status, str]:
    from jupyter_pipelines.execution.comparison import difference
    from jupyter_pipelines.results.differences import describe_difference

    where = difference(first, second, name)
    if where is None:
        return "same", ""
    try:
        told = describe_difference(first, second)
    except Exception:  # whatever the values' own methods raise
        told = ""
    return "different", (told or where)[:LONGEST]
