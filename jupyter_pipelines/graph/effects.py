"""The effects of one cell, from its source alone; computed once per source and kept."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import lru_cache

from jupyter_pipelines.graph.events import (
    FRESH,
    Bind,
    BindKind,
    CellEffects,
    Change,
    Command,
    Event,
    Statement,
    StatementKind,
)
from jupyter_pipelines.graph.magics import OTHER_LANGUAGES, apply_cell_magic
from jupyter_pipelines.graph.sql_cells import sql_effects
from jupyter_pipelines.graph.statements import StatementWalker
from jupyter_pipelines.notebook.model import Cell, Role
from jupyter_pipelines.notebook.parsing import parse_python
from jupyter_pipelines.notebook.sql_cells import magic_body

_DEFINING_CALLS = frozenset(
    [
        "namedtuple",
        "NamedTuple",
        "TypedDict",
        "Enum",
        "IntEnum",
        "StrEnum",
        "Flag",
        "IntFlag",
        "NewType",
        "TypeVar",
        "ParamSpec",
        "TypeVarTuple",
        "make_dataclass",
    ]
)
_DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def analyse_cell(cell: Cell) -> CellEffects:
    """The effects of a code cell; none for markdown and for what cannot be parsed (the reader has reported that)."""
    may_fail, given = cell.may_fail, cell.role is Role.PARAMETERS
    if cell.sql is not None or cell.check is not None:
        return sql_effects(cell.sql, cell.check, *magic_body(cell), may_fail)
    return _analyse(cell.python, cell.cell_magic or "", cell.cell_magic_line, may_fail, given)


def analyse_source(source: str) -> CellEffects:
    """The effects of plain Python source."""
    return _analyse(source, "", "", False)


@lru_cache(maxsize=1024)
def analyse_text(text: str, line: int) -> tuple[Event, ...] | None:
    """The effects of evaluating ``text`` in ``line``; ``None`` when it is no expression."""
    try:
        tree = parse_python(text.strip(), "eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    for node in ast.walk(tree):
        if hasattr(node, "lineno"):
            node.lineno = line
    walker = StatementWalker()
    walker.flow(tree.body)
    return tuple(walker.events)


@lru_cache(maxsize=8192)
def _analyse(
    python: str | None, magic: str, magic_line: str, may_fail: bool, values_are_given: bool = False
) -> CellEffects:
    walker = StatementWalker()
    walker.values_are_given = values_are_given
    if may_fail:
        walker.enter_branch()
    if python is None:
        if magic:
            apply_cell_magic(walker, magic, magic_line, 1)
        return _finish(walker, [Statement(1, 1, StatementKind.ORDINARY, tuple(walker.events))] if magic else [])
    try:
        body = parse_python(python).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return CellEffects(())
    statements: list[Statement] = []
    lines = python.splitlines()
    unwrapped = _unwrap(body)
    if unwrapped is not None:
        magic, magic_line, text = unwrapped
        try:
            body = [] if magic in OTHER_LANGUAGES else parse_python("\n" + text).body
        except (SyntaxError, ValueError):
            body = []
        else:
            lines = ["", *text.splitlines()]
        if magic in {"timeit", "prun"}:
            body = parse_python(python).body
            magic = ""
    if magic:
        apply_cell_magic(walker, magic, magic_line, 1)
        statements.append(Statement(1, 1, StatementKind.ORDINARY, tuple(walker.events)))
    for node in body:
        statements.append(_statement(walker, node, lines))
    return _finish(walker, statements)


def _finish(walker: StatementWalker, statements: list[Statement]) -> CellEffects:
    return CellEffects(
        tuple(statements),
        frozenset(walker.method_names),
        frozenset(walker.names_bound),
        frozenset(walker.names_read),
        frozenset(walker.names_read_later),
        tuple(statement for statement in statements if statement.kind is StatementKind.DEFINITION),
    )


def _unwrap(body: Sequence[ast.stmt]) -> tuple[str, str, str] | None:
    """Name, line and body of the cell magic that the whole cell is."""
    if len(body) != 1 or not isinstance(body[0], ast.Expr) or not isinstance(body[0].value, ast.Call):
        return None
    call = body[0].value
    if not isinstance(call.func, ast.Attribute) or call.func.attr != "run_cell_magic":
        return None
    texts = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
    name, line, text = (str(text) for text in texts) if len(texts) == 3 else ("", "", "")
    return (name, line, text) if name else None


def _statement(walker: StatementWalker, node: ast.stmt, lines: list[str]) -> Statement:
    kind = _kind(node)
    walker.events = []
    if kind is not StatementKind.ORDINARY:
        walker._seen.clear()  # a definition must know all it reads, whatever was read before
    names: tuple[str, ...] = ()
    if kind is StatementKind.DEFINITION and isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
        target = node.targets[0]
        assert isinstance(target, ast.Name)
        info = walker.function(node.value, target.id)
        walker.bind_name(target.id, FRESH, node.lineno)
        bind = walker.events[-1]
        assert isinstance(bind, Bind)
        bind.kind, bind.function = BindKind.FUNCTION, info
    else:
        walker.statement(node)
    events = tuple(walker.events)
    if kind is StatementKind.DEFINITION and any(isinstance(event, Command) for event in events):
        kind = StatementKind.ORDINARY
    if kind in {StatementKind.DEFINITION, StatementKind.FACTORY}:
        names = tuple(
            dict.fromkeys(event.name for event in events if isinstance(event, Bind) and "@" not in event.name)
        )
    elif kind is StatementKind.ATTACH:
        names = tuple({name for event in events if isinstance(event, Change) for name in event.flow.shares})
    source = "" if kind is StatementKind.ORDINARY else _segment(node, lines)
    start = _first_line(node)
    return Statement(start, node.end_lineno or start, kind, events, names, source)


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _segment(node: ast.stmt, lines: list[str]) -> str:
    """The statement's source text, decorators included."""
    start, end = _first_line(node), node.end_lineno or node.lineno
    chosen = lines[start - 1 : end]
    if not chosen:
        return ""
    if node.end_col_offset is not None:
        chosen[-1] = chosen[-1].encode()[: node.end_col_offset].decode(errors="ignore")
    chosen[0] = chosen[0].encode()[node.col_offset :].decode(errors="ignore")
    return "\n".join(chosen)


