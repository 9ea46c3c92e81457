"""Propose steps for a notebook that names none: from its headings and from how values flow between its cells.

The proposal is only tags. Sections become steps; leading imports and definitions become setup; the first cell of
literal constants becomes the parameters cell. The compiled pipeline has the last word: as long as it has errors (a
generator, an open file or a connection that two steps would have to share, …), the steps concerned become one.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from jupyter_pipelines.diagnostics import Diagnostic
from jupyter_pipelines.graph.compile import compile_pipeline
from jupyter_pipelines.graph.effects import analyse_cell
from jupyter_pipelines.graph.events import StatementKind
from jupyter_pipelines.graph.sql_cells import statements_of
from jupyter_pipelines.notebook.literals import Names, NotConstantError, constant, names_of, tree_of
from jupyter_pipelines.notebook.model import Cell, NotebookDocument, Role
from jupyter_pipelines.notebook.parse import ParsedNotebook, parse, to_original_node
from jupyter_pipelines.notebook.read import understand
from jupyter_pipelines.notebook.step_names import suggest_step_name
from jupyter_pipelines.typed import typed

if TYPE_CHECKING:
    from nbformat import NotebookNode

MOST_STEPS = 12  # a coarser level of headings is taken when a finer one gives more
MOST_STEPS_BY_FLOW = 6  # without headings only the weakest ties between cells are worth a new step

_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.+?)[ \t#]*$", re.MULTILINE)
_UNDERLINED = re.compile(r"^ {0,3}(\S.*)\n {0,3}(=+|-{2,})[ \t]*$", re.MULTILINE)
_FENCE = re.compile(r"^(```|~~~).*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)
_BUILTINS = frozenset({*dir(builtins), "get_ipython", "display"})
_FILLER = re.compile(r"\b(an?|and|by|for|from|in|into|of|on|our|some|the|to|using|we|with|your)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TagChange:
    """One tag to add: to which cell (1-based number, first line), and why."""

    cell: int
    first_line: str
    tag: str
    reason: str

    @property
    def role(self) -> str:
        """What the cell becomes: ``parameters``, ``setup`` or ``step``."""
        return self.tag.partition(":")[0]

    @property
    def name(self) -> str:
        """The step's name; ``""`` for another role."""
        return self.tag.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A proposal. ``notebook`` is the notebook with the tags added and nothing else changed; ``reasons`` say what was
    decided, also when nothing is proposed; ``diagnostics`` are the compiled proposal's."""

    notebook: NotebookNode | None
    changes: tuple[TagChange, ...]
    reasons: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...] = ()

    def to_json(self) -> dict[str, object]:
        """``cells``: ``cell`` (number), ``role``, ``name`` of the step, ``tag``, ``reason``; and all ``reasons``."""
        names = ("cell", "role", "name", "tag", "reason")
        cells = [{name: getattr(change, name) for name in names} for change in self.changes]
        return {"cells": cells, "reasons": list(self.reasons)}

    def diff(self) -> str:
        """The tags to add, a line each: cell number, tag, the cell's first line; empty when there are none."""
        width = max((len(change.tag) for change in self.changes), default=0)
        digits = max((len(str(change.cell)) for change in self.changes), default=0)
        return "".join(
            f"cell {change.cell:>{digits}}  + {change.tag:<{width}}  {change.first_line}\n" for change in self.changes
        )


@dataclass(slots=True)
class _Section:
    """Consecutive code cells that are to become one step; ``reason`` says why it begins where it does."""

    title: str
    reason: str
    cells: list[Cell] = field(default_factory=list)


