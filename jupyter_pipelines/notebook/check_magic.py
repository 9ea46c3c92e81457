"""``%%check mart.orders`` cells, understood: one line for each thing that must hold, in words that read as a sentence.

::

    %%check mart.orders
    id: not null, unique
    amount: between 0 and 10000 | warn > 0.1%
    customer_id: in raw.customers.customer_id
    ordered_at: within 2 days
    rows: > 0
    no_bad_day: select day from mart.orders group by day
        having count(*) < 10                                -- rows are violations; indented lines go on

The subject is a column, or several with commas; ``rows`` is their number, ``columns`` the schema; a line whose rule is
a query has a name of its own. A column called ``rows`` or ``columns`` is written with quotes. Lines that begin with
``#`` or ``--`` are comments. The same lines may stand in a ``%%sql --table`` cell, below a line ``%%check`` of their
own: see :func:`split_checks`. The only place that reads them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from jupyter_pipelines.notebook.codes import Problem
from jupyter_pipelines.notebook.table_names import TableName, read_columns, read_parts, read_table_name

RuleKind = Literal[
    "not null",
    "unique",
    "between",
    "in",
    "not in",
    "in table",
    "within",
    "matches",
    "like",
    "not like",
    "compare",
    "type",
    "drift",
    "columns",
    "query",
]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``values`` are pieces of SQL as written, by kind.

    ``between``: lower, upper; ``in``, ``not in``: the members; ``within``: number, unit; ``matches``, ``like``,
    ``not like``: the pattern; ``compare``: operator, value; ``type``: the type; ``drift``: the bound as a share (0.2);
    ``query``: the query. ``in table`` has ``table`` and ``column``; ``columns`` has ``columns``, pairs of name and
    type, and ``others`` when there may be more.
    """

    kind: RuleKind
    text: str
    values: tuple[str, ...] = ()
    table: TableName | None = None
    column: str = ""
    columns: tuple[tuple[str, str], ...] = ()
    others: bool = False


@dataclass(frozen=True, slots=True)
class Threshold:
    """More violations than ``above`` make it a warning or an error; of all rows, in percent, if ``percent``."""

    level: Literal["warn", "error"]
    above: float = 0.0
    percent: bool = False


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One line. ``columns`` is empty for ``rows``, ``columns`` and queries; ``thresholds`` never is."""

    line: int  # within the body, from 1
    subject: str  # as written
    columns: tuple[str, ...]
    rules: tuple[Rule, ...]
    thresholds: tuple[Threshold, ...] = (Threshold("error"),)


@dataclass(frozen=True, slots=True)
class CheckCell:
    """All a ``%%check`` cell asks for. The subject may turn out to be a DataFrame: a name without schema."""

    subject: TableName | None
    checks: tuple[CheckLine, ...]
    problems: tuple[Problem, ...] = ()


@lru_cache(maxsize=2048)
def read_check_magic(line: str, body: str) -> CheckCell:
    """Understand what stands after ``%%check`` on its line, and the lines below. Never raises.

    Problems know their line within the cell, whose first line is that of the magic.
    """
    problems: list[Problem] = []
    text = re.sub(r"\s(#|--).*", "", f" {line}").strip()
    subject = read_table_name(text)
    if subject is None:
        message = f"`{_short(text)}` on the `%%check` line is not the name of a table."
        message = message if text else "`%%check` does not say what it checks."
        problems.append(Problem("JP151", message, "Write `%%check schema.table`, or the name of a DataFrame."))
    checks, wrong = read_check_lines(body)
    problems += [replace(problem, line=problem.line + 1) for problem in wrong]
    if not checks and not wrong:
        problems.append(Problem("JP151", "The cell has no checks.", "Add lines such as `id: not null, unique`."))
    return CheckCell(subject, checks, tuple(problems))


def read_check_lines(body: str) -> tuple[tuple[CheckLine, ...], tuple[Problem, ...]]:
    """The checks, and what is not understood; lines count from 1 within ``body``."""
    checks, problems = [], []
    for number, text in _logical_lines(body):
        try:
            checks.append(_read_line(number, text))
        except _NotUnderstoodError as reason:
            problems.append(Problem("JP151", reason.message, reason.fix, number))
    return tuple(checks), tuple(problems)


_SECTION = re.compile(r"^%%check[ \t]*$", re.MULTILINE)


def split_checks(body: str) -> tuple[str, str, int]:
    """The SQL of a ``%%sql`` cell's body, the checks below its line ``%%check``, and how many lines stand above those.

    The checks are empty where the body has no such line.
    """
    section = _SECTION.search(body)
    if section is None:
        return body, "", 0
    return body[: section.start()], body[section.end() + 1 :], body.count("\n", 0, section.start()) + 1


class _NotUnderstoodError(Exception):
    """A line that is no check."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.message, self.fix = message, fix


