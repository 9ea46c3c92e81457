"""The parameters of a pipeline: found in its parameters cells, checked when given, written back as Python.

A parameter is a plain assignment at the top level of a parameters cell: ``x = 1``, ``x: float = 1``, ``a, b = 1, 2``,
``g = h = 3``. Its type is its annotation, or what its default implies; its description is the comment behind or
directly above it. Imports, classes and calls may stand in the same cell.
"""

from __future__ import annotations

import ast
import difflib
import io
import json
import tokenize
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from jupyter_pipelines.diagnostics import Diagnostic
from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.notebook import literals
from jupyter_pipelines.notebook.codes import Problem
from jupyter_pipelines.notebook.model import Cell, NotebookDocument, Parameter, Role
from jupyter_pipelines.notebook.parameter_collections import Choice, Member, Union
from jupyter_pipelines.notebook.parameter_types import ANY, Int, NoneType, ParameterType
from jupyter_pipelines.notebook.parsing import parse_python
from jupyter_pipelines.notebook.plain_values import MismatchError
from jupyter_pipelines.notebook.secrecy import HIDDEN, is_secret


@dataclass(frozen=True)
class _Declaration:
    """A parameter with its type as an object; the public :class:`Parameter` is plain data."""

    parameter: Parameter
    type: ParameterType


def read_parameters(cells: Sequence[Cell], *, python: bool) -> tuple[tuple[Parameter, ...], list[Diagnostic]]:
    """The parameters that ``cells`` declare, and what is wrong with them."""
    own = [cell for cell in cells if cell.role is Role.PARAMETERS]
    if not python:
        return (), [
            Problem(
                "JP204",
                "The parameters of this cell are not read: only Python's are.",
                "Change them in the notebook; they cannot be given from outside.",
            ).at(cell)
            for cell in own
        ]
    declarations, problems = _declared(_relevant(cells))
    diagnostics = [problem.at(cells[index]) for index, problem in problems]
    return tuple(declaration.parameter for declaration in declarations), diagnostics


_Relevant = tuple[tuple[int, bool, str], ...]  # index, whether it is a parameters cell, its Python


def _relevant(cells: Sequence[Cell]) -> _Relevant:
    """The cells that parameters depend on: their own, and setup cells for imports and Enums."""
    return tuple(
        (cell.index, cell.role is Role.PARAMETERS, cell.python)
        for cell in cells
        if cell.role in (Role.PARAMETERS, Role.SETUP) and cell.python is not None
    )


@lru_cache(maxsize=64)
def _declared(cells: _Relevant) -> tuple[tuple[_Declaration, ...], tuple[tuple[int, Problem], ...]]:
    names = literals.names_of(tuple(python for _, _, python in cells))
    found: dict[str, _Declaration] = {}
    problems: list[tuple[int, Problem]] = []
    for index, declares, python in cells:
        if not declares:
            continue
        comments = _comments(python)
        for statement in literals.tree_of(python).body:
            for target, annotation, value in _assignments(statement):
                description, type_comment = _description(statement, comments)
                declaration, own = _declare(target, annotation or type_comment, value, names, found)
                parameter = replace(
                    declaration.parameter,
                    description=description,
                    cell=index,
                    line=statement.lineno,
                    secret=is_secret(target, declaration.parameter.annotation, description),
                )
                earlier = found.get(parameter.name)
                if earlier is not None and earlier.parameter.cell != index:
                    own.append(_declared_twice(parameter.name, earlier.parameter.cell))
                found[parameter.name] = _Declaration(
                    replace(parameter, schema=_schema(parameter, declaration.type)), declaration.type
                )
                problems += [(index, replace(problem, line=statement.lineno)) for problem in own]
    return tuple(found.values()), tuple(problems)


def _declared_twice(name: str, cell: int) -> Problem:
    return Problem(
        "JP201",
        f"Parameter {name} is also declared in cell {cell + 1}.",
        "Declare it in one parameters cell; change it in a step if it is to change.",
    )


def _assignments(statement: ast.stmt) -> list[tuple[str, ast.expr | None, ast.expr | None]]:
    """Name, annotation and value of each parameter that a statement declares."""
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return [(statement.target.id, statement.annotation, statement.value)]
    if not isinstance(statement, ast.Assign):
        return []
    return [found for target in statement.targets for found in _targets(target, statement.value)]


def _targets(target: ast.expr, value: ast.expr) -> list[tuple[str, ast.expr | None, ast.expr | None]]:
    if isinstance(target, ast.Name):
        return [(target.id, None, value)]
    if isinstance(target, ast.Tuple | ast.List):
        values = list(value.elts) if isinstance(value, ast.Tuple | ast.List) else []
        starred = any(isinstance(one, ast.Starred) for one in [*target.elts, *values])
        if starred or len(values) != len(target.elts):
            # Only running it tells which value each name gets.
            whole = ast.Subscript(value, ast.Constant(0))
            names = [one.value if isinstance(one, ast.Starred) else one for one in target.elts]
            return [found for one in names for found in _targets(one, whole) if isinstance(one, ast.Name)]
        pairs = zip(target.elts, values, strict=True)
        return [found for one, own in pairs for found in _targets(one, own)]
    return []


