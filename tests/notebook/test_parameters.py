"""Parameters: what is declared, what is accepted, and that no value can become code."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.notebook import (
    coerce_parameters,
    parameters_json,
    parameters_schema,
    parameters_source,
)
from jupyter_pipelines.notebook.model import NotebookDocument, Parameter

Read = Callable[..., NotebookDocument]

HEAD = """
import datetime as clock
from datetime import date, datetime, timedelta, timezone
from enum import Enum
from math import inf
from pathlib import Path
from typing import Annotated, Dict, Final, List, Literal, Optional, Union
import typing as t

class Mode(Enum):
    FAST = "fast"
    SLOW = 2
    AUTO = object()
"""


def declare(read: Read, source: str) -> NotebookDocument:
    return read((HEAD, "setup"), (source, "parameters"), "x = 1")


def one(read: Read, source: str) -> Parameter:
    document = declare(read, source)
    assert document.diagnostics == ()
    (parameter,) = document.parameters
    return parameter


LITERALS: list[tuple[str, str, object]] = [
    ("x = 3", "int", 3),
    ("x = -3", "int", -3),
    ("x = 1e3", "float", 1000.0),
    ("x = True", "bool", True),
    ("x = 'a' 'b'", "str", "ab"),
    ("x = None", "Any", None),
    ("x = [1, 2]", "list[int]", [1, 2]),
    ("x = [1, 2.5]", "list[float]", [1, 2.5]),
    ("x = [1, 'a']", "list", [1, "a"]),
    ("x = []", "list", []),
    ("x = (1, 2)", "tuple[int, ...]", (1, 2)),
    ("x = {'a'}", "set[str]", {"a"}),
    ("x = {'a': 1}", "dict", {"a": 1}),
    ("x = dict(a=1)", "dict", {"a": 1}),
    ("x = 24 * 60", "int", 1440),
    ("x = 10**6 + 0.5", "float", 1000000.5),
    ("x = not True", "bool", False),
    ("x = float('inf')", "float", math.inf),
    ("x = t.cast", "Any", None),
    ("x = b'a'", "bytes", b"a"),
    ("x = date(2024, 1, 2)", "date", dt.date(2024, 1, 2)),
    ("x = clock.date.fromisoformat('2024-01-02')", "date", dt.date(2024, 1, 2)),
    ("x = datetime(2024, 1, 2, tzinfo=timezone.utc)", "datetime", dt.datetime(2024, 1, 2, tzinfo=dt.UTC)),
    ("x = clock.timedelta(days=-1)", "timedelta", dt.timedelta(days=-1)),
    ("x = Path('a') ", "Path", Path("a")),
    ("x = Mode.FAST", "Mode", "FAST"),
    ("x = Mode['SLOW']", "Mode", "SLOW"),
    ("x = Mode('fast')", "Mode", "FAST"),
    ("x: float = 1", "float", 1),
    ("x: int | None = None", "int | None", None),
    ("x: Optional[date] = None", "Optional[date]", None),
    ("x: 'List[int]' = [1]", "'List[int]'", [1]),
    ("x: Dict[str, float] = {}", "Dict[str, float]", {}),
    ("x: Literal['a', 1] = 'a'", "Literal['a', 1]", "a"),
    ("x: Annotated[int, 'big'] = 1", "Annotated[int, 'big']", 1),
    ("x: Final[int] = 1", "Final[int]", 1),
    ("x: t.Optional[int] = 1", "t.Optional[int]", 1),
    ("x: tuple[int, str] = (1, 'a')", "tuple[int, str]", (1, "a")),
    ("x = 1  # type: float  # half", "float", 1),
]


@pytest.mark.parametrize(("source", "annotation", "default"), LITERALS, ids=[row[0] for row in LITERALS])
def test_types_and_defaults(read: Read, source: str, annotation: str, default: object) -> None:
    parameter = one(read, source)
    assert (parameter.annotation, parameter.default) == (annotation, default)
    assert type(parameter.default) is type(default)
    json.dumps(parameter.schema)


COMPUTED = [
    ("x = date.today()", "date"),
    ("x = clock.datetime.now()", "datetime"),
    ("x = date.today() - timedelta(days=7)", "date"),
    ("x = date.today() - date(2024, 1, 1)", "timedelta"),
    ("x = Path('a') / 'b'", "Path"),
    ("x = Path.home()", "Path"),
    ("x = f'{1}'", "str"),
    ("x = len('abc')", "int"),
    ("x = load()", "Any"),
    ("x = 10**10**10", "int"),
    ("x = 'a' * 10**9", "Any"),
    ("x = 1 / 0", "float"),
    ("x = date(2024, 13, 1)", "date"),
    ("x: float = compute()", "float"),
]


@pytest.mark.parametrize(("source", "annotation"), COMPUTED, ids=[row[0] for row in COMPUTED])
def test_defaults_that_only_the_notebook_can_compute(read: Read, source: str, annotation: str) -> None:
    parameter = one(read, source)
    assert (parameter.computed, parameter.default) == (True, None)
    assert "default" not in parameter.schema
    if annotation != "int" or "10**" not in source:
        assert parameter.annotation == annotation


def test_many_in_one_assignment(read: Read) -> None:
    source = (
        "a, b = 1, 'x'\ng = h = 3\n(c, [d, e]) = 1, (2, 3)\nu, v = pair()\nm, *n = 1, 2, 3\nk = b\no.p = 1\nq[0] = 1"
    )
    found = {p.name: (p.annotation, p.computed) for p in declare(read, source).parameters}
    literal = {"a": "int", "b": "str", "g": "int", "h": "int", "c": "int", "d": "int", "e": "int"}
    computed = {"u": "Any", "v": "Any", "m": "Any", "n": "Any", "k": "str"}
    assert found == {n: (k, False) for n, k in literal.items()} | {n: (k, True) for n, k in computed.items()}


def test_descriptions(read: Read) -> None:
    source = "# first\n# line\na = 1\nb = 2  # behind\n\n# far\n\nc = 3\nd = [\n  1,  # inner\n]  # end\ne = '# no'\n"
    found = {p.name: p.description for p in declare(read, source).parameters}
    assert found == {"a": "first line", "b": "behind", "c": "", "d": "end", "e": ""}
    assert parameters_schema(declare(read, source))["properties"]["b"]["description"] == "behind"  # type: ignore[index]


def test_other_statements_of_the_cell_are_fine(read: Read) -> None:
    source = (
        "import os\nclass Kind(str, Enum):\n    A = 'a'\n%matplotlib inline\nk = Kind.A\nif k:\n    z = 1\nprint(k)"
    )
    document = declare(read, source)
    assert [p.name for p in document.parameters] == ["k"]
    assert document.parameters[0].choices == ("A",)
    assert document.diagnostics == ()


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("x: int = 'a'", "JP202"), ("x: Literal['a'] = 'b'", "JP202"), ("x: pd.DataFrame = None", "JP203"),
        ("x: list[pd.Series] = []", "JP203"), ("x: int", "JP205"), ("x = (", "JP120"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_declaration(read: Read, source: str, code: str) -> None:
    (finding,) = declare(read, f"\n{source}").diagnostics
    assert finding.code == code
    assert finding.location is not None
    assert (finding.location.cell, finding.location.line) == (2, 2)


def test_declared_in_two_cells(read: Read) -> None:
    document = read(("x = 1\ny = 1\ny = 2", "parameters"), ("x = 2", "parameters"), "z")
    (finding,) = document.diagnostics
    assert (finding.code, finding.is_error) == ("JP201", True)


EVERY = """
i = 1
f = 1.0
b = True
s = "a"
d = date(2024, 1, 1)
w = datetime(2024, 1, 1)
e = timedelta(0)
p = Path("x")
m = Mode.FAST
l: Literal["a", 1, True] = "a"
o: int | None = None
n: list[int] = []
names = ["UA"]
j: dict[str, float] = {}
t: tuple[int, str] = (1, "a")
u: int | float | str = 1
q: Mode | None = None
ms: list[Mode] = []
a = None
"""

PARIS = ZoneInfo("Europe/Paris")

ACCEPTED: list[tuple[str, object, object]] = [
    ("i", 3, 3), ("i", 3.0, 3), ("i", np.int64(3), 3), ("i", 10**400, 10**400),
    ("f", 3, 3.0), ("f", np.float32(0.5), 0.5), ("f", "NaN", math.nan), ("f", math.inf, math.inf),
    ("b", True, True), ("b", np.bool_(False), False), ("s", "x", "x"), ("s", np.str_("x"), "x"),
    ("d", "2024-02-29", dt.date(2024, 2, 29)), ("d", dt.date(2024, 2, 29), dt.date(2024, 2, 29)),
    ("w", "2024-02-29", dt.datetime(2024, 2, 29)),
    ("w", "2024-02-29T10:00:00Z", dt.datetime(2024, 2, 29, 10, tzinfo=dt.UTC)),
    ("w", dt.date(2024, 1, 1), dt.datetime(2024, 1, 1)),
    ("w", "2024-10-27T02:30+01:00[Europe/Paris]", dt.datetime(2024, 10, 27, 2, 30, tzinfo=PARIS, fold=1)),
    ("e", 90, dt.timedelta(seconds=90)), ("e", "1h30m", dt.timedelta(hours=1.5)), ("e", "PT1H", dt.timedelta(hours=1)),
    ("e", "-P1DT5S", -dt.timedelta(days=1, seconds=5)), ("e", "1 day, 2:03:04", dt.timedelta(1, 7384)),
    ("p", "a/b", Path("a/b")), ("p", Path("c"), Path("c")),
    ("m", "SLOW", "SLOW"), ("m", "Mode.SLOW", "SLOW"), ("m", "fast", "FAST"), ("m", 2, "SLOW"),
    ("l", 1, 1), ("l", True, True), ("o", None, None), ("o", 3, 3), ("n", (1, 2), [1, 2]),
    ("n", np.array([1, 2]), [1, 2]),
    ("j", {"a": 1}, {"a": 1.0}), ("t", [2, "b"], (2, "b")), ("u", 3.0, 3.0), ("u", 3, 3), ("u", "x", "x"),
    ("q", "FAST", "FAST"), ("q", None, None), ("ms", ["FAST", "fast"], ["FAST", "FAST"]),
    ("a", {"x": [1, [2], None]}, {"x": [1, [2], None]}),
]  # fmt: skip

TEXTS: list[tuple[str, str, object]] = [
    ("i", "-3", -3), ("i", "1_000", 1000), ("f", "1e-3", 0.001), ("f", "-inf", -math.inf), ("b", "TRUE", True),
    ("b", "false", False), ("s", "3", "3"), ("s", "", ""), ("o", "null", None), ("o", "None", None), ("o", "4", 4),
    ("n", "1,2", [1, 2]), ("n", "[1, 2]", [1, 2]), ("n", "", []), ("names", "UA, DL", ["UA", "DL"]),
    ("names", "1", ["1"]),
    ("j", '{"a": 1}', {"a": 1.0}), ("t", "2,b", (2, "b")), ("u", "3", 3), ("u", "3.5", 3.5), ("u", "x", "x"),
    ("l", "1", 1), ("l", "true", True), ("m", "2", "SLOW"), ("a", "3", 3), ("a", "[1]", [1]), ("a", "hello", "hello"),
]  # fmt: skip

REFUSED: list[tuple[str, object, bool, str]] = [
    ("i", "3", False, "a whole number"), ("i", 2.5, False, "i: float = 1"), ("i", True, False, "a whole number"),
    ("i", "9" * 5000, True, "4300 digits"), ("i", None, False, "int | None"), ("f", True, False, "a number"),
    ("f", "1", False, "a number"), ("f", 10**400, False, "fits a float"), ("b", "yes", True, "true or false"),
    ("b", 1, False, "true or false"), ("s", 3, False, "a text"), ("d", "2024-02-30", False, "a date such as"),
    ("d", "2024-02-01T00:00", False, "a date such as"), ("d", dt.datetime(2024, 1, 1), False, "a date such as"),
    ("w", "soon", True, "a date and time"),
    ("w", "2024-01-01T00:00[Mars/Base]", True, "a date and time"),
    ("w", "2024-01-01T00:00+05:00[Europe/Paris]", True, "a date and time"),
    ("e", "soon", True, "a duration"), ("p", 3, False, "a path"),
    ("m", "x", False, "one of FAST, SLOW, AUTO"), ("l", 1.0, False, "one of 'a', 1, True"), ("n", "3", False, "a list"),
    ("n", [1.5], False, "each item a whole number"), ("n", "[1", True, "a list"),
    ("names", "(1,2)", True, "a list"), ("j", "{", True, "JSON such as"),
    ("j", {"a": "x"}, False, "each value a number"), ("t", [1], False, "a list of 2"), ("a", object(), False, "plain"),
    ("ms", ["x"], False, "one of FAST"), ("s", "\ud800", False, "UTF-8"), ("a", {1: "x"}, False, "keys are texts"),
    ("a", [dt.date(2024, 1, 1)], False, "annotate it"), ("a", {"x": [1, (2,)]}, False, "no dates or tuples"),
]  # fmt: skip


@pytest.fixture
def every(read: Read) -> NotebookDocument:
    return declare(read, EVERY)


def same(one: object, other: object) -> bool:
    return repr(one) == repr(other)  # NaN too, and 1 is not 1.0


@pytest.mark.parametrize(("name", "value", "coerced"), ACCEPTED)
def test_accepted_values(every: NotebookDocument, name: str, value: object, coerced: object) -> None:
    found = coerce_parameters(every, {name: value})
    assert same(found, {name: coerced})
    assert same(coerce_parameters(every, found), found)
    carried = json.loads(json.dumps(parameters_json(every, found)))
    assert same(coerce_parameters(every, carried), found)


@pytest.mark.parametrize(("name", "text", "coerced"), TEXTS)
def test_texts_of_a_command_line(every: NotebookDocument, name: str, text: str, coerced: object) -> None:
    assert same(coerce_parameters(every, {name: text}, from_text=True), {name: coerced})


@pytest.mark.parametrize(("name", "value", "from_text", "words"), REFUSED)
def test_refused_values(every: NotebookDocument, name: str, value: object, from_text: bool, words: str) -> None:
    with pytest.raises(RequestError) as refusal:
        coerce_parameters(every, {name: value}, from_text=from_text)
    assert f"Parameter `{name}` is " in refusal.value.message
    assert words in refusal.value.message


def test_everything_wrong_is_listed_at_once(read: Read) -> None:
    document = declare(read, "alpha = 1\nstart: date\n")
    with pytest.raises(RequestError) as refusal:
        coerce_parameters(document, {"alhpa": 1, "alpha": "x"})
    message = refusal.value.message
    assert "no parameter `alhpa`; did you mean `alpha`?" in message
    assert "Parameter `alpha` is 'x'" in message
    assert "Parameter `start` (date) has no default" in message
    with pytest.raises(RequestError, match="has no parameter"):
        coerce_parameters(read("x = 1"), {"x": 1})


def test_names_are_normalised_as_python_does(read: Read) -> None:
    document = declare(read, "ﬁnal = 1")
    assert coerce_parameters(document, {"ﬁnal": 2}) == coerce_parameters(document, {"final": 2}) == {"final": 2}


def test_a_callers_enum(every: NotebookDocument) -> None:
    class Mode(Enum):
        FAST = "fast"

    assert coerce_parameters(every, {"m": Mode.FAST}) == {"m": "FAST"}


def test_schema(every: NotebookDocument) -> None:
    schema = parameters_schema(every)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    properties: Any = schema["properties"]
    assert list(properties) == [parameter.name for parameter in every.parameters]
    assert properties["m"] == {
        "title": "m", "type": "string", "enum": ["FAST", "SLOW", "AUTO"], "default": "FAST", "position": 8,
    }  # fmt: skip
    defaults = {name: one["default"] for name, one in properties.items()}
    validator.validate(defaults)
    assert not validator.is_valid({"unknown": 1})
    assert not validator.is_valid({"i": "x"})


def run(document: NotebookDocument, values: dict[str, object]) -> dict[str, Any]:
    """What the injected cell gives, after a notebook that has shadowed what it could."""
    namespace: dict[str, Any] = {}
    exec(HEAD, namespace)
    shadow = dict.fromkeys(("datetime", "date", "Path", "clock", "math", "pathlib", "set", "float", "builtins"))
    namespace.update(dict.fromkeys(shadow))
    exec(parameters_source(document, values), namespace)
    return namespace


@pytest.mark.parametrize(("name", "value", "coerced"), ACCEPTED)
def test_source_gives_the_exact_value(every: NotebookDocument, name: str, value: object, coerced: object) -> None:
    namespace = run(every, {name: value})
    found = namespace[name]
    if name in ("m", "q", "ms"):
        mode = namespace["Mode"]
        expected = [mode[one] for one in coerced] if isinstance(coerced, list) else coerced and mode[coerced]
        assert found == expected
        return
    assert same(found, coerced)
    assert type(found) is type(coerced)


HOSTILE = st.text(st.characters(codec="utf-8")) | st.sampled_from(
    ["'", '"""', "\\", "'); import os; ('", "{x}", "\n", "\r", "\u2028", "\0"]
)


