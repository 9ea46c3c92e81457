"""What executing statements binds, changes and deletes, branch by branch."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from jupyter_pipelines.graph.events import (
    FRESH,
    IMMUTABLE,
    LOCAL_MARK,
    Argument,
    Augment,
    Bind,
    BindKind,
    Call,
    Change,
    ClassInfo,
    Delete,
    Event,
    Flow,
    FunctionInfo,
    Read,
    Settle,
    StarImport,
    Suspend,
    Tie,
)
from jupyter_pipelines.graph.expressions import ExpressionWalker, container_of, merge, namespace_item, part_of
from jupyter_pipelines.graph.magics import magic_call, timed_call
from jupyter_pipelines.graph.scopes import FunctionNode, Scope, function_scope, parameters_of

_TEMPORARY = {
    "catch_warnings": "warnings.filters",
    "rc_context": "matplotlib.rcParams",
    "context": "matplotlib.rcParams",
    "printoptions": "numpy.printoptions",
    "option_context": "pandas.options",
    "localcontext": "decimal",
    "errstate": "numpy.errstate",
    "config_context": "sklearn.config",
    "chdir": "cwd",
}
_METHOD_KINDS = {"staticmethod", "classmethod", "property", "cached_property"}
_ENDS = (ast.Raise, ast.Return, ast.Break, ast.Continue)

_IMMUTABLE_TYPES = frozenset({"bool", "bytes", "complex", "float", "frozenset", "int", "len", "round", "str"})


class StatementWalker(ExpressionWalker):
    """Walks statements, module level or function body, appending to ``events``."""

    def __init__(self) -> None:
        super().__init__()
        self.returns: list[Flow] = []
        self.names_bound: set[str] = set()
        self.method_names: set[str] = set()
        self.names_read_later: set[str] = set()
        self.lazy_annotations = False
        self.values_are_given = False  # to names that are only annotated: parameters that every run must give
        self._infos: dict[str, FunctionInfo] = {}  # of the functions bound in the class body being walked

    # -- binding -------------------------------------------------------------------------------------------------

    def emit_bind(self, bind: Bind) -> None:
        self.forget(bind.name)
        if LOCAL_MARK not in bind.name:
            self.names_bound.add(bind.name)
            self.bound_in.setdefault(bind.name, []).append(self.branch_path)
        self.events.append(bind)

    def bind_name(self, name: str, flow: Flow, line: int, element: bool = False) -> None:
        qualified = self.qualify(name, binding=True)
        self.emit_bind(Bind(line, self.depth > 0, qualified, flow, element=element))

    def bind_target(self, target: ast.expr, flow: Flow, element: bool = False) -> list[str]:
        """Bind an assignment's target; returns the names bound."""
        if isinstance(target, ast.Name):
            self.bind_name(target.id, flow, target.lineno, element)
            return [self.qualify(target.id)]
        if isinstance(target, ast.Starred):
            return self.bind_target(target.value, container_of(flow), True)
        if isinstance(target, ast.Tuple | ast.List):
            names = [name for part in target.elts for name in self.bind_target(part, part_of(flow, "[]"), True)]
            if len(names) > 1:
                self.events.append(Tie(target.lineno, self.depth > 0, tuple(names), flow))
            return names
        name = namespace_item(target)
        if name is not None:
            self.bind_name(name, flow, target.lineno)
            return [name]
        if isinstance(target, ast.Attribute | ast.Subscript):
            base = self.flow(target.value)
            if isinstance(target, ast.Subscript):
                self.flow(target.slice)
            self.change(target.value, part_of(base, target.attr if isinstance(target, ast.Attribute) else "[]"), flow)
        return []

    def special_call(self, node: ast.Call) -> Flow | None:
        magic = magic_call(self, node)
        if getattr(node.func, "attr", getattr(node.func, "id", "")) in {"timeit", "repeat", "Timer"}:
            timed_call(self, node)
        return magic if magic is not None else super().special_call(node)

    def flow(self, node: ast.expr | None) -> Flow:
        if isinstance(node, ast.Yield | ast.YieldFrom):
            self.returns.append(super().flow(node.value))
            return FRESH
        return super().flow(node)

    # -- statements ----------------------------------------------------------------------------------------------

    def block(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            self.statement(statement)

    def branch(self, statements: Sequence[ast.stmt]) -> None:
        """A block that may or may not be executed."""
        self.enter_branch()
        self.block(statements)
        self.leave_branch()

    def statement(self, node: ast.stmt) -> None:
        method = getattr(self, f"_{type(node).__name__.lower()}_statement", None)
        if method is not None:
            method(node)

    def settle(self, names: set[str] | None, line: int) -> None:
        if self.depth == 0:
            for name in sorted(names or ()):
                self.events.append(Settle(line, False, self.qualify(name)))

    def _expr_statement(self, node: ast.Expr) -> None:
        flow = self.flow(node.value)
        if flow.direct is not None:
            flow.direct.discarded = True

    def _assign_statement(self, node: ast.Assign) -> None:
        tuple_targets = [target for target in node.targets if isinstance(target, ast.Tuple | ast.List)]
        if (
            len(node.targets) == 1
            and tuple_targets
            and isinstance(node.value, ast.Tuple | ast.List)
            and len(node.value.elts) == len(tuple_targets[0].elts)
            and not any(isinstance(part, ast.Starred) for part in [*node.value.elts, *tuple_targets[0].elts])
        ):
            self._assign_pairs(tuple_targets[0].elts, [self.flow(part) for part in node.value.elts], node.lineno)
            return
        kept = bool(self.scopes) and self.scopes[-1].is_class and isinstance(node.value, ast.Name)
        flow = self._held(node.value) if kept else self.flow(node.value)
        names = [name for target in node.targets for name in self.bind_target(target, flow)]
        if len(node.targets) > 1 and len(names) > 1:
            self.events.append(Tie(node.lineno, self.depth > 0, tuple(names), flow))

    def _assign_pairs(self, targets: list[ast.expr], flows: list[Flow], line: int) -> None:
        """``a, b = b, a``: all values exist before the first name is bound, so some wait under a name of their own."""
        bound = {self.qualify(target.id, binding=True) for target in targets if isinstance(target, ast.Name)}
        waiting: list[str] = []
        for position, flow in enumerate(flows):
            if bound.intersection(flow.shares):
                name = f"{position}{LOCAL_MARK}{line}"
                self.events.append(Bind(line, self.depth > 0, name, flow))
                flows[position] = Flow((name,), same=name)
                waiting.append(name)
        for target, flow in zip(targets, flows, strict=True):
            self.bind_target(target, flow)
        self.events.extend(Delete(line, False, name) for name in waiting)

    def _annassign_statement(self, node: ast.AnnAssign) -> None:
        if not self.lazy_annotations and not (self.scopes and not self.scopes[-1].is_class):
            self.flow(node.annotation)
        if node.value is not None:
            self.bind_target(node.target, self.flow(node.value))
        elif self.values_are_given and isinstance(node.target, ast.Name):
            some_object = ast.copy_location(ast.List(elts=[], ctx=ast.Load()), node)
            self.bind_target(node.target, self.flow(some_object))

    def _augassign_statement(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.read(node.target.id, node.lineno)
            flow = self.flow(node.value)
            name = self.qualify(node.target.id, binding=True)
            if LOCAL_MARK not in name:
                self.names_bound.add(name)
            self.events.append(Augment(node.lineno, self.depth > 0, name, flow))
            return
        self.bind_target(node.target, self.flow(node.value))

    def _delete_statement(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                name = self.qualify(target.id)
                self.read(target.id, node.lineno)
                self.forget(name)
                self.bound_in.pop(name, None)
                self.events.append(Delete(node.lineno, self.depth > 0, name))
            elif isinstance(target, ast.Attribute | ast.Subscript):
                self.bind_target(target, IMMUTABLE)
            elif isinstance(target, ast.Tuple | ast.List):
                for part in target.elts:
                    self._delete_statement(ast.copy_location(ast.Delete([part]), node))

    def _return_statement(self, node: ast.Return) -> None:
        self.returns.append(self.flow(node.value) if node.value else IMMUTABLE)

    def _raise_statement(self, node: ast.Raise) -> None:
        self.flow(node.exc)
        self.flow(node.cause)

    def _assert_statement(self, node: ast.Assert) -> None:
        self.flow(node.test)
        self.flow(node.msg)

    def _if_statement(self, node: ast.If) -> None:
        self.flow(node.test)
        constant = node.test.value if isinstance(node.test, ast.Constant) else None
        if isinstance(node.test, ast.Constant):
            self.block(node.body if constant else node.orelse)
            return
        self.branch(node.body)
        self.branch(node.orelse)
        self.settle(certain_names([node]), node.lineno)

    def _for_statement(self, node: ast.For | ast.AsyncFor) -> None:
        iterated = self.flow(node.iter)
        start = len(self.events)
        self.enter_branch()
        self.bind_target(node.target, part_of(iterated, "[]") if not iterated.immutable else IMMUTABLE, True)
        self.block(node.body)
        self._again(start)
        self.leave_branch()
        self.branch(node.orelse)

    _asyncfor_statement = _for_statement

    def _while_statement(self, node: ast.While) -> None:
        self.flow(node.test)
        start = len(self.events)
        self.branch(node.body)
        self._again(start)
        self.branch(node.orelse)

    def _again(self, start: int) -> None:
        """Changes of a loop's body happen again, with what the body has bound in the meantime."""
        body = self.events[start:]
        bound = {event.name for event in body if isinstance(event, Bind)}
        for event in body:
            if isinstance(event, Change) and bound.intersection(event.flow.shares):
                self.events.append(event)

    def _with_statement(self, node: ast.With | ast.AsyncWith) -> None:
        suspended = []
        for item in node.items:
            flow = self.flow(item.context_expr)
            call = flow.direct
            if call is not None and (call.attributes or call.root == "chdir"):
                component = _TEMPORARY.get(call.attributes[-1] if call.attributes else "chdir")
                if component:
                    suspended.append(component)
                    self.events.append(Suspend(node.lineno, False, component, True))
            elif flow.same is not None:
                self.events.append(Change(node.lineno, self.depth > 0, flow, False))
            if item.optional_vars is not None:
                self.bind_target(item.optional_vars, flow)
        self.block(node.body)
        for component in suspended:
            self.events.append(Suspend(node.lineno, False, component, False))

    _asyncwith_statement = _with_statement

    def _try_statement(self, node: ast.Try) -> None:
        body = self.branch if node.handlers else self.block
        body(node.body)
        for handler in node.handlers:
            self.flow(handler.type)
            self.enter_branch()
            if handler.name:
                self.bind_name(handler.name, FRESH, handler.lineno)
            self.block(handler.body)
            if handler.name:
                name = self.qualify(handler.name)
                self.forget(name)
                self.bound_in.pop(name, None)
                self.events.append(Delete(handler.lineno, True, name))
            self.leave_branch()
        body(node.orelse)
        self.block(node.finalbody)
        self.settle(certain_names([node]), node.lineno)

    _trystar_statement = _try_statement

    def _match_statement(self, node: ast.Match) -> None:
        subject = self.flow(node.subject)
        for case in node.cases:
            self.enter_branch()
            for pattern in ast.walk(case.pattern):
                name = getattr(pattern, "name", None) or getattr(pattern, "rest", None)
                if isinstance(name, str):
                    self.bind_name(name, part_of(subject, "[]"), node.lineno)
                if isinstance(pattern, ast.MatchValue):
                    self.flow(pattern.value)
                elif isinstance(pattern, ast.MatchClass):
                    self.flow(pattern.cls)
            self.flow(case.guard)
            self.block(case.body)
            self.leave_branch()
        self.settle(certain_names([node]), node.lineno)

    def _import_statement(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name == "__main__":
                self.main_module("`import __main__`", node.lineno)
            name = alias.asname or alias.name.partition(".")[0]
            target = alias.name if alias.asname else name
            self._bind_import(
                name, target, node.lineno, f"import {alias.name} as {name}" if alias.asname else f"import {alias.name}"
            )

    def _importfrom_statement(self, node: ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "")
        if module == "__future__":
            self.lazy_annotations |= any(alias.name == "annotations" for alias in node.names)
            return
        if module == "__main__":
            self.main_module("`from __main__ import`", node.lineno)
        for alias in node.names:
            if alias.name == "*":
                self.events.append(StarImport(node.lineno, self.depth > 0, module))
            else:
                name = alias.asname or alias.name
                text = f"from {module} import {alias.name} as {name}"
                self._bind_import(name, f"{module}.{alias.name}", node.lineno, text)

    def _bind_import(self, name: str, target: str, line: int, text: str) -> None:
        qualified = self.qualify(name, binding=True)
        self.emit_bind(Bind(line, self.depth > 0, qualified, FRESH, BindKind.MODULE, target, text=text))

    def _typealias_statement(self, node: ast.stmt) -> None:
        name = getattr(node, "name", None)
        if isinstance(name, ast.Name):
            self.enter_branch()  # evaluated when it is first used
            self.flow(getattr(node, "value", None))
            self.leave_branch()
            self.bind_name(name.id, FRESH, node.lineno)

    # -- functions and classes -----------------------------------------------------------------------------------

    def _functiondef_statement(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        decorators = [(decorator, self.flow(decorator)) for decorator in node.decorator_list]
        info = self.function(node, node.name)
        info.decorated = bool(decorators)
        info.decorators = tuple(_last_word(decorator) for decorator in node.decorator_list)
        info.coroutine = isinstance(node, ast.AsyncFunctionDef)
        for decorator, _ in decorators:
            word = decorator.attr if isinstance(decorator, ast.Attribute) else getattr(decorator, "id", "")
            if word in _METHOD_KINDS:
                info.kind = "property" if word == "cached_property" else word
            elif word in {"setter", "getter", "deleter"}:
                info.kind = "property"
        name = self.qualify(node.name, binding=True)
        if self.scopes and self.scopes[-1].is_class:
            self._infos[node.name] = info
        bind = Bind(node.lineno, self.depth > 0, name, FRESH, BindKind.FUNCTION, function=info)
        self.emit_bind(bind)
        for decorator, flow in reversed(decorators):
            self._apply_decorator(decorator, flow, bind)

    _asyncfunctiondef_statement = _functiondef_statement

    def _apply_decorator(self, decorator: ast.expr, flow: Flow, bind: Bind) -> None:
        """The decorator is called with what it decorates, whose result the name gets."""
        root: str | None = None
        attributes: tuple[str, ...] = ()
        receiver = flow
        if isinstance(decorator, ast.Name):
            root = flow.same
        elif isinstance(decorator, ast.Attribute):
            root, attributes, receiver = self._callee(decorator)
        definition = Flow((bind.name,), same=bind.name)
        self.events.append(
            Call(decorator.lineno, self.depth > 0, root, attributes, receiver, (Argument(0, definition),))
        )

    def function(self, node: FunctionNode, name: str) -> FunctionInfo:
        """Walk a function: defaults and annotations now, the body into its own list of events."""
        defaults = [*node.args.defaults, *node.args.kw_defaults]
        flows = [self._held(default) if isinstance(default, ast.Name) else self.flow(default) for default in defaults]
        if not isinstance(node, ast.Lambda) and not self.lazy_annotations:
            arguments = [argument for argument in ast.walk(node.args) if isinstance(argument, ast.arg)]
            if not getattr(node, "type_params", None):
                for annotation in [*(argument.annotation for argument in arguments), node.returns]:
                    self._held(annotation)
        scope, yields = function_scope(node)
        outer = (self.events, self._seen, self.bound_flows, self.depth, self.returns)
        outer_branches = (self.branch_path, self.bound_in)
        self.events, self._seen, self.bound_flows, self.depth, self.returns = [], set(), [], 0, []
        self.branch_path, self.bound_in = (), {}
        self.scopes.append(scope)
        for parameter in getattr(node, "type_params", ()):
            scope.names.add(parameter.name)
        if isinstance(node, ast.Lambda):
            self.returns.append(self.flow(node.body))
        else:
            self.block(node.body)
        self.scopes.pop()
        events, returns = self.events, self.returns
        reads = _reads_of(events)
        self.names_read_later.update(read.name for read in reads)
        self.events, self._seen, self.bound_flows, self.depth, self.returns = outer
        self.branch_path, self.bound_in = outer_branches
        positional, keyword_only, variadic = parameters_of(node.args)
        defaulted = [*positional[len(positional) - len(node.args.defaults) :], *keyword_only]
        changeable = [
            (parameter + scope.mark, default, flow)
            for parameter, default, flow in zip(defaulted, defaults, flows, strict=True)
            if default is not None and not flow.immutable and not _makes_immutable(default)
        ]
        return FunctionInfo(
            name,
            node.lineno,
            tuple(parameter + scope.mark for parameter in positional),
            tuple(parameter + scope.mark for parameter in keyword_only),
            tuple(parameter + scope.mark for parameter in variadic),
            tuple(parameter for parameter, default, _ in changeable if not _is_reference(default)),
            tuple((parameter, flow) for parameter, default, flow in changeable if _is_reference(default)),
            tuple(events),
            tuple(returns),
            generator=yields,
            speaks=any(isinstance(event, Call) and event.root in {"print", "display"} for event in events),
            nonlocal_writes=bool(scope.nonlocal_names),
            reads=reads,
        )

    def _held(self, node: ast.expr | None) -> Flow:
        """Evaluate what a definition keeps as it is."""
        self.holding = True
        flow = self.flow(node)
        self.holding = False
        return flow

    def _classdef_statement(self, node: ast.ClassDef) -> None:
        for decorator in node.decorator_list:
            self.flow(decorator)
        bases = [self.flow(base) for base in node.bases]
        for keyword in node.keywords:
            self.flow(keyword.value)
        scope = Scope(f"{LOCAL_MARK}{node.lineno}:{node.col_offset}", True)
        for parameter in getattr(node, "type_params", ()):
            scope.names.add(parameter.name)
        outer_infos, self._infos = self._infos, {}
        self.scopes.append(scope)
        start = len(self.events)
        self.block(node.body)
        body = self.events[start:]
        self.scopes.pop()
        methods, self._infos = self._infos, outer_infos
        for method in methods.values():
            if method.kind == "function":
                method.kind = "method"
        self.method_names.update(methods)
        name = self.qualify(node.name, binding=True)
        shared = () if node.decorator_list else _shared_attributes(body, scope.mark, methods)
        cls = ClassInfo(node.name, node.lineno, methods, frozenset(shared), merge(bases).shares)
        self.emit_bind(Bind(node.lineno, self.depth > 0, name, FRESH, BindKind.CLASS, cls=cls))


def _last_word(decorator: ast.expr) -> str:
    """``lru_cache`` of ``functools.lru_cache(maxsize=None)``."""
    if isinstance(decorator, ast.Call):
        decorator = decorator.func
    return decorator.attr if isinstance(decorator, ast.Attribute) else getattr(decorator, "id", "")


def _reads_of(events: list[Event]) -> tuple[Read, ...]:
    """The names of the notebook that a body reads, first occurrence each."""
    reads: dict[str, Read] = {}
    for event in events:
        if isinstance(event, Read) and LOCAL_MARK not in event.name:
            reads.setdefault(event.name, event)
        elif isinstance(event, Bind) and event.function is not None:
            for read in event.function.reads:
                reads.setdefault(read.name, read)
        elif isinstance(event, Bind) and event.cls is not None:
            for method in event.cls.methods.values():
                for read in method.reads:
                    reads.setdefault(read.name, read)
    return tuple(reads.values())


def _shared_attributes(body: list[Event], mark: str, methods: dict[str, FunctionInfo]) -> set[str]:
    """Attributes that live in the class and can be changed in place: not those each instance gets for itself."""
    shared = {
        event.name.removesuffix(mark)
        for event in body
        if isinstance(event, Bind) and event.kind == BindKind.VALUE and not event.flow.immutable
        if event.name.endswith(mark)
    }
    for info in methods.values():
        for event in info.events:
            if (
                isinstance(event, Change)
                and len(event.flow.attributes) == 1
                and info.parameters[:1] == event.flow.shares
            ):
                shared.discard(event.flow.attributes[0])
    return shared


def certain_names(statements: Sequence[ast.stmt]) -> set[str] | None:
    """Names that every way through the block binds; ``None`` when no way leads out at its end."""
    names: set[str] = set()
    for statement in statements:
        if isinstance(statement, _ENDS):
            return None
        bound = _bound_by(statement)
        if bound is None:
            return None
        names |= bound
    return names


def _bound_by(node: ast.stmt) -> set[str] | None:
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if node.value else []
        return {
            child.id
            for target in targets
            for child in ast.walk(target)
            if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store)
        }
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.partition(".")[0] for alias in node.names if alias.name != "*"}
    if isinstance(node, ast.With | ast.AsyncWith):
        return certain_names(node.body)
    if isinstance(node, ast.If):
        return _common([certain_names(node.body), certain_names(node.orelse)])
    if isinstance(node, ast.Try):
        finally_names = certain_names(node.finalbody)
        if finally_names is None:
            return None
        ways = [certain_names([*node.body, *node.orelse]), *(certain_names(handler.body) for handler in node.handlers)]
        common = _common(ways)
        return None if common is None else common | finally_names
    if isinstance(node, ast.Match):
        last = node.cases[-1]
        complete = isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None and last.guard is None
        return _common([certain_names(case.body) for case in node.cases]) if complete else set()
    return set()


def _common(ways: list[set[str] | None]) -> set[str] | None:
    names = [way for way in ways if way is not None]
    return set.intersection(*names) if names else None


def _makes_immutable(node: ast.expr) -> bool:
    """``int(…)`` and the like, as a default argument."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _IMMUTABLE_TYPES


def _is_reference(node: ast.expr) -> bool:
    """``name``, ``name.attribute.attribute``: an object that others have too."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


__all__ = ["Read", "StatementWalker", "certain_names"]
