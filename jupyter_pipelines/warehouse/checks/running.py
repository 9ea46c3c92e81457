"""Checks carried out: the violations of all rules in one query, then a few examples of what broke one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from jupyter_pipelines.errors import SqlError
from jupyter_pipelines.notebook.check_magic import CheckLine, Rule
from jupyter_pipelines.warehouse.checks.model import CheckReport, CheckResult, judged
from jupyter_pipelines.warehouse.checks.queries import Violations, violations_of
from jupyter_pipelines.warehouse.checks.whole import columns_differ, drift_value, drifted, type_differs
from jupyter_pipelines.warehouse.frames import python_values

if TYPE_CHECKING:
    from jupyter_pipelines.notebook.table_names import TableName
    from jupyter_pipelines.warehouse.session import Session

MOST_SAMPLED: Final = 5  # rows of one rule
MOST_COLUMNS: Final = 12
MOST_TOGETHER: Final = 32  # rules in one query: the time to plan it grows with their square
_TOGETHER: Final = "\nUNION ALL "
_SHOWN: Final = re.compile(r"^LINE \d+: (.*)$", re.MULTILINE)  # what DuckDB shows of the text that it was given
LONGEST: Final = 80  # characters of a sampled value


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule with the line it stands on, and its query where it has one."""

    name: str
    line: CheckLine
    rule: Rule
    query: Violations | None


def run_checks(
    session: Session,
    table: TableName,
    checks: Sequence[CheckLine],
    parameters: Mapping[str, object] | None = None,
    frames: Mapping[str, object] | None = None,
    earlier: Mapping[str, Sequence[float]] | None = None,
    *,
    in_transaction: bool = False,
) -> CheckReport:
    """How ``checks`` of ``table`` come out; in a transaction they see what it has written.

    ``frames`` are DataFrames that the checks name, the table among them if it is one. ``earlier`` are the numbers of
    earlier runs by the names of rules, oldest first. A check that cannot be carried out has failed;
    ``in_transaction``, which a mistake ends, it is the only one in the report, nameless where DuckDB does not say which
    it is. Raises :class:`SqlError` when the table
    itself cannot be read.
    """
    asked = _Asked(session, table, parameters or {}, frames or {}, earlier or {}, in_transaction)
    rules = [
        _Rule(name_of(line, rule), line, rule, violations_of(table.sql, line, rule))
        for line in checks
        for rule in line.rules
    ]
    try:
        counted = iter(asked.count([one for one in rules if one.query is not None]))
        results = [asked.as_a_whole(one) if one.query is None else next(counted) for one in rules]
    except _MistakeError as mistake:
        return CheckReport(str(table), asked.rows, (mistake.result,))
    results = [asked.with_sample(one, result) for one, result in zip(rules, results, strict=True)]
    return CheckReport(str(table), asked.rows, tuple(results))


def name_of(line: CheckLine, rule: Rule) -> str:
    """What a rule is called in reports and in the history."""
    return line.subject if rule.kind == "query" else f"{line.subject}: {' '.join(rule.text.split())}"


class _MistakeError(Exception):
    """A rule that cannot be carried out, in a transaction that ends with that."""

    def __init__(self, result: CheckResult) -> None:
        super().__init__(result.message)
        self.result = result