@typed
def suggest(source: bytes | str, name: str) -> Suggestion:
    """Propose tags for the notebook ``source``, called ``name``. Never raises for its content.

    A notebook that already names steps, cannot be read, or is in another language gets no proposal, with the reason.
    """
    parsed = parse(source, name)
    if not parsed.readable:
        return Suggestion(None, (), ("The notebook cannot be read.",), tuple(parsed.diagnostics))
    document = understand(parsed, name)
    original = to_original_node(parsed)
    refusal = _refusal(document)
    if refusal:
        return Suggestion(original, (), (refusal,), document.diagnostics)
    parameters = _parameters_cell(document)
    setup = _setup_cells(document, parameters)
    for attempt in (
        _Attempt(parsed, name, parameters, setup),
        _Attempt(parsed, name, None, _setup_cells(document, None)),
        _Attempt(parsed, name, None, []),
    ):
        attempt.merge_until_sound(document)
        if not attempt.errors:
            break
    else:
        reason = f"No steps are proposed, because also as one step: {attempt.errors[0].message}"
        return Suggestion(original, (), (*attempt.reasons, reason), attempt.diagnostics)
    for change in attempt.changes:
        _add_tag(original["cells"][change.cell - 1], change.tag)
    told = [f"cell {change.cell}: {change.tag}, because {change.reason}" for change in attempt.changes]
    return Suggestion(original, tuple(attempt.changes), (*told, *attempt.reasons), attempt.diagnostics)


@dataclass(slots=True)
class _Attempt:
    """A proposal with these parameters and setup cells; steps are merged until it compiles."""

    parsed: ParsedNotebook
    name: str
    parameters: Cell | None
    setup: Sequence[Cell]
    changes: list[TagChange] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def errors(self) -> list[Diagnostic]:
        return [finding for finding in self.diagnostics if finding.is_error]

    def merge_until_sound(self, document: NotebookDocument) -> None:
        """Propose, compile, and make the steps concerned one, until nothing is wrong or one step is left."""
        special = {cell.index for cell in [*self.setup, *([self.parameters] if self.parameters else [])]}
        sections = _sections(document, special)
        while True:
            self.changes = _changes(self.parameters, self.setup, sections)
            self.diagnostics = _compiled(self.parsed, self.name, self.changes)
            if not self.errors or len(sections) < 2:
                return
            sections, reason = _merge(sections, self.errors[0])
            self.reasons.append(reason)


def _refusal(document: NotebookDocument) -> str:
    if not document.is_python:
        return f"Steps are proposed for Python only; this is a notebook in {document.language}."
    if set(document.steps) - {"notebook"}:
        return f"The notebook already names steps: {', '.join(document.steps)}."
    errors = [finding for finding in document.diagnostics if finding.is_error]
    return f"Correct this first: {errors[0].message}" if errors else ""


def _compiled(parsed: ParsedNotebook, name: str, changes: Sequence[TagChange]) -> tuple[Diagnostic, ...]:
    """What compiling the notebook with these tags reports."""
    tags = {change.cell - 1: change.tag for change in changes}
    cells = [
        replace(cell, tags=(*cell.tags, tags[cell.index])) if cell.index in tags else cell for cell in parsed.cells
    ]
    proposed = ParsedNotebook(parsed.content, cells, parsed.metadata, list(parsed.diagnostics), readable=True)
    return compile_pipeline(understand(proposed, name)).diagnostics


def _add_tag(cell: NotebookNode, tag: str) -> None:
    cell["metadata"]["tags"] = [*cell["metadata"].get("tags", []), tag]


def _candidates(document: NotebookDocument) -> list[Cell]:
    """The code cells whose role is still open."""
    return [
        cell
        for cell in document.cells
        if cell.role in (Role.STEP, Role.SETUP) and "setup" not in cell.tags and not cell.source.startswith("%%setup")
    ]


def _parameters_cell(document: NotebookDocument) -> Cell | None:
    """The first cell of literal constants, if only imports and definitions stand above it."""
    if any(cell.role is Role.PARAMETERS for cell in document.cells):
        return None
    for cell in _candidates(document):
        if cell.python is None or cell.cell_magic:
            return None
        names = names_of((cell.python,))
        kinds = {_kind(statement, names) for statement in tree_of(cell.python).body}
        if "constant" in kinds and kinds <= {"constant", "definition"}:
            return cell
        if not kinds <= {"definition", "configuration"}:
            return None
    return None