def _declare(
    name: str,
    annotation: ast.expr | None,
    value: ast.expr | None,
    names: literals.Names,
    above: Mapping[str, _Declaration],
) -> tuple[_Declaration, list[Problem]]:
    problems: list[Problem] = []
    kind = literals.annotated_type(annotation, names) if annotation is not None else None
    if annotation is not None and kind is None:
        problems.append(
            Problem(
                "JP203",
                f"Parameter {name} is annotated `{ast.unparse(annotation)}`, which is no type for parameters.",
                "Use int, float, bool, str, date, datetime, timedelta, Path, list, dict, Literal, Enum, X | None.",
            )
        )
    if value is None:
        problems.append(Problem("JP205", f"Parameter {name} has no default: every run must give it.", "Give it one."))
        return _make(name, annotation, kind or ANY, required=True), problems
    if member := literals.enum_default(value, names):
        return _make(name, annotation, kind or member[0], default=member[1]), problems
    try:
        default = literals.constant(value, names)
    except literals.NotConstantError:
        known = {other: declaration.type for other, declaration in above.items()}
        implied = literals.type_of_expression(value, names, known)
        return _make(name, annotation, kind or implied, computed=True), problems
    if kind is None:
        return _make(name, annotation, literals.type_of_value(default), default=default), problems
    try:
        fits = type(kind.coerce(default)) is type(default) or isinstance(default, int | float)
    except MismatchError:
        fits = False
    if not fits and not isinstance(kind, Member):
        problems.append(
            Problem(
                "JP202",
                f"Parameter {name} has the default {default!r:.60}, which is not {kind.expected}.",
                f"Correct the default or the annotation `{kind.name}`.",
            )
        )
    return _make(name, annotation, kind, default=default), problems


def _make(
    name: str,
    annotation: ast.expr | None,
    kind: ParameterType,
    *,
    default: object = None,
    computed: bool = False,
    required: bool = False,
) -> _Declaration:
    written = ast.unparse(annotation) if annotation is not None else kind.name
    parameter = Parameter(name, written, default, {}, choices=_choices(kind), computed=computed, required=required)
    return _Declaration(parameter, kind)


def _choices(kind: ParameterType) -> tuple[object, ...]:
    if isinstance(kind, Choice):
        return kind.values
    if isinstance(kind, Member):
        return tuple(name for name, _ in kind.members)
    if isinstance(kind, Union):
        return tuple(choice for member in kind.members for choice in _choices(member))
    return ()


def _schema(parameter: Parameter, kind: ParameterType) -> dict[str, object]:
    schema = kind.schema()
    if parameter.description:
        schema["description"] = parameter.description
    if parameter.secret:
        return schema | {"format": "password", "writeOnly": True}  # and no default: schemas are shown
    if not parameter.computed and not parameter.required:
        try:
            schema["default"] = kind.to_json(kind.coerce(parameter.default))
        except MismatchError:  # JP202 says so; a schema with a default it refuses helps nobody
            if parameter.default is None:
                schema["default"] = None
    return schema


@dataclass(frozen=True)
class _Comment:
    text: str
    alone: bool  # nothing else on its line


def _comments(python: str) -> dict[int, _Comment]:
    """The comments of a cell by line."""
    found: dict[int, _Comment] = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(python).readline):
            if token.type == tokenize.COMMENT:
                alone = not token.line[: token.start[1]].strip()
                found[token.start[0]] = _Comment(token.string.lstrip("#").strip(), alone)
    except (tokenize.TokenError, SyntaxError):  # the tree says more about what is wrong
        pass
    return found


def _description(statement: ast.stmt, comments: Mapping[int, _Comment]) -> tuple[str, ast.expr | None]:
    """The comment behind the statement, else those directly above it; and a type that a ``# type:`` comment gives."""
    for line in (statement.end_lineno or statement.lineno, statement.lineno):
        comment = comments.get(line)
        if comment is not None and not comment.alone:
            return _type_comment(comment.text)
    above: list[str] = []
    line = statement.lineno - 1
    while (comment := comments.get(line)) is not None and comment.alone:
        above.append(comment.text)
        line -= 1
    return " ".join(text for text in reversed(above) if text), None


def _type_comment(text: str) -> tuple[str, ast.expr | None]:
    """papermill's way to type a parameter: ``# type: list[str] # what it is``."""
    if not text.startswith("type:"):
        return text, None
    written, _, rest = text.removeprefix("type:").partition("#")
    try:
        return rest.strip(), parse_python(written.strip(), "eval").body
    except (SyntaxError, ValueError):
        return text, None


