"""Which names are local to a function body: Python's own rules, from the syntax tree."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(slots=True)
class Scope:
    """A function or class body. ``mark`` tells its locals from other scopes' ones."""

    mark: str
    is_class: bool
    names: set[str] = field(default_factory=set)  # a class body's names appear as they are bound
    global_names: set[str] = field(default_factory=set)
    nonlocal_names: set[str] = field(default_factory=set)


class _Bindings(ast.NodeVisitor):
    """Collects what one function body binds, without looking into functions and classes within it."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.global_names: set[str] = set()
        self.nonlocal_names: set[str] = set()
        self.yields = False
        self._comprehension = 0

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load) and not self._comprehension:
            self.names.add(node.id)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.names.add(node.target.id)
        self.visit(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.names.add(node.name)
        for decorator in node.decorator_list:
            self.visit(decorator)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.names.add(node.name)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            if default is not None:
                self.visit(default)

    def _visit_comprehension(self, node: ast.AST) -> None:
        self._comprehension += 1
        self.generic_visit(node)
        self._comprehension -= 1

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _visit_comprehension

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name != "*":
                self.names.add(alias.asname or alias.name.partition(".")[0])

    visit_ImportFrom = visit_Import

    def visit_Global(self, node: ast.Global) -> None:
        self.global_names.update(node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.nonlocal_names.update(node.names)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.names.add(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        if node.name:
            self.names.add(node.name)
        self.generic_visit(node)

    visit_MatchStar = visit_MatchAs

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        if node.rest:
            self.names.add(node.rest)
        self.generic_visit(node)

    def visit_Yield(self, node: ast.Yield | ast.YieldFrom) -> None:
        self.yields = True
        self.generic_visit(node)

    visit_YieldFrom = visit_Yield


def parameters_of(arguments: ast.arguments) -> tuple[list[str], list[str], list[str]]:
    """Names of the positional, keyword-only and variadic parameters."""
    positional = [argument.arg for argument in [*arguments.posonlyargs, *arguments.args]]
    keyword_only = [argument.arg for argument in arguments.kwonlyargs]
    variadic = [argument.arg for argument in (arguments.vararg, arguments.kwarg) if argument is not None]
    return positional, keyword_only, variadic


def function_scope(node: FunctionNode) -> tuple[Scope, bool]:
    """The scope of a function's body, and whether the body yields."""
    bindings = _Bindings()
    for statement in node.body if isinstance(node.body, list) else [node.body]:
        bindings.visit(statement)
    names = bindings.names - bindings.global_names - bindings.nonlocal_names
    names.update(*parameters_of(node.args))
    mark = f"@{node.lineno}:{node.col_offset}"
    scope = Scope(mark, False, names, bindings.global_names, bindings.nonlocal_names)
    return scope, bindings.yields