def _kind(statement: ast.stmt, names: Names) -> str:
    """``constant``, ``definition``, ``configuration`` (a bare call), or ``other``."""
    if isinstance(statement, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return "definition"
    if isinstance(statement, ast.Expr):
        return "definition" if isinstance(statement.value, ast.Constant) else "configuration"
    targets = (
        statement.targets
        if isinstance(statement, ast.Assign)
        else [statement.target]
        if isinstance(statement, ast.AnnAssign)
        else []
    )
    value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
    if value is not None and targets and all(isinstance(target, ast.Name) for target in targets):
        try:
            constant(value, names)
        except NotConstantError:
            return "other"
        return "constant"
    return "other"


def _setup_cells(document: NotebookDocument, parameters: Cell | None) -> list[Cell]:
    """Cells of imports and definitions that mean the same when they run before every step."""
    candidates = _candidates(document)
    bound = [analyse_cell(cell).bound for cell in candidates]
    read = [analyse_cell(cell).read for cell in candidates]
    known = set(_BUILTINS) | (set(analyse_cell(parameters).bound) if parameters else set())
    chosen: list[Cell] = []
    leading = True
    for at, cell in enumerate(candidates):
        if parameters is not None and cell.index == parameters.index:
            continue
        own = bound[at]
        elsewhere = {name for other, names in enumerate(bound) if other != at for name in names}
        before = {name for names in [*bound[:at], *read[:at]] for name in names}
        alone = leading or not (own & (elsewhere | before))
        if _defines_only(cell, leading=leading) and alone and _needed_at_once(cell) <= known | own:
            chosen.append(cell)
            known |= own
        else:
            leading = False
    return chosen


def _defines_only(cell: Cell, *, leading: bool) -> bool:
    statements = analyse_cell(cell).statements
    if cell.cell_magic or not statements:
        return False
    kinds = {statement.kind for statement in statements}
    allowed = {StatementKind.DEFINITION, *([StatementKind.CONFIGURE, StatementKind.ATTACH] if leading else [])}
    loads = leading and "%load_ext" in cell.code
    return (StatementKind.DEFINITION in kinds or loads) and kinds <= allowed


def _needed_at_once(cell: Cell) -> set[str]:
    """Names that the cell's definitions look up when they are made: decorators, defaults, bases, class bodies."""
    needed: set[str] = set()
    for statement in tree_of(cell.python or "").body:
        parts: list[ast.AST] = [statement]
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = statement.args
            parts = [*statement.decorator_list, *arguments.defaults, *filter(None, arguments.kw_defaults)]
            every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            parts += [one.annotation for one in every if one.annotation is not None]
        for node in (node for part in parts for node in ast.walk(part)):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                needed.add(node.id)
    inner = {
        node.arg if isinstance(node, ast.arg) else node.id
        for node in ast.walk(tree_of(cell.python or ""))
        if isinstance(node, ast.arg) or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    }
    return needed - inner


def _sections(document: NotebookDocument, special: set[int]) -> list[_Section]:
    """The cells that are left, in sections: by headings where there are some, by the flow of values otherwise."""
    open_cells = {cell.index for cell in _candidates(document)} - special
    levels = [_by_headings(document, open_cells, level) for level in range(1, 7)]
    fitting = [sections for sections in levels if len(sections) <= MOST_STEPS]
    best = max(fitting, key=len, default=levels[0])
    if len(best) > 1:
        return best
    return _by_flow([cell for cell in document.cells if cell.index in open_cells])


def _by_headings(document: NotebookDocument, open_cells: set[int], level: int) -> list[_Section]:
    sections = [_Section("", "the work begins here")]
    for cell in document.cells:
        if cell.role is Role.TEXT:
            for depth, title in _headings(cell.source):
                if depth <= level:
                    sections.append(_Section(title, f"the section “{title}” begins here"))
        elif cell.index in open_cells:
            sections[-1].cells.append(cell)
    return [section for section in sections if section.cells]


def _headings(markdown: str) -> list[tuple[int, str]]:
    """Level and title of the headings in a markdown cell, in order."""
    text = _FENCE.sub("", markdown)
    marked = [(found.start(), len(found[1]), found[2]) for found in _HEADING.finditer(text)]
    underlined = [(found.start(), 1 if found[2][0] == "=" else 2, found[1]) for found in _UNDERLINED.finditer(text)]
    return [(level, title) for _, level, title in sorted(marked + underlined)]


def _by_flow(cells: list[Cell]) -> list[_Section]:
    """Without headings: a cell that makes nothing new, or works on what the one above made, continues its step.

    While there are too many, the two neighbours that share most values become one.
    """
    sections: list[_Section] = []
    for cell in cells:
        new = _made([cell])
        if sections and (not new or new & _made(sections[-1].cells)):
            sections[-1].cells.append(cell)
        else:
            sections.append(_section_of(cell, new))
    tables = sum(cell.sql is not None and cell.sql.table is not None for cell in cells)
    while len(sections) > max(MOST_STEPS_BY_FLOW, min(tables, MOST_STEPS)):
        at = max(range(len(sections) - 1), key=lambda at: _tie(sections[at], sections[at + 1]))
        sections[at].cells += sections.pop(at + 1).cells
    return sections


def _section_of(cell: Cell, new: set[str]) -> _Section:
    if cell.sql is not None and cell.sql.table is not None:
        return _Section(str(cell.sql.table), f"it builds {cell.sql.table}", [cell])
    comment = next((line.lstrip("# ").strip() for line in cell.source.splitlines() if line.startswith("#")), "")
    title = comment if 0 < len(comment) <= 40 else _name_from(cell, new)
    return _Section(title, "it begins something new", [cell])


def _made(cells: Sequence[Cell]) -> set[str]:
    """Names of variables, and of tables that are built."""
    names = {name for cell in cells for name in analyse_cell(cell).bound if not name.startswith("_")}
    return names | {str(cell.sql.table) for cell in cells if cell.sql is not None and cell.sql.table is not None}


def _tie(first: _Section, second: _Section) -> tuple[int, int]:
    """How closely two neighbours belong together: values handed over, then how little there is of them."""
    used = {name for cell in second.cells for name in analyse_cell(cell).read}
    used |= {
        str(name)
        for cell in second.cells
        if cell.sql is not None
        for statement in statements_of(cell)
        for name in statement.reads
    }
    lines = sum(cell.source.count("\n") + 1 for cell in [*first.cells, *second.cells])
    return len(_made(first.cells) & used), -lines


def _name_from(cell: Cell, new: set[str]) -> str:
    """A name from the last thing the cell makes."""
    if cell.sql is not None and cell.sql.assign:
        return f"make-{cell.sql.assign}"
    body = tree_of(cell.python or "").body
    for statement in reversed(body):
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                if isinstance(target, ast.Name) and target.id in new:
                    return f"make-{target.id}"
    return "start"


def _merge(sections: list[_Section], error: Diagnostic) -> tuple[list[_Section], str]:
    """One step fewer: the steps that ``error`` is about become one."""
    names = _step_names(sections)
    concerned = {at for at, name in enumerate(names) if name == error.step or re.search(rf"\b{name}\b", error.message)}
    if error.location is not None:
        for at, section in enumerate(sections):
            if any(cell.number == error.location.cell for cell in section.cells):
                concerned.add(at)
    first, last = (min(concerned), max(concerned)) if concerned else (0, len(sections) - 1)
    if first == last:
        first, last = (first - 1, last) if first > 0 else (0, 1)
    joined = sections[first : last + 1]
    whole = _Section(joined[0].title, joined[0].reason, [cell for section in joined for cell in section.cells])
    reason = f"{' and '.join(names[first : last + 1])} are one step, because apart: {error.message}"
    return [*sections[:first], whole, *sections[last + 1 :]], reason


def _step_names(sections: Sequence[_Section]) -> list[str]:
    names: list[str] = []
    for section in sections:
        title = re.sub(r"^[\d.)\s]+", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", section.title))
        telling = _FILLER.sub(" ", title).strip() or title
        words = suggest_step_name(telling, "step" if names else "start").split("-")
        name = "-".join(words[:4])
        count = 2
        while name in names:
            name = f"{'-'.join(words[:4])}-{count}"
            count += 1
        names.append(name)
    return names


def _changes(parameters: Cell | None, setup: Sequence[Cell], sections: Sequence[_Section]) -> list[TagChange]:
    changes: list[TagChange] = []
    if parameters is not None:
        reason = "it is the first cell of literal constants"
        changes.append(TagChange(parameters.number, parameters.first_line, "parameters", reason))
    for cell in setup:
        reason = "it only imports and defines"
        changes.append(TagChange(cell.number, cell.first_line, "setup", reason))
    for name, section in zip(_step_names(sections), sections, strict=True):
        first = section.cells[0]
        changes.append(TagChange(first.number, first.first_line, f"step:{name}", section.reason))
    return sorted(changes, key=lambda change: change.cell)