@settings(max_examples=60, deadline=None)
@given(
    text=HOSTILE,
    key=HOSTILE,
    number=st.integers() | st.floats(),
    when=st.datetimes(timezones=st.timezones() | st.none()),
)
def test_no_value_becomes_code(text: str, key: str, number: float, when: dt.datetime) -> None:
    from jupyter_pipelines.notebook import read_notebook

    source = "s = ''\nd: dict = {}\nu: int | float = 1\nw: datetime = None\nn: list[str] = []"
    cell = {"cell_type": "code", "source": source, "metadata": {"tags": ["parameters"]}}
    document = read_notebook(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4}), "x.ipynb")
    values: dict[str, object] = {"s": text, "d": {key: text}, "u": number, "w": when, "n": [text, key]}
    namespace: dict[str, Any] = {}
    exec(compile(parameters_source(document, values), "<injected>", "exec"), namespace)
    for name, value in values.items():
        assert same(namespace[name], value) or namespace[name] == value
    assert namespace.keys() - {"__builtins__"} == values.keys()


def test_text_of_a_hostile_subclass_is_taken_as_text(every: NotebookDocument) -> None:
    class Sly(str):
        def __repr__(self) -> str:
            return "exit()"

    assert parameters_source(every, {"s": Sly("x")}) == "s = 'x'"
    assert parameters_source(every, {"a": [Sly("x")]}) == "a = ['x']"
    with pytest.raises(RequestError):
        parameters_source(every, {"p; exit()": "x"})
