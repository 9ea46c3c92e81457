"""Parameters that depend on the occurrence: ``{{ interval_start.date() }}``.

An expression is a small part of Python, evaluated by walking its syntax tree: names, numbers, texts, dates, arithmetic,
comparisons, ``a if b else c``, and the attributes and functions that are listed here by the type they belong to.
Nothing else is reachable, so there is nothing to escape through; numbers and texts are bounded, and there are no
powers, loops or format specifications, so that no expression takes long.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.notebook.parsing import parse_python

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.schedules.model import Schedule
    from jupyter_pipelines.orchestration.schedules.windows import DataWindow

_TEMPLATE: Final = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_MOST_CHARACTERS: Final = 1_000
_LONGEST_TEXT: Final = 2_000  # its square, what one `replace` could make, is still little memory
_LARGEST_NUMBER: Final = 10**18
_DIRECTIVES: Final = re.compile(r"(?:[^%]|%-?[aAbBcdHIjmMpSuUVwWxXyYZzfG%])*", re.DOTALL)
_EXAMPLE: Final = "Write for example {{ interval_start.date() }} or {{ scheduled_time.strftime('%Y-%m') }}."


class _RefusedError(Exception):
    """Why an expression is not evaluated."""


class Names:
    """Values that an expression reaches as attributes, such as ``upstream.parameters.day``."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def get(self, name: str) -> object:
        """The value called ``name``. Raises :class:`AttributeError` that lists those there are."""
        if name not in self._values:
            raise AttributeError(f"there is no {name!r}; there are {', '.join(map(str, self._values)) or 'none'}")
        value = self._values[name]
        return Names(value) if isinstance(value, Mapping) else value

    def plain(self) -> dict[str, object]:
        """All of them."""
        return dict(self._values)

    def __str__(self) -> str:
        return str(self.plain())


def evaluate_parameters(
    schedule: Schedule, occurrence: datetime, window: DataWindow | None = None
) -> dict[str, object]:
    """The parameters of an occurrence: expressions replaced by their values, in lists and mappings too.

    ``window`` is as for :func:`names_for`.

    A text that is one expression gives the value with its type; expressions within a text are written into it. Raises
    :class:`RequestError` that names the parameter and the expression.
    """
    return evaluate_all(schedule.parameters, names_for(schedule, occurrence, window))


def evaluate_all(parameters: Mapping[str, object], names: Mapping[str, object]) -> dict[str, object]:
    """``parameters`` with expressions over ``names`` replaced by their values. Raises :class:`RequestError`."""
    return {name: _evaluate(value, names, name) for name, value in parameters.items()}


def names_for(schedule: Schedule, occurrence: datetime, window: DataWindow | None = None) -> dict[str, object]:
    """What expressions can refer to: ``scheduled_time``, and the window's ``interval_start`` and ``interval_end``.

    ``window`` is the one to work on; unless given, the occurrence's own.
    """
    from jupyter_pipelines.orchestration.schedules.clock import zone_of
    from jupyter_pipelines.orchestration.schedules.windows import window_of

    names: dict[str, object] = {"scheduled_time": occurrence.astimezone(zone_of(schedule.zone))}
    window = window or window_of(schedule, occurrence)
    if window:
        names |= {"interval_start": window.start, "interval_end": window.end}
    return names


def check_parameters(schedule: Schedule) -> None:
    """Raise :class:`RequestError` for parameters that cannot be kept as JSON, or whose expressions do not work."""
    from jupyter_pipelines.orchestration.schedules.clock import zoned

    check_plain(schedule.parameters)
    evaluate_parameters(schedule, zoned(datetime(2027, 1, 31, 12), schedule.zone))


def check_plain(parameters: Mapping[str, object]) -> None:
    """Raise :class:`RequestError` for parameters that cannot be kept as JSON."""
    import json

    for name, value in parameters.items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            raise RequestError(
                f"The parameter {name!r} is {value!r:.80}, which a schedule cannot keep.",
                "Give it as a text, a number, true, false, a list or a mapping; dates as texts such as 2027-01-31.",
            ) from None


def evaluate(expression: str, names: Mapping[str, object]) -> object:
    """The value of one expression, without its braces.

    Raises :class:`RequestError` for what is not allowed, or fails.
    """
    try:
        value = _Evaluator(names).visit(_parsed(expression).body)
        return value.plain() if isinstance(value, Names) else value
    except _RefusedError as reason:
        raise RequestError(f"{{{{ {expression.strip()} }}}} cannot be evaluated: {reason}.", _EXAMPLE) from None