def _kind(node: ast.stmt) -> StatementKind:
    if _is_definition(node):
        return StatementKind.DEFINITION
    if isinstance(node, ast.If | ast.Try) and _defines_only([node]) and _holds_definition(node):
        return StatementKind.DEFINITION
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
        if isinstance(target, ast.Name) and isinstance(node.value, ast.Call):
            return StatementKind.FACTORY
        if isinstance(target, ast.Attribute):
            return StatementKind.ATTACH
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return StatementKind.CONFIGURE
    return StatementKind.ORDINARY


def _is_definition(node: ast.stmt) -> bool:
    if isinstance(node, _DEFINITIONS) or type(node).__name__ == "TypeAlias":
        return True
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        value = node.value
        if isinstance(value, ast.Lambda):
            return True
        if isinstance(value, ast.Call):
            function = value.func
            word = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            return word in _DEFINING_CALLS
    return False


def _defines_only(statements: Sequence[ast.stmt]) -> bool:
    """Whether a block holds nothing but definitions and constants."""
    for node in statements:
        if isinstance(node, ast.If):
            inner = [*node.body, *node.orelse]
        elif isinstance(node, ast.Try):
            handled = [statement for handler in node.handlers for statement in handler.body]
            inner = [*node.body, *handled, *node.orelse, *node.finalbody]
        elif (
            _is_definition(node)
            or isinstance(node, ast.Pass | ast.Raise)
            or (isinstance(node, ast.Assign) and _is_constant(node.value) and isinstance(node.targets[0], ast.Name))
            or (isinstance(node, ast.Expr) and _is_constant(node.value))
            or (isinstance(node, ast.Expr) and _is_print(node.value))
        ):
            continue
        else:
            return False
        if not _defines_only(inner):
            return False
    return True


def _is_constant(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Name | ast.Attribute) and not _is_print(node))


def _is_print(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"print"}


def _holds_definition(node: ast.stmt) -> bool:
    return any(isinstance(child, _DEFINITIONS) for child in ast.walk(node))