@dataclass
class _Asked:
    session: Session
    table: TableName
    parameters: Mapping[str, object]
    frames: Mapping[str, object]
    earlier: Mapping[str, Sequence[float]]
    in_transaction: bool
    rows: int = 0

    def count(self, rules: Sequence[_Rule]) -> list[CheckResult]:
        """The results of rules that have a query; several may have one name."""
        try:
            self.rows = self._numbers([])[-1][0]
        except SqlError as error:  # the query is not the author's
            raise SqlError(error.message.partition("\n\nLINE ")[0], error.fix, kind=error.kind) from None
        starts = range(0, len(rules), MOST_TOGETHER)
        return [one for start in starts for one in self._together(rules[start : start + MOST_TOGETHER])]

    def _together(self, rules: Sequence[_Rule]) -> list[CheckResult]:
        try:
            numbers = self._numbers(rules)
        except SqlError as error:  # of one of them: each is asked alone, to tell which
            if self.in_transaction:
                raise _MistakeError(self._cannot(self._named(rules, error), error)) from None
            return [self._alone(one) for one in rules]
        return [self._result(one, *numbers[place]) for place, one in enumerate(rules)]

    def _alone(self, one: _Rule) -> CheckResult:
        try:
            return self._result(one, *self._numbers([one])[0])
        except SqlError as error:
            return self._cannot(one.name, error)

    def _cannot(self, name: str, error: SqlError) -> CheckResult:
        return CheckResult(str(self.table), name, "failed", 0, self.rows, message=error.message)

    def _named(self, rules: Sequence[_Rule], error: SqlError) -> str:
        """Which of the rules DuckDB means, by the line that it shows; all of them where it shows none of ours."""
        if len(rules) == 1:
            return rules[0].name
        parts = self._parts(rules)
        shown = _SHOWN.search(error.message)
        asked = _TOGETHER.join(parts).splitlines()
        if shown is None or error.line > len(asked) or shown[1].strip(".") not in asked[error.line - 1]:
            return f"one of {len(rules)} checks"
        last = [part.count("\n") + 1 for part in parts]
        ends = [sum(last[: place + 1]) for place in range(len(last))]
        found = next((place for place, end in enumerate(ends) if error.line <= end), len(rules))
        return rules[min(max(found - 1, 0), len(rules) - 1)].name

    def _numbers(self, rules: Sequence[_Rule]) -> dict[int, tuple[int, float | None]]:
        found = self.session.query(_TOGETHER.join(self._parts(rules)), self.parameters, frames=self.frames).to_pylist()
        return {row["place"]: (row["violations"], row["value"]) for row in found}

    def _parts(self, rules: Sequence[_Rule]) -> list[str]:
        """The number of rows, and that of violations of each rule."""
        parts = [f"SELECT -1 AS place, count(*) AS violations, NULL::DOUBLE AS value FROM {self.table.sql}"]
        for place, one in enumerate(rules):
            assert one.query is not None
            parts.append(
                f"SELECT {place}, {one.query.count}, {one.query.value} FROM ({one.query.counted or one.query.rows})"
            )
        return parts

    def _result(self, one: _Rule, violations: int, value: float | None) -> CheckResult:
        status = judged(violations, self.rows, one.line.thresholds)
        return CheckResult(str(self.table), one.name, status, violations, self.rows, value)

    def as_a_whole(self, one: _Rule) -> CheckResult:
        """The result of a rule about columns, types or drift."""
        value, message = None, ""
        try:
            if one.rule.kind == "columns":
                message = columns_differ(self.session, self.table.sql, one.rule, self.frames)
            elif one.rule.kind == "type":
                message = type_differs(self.session, self.table.sql, one.line, one.rule, self.frames)
            else:
                value = drift_value(self.session, self.table.sql, one.line, self.frames)
                message, wrong = drifted(value, self.earlier.get(one.name, ()), float(one.rule.values[0]))
                return replace(self._result(one, int(wrong), value), message=message)
        except SqlError as error:
            if self.in_transaction:
                raise _MistakeError(self._cannot(one.name, error)) from None
            return self._cannot(one.name, error)
        return replace(self._result(one, int(bool(message)), value), message=message)

    def with_sample(self, one: _Rule, result: CheckResult) -> CheckResult:
        """Some of the rows that break a rule, where it has not passed."""
        if result.status == "passed" or one.query is None or not result.violations:
            return result
        sample = f"SELECT * FROM ({one.query.rows}) LIMIT {MOST_SAMPLED}"
        with suppress(SqlError):
            found = self.session.query(sample, self.parameters, frames=self.frames)
            first = [name for name in found.column_names if name in one.line.columns]
            names = [*first, *(name for name in found.column_names if name not in first)][:MOST_COLUMNS]
            columns = [python_values(found.column(name)) for name in names]
            return replace(
                result,
                sample_columns=tuple(names),
                sample=tuple(tuple(map(_short, row)) for row in zip(*columns, strict=True)),
            )
        return result


def _short(value: object) -> str:
    shown = "NULL" if value is None else str(value)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"
