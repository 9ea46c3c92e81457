"""The line of a ``%%sql`` cell, understood: ``%%sql [df <<] [--table mart.orders --materialize incremental …]``.

The only place that reads it: the graph asks it what a cell builds, the kernel what to do. IPython fills ``{name}`` and
``$name`` into the line of a magic unless that is marked with ``no_var_expand``, as the kernel's ``%%sql`` is: what is
read here is what the author wrote.
"""

from __future__ import annotations

import difflib
import keyword
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, get_args

from jupyter_pipelines.notebook.codes import Problem
from jupyter_pipelines.notebook.table_names import TableName, read_columns, read_table_name

Materialization = Literal["table", "view", "incremental", "append", "snapshot"]
MATERIALIZATIONS: tuple[Materialization, ...] = get_args(Materialization)
FrameForm = Literal["pandas", "polars", "arrow"]
_FORMS: tuple[FrameForm, ...] = get_args(FrameForm)

_ASSIGN = re.compile(r"\s*(\S+?)\s*<<(.*)", re.DOTALL)
_WORD = re.compile(r"""(?:"(?:[^"]|"")*"|'[^']*'|[^\s"'])+""")


@dataclass(frozen=True, slots=True)
class SqlMagic:
    """What a ``%%sql`` line asks for; of what is wrong in it the valid part only, and ``problems``."""

    assign: str = ""  # the name that gets the result
    form: FrameForm = "pandas"  # what it gets it as
    table: TableName | None = None  # what the cell builds
    materialize: Materialization = "table"  # how; of no meaning without a table
    unique_key: tuple[str, ...] = ()
    time_column: str = ""
    partition_by: tuple[str, ...] = ()
    full_refresh: bool = False
    rows: int | None = None  # how many are shown; None: as many as usual
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True)
class _Reader:
    """Goes through the words of a line."""

    values: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, message: str, fix: str) -> None:
        self.problems.append(Problem("JP150", message, fix))

    def store(self, flag: str, key: str, value: object) -> None:
        if self.values.setdefault(key, value) != value:
            self.problem(f"`{flag}` is given twice on the `%%sql` line, with different values.", "Give it once.")


@lru_cache(maxsize=2048)
def read_sql_magic(line: str) -> SqlMagic:
    """Understand what stands after ``%%sql`` on its line. Never raises: what is wrong is in ``problems``."""
    reader = _Reader()
    assigned = _ASSIGN.match(line)
    if assigned is not None:
        name, line = assigned.groups()
        if name.isidentifier() and not keyword.iskeyword(name):
            reader.values["assign"] = name
        else:
            reader.problem(f"`{name}` before `<<` is no name that Python could give.", "Write `%%sql df <<`.")
    _read_words(_split(line, reader), reader)
    _check_together(reader)
    return SqlMagic(**reader.values, problems=tuple(reader.problems))


def _split(line: str, reader: _Reader) -> list[str]:
    words, at = [], 0
    for match in _WORD.finditer(line):
        if line[at : match.start()].strip():
            break
        words.append(match[0])
        at = match.end()
    if line[at:].strip():
        reader.problem("The `%%sql` line has an unclosed quote.", "Close it.")
    comment = next((at for at, word in enumerate(words) if word.startswith("#") or word == "--"), None)
    return words[:comment]


