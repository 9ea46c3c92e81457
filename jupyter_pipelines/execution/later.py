"""What steps behind a step rely on, so that its kernel can tell whether the step has changed it unseen."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from jupyter_pipelines.execution.modules import named_modules
from jupyter_pipelines.execution.step_notebook import assigned_names
from jupyter_pipelines.notebook.model import Role
from jupyter_pipelines.notebook.parsing import parse_python

if TYPE_CHECKING:
    from jupyter_pipelines.execution.model import StepRequest
    from jupyter_pipelines.graph.model import Pipeline, Replay, StepPlan
    from jupyter_pipelines.notebook.model import Cell

_WORD = re.compile(r"[^\W\d]\w*")
_STAR = re.compile(r"^\s*from\s+([\w.]+)\s+import\s+\*", re.MULTILINE)

_PYPLOT = re.compile(r"\b(?:plt|pyplot)\.([a-z]\w*)\s*\(")
_NEW_FIGURE = frozenset({"figure", "subplots", "subplot_mosaic", "close"})
_NO_FIGURE = frozenset(
    {
        "show",
        "ion",
        "ioff",
        "rc",
        "rc_context",
        "rcdefaults",
        "get_cmap",
        "set_cmap",
        "xkcd",
        "imread",
        "imsave",
        "setp",
    }
)  # whatever else is called, is about the current figure


def relied_upon(request: StepRequest) -> dict[str, object]:
    """For the job of ``request.step``: who comes behind it, and which names they take past it. JSON-able.

    ``later``: the next step. ``read_later``: the names that later steps load. ``used_later``: names that cells define,
    and the first later step that may come to them, also through what it is handed. ``taken_past``: names that a later
    step takes from before this one; ``modules_past``: the modules among them, by name, as later steps import them.
    ``repeated_later``: source of this step's that later steps execute again. ``stars_later``: modules whose names a
    later step all has, and the first such step. ``draws_later``: the first later step that begins with pyplot's current
    figure, "" for none. ``modules_used_later``: modules that later steps may take for loaded. ``flags_later``: whether
    they speak of flags, such as those of decimal numbers.
    """
    pipeline, step = request.pipeline, request.step
    names = [other.name for other in pipeline.steps]
    place = names.index(step.name) if step.name in names else len(names)  # what is not a step has none behind it
    behind = pipeline.steps[place + 1 :]
    used = _used(pipeline, behind)
    repeated = {replay.source for other in behind for replay in _replays(other) if replay.cell in step.cells}
    return {
        "later": behind[0].name if behind else "",
        "read_later": sorted({given.name for other in behind for given in other.inputs}),
        "used_later": used,
        "taken_past": _taken_past(pipeline, step, behind, used),
        "modules_past": _modules_past(step, behind),
        "repeated_later": sorted(repeated),
        "stars_later": _stars(pipeline, behind),
        "modules_used_later": sorted({name for other in behind for name in named_modules(pipeline, other)}),
        "flags_later": any("flags" in _words(pipeline.document.cells[i].code) for other in behind for i in other.cells),
        "draws_later": next((other.name for other in behind if _draws_on(pipeline, other)), ""),
    }


def _draws_on(pipeline: Pipeline, step: StepPlan) -> bool:
    """Whether its cells ask pyplot for the current figure before they have made one, by how pyplot is called."""
    called = (name for index in step.cells for name in _PYPLOT.findall(pipeline.document.cells[index].code))
    return next((name not in _NEW_FIGURE for name in called if name not in _NO_FIGURE), False)


def _stars(pipeline: Pipeline, behind: Sequence[StepPlan]) -> dict[str, str]:
    setup = [cell.code for cell in pipeline.document.cells if cell.role is Role.SETUP]
    found: dict[str, str] = {}
    for step in behind:
        for source in (*setup, *(replay.source for replay in _replays(step))):
            for module in _STAR.findall(source):
                found.setdefault(module, step.name)
    return found


def _taken_past(
    pipeline: Pipeline, step: StepPlan, behind: Sequence[StepPlan], used: Mapping[str, str]
) -> dict[str, str]:
    if not behind:
        return {}
    cells = pipeline.document.cells
    before = {other.name for other in pipeline.steps} - {step.name, *(other.name for other in behind)}
    taken: dict[str, str] = {}
    for other in behind:
        if other.cells[0] < step.cells[-1]:
            continue  # what it takes may be from between this step's cells
        given = [value.name for value in other.inputs if value.producer in before]
        replays = [replay for replay in _replays(other) if replay.cell < step.cells[0]]
        for name in (*given, *other.setup_names, *(name for replay in replays for name in replay.names)):
            taken.setdefault(name, other.name)
    for cell in cells:
        if cell.role is Role.SETUP:
            for name in _defined(cell).keys() & used.keys():
                taken.setdefault(name, used[name])
    own = {name for index in step.cells for name in (*assigned_names(cells[index]), *_defined(cells[index]))}
    return {name: reader for name, reader in taken.items() if name not in own}


def _modules_past(step: StepPlan, behind: Sequence[StepPlan]) -> dict[str, str]:
    found: dict[str, str] = {}
    for replay in (replay for other in behind for replay in _replays(other) if replay.cell < step.cells[0]):
        for alias in _imported(replay.source):
            top = alias.name.partition(".")[0]
            found[alias.asname or top] = alias.name if alias.asname else top
    return found


@functools.lru_cache(maxsize=4096)
def _imported(source: str) -> tuple[ast.alias, ...]:
    try:
        statements = parse_python(source).body
    except SyntaxError:
        return ()
    return tuple(alias for statement in statements if isinstance(statement, ast.Import) for alias in statement.names)


def _used(pipeline: Pipeline, behind: Iterable[StepPlan]) -> dict[str, str]:
    """The names defined by cells that steps may come to, roughly (too many rather than too few), and the first step."""
    cells = pipeline.document.cells
    definitions: dict[str, set[str]] = {}
    for cell in cells:
        if cell.role in (Role.SETUP, Role.PARAMETERS, Role.STEP):
            for name, words in _defined(cell).items():
                definitions.setdefault(name, set()).update(words)
    used: dict[str, str] = {}
    seen: set[str] = set()
    for step in behind:
        pending = {word for index in _made_of(pipeline, step.name, seen) for word in _words(cells[index].code)}
        while pending:
            name = pending.pop()
            if name in definitions and name not in used:
                used[name] = step.name
                pending |= definitions[name]
    return used


def _made_of(pipeline: Pipeline, step: str, seen: set[str]) -> Iterable[int]:
    """The cells of a step and of the steps that made what it is given, apart from those ``seen``."""
    steps = {other.name: other for other in pipeline.steps}
    pending = [step]
    while pending:
        name = pending.pop()
        if name in steps and name not in seen:
            seen.add(name)
            found = steps[name]
            yield from found.cells
            pending.extend(given.producer for given in found.inputs)


def _replays(step: StepPlan) -> tuple[Replay, ...]:
    return (*step.definitions, *step.late_definitions)


def _defined(cell: Cell) -> Mapping[str, frozenset[str]]:
    return _definitions(cell.python or "")


@functools.lru_cache(maxsize=4096)
def _words(code: str) -> frozenset[str]:
    return frozenset(_WORD.findall(code))


@functools.lru_cache(maxsize=4096)
def _definitions(code: str) -> Mapping[str, frozenset[str]]:
    """What each name that a statement of ``code`` binds is made of: the words in that statement."""
    try:
        body = parse_python(code).body
    except (SyntaxError, ValueError):
        return {}
    lines = code.splitlines()
    found: dict[str, frozenset[str]] = {}
    for node in body:
        words = _words("\n".join(lines[_first_line(node) - 1 : node.end_lineno]))
        for name in _bound(node):
            found[name] = found.get(name, frozenset()) | words
    return found


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _bound(node: ast.stmt) -> Iterable[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
        return
    for inner in ast.walk(node):
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield inner.name
        elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            yield inner.id
        elif isinstance(inner, ast.alias):
            yield inner.asname or inner.name.partition(".")[0]