def parameters_schema(document: NotebookDocument) -> dict[str, object]:
    """JSON schema (draft 2020-12) of all parameters as one object; ``position`` keeps the author's order."""
    properties = {
        parameter.name: {"title": parameter.name, **parameter.schema, "position": position}
        for position, parameter in enumerate(document.parameters)
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters",
        "type": "object",
        "properties": properties,
        "required": [parameter.name for parameter in document.parameters if parameter.required],
        "additionalProperties": False,
    }


def coerce_parameters(
    document: NotebookDocument, values: Mapping[str, object], *, from_text: bool = False, partial: bool = False
) -> dict[str, object]:
    """``values`` as their parameters' types, in the author's order; parameters that are not given stay away.

    ``from_text``: values are texts of a command line. ``partial``: more values will follow, so none is missing yet. An
    Enum's value becomes its member's name. Coercing twice changes
    nothing. Raises :class:`~jupyter_pipelines.errors.RequestError` that lists every unknown, missing or ill-typed one.
    """
    types = _types(document)
    given = {unicodedata.normalize("NFKC", str(name)): value for name, value in values.items()}
    wrong = [_unknown(name, document) for name in given if name not in types]
    coerced: dict[str, object] = {}
    for parameter in document.parameters:
        if parameter.name not in given:
            if parameter.required and not partial:
                wrong.append(f"Parameter `{parameter.name}` ({parameter.annotation}) has no default and was not given.")
            continue
        value = given[parameter.name]
        try:
            coerced[parameter.name] = types[parameter.name].coerce(value, from_text=from_text)
            _check_journey(types[parameter.name], coerced[parameter.name])
        except MismatchError as expected:
            wrong.append(_ill_typed(parameter, types[parameter.name], value, str(expected)))
        except RecursionError:
            wrong.append(f"Parameter `{parameter.name}`: the value is nested too deeply.")
    if wrong:
        raise RequestError("\n".join(wrong), _how_to_give(document))
    return coerced


def _check_journey(kind: ParameterType, value: object) -> None:
    """Values travel as JSON: raises :class:`MismatchError` where something else would arrive."""
    sent = kind.to_json(value)
    try:
        json.dumps(sent, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise MismatchError("text that can be written as UTF-8") from None
    arrived = kind.coerce(sent)
    if arrived != value and kind.source(arrived) != kind.source(value):  # not-a-number equals nothing
        raise MismatchError(
            f"{kind.expected}, and of things that JSON knows (keys are texts, there are no dates or tuples); "
            "for others annotate it, as in `dict[int, date]`"
        )


def _types(document: NotebookDocument) -> dict[str, ParameterType]:
    if not document.is_python:
        return {}
    return {one.parameter.name: one.type for one in _declared(_relevant(document.cells))[0]}


def _unknown(name: str, document: NotebookDocument) -> str:
    known = [parameter.name for parameter in document.parameters]
    near = difflib.get_close_matches(name, known, 1)
    return f"{document.name} has no parameter `{name}`" + (f"; did you mean `{near[0]}`?" if near else ".")


def _ill_typed(parameter: Parameter, kind: ParameterType, value: object, expected: str) -> str:
    written = HIDDEN if parameter.secret else f"{value!r:.80}"
    text = f"Parameter `{parameter.name}` is {written}; it must be {expected}."
    if isinstance(kind, Int) and isinstance(value, float | str) and _is_fraction(value):
        text += f" If fractions are meant, write `{parameter.name}: float = {parameter.default!r}` in the notebook."
    elif value is None and not isinstance(kind, NoneType):
        text += f" If it may be missing, annotate it `{parameter.annotation} | None`."
    return text


def _is_fraction(value: float | str) -> bool:
    try:
        return not float(value).is_integer()
    except (ValueError, OverflowError):
        return False


def _how_to_give(document: NotebookDocument) -> str:
    if not document.parameters:
        return "Tag the cell that assigns the parameters `parameters`."
    shown = [f"{parameter.name}: {parameter.annotation}" for parameter in document.parameters]
    return f"The parameters are {', '.join(shown[:20])}{', …' if len(shown) > 20 else ''}."


def parameters_json(document: NotebookDocument, values: Mapping[str, object]) -> dict[str, object]:
    """``values`` as JSON that :func:`coerce_parameters` takes back. Raises as it does."""
    types = _types(document)
    return {
        name: types[name].to_json(value) for name, value in coerce_parameters(document, values, partial=True).items()
    }


def parameters_source(document: NotebookDocument, values: Mapping[str, object], *, for_people: bool = False) -> str:
    """Python that assigns ``values``, to be run after the parameters cell; ``for_people`` it hides secret ones.

    Every value is coerced again and written as a literal, so that no value can become code. Raises
    :class:`~jupyter_pipelines.errors.RequestError` as :func:`coerce_parameters` does.
    """
    types = _types(document)
    coerced = coerce_parameters(document, values, partial=True)
    hidden = {parameter.name for parameter in document.parameters if parameter.secret and for_people}
    return "\n".join(
        f"{name} = {HIDDEN!r}  # secret" if name in hidden else f"{name} = {types[name].source(value)}"
        for name, value in coerced.items()
    )
