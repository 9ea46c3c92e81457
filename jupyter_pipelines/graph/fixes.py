"""How findings can be put right by an edit: only what was tried, and found to be rid of the finding, is offered.

Findings about cells and their roles are told by their codes; those about the graph come with what may help
(:class:`~jupyter_pipelines.graph.model.Remedy`). Where it would be a guess what the author wants, there is no fix.
"""

from __future__ import annotations

import ast
import difflib
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from jupyter_pipelines.diagnostics import Diagnostic, Severity
from jupyter_pipelines.graph.compile import compile_pipeline
from jupyter_pipelines.graph.edits import Draft, Edit, edited, has_magic, without_magic
from jupyter_pipelines.graph.model import Pipeline, Remedy
from jupyter_pipelines.graph.moving import to_setup
from jupyter_pipelines.notebook.literals import tree_of
from jupyter_pipelines.notebook.model import Cell, NotebookDocument, Role
from jupyter_pipelines.notebook.parse import ParsedNotebook, parse
from jupyter_pipelines.notebook.read import read_notebook, understand
from jupyter_pipelines.notebook.role_magics import is_role_magic, read_role_magic
from jupyter_pipelines.notebook.step_names import suggest_step_name
from jupyter_pipelines.notebook.tags import meant_tag, read_tags

MOST_CELLS_TRIED: Final = 1_200  # at one compilation: each edit is compiled, which costs time cell by cell
LEAST_TRIED: Final = 4  # edits
MOST_TRIED: Final = 24
MOST_OFFERED: Final = 3  # for one finding

_HIDING: Final = frozenset({"JP152"})  # without them more of the notebook is understood, and more may be wrong with it

_USUAL: Final = {
    "np": "import numpy as np",
    "pd": "import pandas as pd",
    "pl": "import polars as pl",
    "plt": "import matplotlib.pyplot as plt",
    "sns": "import seaborn as sns",
    "px": "import plotly.express as px",
    "Path": "from pathlib import Path",
}


@dataclass(frozen=True, slots=True)
class Fix:
    """One way to put a finding right: a title for a button, and the edits to be made together."""

    title: str
    edits: tuple[Edit, ...]

    def to_json(self) -> dict[str, object]:
        """``title`` and ``edits``."""
        return {"title": self.title, "edits": [edit.to_json() for edit in self.edits]}


@dataclass(frozen=True, slots=True)
class Checked:
    """A compiled notebook, and the fixes of its findings: one tuple, which may be empty, for each."""

    pipeline: Pipeline
    fixes: tuple[tuple[Fix, ...], ...]


def check(source: bytes | str, name: str, *, sources: frozenset[str] = frozenset()) -> Checked:
    """Compile a notebook, and find out how its findings can be put right. Never raises for its content.

    ``sources`` are as for :func:`compile_pipeline`.
    """
    parsed = parse(source, name)
    if not parsed.readable:
        pipeline = compile_pipeline(read_notebook(source, name))
        return Checked(pipeline, tuple(() for _ in pipeline.diagnostics))
    pipeline = compile_pipeline(understand(parsed, name), sources=sources)
    return Checked(pipeline, find_fixes(parsed, pipeline, sources))


def find_fixes(
    parsed: ParsedNotebook, pipeline: Pipeline, sources: frozenset[str] = frozenset()
) -> tuple[tuple[Fix, ...], ...]:
    """The fixes of each of the pipeline's findings, in their order. ``parsed`` is what it was compiled from."""
    finder = _Finder(parsed, pipeline, sources)
    return tuple(finder.fixes(finding) for finding in pipeline.diagnostics)