def _evaluate(value: object, names: Mapping[str, object], parameter: str) -> object:
    if isinstance(value, Mapping):
        return {key: _evaluate(item, names, parameter) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_evaluate(item, names, parameter) for item in value]
    if not isinstance(value, str) or "{{" not in value:
        return value
    try:
        whole = _TEMPLATE.fullmatch(value.strip())
        if whole and "{{" not in re.sub(r"'[^']*'|\"[^\"]*\"", "", whole[1]):
            return evaluate(whole[1], names)
        if "{{" in _TEMPLATE.sub("", value):
            raise RequestError(f"{value!r:.80} has an opening {{{{ without its closing }}}}.", _EXAMPLE)
        return _TEMPLATE.sub(lambda found: str(evaluate(found[1], names)), value)
    except RequestError as error:
        raise RequestError(f"The parameter {parameter!r}: {error.message}", error.fix) from None


def _parsed(expression: str) -> ast.Expression:
    if len(expression) > _MOST_CHARACTERS:
        raise _RefusedError(f"it is longer than {_MOST_CHARACTERS:,} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return parse_python(expression.strip(), "eval")
    except SyntaxError as error:
        raise _RefusedError(f"it is not a Python expression ({error.msg})") from None
    except (ValueError, RecursionError, MemoryError):
        raise _RefusedError("it is not a Python expression") from None


def _strftime(moment: date | time, form: object) -> str:
    if not isinstance(form, str) or not _DIRECTIVES.fullmatch(form):
        raise _RefusedError(f"{form!r} is no format for strftime")
    return moment.strftime(form)


def _timedelta(**units: object) -> timedelta:
    return timedelta(**_numbers(units, ("weeks", "days", "hours", "minutes", "seconds")))


def _relativedelta(**units: object) -> object:
    from dateutil.relativedelta import relativedelta

    known = ("years", "months", "weeks", "days", "hours", "minutes", "seconds", "year", "month", "day")
    return relativedelta(**{name: int(value) for name, value in _numbers(units, known).items()})  # type: ignore[arg-type]  # its arguments differ in type


def _numbers(units: Mapping[str, object], known: tuple[str, ...]) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for name, value in units.items():
        if name not in known:
            raise _RefusedError(f"there is no {name!r} among {', '.join(known)}")
        if not isinstance(value, int | float):
            raise _RefusedError(f"{name} must be a number")
        numbers[name] = value
    return numbers


def _utc(moment: object) -> datetime:
    if not isinstance(moment, datetime):
        raise _RefusedError("utc() takes a time")
    return moment.astimezone(UTC)


_FUNCTIONS: Final[Mapping[str, Callable[..., object]]] = {
    "date": date,
    "timedelta": _timedelta,
    "relativedelta": _relativedelta,
    "utc": _utc,
    "str": lambda value: str(value),  # noqa: PLW0108  # one argument only: no encodings, no bases
    "int": lambda value: int(value),  # noqa: PLW0108
    "float": lambda value: float(value),  # noqa: PLW0108
    "round": lambda value, digits=None: round(value, digits),
    "abs": abs,
    "min": min,
    "max": max,
    "len": len,
}
_DATE_PARTS: Final = ("year", "month", "day")
_TIME_PARTS: Final = ("hour", "minute", "second")
_ATTRIBUTES: Final[Mapping[type, tuple[str, ...]]] = {
    datetime: _DATE_PARTS + _TIME_PARTS,
    date: _DATE_PARTS,
    time: _TIME_PARTS,
    timedelta: ("days", "seconds"),
}
_DATE_METHODS: Final = ("isoformat", "isoweekday", "replace", "strftime", "toordinal", "weekday")
_METHODS: Final[Mapping[type, tuple[str, ...]]] = {
    datetime: ("date", "time", "timestamp", *_DATE_METHODS),
    date: _DATE_METHODS,
    time: ("isoformat", "replace", "strftime"),
    timedelta: ("total_seconds",),
    str: ("endswith", "lower", "replace", "startswith", "strip", "title", "upper"),
}
_OPERATORS: Final[Mapping[type[ast.AST], Callable[..., object]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


class _Evaluator:
    """Evaluates the nodes it has a method for, and refuses all others."""

    def __init__(self, names: Mapping[str, object]) -> None:
        self._names = names

    def visit(self, node: ast.AST) -> object:
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise _RefusedError(f"{_name_of(node)} cannot be used in an expression")
        try:
            return _bounded(method(node))
        except (TypeError, ValueError, ArithmeticError, AttributeError, RecursionError) as error:
            raise _RefusedError(str(error) or type(error).__name__) from None

    def _constant(self, node: ast.Constant) -> object:
        return node.value

    def _name(self, node: ast.Name) -> object:
        if node.id in self._names:
            return self._names[node.id]
        if node.id in {"interval_start", "interval_end"}:
            raise _RefusedError(
                f'the schedule has no data window, so there is no {node.id}; give it one, such as "day"'
            )
        raise _RefusedError(f"there is no {node.id!r}; there are {', '.join([*self._names, *_FUNCTIONS])}")

    def _attribute(self, node: ast.Attribute) -> object:
        value = self.visit(node.value)
        if isinstance(value, Names):
            return value.get(node.attr)
        if node.attr in _METHODS.get(type(value), ()):
            raise _RefusedError(f"{node.attr} is a function: write {node.attr}(…)")
        if node.attr not in _ATTRIBUTES.get(type(value), ()):
            raise _RefusedError(_no_attribute(value, node.attr))
        return getattr(value, node.attr)

    def _call(self, node: ast.Call) -> object:
        if any(keyword.arg is None for keyword in node.keywords):
            raise _RefusedError("** cannot be used in an expression")
        arguments = [self.visit(argument) for argument in node.args]
        keywords = {str(keyword.arg): self.visit(keyword.value) for keyword in node.keywords}
        match node.func:
            case ast.Name(id=name) if name in _FUNCTIONS:
                return _FUNCTIONS[name](*arguments, **keywords)
            case ast.Name(id=name):
                raise _RefusedError(f"there is no function {name!r}; there are {', '.join(_FUNCTIONS)}")
            case ast.Attribute(value=owner, attr=name):
                return _call_method(self.visit(owner), name, arguments, keywords)
        raise _RefusedError("only functions can be called")

    def _binop(self, node: ast.BinOp) -> object:
        return _operate(node.op, self.visit(node.left), self.visit(node.right))

    def _unaryop(self, node: ast.UnaryOp) -> object:
        value = self.visit(node.operand)
        match node.op, value:
            case ast.Not(), _:
                return not value
            case ast.USub(), int() | float() | timedelta():
                return -value
            case ast.UAdd(), int() | float() | timedelta():
                return value
        raise _RefusedError("the operator needs a number")

    def _boolop(self, node: ast.BoolOp) -> object:
        stop = isinstance(node.op, ast.Or)
        value: object = not stop
        for operand in node.values:
            value = self.visit(operand)
            if bool(value) is stop:
                return value
        return value

    def _compare(self, node: ast.Compare) -> object:
        left = self.visit(node.left)
        for comparison, operand in zip(node.ops, node.comparators, strict=True):
            right = self.visit(operand)
            if not _operate(comparison, left, right):
                return False
            left = right
        return True

    def _ifexp(self, node: ast.IfExp) -> object:
        return self.visit(node.body if self.visit(node.test) else node.orelse)


def _operate(symbol: ast.AST, left: object, right: object) -> object:
    operation = _OPERATORS.get(type(symbol))
    if operation is None:
        raise _RefusedError(f"{_name_of(symbol)} cannot be used in an expression")
    if isinstance(symbol, ast.Mult | ast.Mod) and isinstance(left, str) | isinstance(right, str):
        raise _RefusedError("texts can only be added")
    if isinstance(left, list | Names) or isinstance(right, list | Names):
        raise _RefusedError("lists and mappings can only be given as they are")
    return operation(left, right)


def _call_method(owner: object, name: str, arguments: list[object], keywords: dict[str, object]) -> object:
    if name not in _METHODS.get(type(owner), ()):
        raise _RefusedError(_no_attribute(owner, name))
    if name == "strftime" and isinstance(owner, date | time):
        return _strftime(owner, *arguments, **keywords)
    if name == "replace" and not isinstance(owner, str) and not set(keywords) <= {*_DATE_PARTS, *_TIME_PARTS}:
        raise _RefusedError(f"replace takes {', '.join(_DATE_PARTS + _TIME_PARTS)}")
    method: Callable[..., object] = getattr(owner, name)
    return method(*arguments, **keywords)


def _no_attribute(value: object, name: str) -> str:
    known = [*_ATTRIBUTES.get(type(value), ()), *(f"{method}()" for method in _METHODS.get(type(value), ()))]
    return f"{type(value).__name__} has no {name!r}" + (f"; it has {', '.join(known)}" if known else "")


def _bounded(value: object) -> object:
    from dateutil.relativedelta import relativedelta

    if isinstance(value, str) and len(value) > _LONGEST_TEXT:
        raise _RefusedError(f"a text is longer than {_LONGEST_TEXT:,} characters")
    if isinstance(value, int | float) and not (math.isfinite(value) and abs(value) <= _LARGEST_NUMBER):
        raise _RefusedError("a number is too large")
    known = (str, int, float, date, time, timedelta, relativedelta, list, Names)
    if value is not None and not isinstance(value, known):
        raise _RefusedError(f"a {type(value).__name__} cannot be used in an expression")
    return value


def _name_of(node: ast.AST) -> str:
    names = {"Pow": "**", "MatMult": "@", "Lambda": "lambda", "Subscript": "[…]", "JoinedStr": "an f-string"}
    name = type(node).__name__
    return names.get(name, name)
