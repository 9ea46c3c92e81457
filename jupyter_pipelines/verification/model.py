"""The report of a verification: plain data, its text and its JSON form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Verdict = Literal["equivalent", "refused", "different", "reference-failed"]
Status = Literal["same", "nondeterministic", "different", "not-run", "not-compared"]


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as in the reference: ``what`` is ``stdout``, ``image/png``, ``error``, ``value of x`` …"""

    what: str
    expected: str
    got: str


@dataclass(frozen=True, slots=True)
class CellReport:
    """One code cell. ``number`` is its 1-based position in the notebook.

    ``nondeterministic``: it shows something else each time the notebook is run, and nothing but that differs.
    ``not-run``: neither the notebook nor the pipeline came to it, because an earlier cell failed in both.
    """

    number: int
    first_line: str
    step: str
    status: Status
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class ValueReport:
    """The variable ``name`` as the step left it, against the notebook's at the same point.

    ``not-compared``: the reference could not write it down or read it back; ``detail`` says why.
    """

    step: str
    name: str
    type: str
    status: Status
    detail: str = ""


@dataclass(frozen=True)
class Report:
    """What was found. ``reason`` explains a verdict other than *equivalent*.

    ``references`` counts how often the notebook was run as a whole: again only while something differed, to tell what
    differs each time from what the pipeline gets wrong. Times are in seconds; ``reference_seconds`` is one run's,
    ``pipeline_seconds`` has the first run's, and the second's where what the first has shown changed the graph.
    ``kept`` is where the executed notebooks of a difference are.
    """

    notebook: str
    verdict: Verdict
    reason: str = ""
    fix: str = ""
    cells: tuple[CellReport, ...] = ()
    values: tuple[ValueReport, ...] = ()
    references: int = 0
    reference_seconds: float = 0.0
    pipeline_seconds: tuple[float, ...] = ()
    steps: int = 0
    kept: str = ""
    codes: tuple[str, ...] = ()  # of the diagnostics that made `check` refuse it
    counts: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        found: dict[str, int] = {}
        for part, entries in (("cells", self.cells), ("values", self.values)):
            for status in ("same", "nondeterministic", "different"):
                found[f"{part}_{status}"] = sum(entry.status == status for entry in entries)
        object.__setattr__(self, "counts", found)

    @property
    def exit_code(self) -> int:
        """0 equivalent, 1 different or failed, 2 refused before it ran."""
        if self.verdict == "equivalent":
            return 0
        return 2 if self.verdict == "refused" and not self.pipeline_seconds else 1

    def to_dict(self) -> dict[str, object]:
        """The JSON form."""
        return asdict(self)

    def render(self) -> str:
        """The report as text."""
        lines = [f"{self.notebook}: {self.verdict}"]
        if self.reason:
            lines += _indented(self.reason)
        if self.fix:
            lines += _indented(f"fix: {self.fix}")
        for cell in self.cells:
            if cell.differences:
                lines += ["", f"cell {cell.number} ({cell.step or 'setup'}): {cell.first_line}"]
                lines += _table(cell.differences)
        for value in self.values:
            if value.status in {"different", "not-compared"}:
                lines += ["", f"value of {value.name} after {value.step}: {value.detail}"]
        if self.cells:
            lines += ["", *self._summary()]
        if self.kept:
            lines += [f"  executed notebooks: {self.kept}"]
        return "\n".join(lines)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What IPython shows of it."""
        printer.text(self.render())

    def _summary(self) -> list[str]:
        lines = [f"  cells    {_counts(self.cells)}", f"  values   {_counts(self.values)}"]
        runs = "one run" if self.references == 1 else f"{self.references} runs"
        if self.references:
            lines.append(f"  notebook {self.reference_seconds:.1f} s as a whole (compared with {runs} of it)")
        times = ", then ".join(f"{seconds:.1f} s" for seconds in self.pipeline_seconds)
        again = " (the second time with what the first had shown)" if len(self.pipeline_seconds) > 1 else ""
        lines.append(f"  pipeline {times} in {self.steps} steps{again}")
        return lines


def _counts(entries: Sequence[CellReport] | Sequence[ValueReport]) -> str:
    total = len(entries)
    parts = []
    for status in ("same", "nondeterministic", "different", "not-run", "not-compared"):
        number = sum(entry.status == status for entry in entries)
        if number:
            word = "differ from run to run" if status == "nondeterministic" else status.replace("-", " ")
            parts.append(f"{number} {word}")
    return f"{total}: " + ", ".join(parts) if parts else "none"


def _table(differences: Sequence[Difference]) -> list[str]:
    lines = []
    for difference in differences:
        lines.append(f"  {difference.what}")
        lines += [f"    {'expected' if number == 0 else '':<8} {line}" for number, line in _rows(difference.expected)]
        lines += [f"    {'got' if number == 0 else '':<8} {line}" for number, line in _rows(difference.got)]
    return lines


def _rows(text: str) -> list[tuple[int, str]]:
    return list(enumerate(text.split("\n")[:6]))


def _indented(text: str) -> list[str]:
    return [f"  {line}" for line in text.split("\n")]