class _Finder:
    """The fixes of one notebook's findings."""

    def __init__(self, parsed: ParsedNotebook, pipeline: Pipeline, sources: frozenset[str]) -> None:
        self.parsed, self.pipeline, self.document, self.sources = parsed, pipeline, pipeline.document, sources
        self.left = max(LEAST_TRIED, min(MOST_TRIED, MOST_CELLS_TRIED // max(1, len(parsed.cells))))
        codes = {finding.code for finding in pipeline.diagnostics if finding.is_error}
        self.sound = pipeline.document.is_python and "JP120" not in codes  # else the graph is not what it will be
        self.tried: dict[tuple[Edit, ...], Pipeline | None] = {}

    def fixes(self, finding: Diagnostic) -> tuple[Fix, ...]:
        """Those of one finding, the best first."""
        found: list[Fix] = []
        for title, draft in self._candidates(finding):
            edits = draft.edits
            if edits and edits not in [fix.edits for fix in found] and self._helps(edits, finding):
                found.append(Fix(title, edits))
            if len(found) == MOST_OFFERED:
                break
        return tuple(found)

    def _candidates(self, finding: Diagnostic) -> Iterator[tuple[str, Draft]]:
        about_roles = _BY_CODE.get(finding.code)
        if about_roles is not None and finding.location is not None:
            yield from about_roles(self.document, self.document.cell(finding.location.cell))
        if self.sound:
            for remedy in self.pipeline.remedies.get(finding, ()):
                yield from _BY_KIND[remedy.kind](self.document, remedy, finding)

    def _helps(self, edits: tuple[Edit, ...], finding: Diagnostic) -> bool:
        """Whether there is one such finding less with the edits, and nothing new is wrong."""
        after = self._try(edits)
        if after is None:
            return False
        before, now = _counted(self.pipeline), _counted(after)
        fewer = now[finding.severity, finding.code] < before[finding.severity, finding.code]
        errors = {name: number for name, number in now.items() if name[0] is Severity.ERROR}
        return fewer and (finding.code in _HIDING or all(number <= before[name] for name, number in errors.items()))

    def _try(self, edits: tuple[Edit, ...]) -> Pipeline | None:
        if edits not in self.tried and self.left:
            self.left -= 1
            document = understand(edited(self.parsed, edits), self.document.name)
            self.tried[edits] = compile_pipeline(document, sources=self.sources, trial=True)
        return self.tried.get(edits)


def _counted(pipeline: Pipeline) -> Counter[tuple[Severity, str]]:
    return Counter((finding.severity, finding.code) for finding in pipeline.diagnostics)


Candidates = Iterator[tuple[str, Draft]]

# What cells say they are -----------------------------------------------------------------------------------------


def _rename(document: NotebookDocument, cell: Cell) -> Candidates:
    """A name that no step can have."""
    for old in _stated_names(document, cell):
        new = _free_name(document, suggest_step_name(old))
        draft = Draft(document)
        draft.rename(old, new)
        yield f"Rename the step to “{new}”", draft


def _same_case(document: NotebookDocument, cell: Cell) -> Candidates:
    """Two names that differ by case."""
    first = next((name for name in document.steps if name.lower() == (cell.step or "").lower()), None)
    if first is not None and cell.step is not None:
        draft = Draft(document)
        draft.rename(cell.step, first)
        yield f"Write “{first}” here, too", draft


def _one_role(document: NotebookDocument, cell: Cell) -> Candidates:
    """Two roles: each of them can be kept."""
    claims = read_tags(cell.tags).claims
    words = list(dict.fromkeys(claim.word for claim in claims))
    for kept in words:
        draft = Draft(document)
        draft.tag(cell.number, [tag for tag in cell.tags if tag == kept or tag not in words])
        draft.write(cell.number, without_magic(cell.source))
        yield f"Keep the tag “{kept}”", draft
    if has_magic(cell.source):
        draft = Draft(document)
        draft.tag(cell.number, [tag for tag in cell.tags if tag not in words])
        yield "Keep the magic", draft


def _meant(document: NotebookDocument, cell: Cell) -> Candidates:
    """A tag that is nearly one of ours."""
    for tag in cell.tags:
        meant = meant_tag(tag)
        if meant is not None and "NAME" not in meant:
            draft = Draft(document)
            draft.tag(cell.number, [meant if each == tag else each for each in cell.tags])
            yield f"Write the tag “{meant}”", draft


def _known_after(document: NotebookDocument, cell: Cell) -> Candidates:
    """``after:`` that names no other step."""
    for tag in cell.tags:
        name = tag.removeprefix("after:")
        if tag == name or (name in document.steps and name != cell.step):
            continue
        others = [step for step in document.steps if step != cell.step]
        for near in difflib.get_close_matches(name, others, 1) if name != cell.step else ():
            draft = Draft(document)
            draft.tag(cell.number, [f"after:{near}" if each == tag else each for each in cell.tags])
            yield f"Write “after:{near}”", draft
        draft = Draft(document)
        draft.tag(cell.number, [each for each in cell.tags if each != tag])
        yield f"Remove “{tag}”", draft


def _no_order(document: NotebookDocument, cell: Cell) -> Candidates:
    """An order of what is no step."""
    draft = Draft(document)
    draft.tag(cell.number, [tag for tag in cell.tags if not tag.startswith("after:")])
    yield "Remove “after:” from the cell", draft


def _magic_first(document: NotebookDocument, cell: Cell) -> Candidates:
    """A magic of ours that is not the first line."""
    lines = cell.source.splitlines(keepends=True)
    at = next((at for at, line in enumerate(lines) if is_role_magic(line)), None)
    if at is not None:
        draft = Draft(document)
        draft.write(cell.number, lines[at].rstrip("\n") + "\n" + "".join(lines[:at] + lines[at + 1 :]))
        yield f"Move “{lines[at].strip()}” to the top of the cell", draft


def _load_extension(document: NotebookDocument, cell: Cell) -> Candidates:
    """Our magics without our extension."""
    line = "%load_ext jupyter_pipelines"
    draft = Draft(document)
    above = document.cells[: cell.index]
    setup = next(
        (one for one in above if one.role is Role.SETUP and one.cell_magic is None and one.source.strip()), None
    )
    if setup is None:
        first = next(one.number for one in document.cells if one.role is not Role.TEXT)
        tagged = any(draft.claims(one.number) for one in document.cells if one.role is not Role.TEXT)
        draft.insert(first, ("setup",) if tagged else (), line)
        yield f"Add a {'setup ' if tagged else ''}cell with “{line}”", draft
        return
    magic, rest = "", setup.source
    if has_magic(rest):
        rest = without_magic(rest)
        magic = setup.source[: len(setup.source) - len(rest)].rstrip("\n") + "\n"
    draft.write(setup.number, f"{magic}{line}\n{rest}")
    yield f"Add “{line}” to cell {setup.number}", draft


_BY_CODE: Mapping[str, Callable[[NotebookDocument, Cell], Candidates]] = {
    "JP121": _magic_first,
    "JP130": _one_role,
    "JP131": _rename,
    "JP132": _rename,
    "JP133": _same_case,
    "JP134": _meant,
    "JP135": _known_after,
    "JP136": _known_after,
    "JP137": _no_order,
    "JP152": _load_extension,
}

# What the graph needs --------------------------------------------------------------------------------------------


def _setup(document: NotebookDocument, remedy: Remedy, finding: Diagnostic) -> Candidates:
    cell = document.cell(remedy.cell)
    line = finding.location.line if finding.location is not None else 0
    moved = to_setup(document, cell, remedy.name, line)
    if moved is not None:
        whole = not moved.inserted
        what = f"“{remedy.name}”" if remedy.name else "this line"
        yield f"Mark cell {cell.number} as setup" if whole else f"Move {what} to a setup cell", moved


def _no_setup(document: NotebookDocument, remedy: Remedy, _: Diagnostic) -> Candidates:
    draft = Draft(document)
    draft.clear_role(remedy.cell)
    above = [cell.step for cell in document.cells[: remedy.cell - 1] if cell.role is Role.STEP]
    if above:
        yield f"Make cell {remedy.cell} a part of step “{above[-1]}”", draft


def _no_skip(document: NotebookDocument, remedy: Remedy, _: Diagnostic) -> Candidates:
    draft = Draft(document)
    draft.clear_role(remedy.cell)
    yield f"Remove “skip” from cell {remedy.cell}", draft


def _one_step(document: NotebookDocument, remedy: Remedy, _: Diagnostic) -> Candidates:
    """The steps alone; else with all that are between them."""
    order = list(document.steps)
    chosen = sorted({order.index(step) for step in remedy.steps if step in order})
    if len(chosen) < 2:
        return
    for numbers in dict.fromkeys((tuple(chosen), tuple(range(chosen[0], chosen[-1] + 1)))):
        first, *others = [order[number] for number in numbers]
        draft = Draft(document)
        for other in others:
            draft.rename(other, first)
        names = ", ".join(f"“{name}”" for name in (first, *others[:-1]))
        yield f"Make {names} and “{others[-1]}” one step", draft


def _own_step(document: NotebookDocument, remedy: Remedy, _: Diagnostic) -> Candidates:
    (step,) = remedy.steps
    new = _free_name(document, f"{step}-2")
    cells = [cell.number for cell in document.cells if cell.step == step and cell.number >= remedy.cell]
    draft = Draft(document)
    draft.rename(step, new, cells)
    if cells and not draft.claims(cells[0]):
        draft.tag(cells[0], [f"step:{new}", *draft.tags(cells[0])])
    yield f"Give the part from cell {remedy.cell} a name of its own: “{new}”", draft


def _append(document: NotebookDocument, remedy: Remedy, _: Diagnostic) -> Candidates:
    draft = Draft(document)
    draft.write(remedy.cell, f"{document.cell(remedy.cell).source.rstrip()}\n{remedy.name}")
    yield f"End cell {remedy.cell} with “{remedy.name}”", draft


def _define(document: NotebookDocument, remedy: Remedy, _: Diagnostic) -> Candidates:
    """A module's usual name is imported; what is not misspelled can be a parameter."""
    name = remedy.name
    line = _USUAL.get(name) or (f"import {name}" if name in sys.stdlib_module_names else "")
    first = next((cell.number for cell in document.cells if cell.role is not Role.TEXT), 1)
    if line:
        draft = Draft(document)
        setup = next((cell for cell in document.cells if cell.role is Role.SETUP and not cell.cell_magic), None)
        if setup is None or has_magic(setup.source):
            draft.insert(first, ("setup",), line)
        else:
            draft.write(setup.number, f"{line}\n{setup.source}")
        yield f"Add “{line}”", draft
    elif not difflib.get_close_matches(name, _bound_names(document), 1, 0.8):
        draft = Draft(document)
        declared = next((cell for cell in document.cells if cell.role is Role.PARAMETERS), None)
        if declared is None:
            draft.insert(first, ("parameters",), f"{name} = None")
        else:
            draft.write(declared.number, f"{declared.source.rstrip()}\n{name} = None")
        yield f"Add “{name}” as a parameter", draft


_BY_KIND: Mapping[str, Callable[[NotebookDocument, Remedy, Diagnostic], Candidates]] = {
    "setup": _setup,
    "no-setup": _no_setup,
    "no-skip": _no_skip,
    "one-step": _one_step,
    "own-step": _own_step,
    "append": _append,
    "define": _define,
}


def _stated_names(document: NotebookDocument, cell: Cell) -> list[str]:
    """The names that a cell states and that are not its step's: those that cannot be."""
    names = [claim.step for claim in read_tags(cell.tags).claims]
    first = next((line for line in cell.source.splitlines() if line.strip()), "")
    magic = read_role_magic(first)
    if magic is not None:
        names.append(magic.step)
    return list(dict.fromkeys(name for name in names if name and name not in document.steps))


def _free_name(document: NotebookDocument, name: str) -> str:
    """``name``, or with a number: one that only cells have that are to be called so."""
    taken = {claim.step for cell in document.cells for claim in read_tags(cell.tags).claims}
    taken |= {other for other in document.steps if name.rpartition("-")[2].isdigit()}
    found, number = name, 2
    while found in taken:
        base = name.removesuffix("-2")
        found, number = f"{base}-{number}", number + 1
    return found


def _bound_names(document: NotebookDocument) -> Sequence[str]:
    found: set[str] = set()
    for cell in document.cells:
        for node in ast.walk(tree_of(cell.python or "")):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                found.add(node.name)
            elif isinstance(node, ast.alias):
                found.add((node.asname or node.name).partition(".")[0])
    return sorted(found)
