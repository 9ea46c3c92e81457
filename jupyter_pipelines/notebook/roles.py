"""Which cell is what: parameters, setup, a step, skipped, or text; and which options each step gets.

The rules, in one place:

* a tag or a magic gives a cell its role; two that disagree are an error, and the first one counts while reading on;
* an untagged code cell belongs to the step above it; before the first step it is setup;
* in a notebook that names no step, the untagged cells are one step called ``notebook``. Those above its parameters
  cell are setup, because the parameters may need them;
* after a cell with one of Kale's own words an untagged cell continues that cell, as Kale has it;
* skipped cells change nothing about the cells below them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from jupyter_pipelines.diagnostics import Diagnostic
from jupyter_pipelines.notebook.codes import Problem
from jupyter_pipelines.notebook.model import Cell, Role, StepOptions
from jupyter_pipelines.notebook.options import StepOptionsBuilder, read_cell_options
from jupyter_pipelines.notebook.parse import RawCell
from jupyter_pipelines.notebook.python_source import CellSource
from jupyter_pipelines.notebook.step_names import WHOLE_NOTEBOOK, check_step_name, suggest_step_name
from jupyter_pipelines.notebook.tags import METRICS_STEP, CellTags, Claim, read_tags


@dataclass(slots=True)
class _CodeCell:
    """A code cell on its way to a role."""

    raw: RawCell
    source: CellSource
    tags: CellTags
    problems: list[Problem]
    claim: Claim | None = None
    options: dict[str, Any] = field(default_factory=dict)
    role: Role = Role.SETUP
    step: str | None = None


@dataclass(slots=True)
class Roles:
    """The outcome: cells in notebook order, steps in order of first appearance."""

    cells: list[Cell]
    steps: dict[str, StepOptions]
    diagnostics: list[Diagnostic]
    kale: bool


def assign_roles(
    cells: Sequence[RawCell], sources: Mapping[int, CellSource], defaults: Mapping[str, Any], *, kale: bool
) -> Roles:
    """Give every cell its role. ``sources`` holds the code cells' sources by index; ``kale`` says that the
    notebook's metadata are Kale's, ``defaults`` are the steps' options from the notebook's metadata."""
    code = [
        _CodeCell(raw, sources[raw.index], tags := read_tags(raw.tags), list(tags.problems))
        for raw in cells
        if raw.kind == "code"
    ]
    kale = kale or any(cell.tags.kale for cell in code)
    for cell in code:
        cell.claim = _claim(cell, kale)
    _place(code)
    steps = _collect_options(code, defaults)
    _check_names(code)
    _check_order(code, steps)
    diagnostics = [problem.at(cell.raw, cell.step) for cell in code for problem in cell.problems]
    by_index = {cell.raw.index: cell for cell in code}
    return Roles([_finish(raw, by_index.get(raw.index)) for raw in cells], steps, diagnostics, kale)


def _claim(cell: _CodeCell, kale: bool) -> Claim | None:
    """What the cell says it is; contradictions become problems, and the first claim counts."""
    if cell.tags.injected:
        cell.problems.append(
            Problem(
                "JP138",
                "papermill injected this cell in an earlier execution; it is not run.",
                "Delete it, or keep it as a note; parameters are given anew for each run.",
            )
        )
        return Claim(Role.SKIP, "injected-parameters")
    claims = [claim for claim in cell.tags.claims if not (kale and claim.role is Role.STEP and claim.step == "")]
    magic = cell.source.role_magic
    if magic is not None:
        claims.append(Claim(magic.role, f"%%{magic.role.value}", magic.step))
    if not claims:
        return None
    first = claims[0]
    other = next((claim for claim in claims[1:] if (claim.role, claim.step) != (first.role, first.step)), None)
    if other is not None:
        said = [f"`{claim.word}`" + (f" ({claim.step})" if claim.word == "%%step" else "") for claim in (first, other)]
        cell.problems.append(
            Problem("JP130", f"The cell is given two roles: {said[0]} and {said[1]}.", "Keep one of them.")
        )
    if first.role is not Role.STEP or first.step is None:
        return first
    problem = check_step_name(first.step)
    if problem is None:
        return first
    cell.problems.append(problem)
    return replace(first, step=suggest_step_name(first.step))


def _place(cells: list[_CodeCell]) -> None:
    """Give each code cell its role and step."""
    names_steps = any(cell.claim is not None and cell.claim.role is Role.STEP for cell in cells)
    declared = [at for at, cell in enumerate(cells) if cell.claim is not None and cell.claim.role is Role.PARAMETERS]
    start = declared[-1] if declared else -1
    above: tuple[Role, str | None] = (Role.SETUP, None)
    for at, cell in enumerate(cells):
        claim = cell.claim
        if claim is not None:
            cell.role, cell.step = claim.role, claim.step
            if claim.role is Role.STEP or claim.kale:
                above = (claim.role, claim.step)
        elif names_steps or above[0] is Role.PARAMETERS:
            cell.role, cell.step = above
        elif at > start and _is_for_one_step(cells, at):
            cell.role, cell.step = Role.STEP, WHOLE_NOTEBOOK
        else:
            cell.role = Role.SETUP


def _is_for_one_step(cells: list[_CodeCell], at: int) -> bool:
    """Whether the untagged cell at ``at``, in a notebook without steps, is part of the step ``notebook``."""
    for cell in reversed(cells[:at]):
        if cell.claim is not None and cell.claim.role is not Role.SKIP:
            return not (cell.claim.kale and cell.claim.role is Role.SETUP)
    return True


def _collect_options(cells: list[_CodeCell], defaults: Mapping[str, Any]) -> dict[str, StepOptions]:
    builders: dict[str, StepOptionsBuilder] = {}
    for cell in cells:
        stated = _stated_options(cell)
        if cell.role is not Role.STEP or cell.step is None:
            _refuse_options(cell, stated)
            continue
        builder = builders.setdefault(cell.step, StepOptionsBuilder.empty(cell.step))
        for place, options in stated:
            cell.problems += builder.add(options, f"cell {cell.raw.number}{place}")
        if cell.tags.extra:
            cell.problems += builder.add({"extra": cell.tags.extra}, f"cell {cell.raw.number} (tags)")
    if METRICS_STEP in builders:
        earlier = tuple(name for name in builders if name != METRICS_STEP)
        builders[METRICS_STEP].add({"after": earlier}, "Kale's rule")
    return {name: builder.build(defaults) for name, builder in builders.items()}


def _stated_options(cell: _CodeCell) -> list[tuple[str, dict[str, Any]]]:
    """What the cell itself says about its step: by tags, metadata and magic."""
    stated: list[tuple[str, dict[str, Any]]] = []
    if cell.tags.after:
        stated.append((" (tags)", {"after": cell.tags.after}))
    if cell.tags.extra.get("cache") == "disabled":  # Kale's tag `cache:disabled`
        stated.append((" (tags)", {"cache": False}))
    if "pipeline" in cell.raw.metadata:
        stated.append((" (metadata)", read_cell_options(cell.raw.metadata["pipeline"], cell.problems)))
    if cell.source.role_magic is not None and cell.source.role_magic.options:
        stated.append((" (%%step)", cell.source.role_magic.options))
    return [(place, options) for place, options in stated if options]


def _refuse_options(cell: _CodeCell, stated: list[tuple[str, dict[str, Any]]]) -> None:
    keys = list(dict.fromkeys(key for _, options in stated for key in options))
    if keys and cell.role is not Role.SKIP:
        cell.problems.append(
            Problem(
                "JP137",
                f"The cell is {cell.role.value}, not a step, and cannot have `{'`, `'.join(keys)}`.",
                "Tag it `step:NAME`, or remove what only steps can have.",
            )
        )


def _check_names(cells: list[_CodeCell]) -> None:
    """Names equal but for case: one name where file systems or people ignore case."""
    spelled: dict[str, str] = {}
    for cell in cells:
        if cell.claim is None or cell.step is None:
            continue
        first = spelled.setdefault(cell.step.lower(), cell.step)
        if first != cell.step:
            cell.problems.append(
                Problem(
                    "JP133",
                    f"Step {cell.step} and step {first} differ only by case.",
                    f"Write `{first}` if they are one step, or give one another name.",
                )
            )


def _check_order(cells: list[_CodeCell], steps: dict[str, StepOptions]) -> None:
    """`after:` must name another step; what does not is said once and left out of the options."""
    for name, options in list(steps.items()):
        wrong = [other for other in options.after if other == name or other not in steps]
        for other in wrong:
            cell = _where(cells, name, other)
            if other == name:
                problem = Problem("JP136", f"Step {name} is said to come after itself.", f"Remove `after:{other}`.")
            else:
                message = f"Step {name} is to come after `{other}`, which is no step."
                problem = Problem("JP135", message, _known(other, steps))
            cell.problems.append(problem)
        if wrong:
            steps[name] = replace(options, after=tuple(other for other in options.after if other not in wrong))


def _where(cells: list[_CodeCell], step: str, other: str) -> _CodeCell:
    own = [cell for cell in cells if cell.step == step]
    for cell in own:
        if any(other in options.get("after", ()) for _, options in _stated_quietly(cell)):
            return cell
    return own[0]


def _stated_quietly(cell: _CodeCell) -> list[tuple[str, dict[str, Any]]]:
    before = len(cell.problems)
    stated = _stated_options(cell)
    del cell.problems[before:]  # they were reported when the options were collected
    return stated


def _known(name: str, steps: Mapping[str, StepOptions]) -> str:
    import difflib

    near = difflib.get_close_matches(name, steps, 1)
    if near:
        return f"Did you mean `{near[0]}`?"
    names = list(steps)
    return f"The steps are {', '.join(names[:12])}{', …' if len(names) > 12 else ''}."


def _finish(raw: RawCell, cell: _CodeCell | None) -> Cell:
    if cell is None:
        return Cell(raw.index, raw.id, Role.TEXT, raw.source, raw.source, None, tags=raw.tags)
    source = cell.source
    return Cell(
        index=raw.index,
        id=raw.id,
        role=cell.role,
        source=raw.source,
        code=source.code,
        python=source.python,
        step=cell.step,
        tags=raw.tags,
        cell_magic=source.cell_magic,
        cell_magic_line=source.cell_magic_line,
    )