def _bare(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == "'" else text


def _table(text: str) -> TableName:
    name = read_table_name(text)
    if name is None:
        raise ValueError('the name of a table, such as mart.orders or mart."Big Orders"')
    return name


def _columns(text: str) -> tuple[str, ...]:
    names = read_columns(text)
    if names is None:
        raise ValueError("names of columns with commas and no spaces between them, such as id,day")
    return names


def _column(text: str) -> str:
    names = _columns(text)
    if len(names) > 1:
        raise ValueError("the name of one column")
    return names[0]


def _materialization(text: str) -> str:
    if text not in MATERIALIZATIONS:
        near = difflib.get_close_matches(text.lower(), MATERIALIZATIONS, 1)
        raise ValueError(f"`{near[0]}`" if near else f"one of {', '.join(MATERIALIZATIONS)}")
    return text


def _form(text: str) -> str:
    if text not in _FORMS:
        raise ValueError(f"one of {', '.join(_FORMS)}")
    return text


def _rows(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ValueError("a number of rows, such as 50")
    return int(text)


_FLAGS: dict[str, tuple[str, Callable[[str], object]]] = {
    "--table": ("table", _table),
    "--materialize": ("materialize", _materialization),
    "--unique-key": ("unique_key", _columns),
    "--time-column": ("time_column", _column),
    "--partition-by": ("partition_by", _columns),
    "--rows": ("rows", _rows),
    "--as": ("form", _form),
}
_SWITCHES = {"--full-refresh": "full_refresh"}


def _read_words(words: list[str], reader: _Reader) -> None:
    rest = iter(words)
    pending: str | None = next(rest, None)
    while pending is not None:
        word, pending = pending, next(rest, None)
        flag, equals, value = word.partition("=")
        if word in _SWITCHES:
            reader.store(word, _SWITCHES[word], True)
        elif flag in _FLAGS:
            if not equals:
                if pending is None or pending.startswith("--"):
                    reader.problem(f"`{flag}` on the `%%sql` line has no value.", "Give it one.")
                    continue
                value, pending = pending, next(rest, None)
            _store(flag, _bare(value), reader)
        elif word.startswith("-"):
            near = difflib.get_close_matches(flag, [*_FLAGS, *_SWITCHES], 1)
            fix = f"Did you mean `{near[0]}`?" if near else f"Use one of {', '.join([*_FLAGS, *_SWITCHES])}."
            reader.problem(f"`%%sql` has no option `{flag}`.", fix)
            if pending is not None and not pending.startswith("-"):
                pending = next(rest, None)  # its value
        else:
            fix = "Write the SQL below the line; name a table to build with `--table`, one to assign with `df <<`."
            reader.problem(f"`{word:.60}` on the `%%sql` line has no meaning.", fix)


def _store(flag: str, text: str, reader: _Reader) -> None:
    key, convert = _FLAGS[flag]
    try:
        value = convert(text)
    except ValueError as expected:
        reader.problem(f"`{flag}` on the `%%sql` line has the value `{text:.60}`.", f"Give {expected}.")
    else:
        reader.store(flag, key, value)


_MEANT_FOR: dict[str, frozenset[str]] = {  # which ways of building make something of an option
    "unique_key": frozenset({"incremental", "snapshot"}),
    "time_column": frozenset({"incremental", "append", "snapshot"}),
    "partition_by": frozenset({"table", "incremental", "append", "snapshot"}),
    "full_refresh": frozenset({"incremental", "append", "snapshot"}),
}


def _check_together(reader: _Reader) -> None:
    """Options that say different things."""
    values = reader.values
    flags = {key: flag for flag, (key, _) in _FLAGS.items()} | {key: flag for flag, key in _SWITCHES.items()}
    if "form" in values and "assign" not in values and not reader.problems:
        reader.problem("`--as` says what a result is assigned as, but no name gets it.", "Write `%%sql df << --as …`.")
    if "table" not in values:
        alone = [flags[key] for key in ("materialize", *_MEANT_FOR) if key in values]
        if alone and not reader.problems:
            reader.problem(f"`{alone[0]}` says how to build a table, but none is named.", "Add `--table NAME`.")
        return
    if "assign" in values:
        reader.problem(
            f"The cell assigns its result to `{values['assign']}` and builds a table; it can do one.",
            "Build the table here, and read it in a `%%sql df <<` cell below.",
        )
    materialize = values.get("materialize", "table")
    for key, ways in _MEANT_FOR.items():
        if key in values and materialize not in ways:
            fix = ", or build it with `--materialize incremental`." if key in {"unique_key", "time_column"} else "."
            reader.problem(f"`{flags[key]}` has no meaning with `--materialize {materialize}`.", f"Remove it{fix}")
    if materialize == "incremental" and not (values.get("unique_key") or values.get("time_column")):
        reader.problem(
            "An incremental table needs to know which rows are replaced.",
            "Add `--unique-key COLUMNS` or `--time-column COLUMN`; `--materialize append` only ever adds rows.",
        )
    if materialize == "snapshot" and not values.get("unique_key"):
        reader.problem("A snapshot needs to know which rows are one over time.", "Add `--unique-key COLUMNS`.")
