"""What evaluating an expression reads, calls and changes, and where its value may come from."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Sequence

from jupyter_pipelines.graph.events import (
    FRESH,
    IMMUTABLE,
    LOCAL_MARK,
    Argument,
    Call,
    Change,
    Event,
    Flow,
    FunctionInfo,
    Identify,
    Read,
    Unknowable,
)
from jupyter_pipelines.graph.scopes import Scope
from jupyter_pipelines.notebook.parsing import parse_python

IMMUTABLE_ATTRIBUTES = frozenset(
    ["shape", "size", "ndim", "dtype", "nbytes", "itemsize", "name", "__name__", "__class__", "__doc__"]
)
_SHARING_OPERATORS = (ast.Add, ast.Mult, ast.BitOr)
_QUERY_NAME = re.compile(r"@([A-Za-z_]\w*)")
_IDENTIFIER = re.compile(r"\b([A-Za-z_]\w*)\b")
_SQL_SOURCE = re.compile(r"\b(?:from|join)\s+([A-Za-z_]\w*)", re.IGNORECASE)
_EVALUATORS = frozenset({"pd", "pandas", "ne", "numexpr"})  # modules that compute what a text says
_RUNNERS = frozenset({"cProfile", "profile", "pdb"})  # modules that run a text as a cell of the notebook
_SQL_METHODS = frozenset({"sql", "query", "execute", "from_query", "query_df"})
_DESIGNS = frozenset({"dmatrix", "dmatrices", "incr_dbuilder", "incr_dbuilders"})  # of patsy: a formula needs no "~"
_MATCHING = frozenset({"match", "search", "sub", "compile", "replace"})


def merge(flows: Iterable[Flow]) -> Flow:
    """The flow of something that holds, or is one of, several values."""
    flows = tuple(flows)
    if not flows:
        return FRESH
    shares = tuple(dict.fromkeys(name for flow in flows for name in flow.shares))
    calls = tuple(dict.fromkeys(call for flow in flows for call in flow.calls))
    lambdas = tuple(dict.fromkeys(info for flow in flows for info in flow.lambdas))
    depth = max(flow.depth for flow in flows)
    return Flow(shares, calls=calls, immutable=all(flow.immutable for flow in flows), lambdas=lambdas, depth=depth)


def part_of(flow: Flow, attribute: str) -> Flow:
    """The flow of ``value.attribute`` or, for ``"[]"``, of ``value[...]``."""
    if flow.immutable:
        return IMMUTABLE
    attributes, depth = (*flow.attributes, attribute), max(0, flow.depth - 1)
    return Flow(flow.shares, calls=flow.calls, attributes=attributes, lambdas=flow.lambdas, depth=depth)


def container_of(flow: Flow) -> Flow:
    """The flow of a new container that holds the value, or several like it."""
    return Flow(flow.shares, calls=flow.calls, lambdas=flow.lambdas, depth=flow.depth + 1)


def is_rooted(node: ast.expr) -> bool:
    """Whether the expression is a name, or a chain of attributes and items that starts with one."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return isinstance(node, ast.Name)


