"""What the author's Python says without running it: names, annotations as types, literals as values.

Only the cells that run before any step (parameters and setup) are looked at, and only constant expressions are
evaluated, by this module itself: nothing of the notebook is ever executed here.
"""

from __future__ import annotations

import ast
import datetime as dt
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from jupyter_pipelines.notebook.parameter_collections import Choice, Collection, FixedTuple, Member, Object, Union
from jupyter_pipelines.notebook.parameter_types import (
    ANY,
    UNKNOWN,
    Bool,
    Date,
    DateTime,
    Exactly,
    Float,
    Int,
    NoneType,
    ParameterType,
    PathType,
    Str,
    TimeDelta,
)
from jupyter_pipelines.notebook.parsing import parse_python

_SIMPLE: Mapping[str, ParameterType] = {
    "int": Int(), "float": Float(), "bool": Bool(), "str": Str(), "None": NoneType(), "Any": ANY, "object": ANY,
    "bytes": Exactly(bytes), "complex": Exactly(complex),
    "datetime.date": Date(), "datetime.datetime": DateTime(), "datetime.timedelta": TimeDelta(),
    "pathlib.Path": PathType(), "pathlib.PurePath": PathType(), "pathlib.PosixPath": PathType(),
    "list": Collection(list), "tuple": Collection(tuple), "set": Collection(set), "frozenset": Collection(frozenset),
    "dict": Object(),
}  # fmt: skip

# What a name means when the notebook does not say where it comes from.
_USUAL = {
    "date": "datetime.date", "timedelta": "datetime.timedelta", "timezone": "datetime.timezone", "dt": "datetime",
    "Path": "pathlib.Path", "np": "numpy",
}  # fmt: skip

# Spellings of one thing, after imports are resolved.
_SAME = {
    "datetime": "datetime.datetime", "typing.List": "list", "typing.Tuple": "tuple", "typing.Set": "set",
    "typing.FrozenSet": "frozenset", "typing.Dict": "dict", "typing.Any": "Any", "typing.Sequence": "list",
    "collections.abc.Sequence": "list", "typing.Mapping": "dict", "collections.abc.Mapping": "dict",
    "List": "list", "Tuple": "tuple", "Set": "set", "FrozenSet": "frozenset", "Dict": "dict", "Sequence": "list",
    "Mapping": "dict", "datetime.now": "datetime.datetime.now", "datetime.today": "datetime.datetime.today",
    "datetime.utcnow": "datetime.datetime.utcnow", "datetime.strptime": "datetime.datetime.strptime",
    "datetime.fromisoformat": "datetime.datetime.fromisoformat",
}  # fmt: skip

_CONSTANTS = {
    "math.inf": math.inf, "math.nan": math.nan, "math.pi": math.pi, "math.e": math.e, "math.tau": math.tau,
    "numpy.inf": math.inf, "numpy.nan": math.nan, "numpy.pi": math.pi, "numpy.e": math.e,
    "datetime.timezone.utc": dt.UTC, "datetime.UTC": dt.UTC,
}  # fmt: skip

_CALLS: Mapping[str, Callable[..., object]] = {
    "datetime.date": dt.date, "datetime.datetime": dt.datetime, "datetime.timedelta": dt.timedelta,
    "datetime.timezone": dt.timezone, "datetime.date.fromisoformat": dt.date.fromisoformat,
    "datetime.datetime.fromisoformat": dt.datetime.fromisoformat, "pathlib.Path": Path,
}  # fmt: skip

_RESULTS: Mapping[str, ParameterType] = {
    "datetime.date.today": Date(), "datetime.datetime.now": DateTime(), "datetime.datetime.today": DateTime(),
    "datetime.datetime.utcnow": DateTime(), "datetime.datetime.strptime": DateTime(),
    "datetime.datetime.fromtimestamp": DateTime(), "datetime.datetime.combine": DateTime(),
    "pathlib.Path.cwd": PathType(), "pathlib.Path.home": PathType(), "len": Int(), "int": Int(), "float": Float(),
    "str": Str(), "bool": Bool(), "dict": Object(), "list": Collection(list), "sorted": Collection(list),
    "tuple": Collection(tuple), "set": Collection(set),
    **{name: kind for name, kind in _SIMPLE.items() if name.startswith(("datetime.", "pathlib."))},
}  # fmt: skip