_FORM = "Write `column: rule, rule`, such as `id: not null, unique` or `amount: between 0 and 100 | warn > 0.1%`."


def _logical_lines(body: str) -> Iterator[tuple[int, str]]:
    """Lines with the indented ones that go on below them, comments left out; each with its number."""
    number, gathered = 0, list[str]()
    for at, line in enumerate(body.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith(("#", "--")):
            continue
        if line[0] in " \t" and gathered:
            gathered.append(line.rstrip())
            continue
        if gathered:
            yield number, "\n".join(gathered)
        number, gathered = at, [line.strip()]
    if gathered:
        yield number, "\n".join(gathered)


def _read_line(number: int, text: str) -> CheckLine:
    subject, *rest = _split(text, ":", 1)
    if not rest or not subject.strip():
        raise _NotUnderstoodError(f"`{_short(text)}` is not a check.", _FORM)
    subject = subject.strip()
    query = re.match(r"\s*(select|with|from)\b", rest[0], re.IGNORECASE) is not None
    rule_text, thresholds = _read_thresholds(rest[0] if query else _without_comment(rest[0]), query)
    if not rule_text:
        raise _NotUnderstoodError(f"`{_short(text)}` has no rule.", _FORM)
    if query:
        return CheckLine(number, subject, (), (Rule("query", rule_text, (rule_text,)),), thresholds)
    if subject.lower() == "columns":
        return CheckLine(number, subject, (), (_columns_rule(rule_text),), thresholds)
    rules = tuple(_read_rule(part.strip()) for part in _split(rule_text, ","))
    if subject.lower() == "rows":
        for rule in rules:
            if rule.kind not in {"compare", "between", "drift"}:
                message = f"`{rule.text}` says nothing about the number of rows."
                raise _NotUnderstoodError(message, "Write `rows: > 0` or `rows: between 1 and 1000`.")
        return CheckLine(number, subject, (), rules, thresholds)
    columns = read_columns(subject)
    if columns is None:
        message = f"`{_short(subject)}` before the colon is no column, and what follows is no query."
        raise _NotUnderstoodError(message, _FORM)
    for rule in rules:
        if len(columns) > 1 and rule.kind not in {"unique", "not null"}:
            message = f"`{rule.text}` is about one column, but {len(columns)} are named."
            raise _NotUnderstoodError(message, "Give each column a line of its own.")
    return CheckLine(number, subject, columns, rules, thresholds)


_THRESHOLD = re.compile(r"(warn|error)(?:\s*>\s*(\d+(?:\.\d+)?)\s*(%?))?", re.IGNORECASE)


def _read_thresholds(text: str, query: bool) -> tuple[str, tuple[Threshold, ...]]:
    """The rules, and the ``| warn > 0.1%`` behind them; any other bar in a query is SQL's."""
    pieces = _split(text, "|")
    found: list[Threshold] = []
    while len(pieces) > 1 and (match := _THRESHOLD.fullmatch(pieces[-1].strip())):
        level: Literal["warn", "error"] = "warn" if match[1].lower() == "warn" else "error"
        found.insert(0, Threshold(level, float(match[2] or 0), bool(match[3])))
        pieces.pop()
    if len(pieces) > 1 and not query:
        message = f"`| {_short(pieces[-1].strip())}` is not a threshold."
        raise _NotUnderstoodError(message, "Write `| warn`, `| warn > 0.1%` or `| error > 5`.")
    levels = [threshold.level for threshold in found]
    if len(set(levels)) < len(levels):
        raise _NotUnderstoodError(
            f"`{levels[0]}` has two thresholds.", "Give one of each: `| warn > 0.1% | error > 1%`."
        )
    return "|".join(pieces).strip(), tuple(found) or (Threshold("error"),)


_VALUE = r"(\S.*)"
_TEXT = r"('(?:[^']|'')*'|\$\w+)"
_RULES: dict[RuleKind, str] = {
    "not null": r"not\s+null",
    "unique": r"unique",
    "between": rf"between\s+(\S.*?)\s+and\s+{_VALUE}",
    "in": r"in\s*\((.*)\)",
    "not in": r"not\s+in\s*\((.*)\)",
    "in table": rf"in\s+{_VALUE}",
    "within": r"within\s+(\d+(?:\.\d+)?)\s*(second|minute|hour|day|week|month|year)s?",
    "matches": rf"matches\s+{_TEXT}",
    "like": rf"like\s+{_TEXT}",
    "not like": rf"not\s+like\s+{_TEXT}",
    "compare": rf"(=|<>|!=|>=|<=|>|<)\s*{_VALUE}",
    "type": r"is\s+([A-Za-z][\w \[\](),]*)",
    "drift": r"drift\s*<\s*(\d+(?:\.\d+)?)\s*(%?)",
}
_WORDS = ("not null", "unique", "between", "in", "not in", "within", "matches", "like", "not like", "is", "drift")


def _read_rule(text: str) -> Rule:
    for kind, pattern in _RULES.items():
        match = re.fullmatch(pattern, text, re.IGNORECASE | re.DOTALL)
        if match is None:
            continue
        if kind == "in table":
            return _in_table(text, match[1])
        if kind in {"in", "not in"}:
            values = tuple(part.strip() for part in _split(match[1], ","))
            if not all(values):
                raise _NotUnderstoodError(f"`{_short(text)}` has an empty member.", "Write `in ('a', 'b')`.")
            return Rule(kind, text, values)
        if kind == "drift":
            return Rule(kind, text, (str(float(match[1]) / (100 if match[2] else 1)),))
        if kind == "within":
            return Rule(kind, text, (match[1], match[2].lower()))
        return Rule(kind, text, tuple(value.strip() for value in match.groups()))
    if not text:
        raise _NotUnderstoodError("A rule is missing beside a comma.", _FORM)
    first = re.match(r"(?:not\s+)?\w+", text.lower())
    near = difflib.get_close_matches(" ".join((first[0] if first else text).split()), _WORDS, 1)
    fix = f"Did you mean `{near[0]}`?" if near else "Rules are " + ", ".join(_WORDS) + ", comparisons such as `> 0`."
    raise _NotUnderstoodError(f"`{_short(text)}` is not a rule.", fix)


def _in_table(text: str, written: str) -> Rule:
    parts = read_parts(written)
    if parts is None or not 2 <= len(parts) <= 4:
        raise _NotUnderstoodError(
            f"`{_short(text)}` names no column to look in.", "Write `in schema.table.column`, or `in ('a', 'b')`."
        )
    catalog, schema, table = ("", "", *parts[:-1])[-3:]
    return Rule("in table", text, table=TableName(schema, table, catalog), column=parts[-1])


_COLUMN_TYPE = re.compile(r'("(?:[^"]|"")+"|[^\s"]+)\s+(\S.*)', re.DOTALL)


def _columns_rule(text: str) -> Rule:
    expected, others = list[tuple[str, str]](), False
    for part in (part.strip() for part in _split(text, ",")):
        if part in {"...", "…"}:
            others = True
            continue
        match = _COLUMN_TYPE.fullmatch(part)
        names = read_columns(match[1]) if match is not None else None
        if match is None or names is None:
            message = f"`{_short(part)}` is not a column with its type."
            raise _NotUnderstoodError(message, "Write `columns: id integer, amount double`; `...` allows more.")
        expected.append((names[0], match[2].strip()))
    return Rule("columns", text, columns=tuple(expected), others=others)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:57] + "…"


def _without_comment(text: str) -> str:
    found = (match for match in re.finditer(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--|#""", text) if match[0] in {"--", "#"})
    comment = next(found, None)
    return text if comment is None else text[: comment.start()]


_QUOTED_OR_NESTING = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\|\||[()\[\]{}]""")


def _split(text: str, separator: str, most: int = -1) -> list[str]:
    """Split where ``separator`` stands outside of quotes and brackets; ``||`` is not two bars."""
    pieces, depth, at, begin = [], 0, 0, 0
    while at < len(text) and most != 0:
        if match := _QUOTED_OR_NESTING.match(text, at):
            depth += 1 if match[0] in "([{" else -1 if match[0] in ")]}" else 0
            at = match.end()
            continue
        if text[at] == separator and depth <= 0:
            pieces.append(text[begin:at])
            begin, most = at + 1, most - 1
        at += 1
    return [*pieces, text[begin:]]