class ExpressionWalker:
    """Walks expressions, appending to ``events``. Statements are the subclass's business."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.scopes: list[Scope] = []
        self.bound_flows: list[dict[str, Flow]] = []  # names of comprehensions and inline lambdas
        self.depth = 0  # of what is not certain to be executed
        self.branch_path: tuple[int, ...] = ()  # the branches we are in, each with a number of its own
        self.bound_in: dict[str, list[tuple[int, ...]]] = {}  # where this cell has bound a name
        self._branches = 0
        self.names_read: set[str] = set()
        self._seen: set[str] = set()  # reads that need no second event
        self.holding = False  # what is evaluated is kept as it is by the definition at hand

    def enter_branch(self) -> None:
        """What follows may not be executed."""
        self.depth += 1
        self._branches += 1
        self.branch_path = (*self.branch_path, self._branches)

    def leave_branch(self) -> None:
        self.depth -= 1
        self.branch_path = self.branch_path[:-1]

    # -- names ---------------------------------------------------------------------------------------------------

    def local_flow(self, name: str) -> Flow | None:
        for names in reversed(self.bound_flows):
            if name in names:
                return names[name]
        return None

    def qualify(self, name: str, binding: bool = False) -> str:
        """The name as events use it: marked when it is local to a function or class body."""
        innermost = True
        for scope in reversed(self.scopes):
            if scope.is_class:
                if innermost and name not in scope.global_names and (binding or name in scope.names):
                    if binding:
                        scope.names.add(name)
                    return name + scope.mark
            elif name in scope.names:
                return name + scope.mark
            elif name in scope.global_names:
                return name
            innermost = False
        return name

    def read(self, name: str, line: int, maybe: bool = False) -> Flow:
        """Note that ``name`` is looked up."""
        local = self.local_flow(name)
        if local is not None:
            return local
        qualified = self.qualify(name)
        if qualified not in self._seen:
            uncertain = maybe or self.depth > 0
            if not uncertain and not self.holding:
                self._seen.add(qualified)
            if LOCAL_MARK not in qualified:
                path = self.branch_path
                bound = any(path[: len(place)] == place for place in self.bound_in.get(qualified, ()))
                self.events.append(Read(line, uncertain, qualified, bound=bound, held=self.holding))
        self.names_read.add(name)
        return Flow((qualified,), same=qualified)

    def forget(self, qualified: str) -> None:
        """A later read of this name is news again."""
        self._seen.discard(qualified)

    # -- expressions ---------------------------------------------------------------------------------------------

    def flow(self, node: ast.expr | None) -> Flow:
        """Emit the events of evaluating ``node``; say where its value may come from."""
        if node is None:
            return FRESH
        method = _DISPATCH.get(type(node))
        if method is not None:
            return method(self, node)
        return merge([self.flow(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)])

    def _constant(self, node: ast.Constant) -> Flow:
        return Flow(immutable=True, constant=node.value) if isinstance(node.value, str) else IMMUTABLE

    def _name(self, node: ast.Name) -> Flow:
        return self.read(node.id, node.lineno)

    def _attribute(self, node: ast.Attribute) -> Flow:
        base = self.flow(node.value)
        return IMMUTABLE if node.attr in IMMUTABLE_ATTRIBUTES else part_of(base, node.attr)

    def _subscript(self, node: ast.Subscript) -> Flow:
        name = namespace_item(node)
        if name is not None:
            return self.read(name, node.lineno)
        if is_main_module(node):
            self.main_module(f"`{ast.unparse(node)}`", node.lineno)
        base = self.flow(node.value)
        self.flow(node.slice)
        return part_of(base, "[]")

    def _operator(self, node: ast.BinOp) -> Flow:
        left, right = self.flow(node.left), self.flow(node.right)
        if isinstance(left.constant, str) and isinstance(right.constant, str):
            if isinstance(node.op, ast.Add):
                return Flow(immutable=True, constant=left.constant + right.constant)
            if isinstance(node.op, ast.Div):
                return Flow(immutable=True, constant=f"{left.constant}/{right.constant}")
        if left.immutable and right.immutable:
            return IMMUTABLE
        return merge([left, right]) if isinstance(node.op, _SHARING_OPERATORS) else FRESH

    def _boolean(self, node: ast.BoolOp) -> Flow:
        flows = [self.flow(node.values[0])]
        self.enter_branch()
        flows += [self.flow(value) for value in node.values[1:]]
        self.leave_branch()
        return merge(flows)

    def _unary(self, node: ast.UnaryOp) -> Flow:
        operand = self.flow(node.operand)
        return IMMUTABLE if operand.immutable or isinstance(node.op, ast.Not) else FRESH

    def _compare(self, node: ast.Compare) -> Flow:
        name = namespace_test(node)
        if name is not None:
            self.read(name, node.lineno, maybe=True)
            return IMMUTABLE
        flows = [self.flow(operand) for operand in [node.left, *node.comparators]]
        if any(isinstance(operator, ast.Is | ast.IsNot) for operator in node.ops) and all(
            flow.shares for flow in flows
        ):
            self.events.append(Identify(node.lineno, self.depth > 0, merge(flows)))
        return FRESH

    def _choice(self, node: ast.IfExp) -> Flow:
        self.flow(node.test)
        self.enter_branch()
        flows = [self.flow(node.body), self.flow(node.orelse)]
        self.leave_branch()
        result = merge(flows)
        result.uncarriable = flows[0].uncarriable or flows[1].uncarriable
        return result

    def _string(self, node: ast.JoinedStr) -> Flow:
        for value in node.values:
            if isinstance(value, ast.FormattedValue):
                self.flow(value.value)
                self.flow(value.format_spec)
        return IMMUTABLE

    def _tuple(self, node: ast.Tuple) -> Flow:
        return merge([self.flow(element) for element in node.elts]) if node.elts else IMMUTABLE

    def _display(self, node: ast.List | ast.Set) -> Flow:
        return container_of(merge([self.flow(element) for element in node.elts]))

    def _dict(self, node: ast.Dict) -> Flow:
        flows = [self.flow(part) for pair in zip(node.keys, node.values, strict=True) for part in pair]
        return container_of(merge(flows))

    def _passing(self, node: ast.Starred | ast.Await) -> Flow:
        return self.flow(node.value)

    def _named(self, node: ast.NamedExpr) -> Flow:
        value = self.flow(node.value)
        names, self.bound_flows = self.bound_flows, []  # a walrus in a comprehension binds outside of it
        self.bind_name(node.target.id, value, node.lineno)
        self.bound_flows = names
        return value

    def _lambda(self, node: ast.Lambda) -> Flow:
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            self.flow(default)
        names = {argument.arg: FRESH for argument in ast.walk(node.args) if isinstance(argument, ast.arg)}
        self.bound_flows.append(names)
        self.enter_branch()
        self.flow(node.body)
        self.leave_branch()
        self.bound_flows.pop()
        inner = bool(self.scopes) and not self.scopes[-1].is_class
        info = self.function(node, "a lambda")
        return Flow(uncarriable="a lambda", function=info if inner else None, lambdas=() if inner else (info,))

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> Flow:
        pushed = 0
        for position, generator in enumerate(node.generators):
            iterated = self.flow(generator.iter)
            if position == 0:
                self.enter_branch()  # only what is iterated over is certain to be evaluated
            names: dict[str, Flow] = {}
            self._bind_locally(generator.target, part_of(iterated, "[]"), names)
            self.bound_flows.append(names)
            pushed += 1
            for condition in generator.ifs:
                self.flow(condition)
        if isinstance(node, ast.DictComp):
            element = merge([self.flow(node.key), self.flow(node.value)])
        else:
            element = self.flow(node.elt)
        del self.bound_flows[len(self.bound_flows) - pushed :]
        self.leave_branch()
        if isinstance(node, ast.GeneratorExp):
            what = "a generator expression"
            return Flow(element.shares, calls=element.calls, uncarriable=what, lambdas=element.lambdas)
        return container_of(element)

    def _bind_locally(self, target: ast.expr, flow: Flow, names: dict[str, Flow]) -> None:
        for node in ast.walk(target):
            if isinstance(node, ast.Name):
                names[node.id] = flow

    # -- calls ---------------------------------------------------------------------------------------------------

    def _call(self, node: ast.Call) -> Flow:
        special = self.special_call(node)
        if special is not None:
            return special
        root, attributes, receiver = self._callee(node.func)
        arguments = self._arguments(node)
        self._names_in_strings(node, attributes)
        call = Call(node.lineno, self.depth > 0, root, attributes, receiver, arguments)
        self.events.append(call)
        return Flow(calls=(call,), direct=call, constant=_constant_path(root, attributes, arguments))

    def _callee(self, function: ast.expr) -> tuple[str | None, tuple[str, ...], Flow]:
        """The dotted name of what is called, when it is one, and the object whose method it is."""
        if isinstance(function, ast.Name):
            flow = self.flow(function)
            return flow.same, (), flow
        if not isinstance(function, ast.Attribute):
            return None, (), self.flow(function)
        receiver = self.flow(function.value)
        chain = [function.attr]
        value = function.value
        while isinstance(value, ast.Attribute):
            chain.append(value.attr)
            value = value.value
        if isinstance(value, ast.Name) and self.local_flow(value.id) is None:
            return self.qualify(value.id), tuple(reversed(chain)), receiver
        return None, (function.attr,), receiver

    def _arguments(self, node: ast.Call) -> tuple[Argument, ...]:
        arguments = [
            Argument("*" if isinstance(argument, ast.Starred) else position, self.flow(argument))
            for position, argument in enumerate(node.args)
        ]
        for keyword in node.keywords:
            flow = self.flow(keyword.value)
            if isinstance(keyword.value, ast.Constant) and flow.constant is None:
                flow = Flow(immutable=True, constant=keyword.value.value)
            arguments.append(Argument(keyword.arg or "**", flow))
        return tuple(arguments)

    def _names_in_strings(self, node: ast.Call, attributes: Sequence[str]) -> None:
        """Names that libraries look up in the caller's namespace: ``df.query("@x")``, formulas, DuckDB's tables."""
        method = attributes[-1] if attributes else ""
        designs = (method or getattr(node.func, "id", "")) in _DESIGNS
        for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
            if not isinstance(argument, ast.Constant) or not isinstance(argument.value, str):
                continue
            text, names = argument.value, list[str]()
            if method in {"query", "eval"} and "@" in text:
                names += _QUERY_NAME.findall(text)
            if designs or ("~" in text and len(text) < 1000 and method not in _MATCHING):
                names += _IDENTIFIER.findall(text)  # which of them are columns, only the data tells
            if method in _SQL_METHODS and "select" in text.lower():
                names += _SQL_SOURCE.findall(text)
            if method in {"eval", "evaluate"} and getattr(getattr(node.func, "value", None), "id", "") in _EVALUATORS:
                names += _IDENTIFIER.findall(text)
            for name in names:
                self.events.append(Read(node.lineno, True, self.qualify(name), quiet=True))
                self.names_read.add(name)

    def special_call(self, node: ast.Call) -> Flow | None:
        """Calls that act on the namespace itself; the subclass adds those of IPython."""
        if isinstance(node.func, ast.Attribute) and node.func.attr == "run" and node.args:
            return self._execute("exec", node, 1) if getattr(node.func.value, "id", "") in _RUNNERS else None
        if not isinstance(node.func, ast.Name) or self.local_flow(node.func.id) is not None:
            return None
        name = node.func.id
        if self.qualify(name) != name:
            return None
        if name in {"exec", "eval"} and node.args:
            return self._execute(name, node)
        if name in {"globals", "locals", "vars", "dir"} and not node.args and (not self.scopes or name == "globals"):
            fix = "name the variables that are meant, or list them in the step's `reads` and `writes`"
            self.events.append(Unknowable(node.lineno, False, f"`{name}()` shows every name of the kernel", True, fix))
            return FRESH
        return None

    def main_module(self, what: str, line: int) -> None:
        """The module that the notebook is can be asked for any name."""
        fix = "use the names themselves"
        self.events.append(Unknowable(line, self.depth > 0, f"{what} holds every name of the kernel", True, fix))

    def _execute(self, name: str, node: ast.Call, first: int = 0) -> Flow | None:
        if len(node.args) > 1 and not first:  # its own namespace was given
            return None
        source = node.args[0]
        if isinstance(source, ast.Constant) and isinstance(source.value, str):
            try:
                tree = parse_python(source.value.strip() if name == "eval" else source.value)
            except SyntaxError:
                return FRESH
            for child in ast.walk(tree):
                if hasattr(child, "lineno"):
                    child.lineno = node.lineno
            if name == "eval" and tree.body and isinstance(tree.body[0], ast.Expr):
                return self.flow(tree.body[0].value)
            self.block(tree.body)
            return FRESH
        for argument in node.args:
            self.flow(argument)
        fix = "write the code out, or list what it reads and writes in the step's `reads` and `writes`"
        what = f"`{name}` of a string that is built at run time"
        self.events.append(Unknowable(node.lineno, False, what, True, fix, evaluates=name == "eval"))
        return FRESH

    # -- for the subclass ----------------------------------------------------------------------------------------

    def block(self, statements: Sequence[ast.stmt]) -> None:
        raise NotImplementedError

    def bind_name(self, name: str, flow: Flow, line: int, element: bool = False) -> None:
        raise NotImplementedError

    def function(self, node: ast.Lambda, name: str) -> FunctionInfo:
        raise NotImplementedError

    def change(self, target: ast.expr, flow: Flow, stored: Flow | None) -> None:
        """Emit an in-place change of what ``flow`` leads to."""
        self.events.append(Change(target.lineno, self.depth > 0, flow, is_rooted(target), stored))


def is_main_module(node: ast.Subscript) -> bool:
    """Whether it is ``sys.modules["__main__"]``, or ``sys.modules[__name__]``."""
    return (
        isinstance(node.value, ast.Attribute)
        and node.value.attr == "modules"
        and (
            (isinstance(node.slice, ast.Constant) and node.slice.value == "__main__")
            or (isinstance(node.slice, ast.Name) and node.slice.id == "__name__")
        )
    )


def namespace_item(node: ast.expr) -> str | None:
    """``x`` of ``globals()["x"]``."""
    if (
        isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id == "globals"
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    ):
        return node.slice.value
    return None


def namespace_test(node: ast.Compare) -> str | None:
    """``x`` of ``"x" in globals()``, ``locals()``, ``vars()`` or ``dir()``."""
    container = node.comparators[0]
    if (
        isinstance(node.ops[0], ast.In | ast.NotIn)
        and isinstance(container, ast.Call)
        and isinstance(container.func, ast.Name)
        and container.func.id in {"globals", "locals", "vars", "dir"}
        and isinstance(node.left, ast.Constant)
        and isinstance(node.left.value, str)
    ):
        return node.left.value
    return None


def _constant_path(root: str | None, attributes: tuple[str, ...], arguments: tuple[Argument, ...]) -> str | None:
    """The text of ``Path("a", "b")`` and ``os.path.join("a", "b")``."""
    if attributes[-1:] not in {("join",), ("Path",)} and not (root == "Path" and not attributes):
        return None
    if attributes[-1:] == ("join",) and attributes[-2:-1] != ("path",):
        return None
    parts = [argument.flow.constant for argument in arguments]
    return "/".join(str(part) for part in parts) if parts and all(isinstance(part, str) for part in parts) else None


_DISPATCH: dict[type[ast.expr], Callable[..., Flow]] = {
    ast.Constant: ExpressionWalker._constant,
    ast.Name: ExpressionWalker._name,
    ast.Attribute: ExpressionWalker._attribute,
    ast.Subscript: ExpressionWalker._subscript,
    ast.BinOp: ExpressionWalker._operator,
    ast.BoolOp: ExpressionWalker._boolean,
    ast.UnaryOp: ExpressionWalker._unary,
    ast.Compare: ExpressionWalker._compare,
    ast.IfExp: ExpressionWalker._choice,
    ast.JoinedStr: ExpressionWalker._string,
    ast.Tuple: ExpressionWalker._tuple,
    ast.List: ExpressionWalker._display,
    ast.Set: ExpressionWalker._display,
    ast.Dict: ExpressionWalker._dict,
    ast.Starred: ExpressionWalker._passing,
    ast.Await: ExpressionWalker._passing,
    ast.NamedExpr: ExpressionWalker._named,
    ast.Lambda: ExpressionWalker._lambda,
    ast.ListComp: ExpressionWalker._comprehension,
    ast.SetComp: ExpressionWalker._comprehension,
    ast.DictComp: ExpressionWalker._comprehension,
    ast.GeneratorExp: ExpressionWalker._comprehension,
    ast.Call: ExpressionWalker._call,
}