_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], object]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow,
}  # fmt: skip
_MAGNITUDE = 2**256  # constant arithmetic with anything larger is left to the notebook


class NotConstantError(Exception):
    """The expression cannot be evaluated without running the notebook."""


@dataclass(frozen=True)
class Names:
    """What names mean in the notebook's parameters and setup cells."""

    imports: Mapping[str, str] = field(default_factory=dict)  # name in the notebook -> dotted name
    enums: Mapping[str, Member] = field(default_factory=dict)

    def dotted(self, node: ast.expr) -> str | None:
        """The canonical dotted name that ``node`` refers to, or ``None`` when it is no plain name."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        first = self.imports.get(node.id) or _USUAL.get(node.id, node.id)
        name = ".".join([first, *reversed(parts)])
        return _SAME.get(name, name)


@lru_cache(maxsize=512)
def tree_of(python: str) -> ast.Module:
    """The syntax tree of a cell's Python; empty when it has none. Callers must not change it."""
    try:
        return parse_python(python)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def names_of(sources: tuple[str, ...]) -> Names:
    """The imports and Enums of these cells' Python, later cells winning."""
    imports: dict[str, str] = {}
    classes: list[ast.ClassDef] = []
    for python in sources:
        for node in tree_of(python).body:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    imports[alias.asname or alias.name.partition(".")[0]] = (
                        alias.name if alias.asname else alias.name.partition(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imports.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
            elif isinstance(node, ast.ClassDef):
                classes.append(node)
    names = Names(imports)
    return Names(imports, {node.name: member for node in classes if (member := _enum(node, names)) is not None})


def _enum(node: ast.ClassDef, names: Names) -> Member | None:
    bases = [(names.dotted(base) or "").rpartition(".")[2] for base in node.bases]
    if not any(base in ("Enum", "StrEnum", "IntEnum") for base in bases):
        return None
    members: list[tuple[str, object]] = []
    for statement in node.body:
        if not isinstance(statement, ast.Assign):
            continue
        for target in statement.targets:
            if isinstance(target, ast.Name) and not target.id.startswith("_"):
                try:
                    value = constant(statement.value, names)
                except NotConstantError:
                    value = UNKNOWN
                members.append((target.id, value))
    return Member(node.name, tuple(members)) if members else None


def annotated_type(node: ast.expr, names: Names) -> ParameterType | None:
    """The type an annotation means; ``None`` when it is none that we know."""
    if isinstance(node, ast.Constant):
        if node.value is None:
            return NoneType()
        if isinstance(node.value, str):
            try:
                return annotated_type(parse_python(node.value.strip(), "eval").body, names)
            except (SyntaxError, ValueError):
                return None
        return None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _union([node.left, node.right], names)
    if isinstance(node, ast.Subscript):
        return _subscripted(node, names)
    name = names.dotted(node)
    if name is None:
        return None
    if name in names.enums:
        return names.enums[name]
    return _SIMPLE.get(name)


def _union(nodes: list[ast.expr], names: Names) -> ParameterType | None:
    members: list[ParameterType] = []
    for node in nodes:
        member = annotated_type(node, names)
        if member is None:
            return None
        members += member.members if isinstance(member, Union) else [member]
    unique = tuple(dict.fromkeys(members))
    return unique[0] if len(unique) == 1 else Union(unique)


def _subscripted(node: ast.Subscript, names: Names) -> ParameterType | None:
    name = (names.dotted(node.value) or "").rpartition(".")[2]
    items = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
    if name == "Literal":
        try:
            values = tuple(constant(item, names) for item in items)
        except NotConstantError:
            return None
        return Choice(values) if values else None
    if name == "Optional":
        return _union([items[0], ast.Constant(None)], names)
    if name == "Union":
        return _union(items, names)
    if name in ("Annotated", "Final"):
        return annotated_type(items[0], names)
    base = annotated_type(node.value, names)
    if isinstance(base, Collection) and base.kind is tuple:
        rest = isinstance(items[-1], ast.Constant) and items[-1].value is ...
        parts = [annotated_type(item, names) for item in (items[:-1] if rest else items)]
        known = tuple(part for part in parts if part is not None)
        if len(known) != len(parts):
            return None
        return Collection(tuple, known[0]) if rest else FixedTuple(known)
    parts = [annotated_type(item, names) for item in items]
    if isinstance(base, Collection) and len(parts) == 1 and parts[0] is not None:
        return Collection(base.kind, parts[0])
    if isinstance(base, Object) and len(parts) == 2 and parts[0] is not None and parts[1] is not None:
        return Object(parts[0], parts[1])
    return None


def constant(node: ast.expr, names: Names) -> object:
    """The value of a constant expression. Raises :class:`NotConstantError` for any other."""
    try:
        return _constant(node, names)
    except (ArithmeticError, TypeError, ValueError, RecursionError):
        raise NotConstantError from None


def _constant(node: ast.expr, names: Names) -> object:
    if isinstance(node, ast.Constant) and node.value is not ...:
        return node.value
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        kind = {ast.List: list, ast.Tuple: tuple, ast.Set: set}[type(node)]
        return kind([_constant(item, names) for item in node.elts])
    if isinstance(node, ast.Dict):
        keys = [_constant(key, names) for key in node.keys if key is not None]
        if len(keys) == len(node.values):
            return dict(zip(keys, (_constant(value, names) for value in node.values), strict=True))
    if isinstance(node, ast.UnaryOp):
        return _unary(node.op, _constant(node.operand, names))
    if isinstance(node, ast.BinOp):
        return _binary(node.op, _constant(node.left, names), _constant(node.right, names))
    if isinstance(node, ast.Call):
        return _call(node, names)
    if isinstance(node, ast.Attribute | ast.Name):
        name = names.dotted(node)
        if name in _CONSTANTS:
            return _CONSTANTS[name]
    raise NotConstantError


def _unary(op: ast.unaryop, value: object) -> object:
    if isinstance(op, ast.Not):
        return not value
    if isinstance(value, int | float | complex | dt.timedelta):
        if isinstance(op, ast.USub):
            return -value
        if isinstance(op, ast.UAdd):
            return +value
        if isinstance(op, ast.Invert) and isinstance(value, int):
            return ~int(value)
    raise NotConstantError


def _binary(op: ast.operator, left: object, right: object) -> object:
    if isinstance(left, str) and isinstance(right, str) and isinstance(op, ast.Add):
        return left + right
    numbers = isinstance(left, int | float | complex) and isinstance(right, int | float | complex)
    compute = _ARITHMETIC.get(type(op))
    if not numbers or compute is None or _large(left) or _large(right):
        raise NotConstantError
    if isinstance(op, ast.Pow) and isinstance(right, int) and abs(right) > 128:
        raise NotConstantError
    return compute(left, right)


def _large(value: object) -> bool:
    return isinstance(value, int) and abs(value) > _MAGNITUDE


def _call(node: ast.Call, names: Names) -> object:
    name = names.dotted(node.func)
    if name is None or any(keyword.arg is None for keyword in node.keywords):
        raise NotConstantError
    arguments = [_constant(argument, names) for argument in node.args]
    keywords = {keyword.arg: _constant(keyword.value, names) for keyword in node.keywords if keyword.arg}
    if name == "float" and len(arguments) == 1 and isinstance(arguments[0], str) and not keywords:
        return float(arguments[0])
    if name == "dict" and not arguments:
        return keywords
    if name in ("list", "tuple", "set", "frozenset") and not arguments and not keywords:
        return {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}[name]()
    if name in _CALLS:
        return _CALLS[name](*arguments, **keywords)
    raise NotConstantError


def enum_default(node: ast.expr, names: Names) -> tuple[Member, str] | None:
    """The Enum and member's name that ``Mode.FAST``, ``Mode["FAST"]`` or ``Mode("fast")`` mean."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        given: object = node.attr
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        given = node.slice.value
    elif isinstance(node, ast.Call) and len(node.args) == 1 and isinstance(node.args[0], ast.Constant):
        given = node.args[0].value
    else:
        return None
    holder = node.func if isinstance(node, ast.Call) else node.value
    member = names.enums.get(holder.id) if isinstance(holder, ast.Name) else None
    if member is None:
        return None
    for name, value in member.members:
        by_value = isinstance(node, ast.Call)
        if (by_value and type(value) is type(given) and value == given) or (not by_value and name == given):
            return member, name
    return None


def type_of_value(value: object) -> ParameterType:
    """The type that a literal default implies."""
    simple: list[tuple[type, ParameterType]] = [
        (bool, Bool()), (int, Int()), (float, Float()), (str, Str()), (dt.datetime, DateTime()), (dt.date, Date()),
        (dt.timedelta, TimeDelta()), (Path, PathType()), (bytes, Exactly(bytes)), (complex, Exactly(complex)),
        (dict, Object()),
    ]  # fmt: skip
    for kind, meaning in simple:
        if isinstance(value, kind):
            return meaning
    if isinstance(value, list | tuple | set | frozenset):
        return Collection(type(value), _item_type(value))
    return ANY


def _item_type(items: list[object] | tuple[object, ...] | set[object] | frozenset[object]) -> ParameterType:
    """One type for items that have one; numbers of both kinds are floats; anything mixed is any value."""
    kinds = set(map(type, items))
    if kinds == {int, float}:
        return Float()
    if len(kinds) == 1 and kinds <= {int, float, str, bool, dt.date}:
        return type_of_value(next(iter(items)))
    return ANY


def type_of_expression(node: ast.expr, names: Names, known: Mapping[str, ParameterType]) -> ParameterType:
    """The type of an expression that only the notebook can evaluate, as far as its form tells; ``known`` are the
    types of the parameters above it."""
    if isinstance(node, ast.Name):
        return known.get(node.id, ANY)
    if isinstance(node, ast.JoinedStr):
        return Str()
    if isinstance(node, ast.Compare) or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)):
        return Bool()
    if isinstance(node, ast.Call):
        return _RESULTS.get(names.dotted(node.func) or "", ANY)
    if isinstance(node, ast.Subscript) and names.dotted(node.value) == "os.environ":
        return Str()
    if isinstance(node, ast.List | ast.ListComp):
        return Collection(list)
    if isinstance(node, ast.Dict | ast.DictComp):
        return Object()
    if isinstance(node, ast.BinOp):
        return _type_of_operation(node, names, known)
    try:
        return type_of_value(constant(node, names))
    except NotConstantError:
        return ANY


def _type_of_operation(node: ast.BinOp, names: Names, known: Mapping[str, ParameterType]) -> ParameterType:
    left = type_of_expression(node.left, names, known)
    right = type_of_expression(node.right, names, known)
    if isinstance(left, PathType) and isinstance(node.op, ast.Div):
        return left
    if isinstance(left, Date | DateTime):
        if isinstance(right, TimeDelta):
            return left
        return TimeDelta() if type(left) is type(right) and isinstance(node.op, ast.Sub) else ANY
    if isinstance(left, Int | Float) and isinstance(right, Int | Float):
        whole = isinstance(left, Int) and isinstance(right, Int) and not isinstance(node.op, ast.Div | ast.Pow)
        return Int() if whole else Float()
    if isinstance(left, Str) and isinstance(right, Str) and isinstance(node.op, ast.Add):
        return left
    return ANY
